"""One service in depth: both RPCs, the waiting messages, the workers, the process. For any service with foo-service's metrics."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from boards.frame import Annotation, Board, choice
from boards.palette import BYTES, COUNT, EXACT, PER_SECOND, SECONDS, SHARE, Colour
from boards.panels import Look, Series, graph, number
from boards.service_parts import CAPACITY, RECENT, THIS, each_rpc, quantiles
from boards.service_waiting import queue, waits


def at_a_glance():
    """The state of the service now."""
    return (
        number(
            "In system",
            "Messages and calls, waiting or in service.",
            EXACT,
            f"sum(foo_in_system{{{THIS}}})",
            decimals=0,
        ),
        number(
            "Expected wait",
            "How long a message that arrives now will wait: the messages that wait for a worker, divided by the capacity. "
            "Of a shared queue, only what this service has taken counts; the age of its oldest message is below. "
            "Yellow from 1 s, red from 10 s.",
            SECONDS,
            f"clamp_min(sum(foo_in_system{{{THIS}}}) - sum(foo_workers{{{THIS}}}), 0) / ({CAPACITY} > 0)",
            (1, Colour.LATE),
            (10, Colour.LOST),
            base=Colour.DONE,
        ),
        number(
            "Workers busy",
            "The share of the workers' time that they spent on messages which they finished. Yellow from 95 %: new messages "
            "wait or are rejected. That is fine as long as the expected wait beside it stays bounded.",
            SHARE,
            f"clamp_max(sum(rate(foo_service_time_seconds_sum{{{THIS}}}{RECENT})) / (sum(foo_workers{{{THIS}}}) > 0), 1)",
            (0.95, Colour.LATE),
            base=Colour.DONE,
            decimals=0,
        ),
        number(
            "Rejected",
            "The share of calls, Enqueue and Process together, that were rejected because there was no room. Yellow from the "
            "first, red from 5 %, where the alert fires.",
            SHARE,
            f'sum(rate(foo_requests_total{{{THIS},outcome="rejected"}}{RECENT}))'
            f" / (sum(rate(foo_requests_total{{{THIS}}}{RECENT})) > 0) or sum(foo_workers{{{THIS}}}) * 0",
            (1e-9, Colour.LATE),
            (0.05, Colour.LOST),
            base=Colour.DONE,
            decimals=1,
        ),
        number(
            "Dropped or abandoned",
            "Admitted messages that were dropped or abandoned in the whole time shown: they were never processed. The queue "
            "of a service that was killed is not counted here. Red from the first.",
            EXACT,
            f'sum(increase(foo_jobs_total{{{THIS},outcome=~"dropped|abandoned"}}[$__range]))',
            (1, Colour.LOST),
            base=Colour.DONE,
            decimals=0,
        ),
        number(
            "Up for",
            "Since the process started. Yellow below five minutes.",
            SECONDS,
            f"time() - max(process_start_time_seconds{{{THIS}}})",
            (300, Colour.DONE),
            base=Colour.LATE,
        ),
    )


def rpcs():
    """How calls and admitted messages ended, once for each RPC in use."""
    statuses = (
        ("ok", Colour.DONE),
        ("rejected", Colour.REFUSED),
        ("expired", Colour.LATE),
        ("cancelled", Colour.WITHHELD),
        ("unavailable", Colour.NEUTRAL),
        ("invalid|failed", Colour.LOST),
    )
    fates = (
        ("completed", Colour.DONE),
        ("dropped", Colour.LOST),
        ("rejected", Colour.REFUSED),
        ("expired", Colour.LATE),
        ("cancelled", Colour.WITHHELD),
        ("abandoned|failed|work_failed|dead_lettered", Colour.NEUTRAL),
    )
    calls = graph(
        "Calls by status: $door",
        "Calls that ended, per second. **ok**: the message is on the queue (enqueue), or has been processed (process). "
        "**rejected**: no room (RESOURCE_EXHAUSTED). **expired**: its deadline passed, in line or in service. **cancelled**: "
        "its caller went away. **unavailable**: the service is draining, or the work on the message failed. **invalid|failed**: a malformed message, or a fault "
        "of the service. There is a panel for each RPC that was called in the time shown; for Enqueue also if messages were taken from its queue.",
        PER_SECOND,
        *(
            Series(
                status,
                f'sum(rate(foo_requests_total{{{THIS},rpc=~"$door",outcome=~"{status}"}}{RECENT}))',
                colour,
                Look.STACKED,
            )
            for status, colour in statuses
        ),
        height=7,
    )
    messages = graph(
        "Admitted messages by fate: $door",
        "Messages that left the system, per second. **completed**: a worker processed the message. **dropped**: removed "
        "for a newer one. **rejected**: by the waiting line, while it waited. **expired**: the caller's deadline passed. **cancelled**: the caller went away. "
        "**abandoned|failed|work_failed|dead_lettered**: left over when a drain ran out of time, a fault of the service, work that failed, or "
        "a dead letter after too many deliveries.",
        PER_SECOND,
        *(
            Series(
                fate,
                f'sum(rate(foo_jobs_total{{{THIS},door=~"$door",outcome=~"{fate}"}}{RECENT}))',
                colour,
                Look.STACKED,
            )
            for fate, colour in fates
        ),
        height=7,
    )
    return each_rpc(calls), each_rpc(messages)


def workers():
    """What the workers do, and how long they work on a message."""
    return (
        graph(
            "In service",
            "Messages that workers are processing, and the number of workers.",
            COUNT,
            Series("in service", f"sum(foo_in_service{{{THIS}}})", Colour.WORKING),
            Series("workers", f"sum(foo_workers{{{THIS}}})", Colour.TEXT, Look.LIMIT),
            width=8,
            height=7,
        ),
        graph(
            "Completed, and capacity",
            "Messages processed per second, and the capacity: the number of workers divided by the mean service time within "
            "the last minute.",
            PER_SECOND,
            Series("completed", f'sum(rate(foo_jobs_total{{{THIS},outcome="completed"}}{RECENT}))', Colour.DONE),
            Series("capacity", CAPACITY, Colour.TEXT, Look.LIMIT),
            width=8,
            height=7,
        ),
        graph(
            "Service time",
            "Measured time of work on a message. It should not depend on the load. If it does, the workers compete for a "
            "shared resource. The mean is exact. The p99 is as coarse as the buckets of the histogram.",
            SECONDS,
            Series(
                "mean",
                f"sum(rate(foo_service_time_seconds_sum{{{THIS}}}{RECENT}))"
                f" / (sum(rate(foo_service_time_seconds_count{{{THIS}}}{RECENT})) > 0)",
                Colour.WORKING,
            ),
            quantiles("foo_service_time_seconds")[1],
            width=8,
            height=7,
        ),
    )


def admission():
    """What is admitted, what is refused and why, and what a call that arrives now must expect."""
    reasons = {
        "queue_full": Colour.LOST,
        "queue_line_full": Colour.WAITING,
        "line_full": Colour.REFUSED,
        "displaced": Colour.WITHHELD,
        "too_late": Colour.LATE,
        "overload": Colour.NEUTRAL,
    }
    return (
        graph(
            "Limit",
            "How many messages are admitted at once (`--limit`), and how many are admitted now. A limit above the number of "
            "workers means that admitted messages wait for a worker as well.",
            COUNT,
            Series("admitted", f"sum(foo_admitted{{{THIS}}})", Colour.WORKING),
            Series("limit", f"sum(foo_concurrency_limit{{{THIS}}})", Colour.LATE, Look.LIMIT),
            Series("workers", f"sum(foo_workers{{{THIS}}})", Colour.TEXT, Look.LIMIT),
            width=8,
            height=7,
        ),
        graph(
            "Refused for want of room, by reason",
            "Calls per second. **queue_full**, **queue_line_full**: no place on the queue, or in the line for it. "
            "**line_full**: the waiting line of Process is full. **displaced**: a newer call took the place. **too_late**: the "
            "call cannot be answered before its deadline. **overload**: calls have waited too long for some time.",
            PER_SECOND,
            Series(
                "{{reason}}",
                f'sum by (reason) (rate(foo_refusals_total{{{THIS},reason=~"{"|".join(reasons)}"}}{RECENT}))',
                look=Look.STACKED,
                colours=reasons,
            ),
            width=8,
            height=7,
        ),
        graph(
            "Expected wait of the next call",
            "How long a call waits for its turn that arrives now and is served last, and the service time that limit and line "
            "observe. Refused callers are told this wait. It counts calls in line, not messages on the queue.",
            SECONDS,
            Series("expected wait", f"max(foo_expected_wait_seconds{{{THIS}}})", Colour.WAITING),
            Series("observed service time", f"max(foo_observed_service_time_seconds{{{THIS}}})", Colour.TEXT, Look.LIMIT),
            width=8,
            height=7,
        ),
    )


def process():
    """The process as the system sees it."""
    return (
        graph(
            "CPU",
            "Cores in use, averaged over a minute.",
            COUNT,
            Series("cores", f"rate(process_cpu_seconds_total{{{THIS}}}[1m])", Colour.WORKING),
            width=6,
        ),
        graph(
            "Memory",
            "Resident memory, and the messages on the queue. A queue in memory is part of it. A shared queue is on its server, and "
            "each instance shows all of it.",
            BYTES,
            Series("memory", f"process_resident_memory_bytes{{{THIS}}}", Colour.WORKING),
            Series("messages on the queue", f"foo_queue_bytes{{{THIS}}}", Colour.WAITING),
            width=6,
        ),
        graph(
            "Connections",
            "Open connections, and connections refused per second because the limit was reached.",
            COUNT,
            Series("open", f"foo_connections{{{THIS}}}", Colour.WORKING),
            Series("refused per second", f"rate(foo_connections_refused_total{{{THIS}}}{RECENT})", Colour.REFUSED),
            width=6,
        ),
        graph(
            "Files and threads",
            "Open file descriptors (each connection is one) and threads.",
            COUNT,
            Series("open files", f"process_open_fds{{{THIS}}}", Colour.WORKING),
            Series("threads", f"process_threads{{{THIS}}}", Colour.WAITING),
            width=6,
        ),
    )


def board() -> Dashboard:
    """The dashboard Service."""
    board = Board(
        "service",
        "Service: one foo-service in depth",
        "How calls and messages end, what waits and for how long, the workers, the process.",
        minutes=6,
    )
    board.variables(
        choice("job", "Job", "The scrape job.", "label_values(foo_workers, job)"),
        choice("instance", "Instance", "The service.", 'label_values(foo_workers{job="$job"}, instance)'),
        choice(
            "door",
            "RPC",
            "The RPCs that were called in the time shown, and Enqueue if messages were taken from its queue.",
            f"query_result(sum by (rpc) (increase(foo_requests_total{{{THIS}}}[$__range])) > 0 or sum by (rpc) (label_replace("
            f'increase(foo_jobs_total{{{THIS},door="enqueue"}}[$__range]), "rpc", "enqueue", "", "")) > 0)',
            regex='/rpc="([^"]+)"/',
            all_of=".*",
        ),
    )
    board.annotations(
        Annotation(
            "Start of the service",
            f"process_start_time_seconds{{{THIS}}} * 1000",
            "{{instance}} started",
            Colour.LOST,
            value_is_time=True,
        )
    )
    board.row("Now", *at_a_glance())
    board.row("Calls and messages: how they ended", *rpcs())
    board.row("Waiting: where, how many, how long", *waits())
    board.row("Queue: its age, what is delivered again, its server", *queue())
    board.row("Admission: how many at once, who is refused", *admission())
    board.row("Workers: shared by Enqueue and Process", *workers())
    board.row("Process", *process())
    return board.build()
