"""Series over time, as Grafana's time series panel draws them: layers, limits, a shared axis, annotations, gaps."""

import math
import time
from dataclasses import dataclass, field

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from viewer.drawing.page import EDGE, FAINT, Box, Page, colour
from viewer.prometheus import Curve, Span
from viewer.shown import Panel
from viewer.units import written


@dataclass(frozen=True)
class Event:
    """An event of an annotation: a moment, or a region if the event lasted."""

    start: float
    end: float
    colour: str
    title: str


@dataclass
class Line:
    """A curve with the style that the panel's overrides give it."""

    name: str
    curve: Curve
    step: float
    look: dict[str, object] = field(default_factory=dict)

    @property
    def colour(self) -> str:
        fixed = self.look.get("color", {}).get("fixedColor")
        return colour(fixed) if fixed else "#73BF69"

    @property
    def stacked(self) -> bool:
        return self.look.get("custom.stacking", {}).get("mode") == "normal"

    @property
    def dash(self):
        style = self.look.get("custom.lineStyle")
        return (0, style["dash"]) if style else "solid"

    def at(self, times: list[float]) -> list[float]:
        """The values at these times. A missing value is NaN and is drawn as a gap."""
        values = dict(zip(self.curve.times, self.curve.values, strict=True))
        return [values.get(moment, math.nan) for moment in times]


def lines_of(panel: Panel, results: dict[str, list[Curve]]) -> list[Line]:
    """All curves that the panel draws."""
    looks = {
        (override["matcher"]["id"], override["matcher"]["options"]): {
            prop["id"]: prop["value"] for prop in override["properties"]
        }
        for override in panel.source["fieldConfig"]["overrides"]
    }
    lines = []
    for query in panel.queries:
        for curve in results[query.letter]:
            name = query.name_of(curve)
            look = looks.get(("byFrameRefID", query.letter), {}) | looks.get(("byName", name), {})
            lines.append(Line(name, curve, query.step, look))
    return lines


def draw(page: Page, box: Box, panel: Panel, results: dict[str, list[Curve]], span: Span, events: list[Event]) -> None:
    """Draws the panel's contents into the box."""
    lines = lines_of(panel, results)
    if panel.source["options"]["legend"]["showLegend"]:
        rows = _legend(page, box, lines)
        box = box.inner(bottom=16 * rows)
    axes = page.axes(box.inner(left=52, right=4, bottom=18))
    if not lines:
        axes.text(0.5, 0.5, "No data", transform=axes.transAxes, ha="center", color=FAINT, fontsize=11)
    _events(axes, events, span)
    _lines(axes, lines, span)
    _scales(axes, panel, lines, span)


def _lines(axes: Axes, lines: list[Line], span: Span) -> None:
    step = min((line.step for line in lines), default=1)
    first = math.floor(span.start / step) * step
    times = [first + index * step for index in range(int((span.end - first) // step) + 1)]
    below = [0.0] * len(times)
    for line in lines:
        values = line.at(times)
        width = line.look.get("custom.lineWidth", 1)
        if line.stacked:
            above = [low + (0 if math.isnan(value) else value) for low, value in zip(below, values, strict=True)]
            axes.fill_between(times, below, above, color=line.colour, alpha=line.look["custom.fillOpacity"] / 100, linewidth=0)
            below = above
            continue
        axes.plot(times, values, color=line.colour, linewidth=width, linestyle=line.dash, alpha=0.95)
        if opacity := line.look.get("custom.fillOpacity"):
            bottom = axes.get_ylim()[0] if axes.get_yscale() == "log" else 0
            axes.fill_between(times, bottom, values, color=line.colour, alpha=opacity / 100, linewidth=0)


def _events(axes: Axes, events: list[Event], span: Span) -> None:
    for event in events:
        if event.end < span.start or event.start > span.end:
            continue
        if event.end > event.start:
            axes.axvspan(event.start, event.end, color=colour(event.colour), alpha=0.09, linewidth=0)
        for edge in {event.start, event.end}:
            axes.axvline(edge, color=colour(event.colour), linewidth=0.8, linestyle=(0, (4, 3)), alpha=0.6)


def _scales(axes: Axes, panel: Panel, lines: list[Line], span: Span) -> None:
    defaults = panel.source["fieldConfig"]["defaults"]
    unit = defaults["unit"]
    top = max([value for line in lines for value in line.curve.values if math.isfinite(value)], default=1)
    if any(line.stacked for line in lines):
        top = max(top, axes.dataLim.y1)
    if defaults.get("custom", {}).get("scaleDistribution", {}).get("type") == "log":
        axes.set_yscale("log")
        low = defaults["min"]
        axes.set_ylim(low, 10 ** math.ceil(math.log10(max(top, low * 10))))
        axes.yaxis.set_major_locator(LogLocator(numticks=6))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        high = defaults.get("max") or (top * 1.05 or 1)
        axes.set_ylim(defaults.get("min", 0), high)
        scale = 1024 ** max(0, int(math.log(high, 1024))) if unit == "bytes" else 1
        ticks = MaxNLocator(4).tick_values(0, high / scale)
        axes.yaxis.set_major_locator(FixedLocator([tick * scale for tick in ticks if tick * scale <= high]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: written(value, unit)))
    if defaults.get("custom", {}).get("thresholdsStyle", {}).get("mode") == "dashed":
        for step in defaults["thresholds"]["steps"]:
            if step["value"] is not None:
                axes.axhline(step["value"], color=colour(step["color"]), linewidth=1, linestyle="--")
                axes.set_ylim(top=max(axes.get_ylim()[1], step["value"] * 1.1))
    axes.grid(color=EDGE, linewidth=0.6)
    times(axes, span)


def times(axes: Axes, span: Span) -> None:
    """Draws the time axis: a label for each minute, or as many labels as fit."""
    axes.set_xlim(span.start, span.end)
    room = axes.get_window_extent().width / 55
    every = next(step for step in (60, 120, 300, 600, 1800, 3600) if span.seconds / step <= room)
    first = math.ceil(span.start / every) * every
    axes.xaxis.set_major_locator(FixedLocator([first + n * every for n in range(int(span.seconds // every) + 1)]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: time.strftime("%H:%M", time.localtime(at))))


def _legend(page: Page, box: Box, lines: list[Line]) -> int:
    """Draws the legend at the bottom of the box; returns its number of rows."""
    rows: list[list[tuple[str, str]]] = [[]]
    used = 0.0
    for line in lines:
        width = 26 + 6.2 * len(line.name)
        if used + width > box.width and rows[-1]:
            rows.append([])
            used = 0
        rows[-1].append((line.name, line.colour))
        used += width
    for index, row in enumerate(rows):
        x, y = box.x + 4, box.y + box.height - 16 * (len(rows) - index) + 2
        for name, tint in row:
            page.text(x, y, "━", size=8, colour=tint, weight="bold")
            page.text(x + 14, y, name, size=7.5)
            x += 26 + 6.2 * len(name)
    return len(rows)
