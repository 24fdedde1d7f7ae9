"""Modes of scripts/shared-queue about speed: what a message and a long queue cost, that a worker never stands still, and that calls of Process beside an
idle queue are as fast as without one."""

import pathlib
import signal
import statistics
import time

from .figures import say
from .processes import Load, Nats, Service, until
from .wire import Completions, bare_publisher


def cost(folder, seconds=10):
    nats = Nats(folder)
    shared = [*nats.flag, "--queue-capacity", 2_000_000, "--workers", 0]

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


def stall(folder, messages=100_000):
    for turn in range(1, 4):
        inside = pathlib.Path(folder, f"stall-{turn}")
        inside.mkdir()
        # The syncs of the disk would hide how long the worker itself stands still.
        nats = Nats(inside, sync=None)
        shared = [*nats.flag, "--queue-capacity", messages]
        front = Service(*shared, "--workers", 0)
        sent = Load(inside, front.url, "-r", 0, "-n", messages, "-c", 64, "--connections", 4, "--max-in-flight", 4, "--drain-limit", "0s").report()
        if sent["ledger"]["ok"] != messages:
            say(f"queued {sent['ledger']['ok']} of {messages}", False)
            return
        completions = Completions(nats)
        worker = Service(*shared, "--accept", "none", "--workers", 1, "--service-time", "0s")
        longest, took = completions.longest_gap(messages)
        say(f"turn {turn}: one worker, {messages} messages of no work: {messages / took:.0f} per second, the longest time between two ends "
            f"{1e3 * longest:.0f} ms, at most 1000", longest <= 1)
        for process in (worker, front, nats):
            process.end(signal.SIGKILL)


def grown(folder, messages=1_000_000):
    # The syncs of the disk would only make the filling slower.
    nats = Nats(folder, sync=None)
    shared = [*nats.flag, "--queue-capacity", messages, "--workers", 0]
    front = Service(*shared)
    sent = Load(folder, front.url, "-r", 0, "-n", messages, "-c", 256, "--connections", 4, "--max-in-flight", 1, "--drain-limit", "0s").report()
    until(lambda: front.holds(sent["ledger"]["ok"]), "the depth is shown")
    say(f"{sent['ledger']['ok']} of {messages} messages are queued", sent["ledger"]["ok"] == messages)
    resident = front.metric("process_resident_memory_bytes") / 1e6
    say(f"resident memory of the service after it has queued them: {resident:.1f} MB, at most 20", resident <= 20)
    front.end(signal.SIGKILL)
    began = time.monotonic()
    front = Service(*shared)
    took = time.monotonic() - began
    until(lambda: front.holds(messages), "the depth is shown")
    resident = front.metric("process_resident_memory_bytes") / 1e6
    say(f"started with them in {took:.2f} s, at most 1; resident memory {resident:.1f} MB, at most 20", took <= 1 and resident <= 20)


def beside(folder, rounds=7):
    nats = Nats(folder)
    busy = ["--workers", 64, "--service-time", "0s"]
    services = {"bounded": Service("--queue", "bounded", *busy), "nats": Service(*nats.flag, *busy),
                "durable": Service("--queue", "durable", "--queue-dir", pathlib.Path(folder, "durable"), *busy)}
    ratios = {"nats": [], "durable": []}

    def calls(service):
        """Calls of Process per second by 64 callers, and the CPU seconds of the service for each."""
        before = service.seconds_of_cpu()
        run = Load(folder, service.url, "-r", 0, "-z", "4s", "-c", 64, "--connections", 4, mode="process").report()
        ok = run["ledger"]["ok"]
        return ok / run["load"]["duration_seconds"], (service.seconds_of_cpu() - before) / ok

    for service in services.values():
        until(lambda: service.metric("foo_in_service") == 0, "the service answers")
        calls(service)
    for turn in range(rounds):
        # In another order each time, so that other work on the machine meets all.
        names = list(services)[turn % 3:] + list(services)[:turn % 3]
        seen = {name: calls(services[name]) for name in names}
        for name in ratios:
            ratios[name].append([mine / bounded for mine, bounded in zip(seen[name], seen["bounded"])])
        say(f"round {turn + 1}: " + "; ".join(f"{name} {rate:.0f} per second, {1e6 * each:.1f} µs" for name, (rate, each) in sorted(seen.items())))
    for name, seen in ratios.items():
        rate, each = (statistics.median(column) for column in zip(*seen))
        say(f"Process beside an idle queue, {name} to bounded: {rate:.3f} times the calls per second, at least 0.95; {each:.3f} times the CPU time, at "
            "most 1.05", rate >= 0.95 and each <= 1.05)
