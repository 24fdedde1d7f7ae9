"""The checks of scripts/test-stack: their results as they come, and the times for which they wait."""

import time

from .compose import CommandFailed


class Checks:
    """Prints a line for each check when its result is known."""

    def __init__(self):
        self.failed = 0
        self.passed = 0
        self.start = time.time()

    def note(self, name, wanted, seen, holds):
        self.passed += bool(holds)
        self.failed += not holds
        clock = f"{time.time() - self.start:4.0f} s"
        print(f"{clock}  {'ok    ' if holds else 'FAILED'}  {name:<58} {seen}  (wanted: {wanted})", flush=True)

    def wait(self, name, wanted, seconds, look):
        """Repeats a check until it passes or the time is over. `look` returns what it saw, and whether the check passed."""
        deadline = time.time() + seconds
        while True:
            try:
                seen, holds = look()
            except (CommandFailed, OSError, LookupError, ValueError) as error:
                seen, holds = repr(error), False
            if holds or time.time() > deadline:
                return self.note(name, f"{wanted}, within {seconds:.0f} s", seen, holds)
            time.sleep(0.5)


class Cycle:
    """The phases of the load. They follow the clock, so all clients are in the same phase, whenever they started."""

    def __init__(self, stages):
        stages = [stage.split(":") for stage in stages.split(",")]
        self.lengths = [float(length.removesuffix("s")) for length, _ in stages]
        self.rates = [float(rate) for _, rate in stages]
        self.calm, self.overload, self.spike, self.recovery, self.loss = self.lengths

    def next_overload(self, after):
        """The first time after `after` at which an overload begins."""
        length = sum(self.lengths)
        return after + (self.calm - after) % length


def sleep_until(when):
    time.sleep(max(0, when - time.time()))
