#!/usr/bin/env python3
"""Holds a shared queue to its promises, with real processes on loopback: a nats-server, services and the load client.

    scripts/queue.py long [SECONDS]     500 messages per second (default 600 s) through a front; one of two workers is killed every 5 s, by
                                        turns, and the nats-server every 7 s: nothing that was acknowledged is lost
    scripts/queue.py away [SECONDS]     200 messages per second while all workers are away (default 20 s), and how long the queue then drains
    scripts/queue.py cluster [SECONDS]  200 messages per second on a cluster of three servers (default 20 s), whose leader is killed half-way
    scripts/queue.py cost [SECONDS]     CPU time of an acknowledged message against a queue in memory, messages per second against a bare
                                        publisher, and the cost of an idle service
    scripts/queue.py grown [MESSAGES]   a queue of many messages (default 1,000,000): resident memory and start of a service
    scripts/queue.py sharing [SECONDS]  two services share the work, a third takes its part, one stops and leaves nothing to be delivered again
    scripts/queue.py kills [TIMES]      a service is killed with all workers busy (default 10 times): lost 0, delivered again after the lease
    scripts/queue.py outage [TIMES]     the server is killed under load (default 5 times): how soon Enqueue answers, and is back; Process goes on
    scripts/queue.py freeze [SECONDS]   the server is frozen (default 5 s), and callers repeat: nothing is done twice
    scripts/queue.py bound [CLIENTS]    each of some clients (default 10) sends 1,000 messages at once to a queue for 100: exactly 100 are acknowledged
    scripts/queue.py poison [TIMES]     a message ends its worker each time: a dead letter after so many deliveries (default 5)
    scripts/queue.py hand [SECONDS]     a message waits for a busy worker for three leases (default 2 s each), and is not delivered again
    scripts/queue.py stall [MESSAGES]   one worker, many messages of no work (default 100,000), three times: it never stands still for a second
    scripts/queue.py beside [ROUNDS]    Process beside an idle shared or durable queue against one in memory
    scripts/queue.py power [SECONDS]    the power fails under load (default 8 s): a durable queue and a server that syncs lose nothing. Needs root
    scripts/queue.py acceptance         all of them in turn, apart from long, cluster, cost and grown

PROGRAMS=FOLDER has foo-service and load-client (default: target/release), NATS_SERVER or scripts/get-nats the server. Each prints its figures, and
ends with exit code 1 if a bound is not met. docs/experiments.md records them.
"""

import signal
import sys
import tempfile
import time

from queue_faults import cluster, freeze, kills, long, outage, poison
from queue_figures import Verdict, audit_says, say
from queue_power import power
from queue_processes import DONE, REDELIVERED, Load, Nats, Process, Service, until
from queue_speed import beside, cost, grown, stall


def away(folder, seconds=20):
    nats = Nats(folder)
    shared = [*nats.flag, "--queue-capacity", 100_000]
    front = Service(*shared, "--workers", 0)
    load = Load(folder, front.url, "-r", 200, "-n", 200 * seconds, "-c", 16, "--connections", 2, "--drain-limit", "120s")
    until(lambda: (front.metric("foo_queue_depth") or 0) >= 200 * seconds, "the queue takes everything in")
    worker = [Service(*shared, "--accept", "none", "--workers", 8, "--service-time", "100ms") for _ in range(2)]
    began = time.monotonic()
    until(lambda: worker[0].metric("foo_queue_depth") == 0 and all(one.metric("foo_in_system") == 0 for one in worker), "the queue is empty")
    took, expected = time.monotonic() - began, 200 * seconds * 0.1 / 16
    run = load.report()
    say(f"{run['ledger']['ok']} of {run['ledger']['intended']} acknowledged while all workers were away", run["ledger"]["ok"] == run["ledger"]["intended"])
    audit = audit_says(run)
    say(f"done {audit['done']} after the workers came: drained in {took:.2f} s; {expected:.2f} s by arithmetic, at most 10 % apart",
        abs(took / expected - 1) <= 0.1)


def sharing(folder, seconds=15):
    nats = Nats(folder)
    shared = [*nats.flag, "--queue-capacity", 10_000]
    front = Service(*shared, "--workers", 0)
    messages = 24 * seconds
    load = Load(folder, front.url, "-r", 0, "-n", messages, "-c", 4, "--drain-limit", "120s")
    until(lambda: front.holds(messages), "all messages are queued")
    # One worker each, 250 ms a message: four per second.
    workers = [Service(*shared, "--accept", "none") for _ in range(2)]
    until(lambda: all(one.count(DONE) > 0 for one in workers), "both have done a message")

    def parts():
        """How many messages each service did in some seconds."""
        before, began = [one.count(DONE) for one in workers], time.monotonic()
        time.sleep(seconds)
        done, took = [one.count(DONE) - count for one, count in zip(workers, before)], time.monotonic() - began
        rate, expected = sum(done) / took, 4 * len(workers)
        shares = [count / sum(done) for count in done]
        say(f"{len(workers)} services: {rate:.2f} messages per second, {expected} by arithmetic, at most 10 % apart", abs(rate / expected - 1) <= 0.1)
        # A fifth more or less than its part: 40 to 60 % of two.
        say("their parts: " + ", ".join(f"{share:.1%}" for share in shares) + f", each at most a fifth from {1 / len(workers):.1%}",
            all(abs(share * len(workers) - 1) <= 0.2 for share in shares))

    parts()
    workers.append(Service(*shared, "--accept", "none"))
    ready = time.monotonic()
    until(lambda: workers[-1].metric("foo_in_service") == 1 or workers[-1].count(DONE) > 0, "the third has a message")
    say(f"a third service has its first message {time.monotonic() - ready:.2f} s after it is ready, at most 2", time.monotonic() - ready <= 2)
    parts()
    redelivered = sum(one.count(REDELIVERED) for one in workers)
    stopped = workers.pop(0)
    code = stopped.end()
    until(lambda: front.holds(0), "the queue is empty")
    again = sum(one.count(REDELIVERED) for one in workers) - redelivered
    say(f"the first stopped by SIGTERM with exit code {code}, 0; delivered again afterwards {again}, at most 0", code == 0 and again == 0)
    audit = audit_says(load.report())
    say(f"done twice {audit['duplicated']}, delivered again {audit['redelivered']}, at most 0", audit["duplicated"] == audit["redelivered"] == 0)


def bound(folder, clients=10):
    capacity, each = 100, 1000
    nats = Nats(folder)
    shared = [*nats.flag, "--queue-capacity", capacity]
    front = Service(*shared, "--workers", 0)

    def offer(places):
        ledger = Load(folder, front.url, "-r", 0, "-n", clients * each, "-c", clients, "--connections", clients, "--max-in-flight", each,
                      "--drain-limit", "0s").report()["ledger"]
        say(f"{clients} clients with {each} messages each at once: {ledger['ok']} acknowledged, {places}; {ledger['rejected']} got RESOURCE_EXHAUSTED, "
            "all others", ledger["ok"] == places and ledger["rejected"] == clients * each - places)
        until(lambda: front.holds(capacity), f"the queue shows {capacity} messages")
        say(f"the depth is {capacity}", True)

    offer(capacity)
    # It finishes what its workers have, and leaves the rest.
    worker = Service(*shared, "--accept", "none", "--workers", 10, "--service-time", "2s")
    until(lambda: worker.metric("foo_in_service") == 10, "ten messages are in service")
    worker.end(signal.SIGTERM)
    until(lambda: front.holds(capacity - 10), "ten messages are done")
    offer(10)


def hand(folder, lease=2):
    nats = Nats(folder)
    work = 3 * lease + 1
    shared = [*nats.flag, "--queue-lease", f"{lease}s", "--workers", 2, "--service-time", f"{work}s"]
    busy = Service(*shared)
    until(lambda: nats.stream()["consumer_detail"][0]["num_waiting"] == 1, "the service asks for a message")
    calls = Load(folder, busy.url, "-r", 0, "-n", 2, "-c", 2, "--timeout", "60s", mode="process")
    until(lambda: busy.metric("foo_in_service") == 2, "calls of Process have both workers")
    load = Load(folder, busy.url, "-r", 0, "-n", 1, "-c", 1, "--drain-limit", "120s")
    until(lambda: busy.metric("foo_queue_leased") == 1, "the message is in hand")
    # It would take the message if it were delivered again.
    idle = Service(*shared)
    run = load.report()
    calls.report()
    waited = run["queue_wait_seconds"]["max"]
    say(f"a message waited in hand for {waited:.2f} s, at least {3 * lease} (the lease is {lease} s), while calls of Process had all workers",
        waited >= 3 * lease)
    again, lost = (sum(one.count(name) for one in (busy, idle)) for name in (REDELIVERED, "foo_queue_lease_lost_total"))
    say(f"done there {busy.count(DONE)}, 1; elsewhere {idle.count(DONE)}, delivered again {again}, leases lost {lost}, at most 0",
        busy.count(DONE) == 1 and idle.count(DONE) == again == lost == 0)


ACCEPTANCE = {"away": away, "sharing": sharing, "kills": kills, "outage": outage, "freeze": freeze, "bound": bound, "poison": poison, "hand": hand,
              "stall": stall, "beside": beside, "power": power}
MODES = {**ACCEPTANCE, "long": long, "cluster": cluster, "cost": cost, "grown": grown}


def run(mode, *number):
    """Runs a mode with processes and a folder of its own. Ends the program if something that must happen does not."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            mode(folder, *number)
        finally:
            Process.end_all()


def acceptance():
    for name, mode in ACCEPTANCE.items():
        began = time.monotonic()
        print(f"== {name}", flush=True)
        try:
            run(mode)
        except SystemExit as why:
            say(str(why), False)
        print(f"   {time.monotonic() - began:.0f} s", flush=True)


def main():
    words = sys.argv[1:]
    if words in (["-h"], ["--help"]):
        print(__doc__)
    elif words == ["acceptance"]:
        acceptance()
    elif len(words) in (1, 2) and words[0] in MODES and "".join(words[1:]).isdigit() == (len(words) == 2):
        run(MODES[words[0]], *map(int, words[1:]))
    else:
        sys.exit(__doc__)
    sys.exit(1 if Verdict.missed else 0)


if __name__ == "__main__":
    main()
