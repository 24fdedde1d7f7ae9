"""Runs the real `foo-service` as a process, on free ports, and reads its metrics and snapshots."""

import http.client
import re
import signal
import subprocess
import time

import wire

DOORS = ["enqueue", "process"]
LEVELS = ["queue_depth", "queue_bytes", "waiting", "in_service", "in_system"]
# How long a test waits for a condition that must become true. Only a broken service lets this time pass.
PATIENCE_SECONDS = 60


def until(condition, what):
    """Waits until a condition is true."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (value := condition()):
        assert time.monotonic() < end, f"it did not come within {PATIENCE_SECONDS} s: {what}"
        time.sleep(0.01)
    return value


def by_outcome(page, counter, door):
    """Returns the samples of a counter for an RPC, by outcome."""
    series = re.compile(f'{counter}{{(?:rpc|door)="{door}",outcome="(.*)"}}')
    return {match[1]: value for name, value in page.items() if (match := series.fullmatch(name))}


class Program:
    """A running service."""

    def __init__(self, binary, log, *flags):
        self.log = log
        with log.open("wb") as stderr:
            ports = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]
            self.process = subprocess.Popen([binary, *ports, *flags], env={}, stdin=subprocess.DEVNULL, stderr=stderr)
        until(lambda: " serving " in self.logged() or self.process.poll() is not None, "the line that says it serves")
        assert self.process.poll() is None, self.logged()
        self.address, self.admin = re.search(r" address=(\S+) admin=(\S+) ", self.logged()).groups()
        self.instance_id = self.look().instance_id

    def logged(self):
        """Everything that the service has logged."""
        return self.log.read_text()

    def get(self, path):
        """Status and text of a page of the admin port."""
        connection = http.client.HTTPConnection(self.admin, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def page(self):
        """The samples of /metrics, by name and labels."""
        status, text = self.get("/metrics")
        assert status == 200, text
        lines = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
        return {series: float(value) for series, value in lines}

    def sample(self, name):
        """One sample of /metrics."""
        return self.page()[name]

    def requests(self, rpc, outcome):
        """How many calls of an RPC ended with this outcome."""
        return by_outcome(self.page(), "foo_requests_total", rpc)[outcome]

    def jobs(self, door, outcome):
        """How many admitted messages of an RPC ended with this outcome."""
        return by_outcome(self.page(), "foo_jobs_total", door)[outcome]

    def until_level(self, name, value):
        """Waits until a gauge of /metrics has this value."""
        until(lambda: self.sample(f"foo_{name}") == value, f"foo_{name} {value}")

    def look(self):
        """Returns a snapshot, over a new connection."""
        with wire.channel(self.address) as over:
            return next(wire.Client(over).watch())

    def unsettled(self):
        """Returns what is still in the system or does not add up. Empty if all counts are right.

        received = admitted + refused; admitted = completed + dropped + expired + cancelled + abandoned + failed. The
        left sides and the last sum are from /metrics, what was admitted and refused from Watch: they have to agree.
        """
        page, snapshot = self.page(), self.look()
        wrong = {f"foo_{level}": page[f"foo_{level}"] for level in LEVELS if page[f"foo_{level}"] != 0}
        for door in DOORS:
            watched = getattr(snapshot, door)
            received = sum(by_outcome(page, "foo_requests_total", door).values())
            ended = sum(by_outcome(page, "foo_jobs_total", door).values())
            if received != watched.admitted + watched.refused or ended != watched.admitted or watched.inside:
                wrong[door] = f"received {received}, ended {ended}, by Watch: {watched}"
        return wrong

    def must_go_on(self):
        """Checks that the same process answers new calls, that nothing is left in the system, and that all counts add up."""
        seen = {}

        def settled():
            seen["unsettled"] = self.unsettled()
            return not seen["unsettled"]

        try:
            until(settled, "counts that add up, and nothing inside")
        except AssertionError as error:
            raise AssertionError(f"{error}: {seen}") from None
        with wire.channel(self.address) as over:
            client = wire.Client(over)
            client.enqueue("afterwards", b"", 0)
            client.process("afterwards", b"", 0)
            assert next(client.watch()).instance_id == self.instance_id
        assert self.process.poll() is None, self.logged()
        assert "panicked" not in self.logged() and " ERROR " not in self.logged(), self.logged()

    def terminate(self):
        """Sends SIGTERM."""
        self.process.send_signal(signal.SIGTERM)

    def exit_code(self):
        """Waits until the process ends."""
        return self.process.wait(timeout=PATIENCE_SECONDS)
