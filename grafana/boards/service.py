"""One service in depth: both doors, what waits, the workers, the process. For any service with foo-service's metrics."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from boards.frame import Annotation, Board, choice
from boards.palette import BYTES, COUNT, EXACT, PER_SECOND, SECONDS, SHARE, Colour
from boards.panels import Look, Series, graph, heat, number

THIS = 'job="$job",instance="$instance"'
RECENT = "[$__rate_interval]"

CAPACITY = (
    f"sum(foo_workers{{{THIS}}}) / (sum(rate(foo_service_time_seconds_sum{{{THIS}}}[1m]))"
    f" / (sum(rate(foo_service_time_seconds_count{{{THIS}}}[1m])) > 0))"
)
"""Messages a second that the workers can do, by the work on a message as measured within the last minute."""


def each_door(panel):
    """Repeats a panel, once for each door in use, side by side."""
    return panel.repeat("door").repeat_direction("h").max_per_row(2)


def quantiles(histogram: str) -> list[Series]:
    """Median and p99, of what was recorded lately at both doors."""
    return [
        Series(
            name,
            f"histogram_quantile({quantile}, sum by (le) (rate({histogram}_bucket{{{THIS}}}{RECENT}))) >= 0",
            colour,
        )
        for name, quantile, colour in (("median", 0.5, Colour.DONE), ("p99", 0.99, Colour.LATE))
    ]


def at_a_glance():
    """The state of it, now."""
    return (
        number(
            "In system",
            "Messages and callers, waiting or in service.",
            EXACT,
            f"sum(foo_in_system{{{THIS}}})",
            decimals=0,
        ),
        number(
            "Wait of who comes now",
            "What is in the system and not yet with a worker, divided by the capacity. Yellow from 1 s, red from 10 s.",
            SECONDS,
            f"clamp_min(sum(foo_in_system{{{THIS}}}) - sum(foo_workers{{{THIS}}}), 0) / ({CAPACITY})",
            (1, Colour.LATE),
            (10, Colour.LOST),
            base=Colour.DONE,
        ),
        number(
            "Workers busy",
            "The share of the workers' time that went into messages which they finished. Yellow from 95 %: whoever comes now "
            "waits or is refused. That is no fault, as long as the wait beside it has an end.",
            SHARE,
            f"clamp_max(sum(rate(foo_service_time_seconds_sum{{{THIS}}}{RECENT})) / sum(foo_workers{{{THIS}}}), 1)",
            (0.95, Colour.LATE),
            base=Colour.DONE,
            decimals=0,
        ),
        number(
            "Refused",
            "The share of calls that found no room, at either door. Yellow from the first, red from 5 %, where the alert is.",
            SHARE,
            f'sum(rate(foo_requests_total{{{THIS},outcome="rejected"}}{RECENT}))'
            f" / (sum(rate(foo_requests_total{{{THIS}}}{RECENT})) > 0) or sum(foo_workers{{{THIS}}}) * 0",
            (1e-9, Colour.LATE),
            (0.05, Colour.LOST),
            base=Colour.DONE,
            decimals=1,
        ),
        number(
            "Thrown away",
            "Admitted messages, in the whole time shown, that were dropped or abandoned: nobody did them. What was on the "
            "queue of a service that was killed is not in it, because nobody was left to count. Red from the first.",
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


def doors():
    """How calls ended, and what became of the messages that were admitted: once for each door in use."""
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
        ("expired", Colour.LATE),
        ("cancelled", Colour.WITHHELD),
        ("abandoned|failed", Colour.NEUTRAL),
    )
    calls = graph(
        "Calls by status: $door",
        "Calls that ended, a second. **ok**: the message is on the queue (enqueue), or has been processed (process). "
        "**rejected**: no room (RESOURCE_EXHAUSTED). **expired**: its deadline passed, in line or in service. **cancelled**: "
        "its caller went away. **unavailable**: the service drains. **invalid|failed**: a malformed message, or a fault of "
        "the service. Shown for each door that was used in the time shown.",
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
        "Messages a second that left the system. **completed**: a worker did it. **dropped**: thrown away for a newer one. "
        "**expired** and **cancelled**: its caller's deadline passed, or it went away. **abandoned|failed**: left when a "
        "drain ran out of time, or a fault.",
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
    return each_door(calls), each_door(messages)


def waits():
    """Where messages wait, and for how long."""
    depth = graph(
        "Waiting, by place",
        "Messages on the queue, and callers in line at either door: sampled each second, so a pile that comes and goes "
        "between two samples shows in the heatmaps only. The dashed line is the queue's end, if it has one and is used.",
        COUNT,
        Series("on the queue", f"sum(foo_queue_depth{{{THIS}}})", Colour.WAITING, Look.STACKED),
        Series("in line", f"sum(foo_waiting{{{THIS}}})", Colour.WITHHELD, Look.STACKED),
        Series(
            "end of the queue",
            f"(sum(foo_queue_capacity{{{THIS}}}) < Inf) and sum(max_over_time(foo_queue_depth{{{THIS}}}[$__range])) > 0",
            Colour.TEXT,
            Look.LIMIT,
        ),
        width=12,
        height=8,
    )
    times = graph(
        "Queue wait, doors in use together",
        "Until a worker took the message, of those that one took: since its arrival at Process, since it joined the queue at "
        "Enqueue. On a logarithmic axis that begins at 1 ms.",
        SECONDS,
        *quantiles("foo_queue_wait_seconds"),
        width=12,
        height=8,
        log_from=0.001,
    )
    by_door = heat(
        "Queue wait: $door",
        "Messages a second that a worker took, by how long they had waited. A light band that climbs is a line that grows; "
        "two bands are two fates.",
        f'sum by (le) (rate(foo_queue_wait_seconds_bucket{{{THIS},door=~"$door"}}{RECENT}))',
        height=9,
    )
    return depth, times, each_door(by_door)


def workers():
    """What the workers do, and how long a message takes them."""
    return (
        graph(
            "In service",
            "Messages that a worker has, and how many it could be.",
            COUNT,
            Series("in service", f"sum(foo_in_service{{{THIS}}})", Colour.WORKING),
            Series("workers", f"sum(foo_workers{{{THIS}}})", Colour.TEXT, Look.LIMIT),
            width=8,
            height=7,
        ),
        graph(
            "Completed, and capacity",
            "Messages a second that were processed, and that could be: workers divided by the mean work on a message, as "
            "measured within the last minute.",
            PER_SECOND,
            Series("completed", f'sum(rate(foo_jobs_total{{{THIS},outcome="completed"}}{RECENT}))', Colour.DONE),
            Series("capacity", CAPACITY, Colour.TEXT, Look.LIMIT),
            width=8,
            height=7,
        ),
        graph(
            "Service time",
            "Work on a message, as measured. It should not depend on the load; where it does, the workers share something "
            "that is short. The mean is exact, the p99 only as fine as the buckets of the histogram.",
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


def process():
    """The process as the system sees it."""
    return (
        graph(
            "CPU",
            "Cores that the process uses, over a minute: it counts whole seconds.",
            COUNT,
            Series("cores", f"rate(process_cpu_seconds_total{{{THIS}}}[1m])", Colour.WORKING),
            width=6,
        ),
        graph(
            "Memory",
            "Resident memory, and the messages on the queue as part of it.",
            BYTES,
            Series("memory", f"process_resident_memory_bytes{{{THIS}}}", Colour.WORKING),
            Series("messages on the queue", f"foo_queue_bytes{{{THIS}}}", Colour.WAITING),
            width=6,
        ),
        graph(
            "Connections",
            "Open connections, and those turned away a second because as many as allowed were open.",
            COUNT,
            Series("open", f"foo_connections{{{THIS}}}", Colour.WORKING),
            Series("refused a second", f"rate(foo_connections_refused_total{{{THIS}}}{RECENT})", Colour.REFUSED),
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
    """Service."""
    board = Board(
        "service",
        "Service: one foo-service in depth",
        "Both doors, what waits and for how long, the workers, the process.",
        minutes=6,
    )
    board.variables(
        choice("job", "Job", "The scrape job.", "label_values(foo_workers, job)"),
        choice("instance", "Instance", "The service.", 'label_values(foo_workers{job="$job"}, instance)'),
        choice(
            "door",
            "Door",
            "The doors that were used in the time shown.",
            f"query_result(sum by (rpc) (increase(foo_requests_total{{{THIS}}}[$__range])) > 0)",
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
    board.row("Doors: what came in, and what became of it", *doors())
    board.row("Waits: where, how many, how long", *waits())
    board.row("Workers: the resource that both doors share", *workers())
    board.row("Process", *process())
    return board.build()
