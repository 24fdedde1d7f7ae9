#!/usr/bin/env python3
"""Holds a shared queue to its promises, with real processes on loopback: a nats-server, services and the load client.

    scripts/queue.py long [SECONDS]     500 messages per second (default 600 s) through a front; one of two workers is killed every 5 s, by
                                        turns, and the nats-server every 7 s: nothing that was acknowledged is lost
    scripts/queue.py away [SECONDS]     200 messages per second while all workers are away (default 20 s), and how long the queue then drains
    scripts/queue.py cluster [SECONDS]  200 messages per second on a cluster of three servers (default 20 s), whose leader is killed half-way
    scripts/queue.py cost [SECONDS]     CPU time of an acknowledged message against a queue in memory, messages per second against a bare
                                        publisher, and the cost of an idle service

PROGRAMS=FOLDER has foo-service and load-client (default: target/release), NATS_SERVER or scripts/get-nats the server. Each prints its figures, and
ends with exit code 1 if a bound is not met. docs/experiments.md records them.
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = pathlib.Path(os.environ.get("PROGRAMS", ROOT / "target/release"))
PATIENCE = 120  # seconds until a process must have done what it is waited for
MESSAGE = 64  # bytes of payload


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"queue.py: {what} did not happen within {PATIENCE} s")
        time.sleep(0.02)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """A process that can be killed and started again, on the same port and files."""

    every = []

    def __init__(self, *command):
        self.command = [str(word) for word in command]
        self.log = tempfile.TemporaryFile()
        Process.every.append(self)
        self.start()

    def start(self):
        self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def end(self, how=signal.SIGTERM):
        self.child.send_signal(how)
        return self.child.wait()

    def seconds_of_cpu(self):
        words = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class Nats(Process):
    """A nats-server that syncs each message, alone or one of a cluster."""

    def __init__(self, folder, name="queue", cluster=None):
        program = os.environ.get("NATS_SERVER") or subprocess.run(
            [ROOT / "scripts/get-nats"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[-1]
        self.port, self.watch = free_port(), free_port()
        self.name = name
        lines = [f'listen: "127.0.0.1:{self.port}"', f'http: "127.0.0.1:{self.watch}"', f"server_name: {name}", "max_payload: 2MB",
                 f'jetstream {{ store_dir: "{folder}/{name}", sync_interval: always }}']
        if cluster:
            routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in cluster.values())
            lines.append(f'cluster {{ name: three, listen: "127.0.0.1:{cluster[name]}", routes: [{routes}] }}')
        configuration = pathlib.Path(folder, f"{name}.conf")
        configuration.write_text("\n".join(lines) + "\n")
        super().__init__(program, "-c", configuration)
        until(lambda: listens(self.port), "nats-server listens")

    def leads(self):
        """Whether this server leads the stream of messages."""
        where = f"http://127.0.0.1:{self.watch}/jsz?streams=true"
        streams = [stream for account in json.load(urllib.request.urlopen(where)).get("account_details", [])
                   for stream in account.get("stream_detail", [])]
        return any(stream.get("cluster", {}).get("leader") == self.name for stream in streams if stream["name"] == "FOO_foo")


class Service(Process):
    """A foo-service; `flags` as on its command line."""

    def __init__(self, *flags):
        self.port, self.admin = free_port(), free_port()
        super().__init__(PROGRAMS / "foo-service", "--listen", f"127.0.0.1:{self.port}", "--admin-listen", f"127.0.0.1:{self.admin}", *flags)
        until(self.ready, "foo-service is ready")

    def ready(self):
        if self.child.poll() is not None:
            self.log.seek(0)
            sys.exit(f"queue.py: foo-service ended: {self.log.read().decode()}")
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/readyz", timeout=1).status == 200
        except OSError:
            return False

    def metric(self, name):
        """The value of a metric, of the first line with that beginning. None if it is not there or the process is away."""
        try:
            page = urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=1).read().decode()
        except OSError:
            return None
        return next((float(line.split()[-1]) for line in page.splitlines() if line.startswith(name)), None)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"


class Load(Process):
    """A run of load-client, whose report is read at its end."""

    def __init__(self, folder, url, *flags):
        self.file = pathlib.Path(folder, f"report-{time.monotonic_ns()}.json")
        super().__init__(PROGRAMS / "load-client", "run", url, "--mode", "enqueue", "--payload-size", MESSAGE, "--quiet", "--json", self.file, *flags)

    def report(self):
        code = self.child.wait()
        if code:
            self.log.seek(0)
            sys.exit(f"queue.py: load-client ended with {code}: {self.log.read().decode()}")
        return json.loads(self.file.read_text())["runs"][0]


class Verdict:
    """Prints figures, and remembers whether a bound was missed."""

    missed = False

    def __call__(self, words, met=None):
        Verdict.missed |= met is False
        print(words + ("" if met is None else ": met" if met else ": NOT met"), flush=True)


say = Verdict()


def again_and_again(seconds, stop, act):
    """Calls `act` every so many seconds until `stop` is set, in a thread."""
    def loop():
        number = 0
        while not stop.wait(seconds):
            act(number)
            number += 1
    thread = threading.Thread(target=loop)
    thread.start()
    return thread


def audit_says(run):
    """Prints the audit of a run, and checks that it adds up, and that nothing is lost."""
    audit = run["audit"]
    ends = ["done", "discarded", "queued", "lost", "unknown"]
    say("acknowledged " + f"{audit['acknowledged']} = " + " + ".join(f"{name} {audit[name]}" for name in ends),
        audit["acknowledged"] == sum(audit[name] for name in ends))
    for name in ["lost", "queued", "discarded", "unknown"]:
        say(f"{name} {audit[name]}, at most 0", audit[name] == 0)
    return audit


def long(folder, seconds=600):
    nats = Nats(folder)
    shared = ["--queue", f"nats://127.0.0.1:{nats.port}", "--queue-lease", "3s", "--queue-max-deliveries", 50, "--queue-capacity", 500_000]
    front = Service(*shared, "--workers", 0)
    busy = [*shared, "--accept", "none", "--workers", 8, "--service-time", "2ms"]
    workers = [Service(*busy), Service(*busy)]
    stop, redelivered, kills = threading.Event(), {}, {"worker": 0, "server": 0}

    def look(_):
        for worker in workers:
            value = worker.metric("foo_queue_redeliveries_total")
            if value is not None:
                redelivered[worker.child.pid] = value

    def kill_worker(number):
        worker = workers[number % 2]
        look(number)
        worker.end(signal.SIGKILL)
        kills["worker"] += 1
        worker.start()

    def kill_server(_):
        nats.end(signal.SIGKILL)
        kills["server"] += 1
        nats.start()

    load = Load(folder, front.url, "-r", 500, "-z", f"{seconds}s", "-c", 64, "--connections", 4, "--timeout", "5s", "--drain-limit", "120s",
                "--retries", 3, "--retry-on", "unavailable", "--backoff", "200ms..2s")
    threads = [again_and_again(5, stop, kill_worker), again_and_again(7, stop, kill_server), again_and_again(0.2, stop, look)]
    stop.wait(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    run = load.report()
    look(0)
    ledger = run["ledger"]
    say(f"{seconds} s, {kills['worker']} kills of a worker, {kills['server']} of the server, {ledger['intended']} requests: "
        + ", ".join(f"{name} {count}" for name, count in ledger.items() if count and name != "intended"))
    audit = audit_says(run)
    # A killed server forgets which messages it had delivered: it delivers those in hand once more, as if for the first time.
    times, in_hand = int(sum(redelivered.values())), 2 * 8 * kills["server"]
    say(f"done twice {audit['duplicated']}, done again after a retry {audit['done_again']}; the workers counted {times} redeliveries, and at most "
        f"{in_hand} messages were in hand when the server was killed", audit["duplicated"] <= times + in_hand)


def away(folder, seconds=20):
    nats = Nats(folder)
    shared = ["--queue", f"nats://127.0.0.1:{nats.port}", "--queue-capacity", 100_000]
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
        sys.exit("queue.py: no server leads the stream")
    leader.end(signal.SIGKILL)
    run = load.report()
    say(f"three servers, the leader killed after {seconds / 2:.0f} s, {run['ledger']['intended']} requests: "
        + ", ".join(f"{name} {count}" for name, count in run["ledger"].items() if count and name != "intended"))
    audit_says(run)
    slowest, median = run["response_time_seconds"]["ok"]["max"], run["response_time_seconds"]["ok"]["p50"]
    refused = run["ledger"]["intended"] - run["ledger"]["ok"]
    say(f"the gap: {refused} requests without acknowledgement, which is {refused / 200:.2f} s of the load; "
        f"acknowledgement time median {1e3 * median:.1f} ms, longest {slowest:.2f} s")


def bare_publisher(nats, seconds, window=64):
    """Messages per second that JetStream confirms to a publisher of `window` messages at once that does nothing else."""
    connection = socket.create_connection(("127.0.0.1", nats.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream = connection.makefile("rb")
    stream.readline()
    configuration = json.dumps({"name": "bare", "subjects": ["bare.>"], "storage": "file", "retention": "workqueue"}).encode()
    connection.sendall(b'CONNECT {"verbose":false}\r\nSUB inbox.> 1\r\nPUB $JS.API.STREAM.CREATE.bare inbox.made %d\r\n%s\r\n'
                       % (len(configuration), configuration))

    def answer():
        while True:
            line = stream.readline()
            if line.startswith(b"PING"):
                connection.sendall(b"PONG\r\n")
            elif line.startswith(b"MSG"):
                body = stream.read(int(line.split()[-1]) + 2)
                if b"error" in body:
                    sys.exit(f"queue.py: the bare publisher: {body.decode()}")
                return

    answer()
    one = b"PUB bare.work inbox.ok %d\r\n%s\r\n" % (MESSAGE, b"m" * MESSAGE)
    connection.sendall(one * window)
    confirmed, began = 0, time.monotonic()
    while time.monotonic() - began < seconds:
        answer()
        confirmed += 1
        connection.sendall(one)
    return confirmed / (time.monotonic() - began)


def cost(folder, seconds=10):
    nats = Nats(folder)
    shared = ["--queue", f"nats://127.0.0.1:{nats.port}", "--queue-capacity", 2_000_000, "--workers", 0]

    def enqueue(service, rate=0):
        """Sends from 64 callers, as fast as they are answered or at a rate; returns messages per second and CPU seconds for each."""
        before = service.seconds_of_cpu()
        load = Load(folder, service.url, "-r", rate, "-z", f"{seconds}s", "-c", 64, "--connections", 4, "--max-in-flight", 1, "--drain-limit", "0s")
        ok = load.report()["ledger"]["ok"]
        return ok / seconds, (service.seconds_of_cpu() - before) / ok

    bare = bare_publisher(nats, seconds)
    service = Service(*shared)
    time.sleep(1)
    before = service.seconds_of_cpu()
    time.sleep(20)
    idle = (service.seconds_of_cpu() - before) / 20
    say(f"idle: {100 * idle:.2f} % of a core, at most 0.5", idle <= 0.005)
    rate, each = enqueue(service)
    service.end(signal.SIGKILL)
    memory = Service("--queue", "unbounded", "--service-time", "1h")
    _, at_same_rate = enqueue(memory, round(rate))
    _, at_full_speed = enqueue(memory)
    say(f"CPU time of a message: {1e6 * each:.1f} µs; in memory {1e6 * at_same_rate:.1f} µs at the same rate ({each / at_same_rate:.2f} times, at most "
        f"2.5), {1e6 * at_full_speed:.1f} µs at full speed ({each / at_full_speed:.2f} times)", each <= 2.5 * at_same_rate)
    say(f"64 callers: {rate:.0f} messages per second, a bare publisher with 64 open {bare:.0f}: {rate / bare:.2f} of it, at least 0.5", rate >= bare / 2)


def main():
    modes = {"long": long, "away": away, "cluster": cluster, "cost": cost}
    if sys.argv[1:] in (["-h"], ["--help"]):
        print(__doc__)
        return
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in modes or not "".join(sys.argv[2:]).isdigit() and sys.argv[2:]:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        try:
            modes[sys.argv[1]](folder, *map(int, sys.argv[2:]))
        finally:
            for process in Process.every:
                if process.child.poll() is None:
                    process.end(signal.SIGKILL)
    sys.exit(1 if Verdict.missed else 0)


if __name__ == "__main__":
    main()
