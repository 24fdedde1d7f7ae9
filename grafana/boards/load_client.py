"""One load client: did it send what it was asked to, when it was asked to, and what became of it? Was it the client or
the server?"""

from grafana_foundation_sdk.models.dashboard import Dashboard

from boards.frame import Annotation, Board, choice
from boards.palette import BYTES, COUNT, PER_SECOND, SECONDS, SHARE, Colour
from boards.panels import Look, Series, graph, heat, number

THIS = 'job="$job",instance="$instance"'
RECENT = "[$__rate_interval]"

LATE = 0.01
"""Seconds: load-client's own verdict takes a generator whose p99 is above this for the limit."""

START_LAG = f"histogram_quantile(0.99, sum by (le) (rate(load_start_lag_seconds_bucket{{{THIS}}}{RECENT}))) >= 0"

OUTCOMES = {
    "ok": Colour.DONE,
    "rejected": Colour.REFUSED,
    "expired": Colour.LATE,
    "unavailable": Colour.NEUTRAL,
    "failed": Colour.LOST,
}


def rate(metric: str, *matchers: str) -> str:
    """How many a second, lately."""
    return f"sum(rate({metric}{{{','.join([THIS, *matchers])}}}{RECENT}))"


def at_a_glance():
    """The answer, now."""
    return (
        number(
            "Start lag (p99)",
            "**Was it the client?** How much later than intended the generator made its sends, through its own fault. Green "
            "below 5 ms: what you see is the service. Red from 10 ms: this machine is too slow for this load, and the "
            "figures say more about it than about the service.",
            SECONDS,
            START_LAG,
            (LATE / 2, Colour.LATE),
            (LATE, Colour.LOST),
            base=Colour.DONE,
            decimals=1,
        ),
        number(
            "Blocked clients",
            "**Was it the server?** The share of clients that would send and wait for an answer instead, because they have "
            "as many sends in flight as they may. Yellow from 10 %, red from 90 %.",
            SHARE,
            f"sum(load_blocked_clients{{{THIS}}}) / sum(load_clients{{{THIS}}})",
            (0.1, Colour.LATE),
            (0.9, Colour.LOST),
            base=Colour.DONE,
            decimals=0,
        ),
        number(
            "Offered",
            "Sends a second that the schedule asks for now.",
            PER_SECOND,
            f"sum(load_offered_rps{{{THIS}}})",
            decimals=0,
        ),
        number(
            "Sent",
            "The share of the intended sends that were made lately; the rest was withheld. Yellow below 99 %, red below 90 %.",
            SHARE,
            f"1 - {rate('load_withheld_total')} / ({rate('load_intended_total')} > 0)",
            (0.9, Colour.LATE),
            (0.99, Colour.DONE),
            base=Colour.LOST,
            decimals=0,
        ),
        number(
            "Good",
            "What was done within the SLO lately, as a share of what was intended lately. Yellow below 99 %, red below 90 %.",
            SHARE,
            f"clamp_max({rate('load_good_total')} / ({rate('load_intended_total')} > 0), 1)",
            (0.9, Colour.LATE),
            (0.99, Colour.DONE),
            base=Colour.LOST,
            decimals=0,
        ),
        number(
            "SLO",
            "What is done within it, from the intended send, is good.",
            SECONDS,
            f"max(load_slo_seconds{{{THIS}}})",
        ),
    )


def achieved():
    """What was asked for, and what came of it."""
    return (
        graph(
            "Offered and achieved",
            "A second: what the **schedule** asks for, what the clients **intended** by it, what of that was **sent** and has "
            "ended, and what was **good**, which is done within the SLO. Intended below the schedule: this machine is too "
            "slow. Sent below intended: clients were blocked. Good below sent: the service refused, was late or lost it.",
            PER_SECOND,
            Series("schedule", f"sum(load_offered_rps{{{THIS}}})", Colour.TEXT, Look.LIMIT),
            Series("intended", rate("load_intended_total"), Colour.OFFERED),
            Series("sent", rate("load_requests_total"), Colour.WORKING),
            Series("good", rate("load_good_total"), Colour.DONE),
            width=12,
            height=8,
        ),
        graph(
            "Outcomes of the intended sends",
            "A second, stacked. **ok**: accepted (Enqueue) or done (Process). **rejected**: no room. **expired**: no answer "
            "before the deadline. **unavailable**: no connection, or a service that drains. **withheld**: not sent, because "
            "the client was blocked.",
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
    """How long the answers took, by what they said."""
    return (
        graph(
            "Response time by outcome (p99)",
            "From the intended send to the end of the call, each outcome for itself: a refusal within a millisecond says "
            "nothing about how long the accepted ones take, and the two in one figure say nothing at all. Only outcomes that "
            "occur have a line. On a logarithmic axis.",
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
            "From the intended send until the message was processed, of those that are done. For Enqueue that is long after "
            "the answer, and it is what the sender was after.",
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
            "Time to done, all of it",
            "Messages a second, by how long they took from the intended send until they were processed.",
            f"sum by (le) (rate(load_time_to_done_seconds_bucket{{{THIS}}}{RECENT}))",
            width=8,
        ),
    )


def whose_fault():
    """The client's own lateness, and what blocks it."""
    return (
        graph(
            "Start lag",
            "How much later than intended sends were made, through the generator's own fault: not because a client was "
            "blocked, which is the service's doing. Timers tick each millisecond, so 1 ms is as good as it gets. Above the "
            "dashed line the client is what is measured.",
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
            "Blocked clients, of all",
            "Clients that would send and wait for an answer instead, and all clients. Blocked clients are how a service holds "
            "back its senders: that is backpressure, seen from here.",
            COUNT,
            Series("blocked", f"sum(load_blocked_clients{{{THIS}}})", Colour.WITHHELD),
            Series("clients", f"sum(load_clients{{{THIS}}})", Colour.TEXT, Look.LIMIT),
            width=8,
            height=8,
        ),
        graph(
            "In flight",
            "Sends without an answer yet. What was acknowledged and waits on the service's queue is not among them.",
            COUNT,
            Series("in flight", f"sum(load_in_flight{{{THIS}}})", Colour.WORKING),
            width=8,
            height=8,
        ),
    )


def audit():
    """What became of every intended send, and the generator's own process."""
    fates = (
        ("done", f"load_time_to_done_seconds_count{{{THIS}}}", Colour.DONE),
        ("refused or failed", f'load_requests_total{{{THIS},outcome!="ok"}}', Colour.REFUSED),
        ("withheld", f"load_withheld_total{{{THIS}}}", Colour.WITHHELD),
        ("discarded", f'load_audited_total{{{THIS},fate="discarded"}}', Colour.LOST),
        ("unknown", f'load_audited_total{{{THIS},fate="unknown"}}', Colour.WAITING),
        ("lost", f'load_audited_total{{{THIS},fate="lost"}}', Colour.NEUTRAL),
    )
    return (
        graph(
            "Fate of all intended sends",
            "In all, since the load client started. **done**: processed. **refused or failed**: the sender knows. "
            "**withheld**: never sent. **discarded**: accepted, and the service says that it threw them away. **unknown**: "
            "accepted, and gone with a service that was restarted. **lost**: accepted, and never heard of again by a service "
            "that has nothing left. The gap to the dashed line is in flight, or on the queue.",
            COUNT,
            Series("intended", f"sum(load_intended_total{{{THIS}}})", Colour.TEXT, Look.LIMIT),
            *(Series(fate, f"sum({metric})", colour, Look.STACKED) for fate, metric, colour in fates),
            width=12,
            height=7,
        ),
        graph(
            "CPU of the generator",
            "Cores that the load client uses, over a minute: it counts whole seconds.",
            COUNT,
            Series("cores", f"sum(rate(process_cpu_seconds_total{{{THIS}}}[1m]))", Colour.WORKING),
            width=6,
            height=7,
        ),
        graph(
            "Memory of the generator",
            "Resident memory of the load client. It grows with the messages that are accepted and not done: each is followed "
            "to its end.",
            BYTES,
            Series("memory", f"sum(process_resident_memory_bytes{{{THIS}}})", Colour.WORKING),
            width=6,
            height=7,
        ),
    )


def board() -> Dashboard:
    """Load client."""
    board = Board(
        "load-client",
        "Load client: was it the client or the server?",
        "What was offered and what came of it, how long the answers took, and whether the generator kept up.",
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
            "{{rps}} messages a second are offered",
            Colour.WITHHELD,
        )
    )
    board.row("Now: was it the client or the server?", *at_a_glance())
    board.row("Load: what was asked for, and what came of it", *achieved())
    board.row("How long it took", *response_times())
    board.row("Whose fault: the generator's own lateness, and the clients that the service holds back", *whose_fault())
    board.row("Audit: every intended send, to its end", *audit())
    return board.build()
