"""One service in depth: both doors, what waits, the workers, the process. For any service with foo-service's metrics."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from boards.parts import (
    BYTES,
    COUNT,
    PER_SECOND,
    SECONDS,
    SHARE,
    Annotation,
    Board,
    Colour,
    Look,
    Series,
    choice,
    graph,
    heat,
    number,
)

THIS = 'job="$job",instance="$instance"'
RECENT = "[$__rate_interval]"

CAPACITY = (
    f"sum(foo_workers{{{THIS}}}) / (sum(rate(foo_service_time_seconds_sum{{{THIS}}}[1m]))"
    f" / (sum(rate(foo_service_time_seconds_count{{{THIS}}}[1m])) > 0))"
)
"""Messages a second that the workers can do, by the work on a message as measured within the last minute."""


def quantiles(histogram: str, door: str) -> list[Series]:
    """Median and p99, of what was recorded lately."""
    return [
        Series(
            name,
            f"histogram_quantile({quantile}, sum by (le) (rate({histogram}_bucket{{{THIS},{door}}}{RECENT}))) >= 0",
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
            COUNT,
            f"sum(foo_in_system{{{THIS}}})",
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
            "The share of the workers' time that went into messages which they finished. Yellow from 80 %, red from 95 %: "
            "where work comes unevenly, waits grow without bound as this nears 100 %.",
            SHARE,
            f"sum(rate(foo_service_time_seconds_sum{{{THIS}}}{RECENT})) / sum(foo_workers{{{THIS}}})",
            (0.8, Colour.LATE),
            (0.95, Colour.LOST),
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
            COUNT,
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


def calls(rpc: str, name: str, ok: str):
    """How the calls of one door ended."""
    outcomes = (
        ("ok", Colour.DONE),
        ("rejected", Colour.REFUSED),
        ("expired", Colour.LATE),
        ("cancelled", Colour.WITHHELD),
        ("unavailable", Colour.NEUTRAL),
        ("invalid|failed", Colour.LOST),
    )
    return graph(
        f"{name}: calls by status",
        f"Calls of {name} that ended, a second. **ok**: {ok}. **rejected**: no room (RESOURCE_EXHAUSTED). **expired**: its "
        "deadline passed, in line or in service. **cancelled**: its caller went away. **unavailable**: the service drains. "
        "**invalid|failed**: a malformed message, or a fault of the service.",
        PER_SECOND,
        *(
            Series(
                outcome,
                f'sum(rate(foo_requests_total{{{THIS},rpc="{rpc}",outcome=~"{outcome}"}}{RECENT}))',
                colour,
                Look.STACKED,
            )
            for outcome, colour in outcomes
        ),
        width=12,
        height=7,
    )


def jobs(door: str, name: str):
    """What became of the messages that one door admitted."""
    outcomes = (
        ("completed", Colour.DONE),
        ("dropped", Colour.LOST),
        ("expired", Colour.LATE),
        ("cancelled", Colour.WITHHELD),
        ("abandoned|failed", Colour.NEUTRAL),
    )
    return graph(
        f"{name}: what became of admitted messages",
        "Messages a second that left the system. **completed**: a worker did it. **dropped**: thrown away for a newer one. "
        "**expired** and **cancelled**: its caller's deadline passed, or it went away. **abandoned|failed**: left when a "
        "drain ran out of time, or a fault.",
        PER_SECOND,
        *(
            Series(
                outcome,
                f'sum(rate(foo_jobs_total{{{THIS},door="{door}",outcome=~"{outcome}"}}{RECENT}))',
                colour,
                Look.STACKED,
            )
            for outcome, colour in outcomes
        ),
        width=12,
        height=7,
    )


def waits():
    """Where messages wait, and for how long."""
    depth = graph(
        "Waiting, by place",
        "Messages on the queue, and callers in line at either door: sampled each second, so a pile that comes and goes "
        "between two samples shows in the heatmaps only. The dashed line is the queue's end; an unbounded queue has none.",
        COUNT,
        Series("on the queue", f"sum(foo_queue_depth{{{THIS}}})", Colour.WAITING, Look.STACKED),
        Series("in line", f"sum(foo_waiting{{{THIS}}})", Colour.WITHHELD, Look.STACKED),
        Series("end of the queue", f"sum(foo_queue_capacity{{{THIS}}}) < Inf", Colour.TEXT, Look.LIMIT),
        width=12,
        height=8,
    )
    times = graph(
        "Queue wait, doors in use together",
        "Until a worker took the message, of those that one took: since its arrival at Process, since it joined the queue at "
        "Enqueue. On a logarithmic axis that begins at 1 ms.",
        SECONDS,
        *quantiles("foo_queue_wait_seconds", 'door=~".*"'),
        width=12,
        height=8,
        log_from=0.001,
    )
    by_door = heat(
        "Queue wait: $door",
        "Messages a second that a worker took, by how long they had waited. A light band that climbs is a line that grows; "
        "two bands are two fates. Shown for each door that was used in the time shown.",
        f'sum by (le) (rate(foo_queue_wait_seconds_bucket{{{THIS},door=~"$door"}}{RECENT}))',
        height=9,
    )
    return depth, times, by_door.repeat("door").repeat_direction("h").max_per_row(2)


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
            "that is short.",
            SECONDS,
            *quantiles("foo_service_time_seconds", 'door=~".*"'),
            width=8,
            height=7,
        ),
    )


def process():
    """The process as the system sees it."""
    return (
        graph(
            "CPU",
            "Cores that the process uses.",
            COUNT,
            Series("cores", f"rate(process_cpu_seconds_total{{{THIS}}}{RECENT})", Colour.WORKING),
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
        minutes=10,
    )
    board.variables(
        choice("job", "Job", "The scrape job.", "label_values(foo_workers, job)"),
        choice("instance", "Instance", "The service.", 'label_values(foo_workers{job="$job"}, instance)'),
        choice(
            "door",
            "Door",
            "The doors that were used in the time shown.",
            f"query_result(sum by (door) (increase(foo_queue_wait_seconds_count{{{THIS}}}[$__range])) > 0)",
            regex='/door="([^"]+)"/',
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
    board.row(
        "Doors: what came in, and what became of it",
        calls("enqueue", "Enqueue", "it is on the queue"),
        calls("process", "Process", "it has been processed"),
        jobs("enqueue", "Enqueue"),
        jobs("process", "Process"),
    )
    board.row("Waits: where, how many, how long", *waits())
    board.row("Workers: the resource that both doors share", *workers())
    board.row("Process", *process())
    return board.build()
