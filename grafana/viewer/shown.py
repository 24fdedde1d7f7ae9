"""A dashboard as Grafana shows it: variables have values, panels are repeated for them, queries are filled in.

Follows Grafana's rules for intervals: `$__interval` is the range divided by the pixels, rounded; `$__rate_interval` is at
least four scrapes, and at least a scrape more than the interval.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from viewer.prometheus import Curve, Prometheus, Span

SCRAPE = 1.0
"""Seconds between scrapes: prometheus.yml, and `timeInterval` of the provisioned data source."""
PIXELS = 1920
"""Width of the screen, in pixels."""
COLUMNS = 24
ROUND_STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_LABEL_VALUES = re.compile(r"label_values\((?P<selector>.+),\s*(?P<label>\w+)\)")
_QUERY_RESULT = re.compile(r"query_result\((?P<expr>.+)\)")


@dataclass(frozen=True)
class Query:
    """The query of one target of a panel."""

    letter: str
    legend: str
    expr: str
    instant: bool
    step: float

    def run(self, prometheus: Prometheus, span: Span) -> list[Curve]:
        """Returns the result of the query."""
        if self.instant:
            return prometheus.now(self.expr, span.end)
        return prometheus.over(self.expr, span, self.step)

    def name_of(self, curve: Curve) -> str:
        """The text of the legend, with the values of its {{labels}}."""
        return re.sub(r"\{\{\s*(\w+)\s*}}", lambda match: curve.labels.get(match[1], ""), self.legend)


@dataclass(frozen=True)
class Panel:
    """A panel with its place in the grid; `source` is its JSON."""

    source: dict
    title: str
    x: float
    y: float
    width: float
    height: float
    queries: list[Query] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The kind: timeseries, stat, heatmap, text or row."""
        return self.source["type"]


@dataclass(frozen=True)
class Mark:
    """An annotation: its name and its query."""

    name: str
    colour: str
    title: str
    value_is_time: bool
    query: Query


class Dashboard:
    """A dashboard, as one of the JSON files describes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.source = json.loads(path.read_text())
        self.title = self.source["title"]
        self.variables = self.source["templating"]["list"] if "templating" in self.source else []

    def settings(self, prometheus: Prometheus, span: Span) -> Iterator[dict[str, list[str]]]:
        """Every way to set the variables: each option of those that take one value, all options of those that take many.

        A later variable may depend on an earlier one.
        """

        def rest(chosen: dict[str, list[str]], left: list[dict]) -> Iterator[dict[str, list[str]]]:
            if not left:
                yield chosen
                return
            variable, *later = left
            options = self.options(variable, chosen, prometheus, span)
            for values in [options] if variable["multi"] else [[option] for option in options]:
                yield from rest(chosen | {variable["name"]: values}, later)

        yield from rest({}, self.variables)

    def options(self, variable: dict, chosen: dict[str, list[str]], prometheus: Prometheus, span: Span) -> list[str]:
        """The possible values of a variable, in Grafana's order."""
        query = self.fill(variable["query"]["query"], chosen, span, SCRAPE)
        if match := _LABEL_VALUES.fullmatch(query):
            found = prometheus.label_values(match["label"], match["selector"], span)
        elif match := _QUERY_RESULT.fullmatch(query):
            found = [
                "{" + ",".join(f'{label}="{value}"' for label, value in curve.labels.items()) + f"}} {curve.values[0]:g}"
                for curve in prometheus.now(match["expr"], span.end)
            ]
        else:
            raise ValueError(f"variable {variable['name']}: cannot follow the query {query}")
        if pattern := variable.get("regex"):
            found = [match[1] for one in found if (match := re.search(pattern.strip("/"), one))]
        return list(dict.fromkeys(found))

    def panels(self, chosen: dict[str, list[str]], span: Span) -> list[Panel]:
        """All panels and rows. A repeated panel occurs once for each value."""
        shown = []
        for source in self.source["panels"]:
            place = source["gridPos"]
            repeat = source.get("repeat")
            if source["type"] == "row" or not repeat:
                box = (place["x"], place["y"], place["w"], place["h"])
                shown.append(self._panel(source, chosen, span, box))
                continue
            values = chosen[repeat]
            across = min(len(values), int(source["maxPerRow"]))
            for index, value in enumerate(values):
                width = COLUMNS / across
                box = (index % across * width, place["y"] + index // across * place["h"], width, place["h"])
                shown.append(self._panel(source, chosen | {repeat: [value]}, span, box))
        return shown

    def marks(self, chosen: dict[str, list[str]], span: Span) -> list[Mark]:
        """All annotations, with the variables replaced."""
        return [
            Mark(
                source["name"],
                source["iconColor"],
                source["titleFormat"],
                source["useValueForTime"],
                Query("X", source["titleFormat"], self.fill(source["expr"], chosen, span, SCRAPE), False, SCRAPE),
            )
            for source in self.source["annotations"]["list"]
        ]

    def _panel(self, source: dict, chosen: dict[str, list[str]], span: Span, box: tuple) -> Panel:
        x, y, width, height = box
        step = _interval(span, width)
        queries = [
            Query(
                target["refId"],
                self.fill(target["legendFormat"], chosen, span, step),
                self.fill(target["expr"], chosen, span, step),
                target["instant"],
                step,
            )
            for target in source.get("targets", [])
        ]
        title = self.fill(source["title"], chosen, span, step)
        return Panel(source, title, x, y, width, height, queries)

    def fill(self, text: str, chosen: dict[str, list[str]], span: Span, step: float) -> str:
        """The text with its variables replaced. An unknown variable is an error; Grafana would leave it in the text."""
        builtin = {
            "__interval": f"{step:g}s",
            "__interval_ms": f"{step * 1000:g}",
            "__rate_interval": f"{max(step + SCRAPE, 4 * SCRAPE):g}s",
            "__range": f"{span.seconds:.0f}s",
            "__range_s": f"{span.seconds:.0f}",
        }
        definitions = {variable["name"]: variable for variable in self.variables}

        def value(match: re.Match) -> str:
            name = match[1] or match[2]
            if name in builtin:
                return builtin[name]
            if name not in chosen:
                raise ValueError(f"{self.path.name}: no variable ${name}, in: {text}")
            values = chosen[name]
            if len(values) == 1:
                return values[0]
            return definitions[name].get("allValue") or "|".join(values)

        return _VARIABLE.sub(value, text)


def _interval(span: Span, columns: float) -> float:
    pixels = PIXELS * columns / COLUMNS
    exact = max(span.seconds / pixels, SCRAPE)
    return float(min(ROUND_STEPS, key=lambda step: abs(step - exact)))
