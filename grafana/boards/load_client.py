"""One load client: did it send the scheduled requests in time, and how did they end? Do the figures describe the client or
the server?"""

from grafana_foundation_sdk.models.dashboard import Dashboard

from boards.frame import Annotation, Board, choice
from boards.palette import BYTES, COUNT, PER_SECOND, SECONDS, SHARE, Colour
from boards.panels import Look, Series, graph, heat, number

THIS = 'job="$job",instance="$instance"'
RECENT = "[$__rate_interval]"

LATE = 0.01
"""Seconds. If the p99 of its start lag is above this, load-client's own verdict is that the client was the limit."""

START_LAG = f"histogram_quantile(0.99, sum by (le) (rate(load_start_lag_seconds_bucket{{{THIS}}}{RECENT}))) >= 0"

OUTCOMES = {
    "ok": Colour.DONE,
    "rejected": Colour.REFUSED,
    "expired": Colour.LATE,
    "unavailable": Colour.NEUTRAL,
    "failed": Colour.LOST,
    "throttled": Colour.THROTTLED,
}

EFFECTS = {
    "retried_then_ok": ("ok after a retry", Colour.DONE),
    "given_up_by_budget": ("given up by the budget", Colour.REFUSED),
    "given_up_by_pushback": ("given up by pushback", Colour.LATE),
    "given_up_by_throttle": ("given up by the throttle", Colour.WITHHELD),
    "hedges_won": ("hedges won", Colour.WORKING),
}
"""What attempts did for their requests: the label of the metric, and the name and colour of its series."""


def rate(metric: str, *matchers: str) -> str:
    """The recent rate per second."""
    return f"sum(rate({metric}{{{','.join([THIS, *matchers])}}}{RECENT}))"


def at_a_glance():
    """The state of the run now."""
    return (
        number(
            "Start lag (p99)",
            "**Was it the client?** How late the load client itself was with its sends. Green below 5 ms: the figures "
            "describe the service. Red from 10 ms: this machine is too slow for this load, and the figures describe the "
            "machine more than the service.",
            SECONDS,
            START_LAG,
            (LATE / 2, Colour.LATE),
            (LATE, Colour.LOST),
            base=Colour.DONE,
            decimals=1,
        ),
        number(
            "Blocked clients",
            "**Was it the server?** The share of clients that have a request due but must wait for an answer first, because they "
            "have reached their limit of requests in flight. Yellow from 10 %, red from 90 %.",
            SHARE,
            f"sum(load_blocked_clients{{{THIS}}}) / sum(load_clients{{{THIS}}})",
            (0.1, Colour.LATE),
            (0.9, Colour.LOST),
            base=Colour.DONE,
            decimals=0,
        ),
        number(
            "Offered",
            "Requests per second in the schedule now.",
            PER_SECOND,
            f"sum(load_offered_rps{{{THIS}}})",
            decimals=0,
        ),
        number(
            "Sent",
            "The share of the recently scheduled requests that were made. The rest was withheld. Yellow below 99 %, red below 90 %.",
            SHARE,
            f"1 - {rate('load_withheld_total')} / ({rate('load_intended_total')} > 0)",
            (0.9, Colour.LATE),
            (0.99, Colour.DONE),
            base=Colour.LOST,
            decimals=0,
        ),
        number(
            "Good",
            "Recent requests done within the SLO, as a share of the recently scheduled requests. Yellow below 99 %, red below 90 %.",
            SHARE,
            f"clamp_max({rate('load_good_total')} / ({rate('load_intended_total')} > 0), 1)",
            (0.9, Colour.LATE),
            (0.99, Colour.DONE),
            base=Colour.LOST,
            decimals=0,
        ),
        number(
            "SLO",
            "A request is good if it is done within this time. The time counts from the scheduled send.",
            SECONDS,
            f"max(load_slo_seconds{{{THIS}}})",
        ),
    )


def achieved():
    """Scheduled requests per second, and messages done per second."""
    return (
        graph(
            "Offered and achieved",
            "Requests per second: in the **schedule**, **scheduled** by the clients, **sent** and ended, and **good** (done "
            "within the SLO). Scheduled below schedule: this machine is too slow. Sent below scheduled: clients were blocked. "
            "Good below sent: the service rejected, was late or lost messages.",
            PER_SECOND,
            Series("schedule", f"sum(load_offered_rps{{{THIS}}})", Colour.TEXT, Look.LIMIT),
            Series("scheduled", rate("load_intended_total"), Colour.OFFERED),
            Series("sent", rate("load_requests_total"), Colour.WORKING),
            Series("good", rate("load_good_total"), Colour.DONE),
            width=12,
            height=8,
        ),
        graph(
            "Outcomes of the scheduled requests",
            "Requests per second, stacked. **ok**: accepted (Enqueue) or done (Process). **rejected**: no room. **expired**: no "
            "answer before the deadline. **unavailable**: no connection, or the service is draining. **failed**: any other "
            "error. **throttled**: not sent, because the client held it back itself. **withheld**: not sent, because the client was "
            "blocked.",
            PER_SECOND,
            *(
                Series(outcome, rate("load_requests_total", f'outcome="{outcome}"'), colour, Look.STACKED)
                for outcome, colour in OUTCOMES.items()
            ),
            Series("withheld", rate("load_withheld_total"), Colour.WITHHELD, Look.STACKED),
            width=12,
            height=8,
        ),
    )


def response_times():
    """How long the answers took, for each outcome."""
    return (
        graph(
            "Response time by outcome (p99)",
            "From the scheduled send to the end of the call, a line for each outcome that occurred. Rejections are often much "
            "faster than accepted calls, so a common figure would mislead. Logarithmic axis.",
            SECONDS,
            Series(
                "{{outcome}}",
                f"histogram_quantile(0.99, sum by (outcome, le) (rate(load_response_time_seconds_bucket{{{THIS}}}{RECENT})))"
                " >= 0",
                colours=OUTCOMES,
            ),
            Series("SLO", f"max(load_slo_seconds{{{THIS}}})", Colour.TEXT, Look.LIMIT),
            width=8,
            height=8,
            log_from=0.0001,
        ),
        graph(
            "Time to done",
            "From the scheduled send until the message was processed, for messages that are done. For Enqueue this can be long "
            "after the acknowledgement.",
            SECONDS,
            *(
                Series(
                    name,
                    f"histogram_quantile({share}, sum by (le) (rate(load_time_to_done_seconds_bucket{{{THIS}}}{RECENT}))) >= 0",
                    colour,
                )
                for name, share, colour in (("median", 0.5, Colour.DONE), ("p99", 0.99, Colour.LATE))
            ),
            Series("SLO", f"max(load_slo_seconds{{{THIS}}})", Colour.TEXT, Look.LIMIT),
            width=8,
            height=8,
            log_from=0.01,
        ),
        heat(
            "Time to done, all messages",
            "Messages processed per second, by the time since the scheduled send.",
            f"sum by (le) (rate(load_time_to_done_seconds_bucket{{{THIS}}}{RECENT}))",
            width=8,
        ),
    )


def whose_fault():
    """How late the load client itself was, and what blocked its clients."""
    return (
        graph(
            "Start lag",
            "How late the load client itself was with its sends. Time in which a client was blocked does not count. Timers "
            "tick each millisecond, so 1 ms is the best possible value. Above the dashed line, the figures describe the load "
            "client more than the service.",
            SECONDS,
            *(
                Series(
                    name,
                    f"histogram_quantile({share}, sum by (le) (rate(load_start_lag_seconds_bucket{{{THIS}}}{RECENT}))) >= 0",
                    colour,
                )
                for name, share, colour in (("median", 0.5, Colour.DONE), ("p99", 0.99, Colour.LATE))
            ),
            width=8,
            height=8,
            warn_from=LATE,
        ),
        graph(
            "Blocked clients over time",
            "Clients that have a request due but must wait for an answer first, and all clients. If answers take longer under "
            "load, the service holds its clients back: that is backpressure.",
            COUNT,
            Series("blocked", f"sum(load_blocked_clients{{{THIS}}})", Colour.WITHHELD),
            Series("clients", f"sum(load_clients{{{THIS}}})", Colour.TEXT, Look.LIMIT),
            width=8,
            height=8,
        ),
        graph(
            "In flight",
            "Requests without an answer yet. Messages on the service's queue are answered already and do not count.",
            COUNT,
            Series("in flight", f"sum(load_in_flight{{{THIS}}})", Colour.WORKING),
            width=8,
            height=8,
        ),
    )


def attempts():
    """How often requests are sent, and what that is good for."""
    ended = rate("load_requests_total", 'outcome!="throttled"')
    return (
        graph(
            "Attempts per request",
            "How often a request is sent: the factor by which retries and hedges multiply the load. 0 where each request is "
            "sent once. If load times attempts is above the capacity, an overload can stay after its cause has gone.",
            COUNT,
            Series("attempts per request", f"{rate('load_attempts_total')} / ({ended} > 0)", Colour.OFFERED),
            width=8,
            height=7,
        ),
        graph(
            "Attempts by outcome",
            "Attempts per second, stacked. **cancelled**: broken off, because the other attempt of a hedged request had won.",
            PER_SECOND,
            *(
                Series(outcome, rate("load_attempts_total", f'outcome="{outcome}"'), colour, Look.STACKED)
                for outcome, colour in (OUTCOMES | {"cancelled": Colour.WITHHELD}).items()
                if outcome != "throttled"
            ),
            width=8,
            height=7,
        ),
        graph(
            "What attempts did",
            "Requests per second that were ok after a retry, that were not tried again because the budget, the service or the "
            "throttle said so, and that the second attempt of a hedge decided.",
            PER_SECOND,
            *(
                Series(name, rate("load_attempt_effects_total", f'effect="{effect}"'), colour)
                for effect, (name, colour) in EFFECTS.items()
            ),
            width=8,
            height=7,
        ),
    )


def audit():
    """How every scheduled request ended, and the process of the load client."""
    fates = (
        ("done", f"load_time_to_done_seconds_count{{{THIS}}}", Colour.DONE),
        ("rejected or failed", f'load_requests_total{{{THIS},outcome!="ok"}}', Colour.REFUSED),
        ("withheld", f"load_withheld_total{{{THIS}}}", Colour.WITHHELD),
        ("discarded", f'load_audited_total{{{THIS},fate="discarded"}}', Colour.LOST),
        ("unknown", f'load_audited_total{{{THIS},fate="unknown"}}', Colour.WAITING),
        ("lost", f'load_audited_total{{{THIS},fate="lost"}}', Colour.NEUTRAL),
    )
    return (
        graph(
            "Fate of all scheduled requests",
            "Totals since the load client started. **done**: processed. **rejected or failed**: the sender was told. "
            "**withheld**: never sent. **discarded**: accepted, then discarded, as the service reported. **unknown**: "
            "accepted by a service that was restarted since. **lost**: accepted, never reported as ended, although the "
            "service has nothing left to do. The gap to the dashed line is in flight or on the queue.",
            COUNT,
            Series("scheduled", f"sum(load_intended_total{{{THIS}}})", Colour.TEXT, Look.LIMIT),
            *(Series(fate, f"sum({metric})", colour, Look.STACKED) for fate, metric, colour in fates),
            width=12,
            height=7,
        ),
        graph(
            "CPU of the load client",
            "Cores in use, averaged over a minute.",
            COUNT,
            Series("cores", f"sum(rate(process_cpu_seconds_total{{{THIS}}}[1m]))", Colour.WORKING),
            width=6,
            height=7,
        ),
        graph(
            "Memory of the load client",
            "Resident memory of the load client. It grows with the number of messages that are accepted and not yet done, "
            "because the load client follows each of them to its end.",
            BYTES,
            Series("memory", f"sum(process_resident_memory_bytes{{{THIS}}})", Colour.WORKING),
            width=6,
            height=7,
        ),
    )


def board() -> Dashboard:
    """The dashboard Load client."""
    board = Board(
        "load-client",
        "Load client: was it the client or the server?",
        "The load, what was achieved, how long the answers took, and whether the load client kept up.",
        minutes=6,
    )
    board.variables(
        choice("job", "Job", "The scrape job.", "label_values(load_clients, job)"),
        choice("instance", "Instance", "The load client.", 'label_values(load_clients{job="$job"}, instance)'),
    )
    board.annotations(
        Annotation(
            "Phase of the load",
            f'count_values("rps", sum(load_offered_rps{{{THIS}}}))',
            "{{rps}} messages per second are offered",
            Colour.WITHHELD,
        )
    )
    board.row("Now: was it the client or the server?", *at_a_glance())
    board.row("Load: scheduled and achieved", *achieved())
    board.row("How long it took", *response_times())
    board.row("Client or server: start lag, and clients that wait for answers", *whose_fault())
    board.row("Attempts: clients that retry, hedge or hold back", *attempts())
    board.row("Audit: how every scheduled send ended", *audit())
    return board.build()
