"""The panels of the dashboard Service about messages that wait: where, for how long, and the queue that outlives its process."""

from boards.palette import COUNT, SECONDS, Colour
from boards.panels import Look, Series, graph, heat
from boards.service_parts import RECENT, THIS, each_rpc, quantiles


def waits():
    """Where messages wait, and for how long."""
    depth = graph(
        "Waiting, by place",
        "Messages on the queue, and calls in the waiting lines of Enqueue and Process. Sampled each second: a short peak "
        "between two samples shows in the heatmaps only. The dashed line is the capacity of the queue, if it has a limit and "
        "is used.",
        COUNT,
        Series("on the queue", f"sum(foo_queue_depth{{{THIS}}})", Colour.WAITING, Look.STACKED),
        Series("in line", f"sum(foo_waiting{{{THIS}}})", Colour.WITHHELD, Look.STACKED),
        Series(
            "capacity of the queue",
            f"(sum(foo_queue_capacity{{{THIS}}}) < Inf) and sum(max_over_time(foo_queue_depth{{{THIS}}}[$__range])) > 0",
            Colour.TEXT,
            Look.LIMIT,
        ),
        width=12,
        height=8,
    )
    times = graph(
        "Queue wait, all RPCs together",
        "How long messages waited until a worker took them. The wait begins when the call arrives (Process) or when the "
        "message joins the queue (Enqueue). Messages that no worker took are not included. Logarithmic axis from 1 ms.",
        SECONDS,
        *quantiles("foo_queue_wait_seconds"),
        width=12,
        height=8,
        log_from=0.001,
    )
    by_rpc = heat(
        "Queue wait: $door",
        "Messages that a worker took, per second, by how long they had waited. A light band that climbs means that the line "
        "grows. Two bands mean two groups of messages, one with a short wait and one with a long wait.",
        f'sum by (le) (rate(foo_queue_wait_seconds_bucket{{{THIS},door=~"$door"}}{RECENT}))',
        height=9,
    )
    return depth, times, each_rpc(by_rpc)


def queue():
    """What a queue that outlives the process shows: how old its oldest message is, and what went wrong with others."""
    return (
        graph(
            "Age of the oldest message",
            "How long the oldest message on the queue has waited. Of a shared queue: the oldest that waits or is in service, "
            "with any instance. An alert fires above the SLO.",
            SECONDS,
            Series("oldest message", f"max(foo_queue_oldest_age_seconds{{{THIS}}})", Colour.WAITING),
            width=8,
            height=7,
        ),
        graph(
            "Delivered again, dead letters",
            "Messages that this service took within the last minute and another process had before, because that process was "
            "killed, frozen or cut off: they may be done twice. **Dead letters**: messages that were delivered as often as is "
            "allowed and not processed. `foo-service dead-letters` lists them and queues them again. Both stay at zero with a "
            "queue in memory.",
            COUNT,
            Series("delivered again", f"sum(increase(foo_queue_redeliveries_total{{{THIS}}}[1m]))", Colour.LATE),
            Series("dead letters", f"sum(increase(foo_queue_dead_letters_total{{{THIS}}}[1m]))", Colour.LOST),
            width=8,
            height=7,
        ),
        graph(
            "Connected to the queue's server",
            "1 while the server of a shared queue is connected, 0 while it is not: then Enqueue answers UNAVAILABLE, and the "
            "workers take no messages. Always 1 with a queue in memory or in a file.",
            COUNT,
            Series("connected", f"min(foo_queue_connected{{{THIS}}})", Colour.DONE),
            width=8,
            height=7,
            maximum=1,
        ),
    )
