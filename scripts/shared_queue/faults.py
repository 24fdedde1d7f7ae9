"""Modes of scripts/shared-queue in which processes are killed or frozen: services, the server of the queue, both by turns, the leader of a cluster."""

import pathlib
import signal
import subprocess
import time

from .figures import Repeating, Redeliveries, audit_says, outcomes, say
from .processes import ACKNOWLEDGED, DONE, PATIENCE, PROGRAMS, Load, Nats, Service, fail, free_port, until

RETRIES = ["--retries", 20, "--retry-on", "unavailable", "--backoff", "100ms..1s", "--timeout", "20s"]


def long(folder, seconds=600):
    nats = Nats(folder)
    shared = [*nats.flag, "--queue-lease", "3s", "--queue-max-deliveries", 50, "--queue-capacity", 500_000]
    front = Service(*shared, "--workers", 0)
    busy = [*shared, "--accept", "none", "--workers", 8, "--service-time", "2ms"]
    workers = [Service(*busy), Service(*busy)]
    redeliveries, kills = Redeliveries(workers), {"worker": 0, "server": 0}

    def kill_worker(number):
        redeliveries.look()
        workers[number % 2].end(signal.SIGKILL)
        kills["worker"] += 1
        workers[number % 2].start()

    def kill_server(_):
        nats.end(signal.SIGKILL)
        kills["server"] += 1
        nats.start()

    load = Load(folder, front.url, "-r", 500, "-z", f"{seconds}s", "-c", 64, "--connections", 4, "--timeout", "5s", "--drain-limit", "120s",
                "--retries", 3, "--retry-on", "unavailable", "--backoff", "200ms..2s")
    threads = [Repeating(5, kill_worker), Repeating(7, kill_server), Repeating(0.2, redeliveries.look)]
    time.sleep(seconds)
    for thread in threads:
        thread.stop()
    run = load.report()
    say(f"{seconds} s, {kills['worker']} kills of a worker, {kills['server']} of the server, {run['ledger']['intended']} requests: {outcomes(run)}")
    audit = audit_says(run)
    # A killed server forgets which messages it had delivered: it delivers those in hand once more, as if for the first time.
    times, in_hand = redeliveries.total(), 2 * 8 * kills["server"]
    say(f"done twice {audit['duplicated']}, done again after a retry {audit['done_again']}; the workers counted {times} redeliveries, and at most "
        f"{in_hand} messages were in hand when the server was killed", audit["duplicated"] <= times + in_hand)


def cluster(folder, seconds=20):
    routes = {name: free_port() for name in ("a", "b", "c")}
    servers = [Nats(folder, name, routes) for name in routes]
    shared = ["--queue", "nats://" + ",".join(f"127.0.0.1:{server.port}" for server in servers), "--queue-replicas", 3, "--queue-lease", "3s",
              "--queue-capacity", 100_000]
    front = Service(*shared, "--workers", 0)
    Service(*shared, "--accept", "none", "--workers", 8, "--service-time", "5ms")
    load = Load(folder, front.url, "-r", 200, "-z", f"{seconds}s", "-c", 16, "--connections", 2, "--timeout", "5s", "--drain-limit", "60s")
    time.sleep(seconds / 2)
    leader = next((server for server in servers if server.leads()), None)
    if leader is None:
        fail("no server leads the stream")
    leader.end(signal.SIGKILL)
    run = load.report()
    say(f"three servers, the leader killed after {seconds / 2:.0f} s, {run['ledger']['intended']} requests: {outcomes(run)}")
    audit_says(run)
    slowest, median = run["response_time_seconds"]["ok"]["max"], run["response_time_seconds"]["ok"]["p50"]
    refused = run["ledger"]["intended"] - run["ledger"]["ok"]
    say(f"the gap: {refused} requests without acknowledgement, which is {refused / 200:.2f} s of the load; "
        f"acknowledgement time median {1e3 * median:.1f} ms, longest {slowest:.2f} s")


def kills(folder, times=10):
    workers, lease, seconds = 4, 2, 4 * times + 4
    nats = Nats(folder)
    shared = [*nats.flag, "--queue-lease", f"{lease}s", "--queue-max-deliveries", 50, "--queue-capacity", 100_000, "--workers", workers,
              "--service-time", "50ms"]
    survivor, victim = Service(*shared), Service(*shared)
    # Each run is audited by the instance to which it sends.
    loads = [Load(folder, service.url, "-r", 60, "-z", f"{seconds}s", "-c", 16, "--connections", 2, "--drain-limit", "60s", *RETRIES)
             for service in (survivor, victim)]
    redeliveries, delays = Redeliveries([survivor, victim]), []
    looks = Repeating(0.05, redeliveries.look)
    until(lambda: victim.count(DONE) > 0, "a message is done")
    for _ in range(times):
        until(lambda: victim.metric("foo_in_service") == workers, "all workers have a message", every=0.005)
        before = redeliveries.total()
        victim.end(signal.SIGKILL)
        killed = time.monotonic()
        victim.start()
        time.sleep(lease + 1.5)
        if redeliveries.total() > before:
            delays.append(redeliveries.last - killed)
    runs = [load.report() for load in loads]
    looks.stop()
    say(f"{times} kills of an instance with {workers} messages in service, a lease of {lease} s; {sum(run['ledger']['intended'] for run in runs)} "
        f"requests: {'; '.join(map(outcomes, runs))}")
    audits = [audit_says(run, f"by the {name}: ") for name, run in zip(("other instance", "killed instance"), runs)]
    twice, again = sum(audit["duplicated"] for audit in audits), sum(audit["done_again"] for audit in audits)
    say(f"done twice {twice}, at most {workers * times}; done again after a retry {again}", twice <= workers * times)
    say(f"delivered again {redeliveries.total()}, after {len(delays)} of the kills; the last at most {max(delays, default=0):.2f} s after its kill, "
        f"at most {lease + 1}", bool(delays) and max(delays) <= lease + 1)


def resumed(service, rate, since):
    """Seconds from `since` until the service acknowledges at 90 % of a rate again, over half a second."""
    seen = []
    while time.monotonic() < since + PATIENCE:
        seen.append((time.monotonic(), service.count(ACKNOWLEDGED)))
        begin = next((earlier for earlier in reversed(seen) if seen[-1][0] - earlier[0] >= 0.5), None)
        if begin and seen[-1][1] - begin[1] >= 0.9 * rate * (seen[-1][0] - begin[0]):
            return begin[0] - since
        time.sleep(0.05)
    return fail("the service does not acknowledge as before")


def outage(folder, times=5):
    rate, timeout, seconds = 200, 2, 9 * times + 15
    nats = Nats(folder)
    service = Service(*nats.flag, "--queue-timeout", f"{timeout}s", "--queue-capacity", 100_000, "--workers", 8, "--service-time", "5ms")

    def process(length):
        return Load(folder, service.url, "-r", 50, "-z", f"{length}s", "-c", 8, "--max-in-flight", 100, "--connections", 2, mode="process")

    load = Load(folder, service.url, "-r", rate, "-z", f"{seconds}s", "-c", 16, "--connections", 4, "--drain-limit", "60s")
    until(lambda: service.count(ACKNOWLEDGED) > 0, "a message is acknowledged")
    calm = process(8).report()
    beside, away, back = process(seconds - 12), [], []
    for _ in range(times):
        time.sleep(2)
        nats.end(signal.SIGKILL)
        until(lambda: service.metric("foo_queue_connected") == 0, "the service knows that the server is away")
        # A run in which nothing succeeds ends with 1.
        away.append(Load(folder, service.url, "-r", 100, "-z", "1s", "-c", 4, "--connections", 1, "--drain-limit", "0s").report(1))
        nats.start_and_wait()
        back.append(resumed(service, rate, time.monotonic()))
    run, beside = load.report(), beside.report()
    say(f"{times} kills of the server under {rate} messages per second, each away for more than 1 s; {run['ledger']['intended']} requests: {outcomes(run)}")
    audit_says(run)
    refused = [one["response_time_seconds"]["unavailable"] for one in away]
    known, longest = sum(one["count"] for one in refused), max(one["max"] for one in refused)
    say(f"while the server is known to be away: {known} of {sum(one['ledger']['intended'] for one in away)} requests got UNAVAILABLE, median "
        f"{1e3 * max(one['p50'] for one in refused):.1f} ms, the longest after {1e3 * longest:.1f} ms, at most 50",
        known == sum(one["ledger"]["intended"] for one in away) and longest <= 0.05)
    broke = run["response_time_seconds"]["unavailable"]["max"]
    say(f"at the break: UNAVAILABLE after {broke:.3f} s at the latest, at most {timeout + 0.1}; {service.count('foo_queue_unsure_total')} unsure",
        broke <= timeout + 0.1)
    say("back to the rate of before " + ", ".join(f"{one:.2f}" for one in back) + " s after the server listens, at most 2", max(back) <= 2)
    times_of = [one["response_time_seconds"]["ok"] for one in (calm, beside)]
    say(f"Process beside it: {outcomes(beside)} of {beside['ledger']['intended']}, all ok", beside["ledger"]["ok"] == beside["ledger"]["intended"])
    say("its response time through the kills and before them: " + ", ".join(
        f"{name} {1e3 * times_of[1][name]:.1f} and {1e3 * times_of[0][name]:.1f} ms" for name in ("p50", "p99")) + "; p99 at most 10 ms more",
        times_of[1]["p99"] <= times_of[0]["p99"] + 0.01)


def freeze(folder, seconds=5):
    nats = Nats(folder)
    service = Service(*nats.flag, "--queue-timeout", "1s", "--queue-capacity", 100_000, "--workers", 8, "--service-time", "5ms")
    load = Load(folder, service.url, "-r", 100, "-z", f"{seconds + 8}s", "-c", 16, "--connections", 2, "--drain-limit", "60s", *RETRIES)
    until(lambda: service.count(ACKNOWLEDGED) >= 200, "messages are acknowledged")
    nats.send(signal.SIGSTOP)
    time.sleep(seconds)
    nats.send(signal.SIGCONT)
    run = load.report()
    say(f"the server frozen for {seconds} s, {run['ledger']['intended']} requests that are repeated: {outcomes(run)}")
    audit = audit_says(run)
    unsure, repeats = service.count("foo_queue_unsure_total"), service.count("foo_queue_duplicates_total")
    say(f"not confirmed in time {unsure}, more than 0", unsure > 0)
    say(f"repeats that the server recognised {repeats}, more than 0", repeats > 0)
    say(f"done twice {audit['duplicated']}, done again after a retry {audit['done_again']}, at most 0",
        audit["duplicated"] == audit["done_again"] == 0)


def poison(folder, deliveries=5):
    for server_dies in (False, True):
        inside = pathlib.Path(folder, f"poison-{server_dies}")
        inside.mkdir()
        poisoned(inside, deliveries, server_dies)


def poisoned(folder, deliveries, server_dies):
    """A message that always ends its worker, between others. The server may be killed in between too."""
    capacity = 1000
    nats = Nats(folder)
    queue = [*nats.flag, "--queue-lease", "1s", "--queue-max-deliveries", deliveries, "--queue-capacity", capacity]
    front = Service(*queue, "--workers", 0)

    def others():
        return Load(folder, front.url, "-r", 0, "-n", 250, "-c", 4, "--drain-limit", "120s")

    loads = [others()]
    until(lambda: front.holds(250), "the first messages are queued")
    one = [PROGRAMS / "load-client", "run", front.url, "--call", "foo.v1.FooService/Enqueue", "-n", 1, "--quiet",
           "--data", '{"message": {"id": "poison", "service_demand": "60s"}}']
    subprocess.run([str(word) for word in one], check=True, stdout=subprocess.DEVNULL)
    loads.append(others())
    until(lambda: front.holds(501), "all messages are queued")
    worker = Service(*queue, "--accept", "none", "--service-time", "20ms")

    def letters():
        return worker.count("foo_queue_dead_letters_total")

    def stands_still():
        done = worker.count(DONE)
        time.sleep(0.5)
        return worker.metric("foo_in_service") == 1 and worker.count(DONE) == done

    ends = 0
    while True:
        until(lambda: letters() or stands_still(), "the worker has the poison, or it is a dead letter")
        if letters():
            break
        worker.end(signal.SIGKILL)
        ends += 1
        if server_dies and ends == 2:
            nats.end(signal.SIGKILL)
            nats.start_and_wait()
        worker.start_and_wait()
    until(lambda: front.holds(0), "the queue is empty")
    runs = [load.report() for load in loads]
    # A killed server may count the deliveries from the beginning again.
    most = 2 + deliveries if server_dies else deliveries
    say(f"a message that ends its worker{', the server killed in between' if server_dies else ''}: a dead letter after {ends} deliveries, "
        f"{deliveries} to {most}; dead letters counted {letters()}, 1", deliveries <= ends <= most and letters() == 1)
    listed = subprocess.run([str(word) for word in [PROGRAMS / "foo-service", "dead-letters", "list", *queue]], check=True, capture_output=True,
                            text=True).stdout
    say(f"listed as {listed.strip()!r}", listed.count("\n") == 1 and '"poison"' in listed)
    done = sum(run["audit"]["done"] for run in runs)
    say(f"of the 500 others done {done}, all; lost {sum(run['audit']['lost'] for run in runs)}, done twice "
        f"{sum(run['audit']['duplicated'] for run in runs)}", done == 500)
    worker.end()
    taken = Load(folder, front.url, "-r", 0, "-n", capacity + 500, "-c", 4, "--drain-limit", "0s").report()["ledger"]["ok"]
    say(f"afterwards the queue takes {taken} messages, {capacity}", taken == capacity)
