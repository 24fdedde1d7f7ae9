"""The processes around a shared queue, for scripts/shared-queue: nats-server, foo-service and load-client, on free ports of loopback. Each can be
killed, frozen and started again."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAMS = pathlib.Path(os.environ.get("PROGRAMS", ROOT / "target/release"))
PATIENCE = 120  # seconds until a process must have done what it is waited for
MESSAGE = 64  # bytes of payload

# Metrics of foo-service.
ACKNOWLEDGED = 'foo_requests_total{rpc="enqueue",outcome="ok"}'
DONE = 'foo_jobs_total{door="enqueue",outcome="completed"}'
REDELIVERED = "foo_queue_redeliveries_total"


def fail(why):
    sys.exit(f"shared-queue: {why}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, what, every=0.02):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            fail(f"{what} did not happen within {PATIENCE} s")
        time.sleep(every)


def nats_program():
    program = os.environ.get("NATS_SERVER")
    return program or subprocess.run([ROOT / "scripts/get-nats"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[-1]


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

    def start_and_wait(self):
        self.start()
        until(self.serves, f"{pathlib.Path(self.command[0]).name} serves")

    def serves(self):
        return self.child.poll() is None

    def said(self):
        self.log.seek(0)
        return self.log.read().decode()

    def send(self, which):
        self.child.send_signal(which)

    def end(self, how=signal.SIGTERM):
        self.send(how)
        return self.child.wait()

    def seconds_of_cpu(self):
        words = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    @classmethod
    def end_all(cls):
        for process in cls.every:
            if process.child.poll() is None:
                process.end(signal.SIGKILL)
            process.log.close()
        cls.every.clear()


class Nats(Process):
    """A nats-server, alone or one of a cluster. It syncs each message, or as `sync` says; None: as is its default."""

    def __init__(self, folder, name="queue", cluster=None, sync="always"):
        self.port, self.watch = free_port(), free_port()
        self.name = name
        interval = f", sync_interval: {sync}" if sync else ""
        lines = [f'listen: "127.0.0.1:{self.port}"', f'http: "127.0.0.1:{self.watch}"', f"server_name: {name}", "max_payload: 2MB",
                 f'jetstream {{ store_dir: "{folder}/{name}"{interval} }}']
        if cluster:
            routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in cluster.values())
            lines.append(f'cluster {{ name: three, listen: "127.0.0.1:{cluster[name]}", routes: [{routes}] }}')
        configuration = pathlib.Path(folder, f"{name}.conf")
        configuration.write_text("\n".join(lines) + "\n")
        super().__init__(nats_program(), "-c", configuration)
        until(self.serves, "nats-server listens")

    def serves(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def flag(self):
        return ["--queue", f"nats://127.0.0.1:{self.port}"]

    def stream(self):
        """What the server says of the stream of messages. None if it does not have it."""
        where = f"http://127.0.0.1:{self.watch}/jsz?consumers=true"
        streams = [stream for account in json.load(urllib.request.urlopen(where)).get("account_details", [])
                   for stream in account.get("stream_detail", [])]
        return next((stream for stream in streams if stream["name"] == "FOO_foo"), None)

    def leads(self):
        """Whether this server leads the stream of messages."""
        stream = self.stream()
        return stream is not None and stream.get("cluster", {}).get("leader") == self.name


class Service(Process):
    """A foo-service; `flags` as on its command line."""

    def __init__(self, *flags):
        self.port, self.admin = free_port(), free_port()
        super().__init__(PROGRAMS / "foo-service", "--listen", f"127.0.0.1:{self.port}", "--admin-listen", f"127.0.0.1:{self.admin}", *flags)
        until(self.serves, "foo-service is ready")

    def serves(self):
        if self.child.poll() is not None:
            fail(f"foo-service ended: {self.said()}")
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

    def count(self, name):
        """The value of a counter: 0 as long as nothing was counted."""
        return int(self.metric(name) or 0)

    def holds(self, waiting, leased=0):
        """Whether so many messages of the queue wait, and so many are with workers."""
        return self.metric("foo_queue_depth") == waiting and self.metric("foo_queue_leased") == leased

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"


class Load(Process):
    """A run of load-client, whose report is read at its end."""

    def __init__(self, folder, url, *flags, mode="enqueue"):
        self.file = pathlib.Path(folder, f"report-{time.monotonic_ns()}.json")
        super().__init__(PROGRAMS / "load-client", "run", url, "--mode", mode, "--payload-size", MESSAGE, "--quiet", "--json", self.file, *flags)

    def report(self, *codes):
        """The report, after the end of the run. It must end with one of these exit codes; with 0 if none is named."""
        code = self.child.wait()
        if code not in (codes or (0,)):
            fail(f"load-client ended with {code}: {self.said()}")
        return json.loads(self.file.read_text())["runs"][0]
