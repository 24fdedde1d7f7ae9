"""The shared queue of docker-compose.yml (profile `durable`) for scripts/test-stack: messages are accepted while all workers are away,
a third worker takes its share, and a killed worker loses nothing."""

import json
import time

from .compose import inspect, kill, metrics, run

FRONT, WORKER, LOAD = "async-durable", "async-durable-worker", "load-async-durable"
# Seconds for which all workers are away.
AWAY = 5
# Messages that all workers together do while the share of the third is measured.
SHARED_OUT = 300


def total(values, name, *labels):
    """Returns the sum of a metric over all series with these labels."""
    return sum(value for series, value in values.items() if series.split("{")[0] == name and all(label in series for label in labels))


class SharedQueue:
    """The instances around the queue, by their own metrics pages: Prometheus is a second behind."""

    def __init__(self, stack):
        self.stack = stack
        self.workers = int(stack.config["services"][WORKER]["environment"]["FOO_WORKERS"])
        self.rate = int(stack.config["services"][LOAD]["environment"]["LOAD_RPS"])

    def waiting(self):
        """Messages on the queue, and messages that workers have."""
        values = metrics(self.stack.id(FRONT), 9464)
        return total(values, "foo_queue_depth"), total(values, "foo_queue_leased")

    def sent(self):
        """Requests that were acknowledged, and those that ended otherwise, by their outcome, from the start on."""
        values = metrics(self.stack.id(LOAD), 9465)
        outcomes = {name: count for name, count in values.items() if name.startswith("load_requests_total{") and count}
        others = {name: count for name, count in outcomes.items() if 'outcome="ok"' not in name}
        return sum(outcomes.values()) - sum(others.values()), others

    def audited(self, fate):
        return total(metrics(self.stack.id(LOAD), 9465), "load_audited_total", f'fate="{fate}"')

    def of_workers(self, name, *labels):
        """Returns a metric of each worker that runs, by its container."""
        ids = self.stack.ids(WORKER)
        return {worker: total(metrics(worker, 9464), name, *labels) for worker in ids if inspect(worker, "{{.State.Running}}") == "true"}

    def completed(self):
        return self.of_workers("foo_jobs_total", 'outcome="completed"')


def check_durable(stack, checks):
    """Starts the profile, and checks what the queue promises. All its load is acknowledged, and done in the end."""
    queue = SharedQueue(stack)
    stack.compose("up", "--detach", "--wait", "--wait-timeout", "90", *stack.durable)
    checks.note("profile durable: all healthy", "no manual step", f"{len(stack.durable) + 1} containers", True)
    check_away(queue, checks)
    check_return(queue, checks)
    check_share_and_kill(queue, checks)
    check_targets(stack, checks)
    check_end(queue, checks)


def check_away(queue, checks):
    """Stops all workers."""
    queue.stack.compose("stop", WORKER)
    before, _ = queue.sent()

    def accepted():
        sent, otherwise = queue.sent()
        done, (depth, leased) = queue.audited("done"), queue.waiting()
        seen = f"{sent - before:.0f} acknowledged, not so {otherwise or 'none'}; {depth:.0f} on the queue, {leased:.0f} with workers"
        # The depth is up to a second old.
        return seen, not otherwise and sent - before >= AWAY * queue.rate and depth >= sent - done - 1.5 * queue.rate

    wanted = f"{AWAY * queue.rate} acknowledged, all of them on the queue"
    checks.wait("all workers stopped: Enqueue is acknowledged", wanted, AWAY + 10, accepted)


def check_return(queue, checks):
    """Starts the workers again."""
    peak, _ = queue.waiting()
    queue.stack.compose("start", WORKER)

    def shrinks():
        depth, _ = queue.waiting()
        done = list(queue.completed().values())
        seen = f"{depth:.0f} on the queue, {peak:.0f} before; done since: {' and '.join(f'{count:.0f}' for count in done)}"
        return seen, len(done) == 2 and min(done) >= 5 * queue.workers

    checks.wait("workers started: both take from the queue", f"{5 * queue.workers} messages done by each", 20, shrinks)


def check_share_and_kill(queue, checks):
    """Kills one of the two workers with all its messages in hand, and adds a third meanwhile."""
    stack = queue.stack
    killed, other = stack.ids(WORKER)
    count = int(inspect(killed, "{{.RestartCount}}"))
    # Messages that a worker gave back when it was stopped count as delivered again too.
    earlier = queue.of_workers("foo_queue_redeliveries_total")[other]
    died = time.time()
    kill(killed)
    stack.compose("up", "--detach", "--no-recreate", "--scale", f"{WORKER}=3", WORKER)

    def all_three():
        seen = queue.completed()
        return f"{len(seen)} run", len(seen) == 3 and all(seen.values())

    checks.wait("--scale 3: a third worker joins", "3 that work", 20, all_three)
    before = queue.completed()

    def share():
        done = {worker: count - before[worker] for worker, count in queue.completed().items()}
        [third] = done.keys() - {killed, other}
        part = done[third] / max(1, sum(done.values()))
        return f"{done[third]:.0f} of {sum(done.values()):.0f} messages, {part:.0%}", sum(done.values()) >= SHARED_OUT and part >= 0.25

    checks.wait("its share while all are busy", "at least a quarter", 15, share)

    def again():
        count = sum(queue.of_workers("foo_queue_redeliveries_total").values()) - earlier
        seen = f"{count:.0f} delivered again, {time.time() - died:.0f} s after the kill"
        return seen, 1 <= count <= queue.workers

    # The lease is 5 s. Once in a while it took 38 s: probably the server still held a request of the container that was gone, which
    # ends after 30 s.
    checks.wait("a killed worker: its messages are delivered again", f"1 to {queue.workers}", 60, again)

    def back():
        seen = inspect(killed, "{{.RestartCount}} {{.State.Health.Status}}")
        return f"restarts and health: {seen}", seen == f"{count + 1} healthy"

    checks.wait("the killed worker comes back by itself", "restarted and healthy", 20, back)


def check_targets(stack, checks):
    """Checks that Prometheus finds the instances by their names."""

    def up():
        count = stack.value(f'count(up{{strategy="{FRONT}"}} == 1)')
        return f"{count:.0f}", count == 5

    checks.wait("targets of the shared queue that are up", "front, three workers, load client", 15, up)


def check_end(queue, checks):
    """Waits until the queue is empty, and reads the report of the load client."""

    def little():
        depth, leased = queue.waiting()
        return f"{depth:.0f} on the queue, {leased:.0f} with workers", depth < queue.rate / 4

    checks.wait("the queue empties under load", f"less than {queue.rate / 4:.0f} on the queue", 40, little)
    queue.stack.compose("stop", LOAD)
    report = json.loads(run("docker", "logs", queue.stack.id(LOAD)))
    [audit] = [run["audit"] for run in report["runs"]]
    fates = {fate: audit[fate] for fate in ["acknowledged", "done", "queued", "discarded", "unknown", "lost"]}
    seen = ", ".join(f"{fate} {count}" for fate, count in fates.items()) + f"; done twice {audit['duplicated']}"
    # The load client does not wait for the messages that were queued when it was stopped.
    holds = audit["acknowledged"] == audit["done"] + audit["queued"] and audit["queued"] < queue.rate
    checks.note("what became of all acknowledged messages", "done or still queued, none lost", seen, holds)

    def empty():
        depth, leased = queue.waiting()
        return f"{depth:.0f} on the queue, {leased:.0f} with workers", depth + leased == 0

    checks.wait("the rest is done", "nothing on the queue", 10, empty)
