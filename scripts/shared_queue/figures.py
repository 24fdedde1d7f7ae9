"""What scripts/shared-queue prints and judges: figures with their bounds, the audit of the load client, and what is repeated while a load runs."""

import threading
import time

from .processes import REDELIVERED


class Verdict:
    """Prints figures, and remembers whether a bound was missed."""

    missed = False

    def __call__(self, words, met=None):
        Verdict.missed |= met is False
        print(words + ("" if met is None else ": met" if met else ": NOT met"), flush=True)


say = Verdict()


def outcomes(run):
    """How the requests of a run ended, in words."""
    return ", ".join(f"{name} {count}" for name, count in run["ledger"].items() if count and name != "intended")


def audit_says(run, which=""):
    """Prints the audit of a run, and checks that it adds up, and that nothing is lost."""
    audit = run["audit"]
    ends = ["done", "discarded", "queued", "lost", "unknown"]
    say(f"{which}acknowledged {audit['acknowledged']} = " + " + ".join(f"{name} {audit[name]}" for name in ends),
        audit["acknowledged"] == sum(audit[name] for name in ends))
    for name in ["lost", "queued", "discarded", "unknown"]:
        say(f"{which}{name} {audit[name]}, at most 0", audit[name] == 0)
    return audit


class Repeating:
    """Calls `act` every so many seconds, in a thread, until it is stopped. `act` gets the number of the call, from 0."""

    def __init__(self, seconds, act):
        self.stopped = threading.Event()

        def loop():
            number = 0
            while not self.stopped.wait(seconds):
                act(number)
                number += 1
        self.thread = threading.Thread(target=loop, daemon=True)
        self.thread.start()

    def stop(self):
        self.stopped.set()
        self.thread.join()


class Redeliveries:
    """The messages that were delivered again to some services, over all their restarts, and when the last one was."""

    def __init__(self, services):
        self.services = services
        self.counts = {}
        self.last = time.monotonic()

    def look(self, _=None):
        for service in self.services:
            process, count = service.child.pid, service.metric(REDELIVERED)
            if count is not None and count > self.counts.get(process, 0):
                self.counts[process] = count
                self.last = time.monotonic()

    def total(self):
        self.look()
        return int(sum(self.counts.values()))
