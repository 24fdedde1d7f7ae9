"""The mode of scripts/shared-queue in which the power fails: the queue is on a file system of its own, on a loop device, which forgets at once all
that is not on the device yet. Needs root."""

import fcntl
import os
import pathlib
import signal
import struct
import subprocess
import time

from .figures import audit_says, outcomes, say
from .processes import ACKNOWLEDGED, Load, Nats, Service, until

# Of Linux, for ext4: the file system ends here, and writes neither its data nor its journal any more.
EXT4_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = struct.pack("I", 2)


class Disk:
    """A file system on a loop device, as a context. Its power can fail."""

    def __init__(self, folder):
        self.image, self.path = pathlib.Path(folder, "disk.img"), pathlib.Path(folder, "disk")
        self.path.mkdir()

    def __enter__(self):
        with self.image.open("wb") as image:
            image.truncate(1 << 30)
        subprocess.run(["mkfs.ext4", "-q", "-F", self.image], check=True)
        self.mount()
        return self

    def mount(self):
        subprocess.run(["mount", "-o", "loop", self.image, self.path], check=True)

    def sync(self):
        """Brings all that was written so far to the device."""
        subprocess.run(["sync", "-f", self.path], check=True)

    def power_fails(self):
        folder = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, EXT4_IOC_SHUTDOWN, NO_LOG_FLUSH)
        finally:
            os.close(folder)

    def power_is_back(self):
        """Mounts what the device has. No process may have a file open."""
        subprocess.run(["umount", self.path], check=True)
        self.mount()

    def __exit__(self, *_):
        # Lazily: processes that are still there are ended later.
        subprocess.run(["umount", "-l", self.path], check=True)


def power(folder, seconds=8):
    if os.geteuid():
        say("power: NOT run, because a file system of its own needs root: sudo scripts/shared-queue power")
        return
    for name, durable, sync in [("durable", True, None), ("nats-server, sync_interval: always", False, "always"),
                                ("nats-server, its default", False, None)]:
        inside = pathlib.Path(folder, f"power-{'durable' if durable else sync}")
        inside.mkdir()
        with Disk(inside) as disk:
            fails(disk, name, durable, sync, seconds)


def fails(disk, name, durable, sync, seconds):
    """The power fails after three quarters of a load of so many seconds. A server with its default is the control: it must lose messages."""
    control = not durable and sync is None
    work = ["--workers", 8, "--service-time", "20ms"]
    if durable:
        queue = ["--queue", "durable", "--queue-dir", disk.path / "queue", "--queue-capacity", 100_000]
        front = stored = Service(*queue, *work)
    else:
        stored = Nats(disk.path, sync=sync)
        queue = [*stored.flag, "--queue-lease", "2s", "--queue-capacity", 100_000]
        front = Service(*queue, "--workers", 0)
        if not control:
            Service(*queue, "--accept", "none", *work)
    disk.sync()
    load = Load(disk.image.parent, front.url, "-r", 500, "-z", f"{seconds}s", "-c", 64, "--connections", 4, "--timeout", "5s",
                "--drain-limit", "20s" if control else "60s")
    until(lambda: front.count(ACKNOWLEDGED) > 0, "a message is acknowledged")
    time.sleep(0.75 * seconds)
    # Frozen first, so that nothing is acknowledged between the failure and the end of the process.
    stored.send(signal.SIGSTOP)
    disk.power_fails()
    stored.end(signal.SIGKILL)
    disk.power_is_back()
    stored.start_and_wait()
    if control:
        # Only now, so that no message is done before the power fails.
        Service(*queue, "--accept", "none", *work)
    run = load.report()
    say(f"power fails, {name}: {run['ledger']['intended']} requests: {outcomes(run)}")
    if not control:
        audit = audit_says(run)
        say(f"done twice {audit['duplicated']}, delivered again {audit['redelivered']}")
        return
    audit = run["audit"]
    say(f"the control: acknowledged {audit['acknowledged']}, lost {audit['lost']}, more than 0, or this check could not fail", audit["lost"] > 0)
