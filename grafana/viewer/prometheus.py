"""The requests to Prometheus' HTTP API that the dashboards need."""

import json
import math
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass


class Refused(Exception):
    """Prometheus did not answer, or answered with an error. The text is that of Prometheus."""


@dataclass(frozen=True)
class Span:
    """A time range, in seconds since 1970."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """The length of the range, in seconds."""
        return self.end - self.start


@dataclass(frozen=True)
class Curve:
    """One series of a result."""

    labels: dict[str, str]
    times: list[float]
    values: list[float]

    @property
    def finite(self) -> bool:
        """Whether each value is a number that can be drawn."""
        return all(math.isfinite(value) for value in self.values)


class Prometheus:
    """A Prometheus server, by its URL."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def now(self, expr: str, at: float) -> list[Curve]:
        """The result of an instant query, as curves of one point. A scalar has no labels."""
        data = self._get("query", query=expr, time=at)
        if data["resultType"] == "scalar":
            return [_curve({}, [data["result"]])]
        return [_curve(one["metric"], [one["value"]]) for one in data["result"]]

    def over(self, expr: str, span: Span, step: float) -> list[Curve]:
        """The result of a range query. Its steps are at multiples of `step`, as Grafana aligns them."""
        start = math.floor(span.start / step) * step
        data = self._get("query_range", query=expr, start=start, end=span.end, step=step)
        return [_curve(one["metric"], one["values"]) for one in data["result"]]

    def label_values(self, label: str, selector: str, span: Span) -> list[str]:
        """The values of a label among the series that match, sorted by Prometheus."""
        return self._get(f"label/{label}/values", start=span.start, end=span.end, **{"match[]": selector})

    def metric_names(self) -> set[str]:
        """The metrics that all present targets declare."""
        return {
            name for metric, declarations in self._get("metadata").items() for name in names_of(metric, declarations[0]["type"])
        }

    def _get(self, path: str, **parameters: object):
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                body = json.load(answer)
        except urllib.error.HTTPError as error:
            raise Refused(json.load(error).get("error", str(error))) from error
        except OSError as error:
            raise Refused(f"no answer from {self.url}: {error}") from error
        return body["data"]


def names_of(metric: str, kind: str) -> set[str]:
    """The names of the series that a metric has."""
    if kind == "histogram":
        return {f"{metric}_bucket", f"{metric}_sum", f"{metric}_count"}
    return {metric}


def _curve(labels: dict[str, str], points: list) -> Curve:
    return Curve(labels, [float(time) for time, _ in points], [float(value) for _, value in points])
