"""Checks that Prometheus answers the queries of dashboards and rules. Each function yields complaints."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from viewer import promql
from viewer.may_be_empty import MAY_BE_EMPTY, WITHOUT_WORKERS
from viewer.prometheus import Curve, Prometheus, Refused, Span
from viewer.shown import SCRAPE, Dashboard, Query

SYNTHETIC = {"up"}
"""Series that Prometheus itself makes; no target declares them."""


class Rules:
    """The recording and alert rules of a file."""

    def __init__(self, path: Path) -> None:
        groups = yaml.safe_load(path.read_text())["groups"]
        self.path = path
        self.all: list[dict] = [rule for group in groups for rule in group["rules"]]
        self.recorded = {rule["record"] for rule in self.all if "record" in rule}

    def questions(self) -> Iterator[tuple[str, str]]:
        """The name of each rule, and the expression that must have an answer: of an alert, which may not fire, its left side."""
        for rule in self.all:
            if "record" in rule:
                yield rule["record"], rule["expr"]
            else:
                yield rule["alert"], promql.without_comparison(rule["expr"])


def asked_by(dashboard: Dashboard) -> Iterator[tuple[str, str]]:
    """Each place of a dashboard with a query, and the query. Variables are left in it, because names do not depend on them."""
    anything, moment = {variable["name"]: ["any"] for variable in dashboard.variables}, Span(0, 600)
    for panel in dashboard.panels(anything, moment):
        for query in panel.queries:
            yield f"{panel.source['title']}, {query.legend}", query.expr
    for mark in dashboard.marks(anything, moment):
        yield mark.name, mark.query.expr
    for variable in dashboard.variables:
        query = dashboard.fill(variable["query"]["query"], anything, moment, SCRAPE)
        inner = query.partition("(")[2].rpartition(")")[0]
        yield variable["name"], inner.rpartition(",")[0] if query.startswith("label_values") else inner


def unknown_metrics(questions: Iterator[tuple[str, str]], known: set[str]) -> Iterator[str]:
    """Names that no target declares and no rule records."""
    for place, expr in questions:
        for name in sorted(promql.metrics(expr) - known - SYNTHETIC):
            yield f"{place}: there is no {name}"


def unanswered(dashboard: Dashboard, prometheus: Prometheus, span: Span, used: set) -> Iterator[str]:
    """Queries without data, or with something that is no number, under every setting of the variables.

    `used` collects the entries of MAY_BE_EMPTY that were needed.
    """
    settings = list(dashboard.settings(prometheus, span))
    if not settings:
        yield "a variable has no values"
    for chosen in settings:
        where = ", ".join(values[0] for values in chosen.values() if len(values) == 1)
        idle = _has_no_workers(chosen, prometheus, span)
        for panel in dashboard.panels(chosen, span):
            for query in panel.queries:
                place = f"{where}: {panel.title}, {query.legend}"
                curves = _ask(query, prometheus, span)
                excuse = (dashboard.path.name, panel.source["title"], query.legend)
                if curves == [] and excuse in MAY_BE_EMPTY and (idle or MAY_BE_EMPTY[excuse] != WITHOUT_WORKERS):
                    used.add(excuse)
                    continue
                yield from _judge(place, query.expr, curves)
        for mark in dashboard.marks(chosen, span):
            yield from _judge(f"{where}: {mark.name}", mark.query.expr, _ask(mark.query, prometheus, span))


def _has_no_workers(chosen: dict[str, list[str]], prometheus: Prometheus, span: Span) -> bool:
    """Whether the variables name an instance of foo-service that had no workers in all that time."""
    if not {"job", "instance"} <= chosen.keys():
        return False
    [job], [instance] = chosen["job"], chosen["instance"]
    most = f'max_over_time(foo_workers{{job="{job}",instance="{instance}"}}[{span.seconds:.0f}s])'
    return bool(prometheus.now(f"{most} == 0", span.end))


def unanswered_rules(rules: Rules, prometheus: Prometheus, span: Span, used: set) -> Iterator[str]:
    """The same check for rules."""
    for name, expr in rules.questions():
        query = Query("X", name, expr, instant=False, step=SCRAPE)
        curves = _ask(query, prometheus, span)
        excuse = ("rules.yml", name, "")
        if curves == [] and excuse in MAY_BE_EMPTY:
            used.add(excuse)
            continue
        yield from _judge(name, expr, curves)


def _ask(query: Query, prometheus: Prometheus, span: Span) -> list[Curve] | Refused:
    """The answer. An instant query gets the latest within the last half of the span: a service may be restarting now."""
    moments = [span] if not query.instant else [Span(span.start, span.end - span.seconds * back / 8) for back in range(5)]
    try:
        return next((curves for moment in moments if (curves := query.run(prometheus, moment))), [])
    except Refused as refused:
        return refused


def _judge(place: str, expr: str, curves: list[Curve] | Refused) -> Iterator[str]:
    if isinstance(curves, Refused):
        yield f"{place}: {curves}, of: {expr}"
    elif not curves:
        yield f"{place}: no data, of: {expr}"
    elif not all(curve.finite for curve in curves):
        yield f"{place}: not a number, of: {expr}"
