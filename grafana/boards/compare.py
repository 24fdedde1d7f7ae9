"""The landing page: a column for each strategy, rows in the order in which data flows, the same axis across a row.

A column is a panel that Grafana repeats for each value of `$strategy`: so the board fits one service of one's own as well
as those of docker-compose.yml, and a row has one definition, which cannot differ between its columns.
"""

from grafana_foundation_sdk.models.dashboard import Dashboard

from boards.frame import Annotation, Board, choice
from boards.palette import BYTES, COUNT, EXACT, PER_SECOND, SECONDS, SHARE, Colour
from boards.panels import Figure, Look, Series, figures, graph, words
from boards.strategies import SENTENCES, in_order

MINE = 'strategy=~"$strategy"'
"""Selects the series of the column's strategy. Grafana escapes the values of a variable for a regular expression."""

HIGHEST = "highest of all"


def column(panel):
    """Repeats a panel, once for each strategy, from left to right. Up to eight fit side by side; Grafana offers no seven."""
    return panel.repeat("strategy").repeat_direction("h").max_per_row(8)


def highest(expr: str) -> Series:
    """The maximum of a query over all strategies. It gives all panels of a row the same axis."""
    return Series(HIGHEST, f"max({expr})", Colour.NEUTRAL, Look.CONTEXT)


def numbers():
    """The four figures at the top of a column."""
    offered = f"strategy:offered:rate10s{{{MINE}}}"
    capacity = f"strategy:capacity:rate1m{{{MINE}}}"
    slo = f"strategy:slo:seconds{{{MINE}}}"
    not_done = " + ".join(
        f"sum(increase({metric}[$__range]))"
        for metric in (
            f"load_withheld_total{{{MINE}}}",
            f'load_requests_total{{{MINE},outcome!="ok"}}',
            f'load_audited_total{{{MINE},fate!="done"}}',
        )
    )
    return figures(
        "$strategy",
        "**goodput**: messages done within the SLO per second, counted by the clients. Green from 90 % of the highest "
        "possible value, which is the offered load or the capacity, whichever is less.\n\n"
        "**p99 time to done**: from the scheduled send until the message was processed, for messages done within the last "
        "10 s. Messages that still wait, were rejected or were lost are not included. Red from the SLO.\n\n"
        "**in system**: messages waiting or in service. Red from capacity × SLO: a message that arrives then is done too "
        "late.\n\n"
        "**lost, rejected or withheld**: the share of the scheduled requests, in the whole time shown, that will never be done. "
        "Above the capacity, no strategy can avoid this. Strategies differ in whether the sender is told. Messages that "
        "still wait are not included.",
        Figure(
            "goodput",
            f"strategy:goodput:rate10s{{{MINE}}}",
            PER_SECOND,
            1,
            f"({offered} < on (strategy) {capacity}) or {capacity}",
            ((0.5, Colour.LATE), (0.9, Colour.DONE)),
            Colour.LOST,
        ),
        Figure(
            "p99 time to done",
            f"strategy:time_to_done:p99_10s{{{MINE}}} or {slo} * 0 - 1",
            SECONDS,
            None,
            slo,
            ((0.8, Colour.LATE), (1.0, Colour.LOST)),
            Colour.DONE,
            absent="nothing done",
        ),
        Figure(
            "in system",
            f'strategy:in_system{{{MINE}}} or max by (strategy) (up{{job="foo-service",{MINE}}}) * 0 - 1',
            EXACT,
            0,
            f"{capacity} * on (strategy) {slo}",
            ((0.8, Colour.LATE), (1.0, Colour.LOST)),
            Colour.DONE,
            absent="down",
        ),
        Figure(
            "lost, rejected or withheld",
            f"({not_done}) / (sum(increase(load_intended_total{{{MINE}}}[$__range])) > 0)",
            SHARE,
            1,
            "vector(1)",
            ((0.05, Colour.LATE), (0.5, Colour.LOST)),
            Colour.DONE,
        ),
        height=9,
    )


def offered():
    """The load, which is the same for every strategy."""
    return graph(
        "$strategy",
        "Requests per second that the clients schedule, sent or not, and the capacity of the workers. The load "
        "is the same for every strategy, so that the columns can be compared. Logarithmic axis.",
        PER_SECOND,
        Series("offered", f"sum(rate(load_intended_total{{{MINE}}}[$__rate_interval]))", Colour.OFFERED),
        Series("capacity", f"strategy:capacity:rate1m{{{MINE}}}", Colour.TEXT, Look.LIMIT),
        highest("sum by (strategy) (rate(load_intended_total[$__rate_interval]))"),
        log_from=10,
        height=5,
    )


def admitted():
    """How the service answers the load."""
    outcomes = (
        ("accepted", f'load_requests_total{{{MINE},outcome="ok"}}', Colour.DONE),
        ("rejected", f'load_requests_total{{{MINE},outcome="rejected"}}', Colour.REFUSED),
        ("failed", f'load_requests_total{{{MINE},outcome!~"ok|rejected"}}', Colour.LOST),
        ("withheld", f"load_withheld_total{{{MINE}}}", Colour.WITHHELD),
    )
    rates = {name: f"sum(rate({metric}[$__rate_interval]))" for name, metric, _ in outcomes}
    return graph(
        "$strategy",
        "How the scheduled requests ended, as shares. **Accepted**: the message is on the queue (Enqueue) or has been processed "
        "(Process). **Rejected**: there was no room. **Failed**: the deadline passed, or the call failed for another reason. "
        "**Withheld**: never sent, because the client was still waiting for an answer.",
        SHARE,
        *(
            Series(name, f"{rates[name]} / ({' + '.join(rates.values())} > 0)", colour, Look.STACKED)
            for name, _, colour in outcomes
        ),
        maximum=1,
    )


def waiting():
    """How many messages wait."""
    return graph(
        "$strategy",
        "Messages on the queue and calls in the waiting line, sampled each second. A short peak between two samples does not "
        "show here, but in the wait below.",
        COUNT,
        Series("waiting", f"strategy:waiting{{{MINE}}}", Colour.WAITING),
        highest("strategy:waiting"),
        legend=False,
    )


def wait():
    """How long messages wait for a worker."""
    return graph(
        "$strategy",
        "**Expected wait**: how long a message that arrives now will wait, computed from the number of messages in the "
        "system and the capacity. **Measured wait (p99)**: how long the messages that workers took recently had waited. On a "
        "growing queue it lags behind, because those messages arrived when the queue was shorter. Logarithmic axis from "
        "1 ms, which stands for no wait at all.",
        SECONDS,
        Series("expected wait", f"clamp_min(strategy:expected_wait:seconds{{{MINE}}}, 0.001)", Colour.WAITING),
        Series(
            "measured wait (p99)",
            "clamp_min(histogram_quantile(0.99, sum by (le) "
            f"(rate(foo_queue_wait_seconds_bucket{{{MINE}}}[$__rate_interval]))) >= 0, 0.001)",
            Colour.WORKING,
            Look.LIMIT,
        ),
        Series("SLO", f"strategy:slo:seconds{{{MINE}}}", Colour.TEXT, Look.LIMIT),
        highest("strategy:expected_wait:seconds"),
        log_from=0.001,
    )


def in_service():
    """How many workers are busy."""
    return graph(
        "$strategy",
        "Messages that workers are processing. Under overload every strategy keeps its workers busy, so all do the same "
        "amount of work. They differ in which messages they process, and how late.",
        COUNT,
        Series("in service", f"sum(foo_in_service{{{MINE}}})", Colour.WORKING),
        Series("workers", f"sum(foo_workers{{{MINE}}})", Colour.TEXT, Look.LIMIT),
        highest("sum by (strategy) (foo_workers)"),
        height=5,
        legend=False,
    )


def done():
    """Messages per second that are done, in time or too late."""
    good = f"sum(rate(load_good_total{{{MINE}}}[$__rate_interval]))"
    all_done = f"sum(rate(load_time_to_done_seconds_count{{{MINE}}}[$__rate_interval]))"
    return graph(
        "$strategy",
        "**Goodput**: messages done within the SLO, per second. **Late**: messages done after the SLO, per second.",
        PER_SECOND,
        Series("goodput", good, Colour.DONE, Look.STACKED),
        Series("late", f"clamp_min({all_done} - {good}, 0)", Colour.LATE, Look.STACKED),
        Series("capacity", f"strategy:capacity:rate1m{{{MINE}}}", Colour.TEXT, Look.LIMIT),
        highest("sum by (strategy) (rate(load_time_to_done_seconds_count[$__rate_interval]))"),
    )


def time_to_done():
    """How long messages took until they were done."""
    return graph(
        "$strategy",
        "From the scheduled send until the message was processed, for messages that are done. Half of them took less than the "
        "median, one in a hundred took longer than the p99. A strategy that refuses most of its load looks healthy here: "
        "read it with goodput. Logarithmic axis.",
        SECONDS,
        *(
            Series(
                name,
                f"histogram_quantile({quantile}, sum by (le) "
                f"(rate(load_time_to_done_seconds_bucket{{{MINE}}}[$__rate_interval]))) >= 0",
                colour,
            )
            for name, quantile, colour in (("median", 0.5, Colour.DONE), ("p99", 0.99, Colour.LATE))
        ),
        Series("SLO", f"strategy:slo:seconds{{{MINE}}}", Colour.TEXT, Look.LIMIT),
        highest("strategy:time_to_done:p99_10s"),
        log_from=0.01,
    )


def never_done():
    """Requests that are never done, and whether their sender is told."""

    def since_the_left_edge(metric: str, by: str = "") -> str:
        """The increase of a counter since the left edge of the panel, or since its first sample if that is later."""
        return f"sum {by}({metric}) - (sum {by}({metric} @ start()) or sum {by}({metric}) * 0)"

    def sums(matchers: str, by: str = "") -> tuple[str, str, str]:
        """The increases of the lost, the rejected and the withheld requests."""
        metrics = (
            f'load_audited_total{{{matchers}fate!="done"}}',
            f'load_requests_total{{{matchers}outcome!="ok"}}',
            f"load_withheld_total{{{matchers.rstrip(',')}}}",
        )
        return tuple(f"({since_the_left_edge(metric, by)})" for metric in metrics)

    lost, refused, withheld = (f"clamp_min({expr}, 0)" for expr in sums(f"{MINE},"))
    return graph(
        "$strategy",
        "Scheduled requests that will never be done, counted from the left edge of the panel. **Lost or discarded**: accepted "
        "first; their senders are not told. **Rejected or failed**: their senders are told. **Withheld**: never sent, because "
        "the client was still waiting for an answer. Messages that still wait are not included. A sudden step of the "
        "unbounded queue means that its service was killed.",
        COUNT,
        Series("lost or discarded", lost, Colour.LOST, Look.STACKED),
        Series("rejected or failed", refused, Colour.REFUSED, Look.STACKED),
        Series("withheld", withheld, Colour.WITHHELD, Look.STACKED),
        highest(" + ".join(sums("", "by (strategy) "))),
    )


def memory():
    """How much memory the services and the waiting messages take."""
    return graph(
        "$strategy",
        "Memory of the service, and the part of it that the messages on the queue take. Where it suddenly falls to zero, the "
        "service was killed because it ran out of memory. All messages on its queue are gone. async-durable: memory of all "
        "its services together; the messages are on the disk of the queue's server, and survive a killed service.",
        BYTES,
        Series("memory", f'sum(process_resident_memory_bytes{{job="foo-service",{MINE}}})', Colour.WORKING),
        Series("messages on the queue", f"strategy:queue_bytes{{{MINE}}}", Colour.WAITING),
        highest('sum by (strategy) (process_resident_memory_bytes{job="foo-service"})'),
    )


def what_is_what():
    """A short description of each strategy."""
    header = " | ".join(SENTENCES)
    rule = "|".join(["---"] * len(SENTENCES))
    return words(
        "What you see",
        "A short description of each strategy of docker-compose.yml.",
        f"| {header} |\n|{rule}|\n| {' | '.join(SENTENCES.values())} |",
        height=7,
    )


def board() -> Dashboard:
    """The dashboard Compare."""
    board = Board(
        "compare",
        "Compare: fire-and-forget or synchronous?",
        "Services under the same load. They differ in what they do with messages that they cannot process at once.",
        minutes=6,
    )
    board.variables(
        choice(
            "strategy",
            "Strategy",
            "The columns: the unbounded queue first, then the alternatives.",
            in_order(list(SENTENCES)),
            regex='/strategy="([^"]+)"/',
            all_of=".*",
        )
    )
    board.annotations(
        Annotation(
            "Start of a service",
            'process_start_time_seconds{job="foo-service"} * 1000',
            "{{strategy}} started",
            Colour.LOST,
            value_is_time=True,
        ),
        Annotation(
            "Overload",
            'count_values("rps", max(load_offered_rps) > min(strategy:capacity:rate1m > 0))',
            "{{rps}} messages per second are offered, more than the workers can do",
            Colour.WITHHELD,
        ),
    )
    board.add(column(numbers()))
    board.row("1 · Offered: the load, the same in every column", column(offered()))
    board.row("2 · Accepted or rejected: how the service answers", column(admitted()))
    board.row("3 · Waiting: how many messages wait", column(waiting()))
    board.row("    … and how long a message that arrives now will wait", column(wait()))
    board.row("4 · In service: under overload, the workers are busy in every column", column(in_service()))
    board.row("5 · Done: in time, or too late", column(done()))
    board.row("    … and how long it took", column(time_to_done()))
    board.row("6 · Never done: above the capacity, every strategy fails to do some of the work", column(never_done()))
    board.row(
        "7 · Memory: the unbounded queue grows until the service is killed", column(memory())
    )
    board.add(what_is_what())
    return board.build()
