"""A histogram over time, as Grafana's heatmap panel draws it: one row for each bucket, brighter for higher rates."""

import math

import numpy
from matplotlib import colormaps
from matplotlib.colors import PowerNorm
from matplotlib.ticker import FixedLocator, FuncFormatter

from viewer.drawing.graph import times
from viewer.drawing.page import FAINT, Box, Page
from viewer.prometheus import Curve, Span
from viewer.shown import Panel
from viewer.units import written


def draw(page: Page, box: Box, panel: Panel, results: dict[str, list[Curve]], span: Span) -> None:
    """Draws the panel's contents into the box."""
    query = panel.queries[0]
    curves = sorted(results[query.letter], key=lambda curve: float(curve.labels["le"]))
    axes = page.axes(box.inner(left=56, right=60, bottom=18))
    if not curves:
        axes.text(0.5, 0.5, "No data", transform=axes.transAxes, ha="center", color=FAINT, fontsize=11)
        return
    columns = sorted({moment for curve in curves for moment in curve.times})
    cumulative = numpy.array(
        [[dict(zip(curve.times, curve.values, strict=True)).get(at, math.nan) for at in columns] for curve in curves]
    )
    rows = numpy.diff(cumulative, axis=0, prepend=0)
    rows = numpy.ma.masked_less_equal(numpy.ma.masked_invalid(rows), 1e-9)
    scheme = colormaps[panel.source["options"]["color"]["scheme"].lower()]
    mesh = axes.pcolormesh(
        [*columns, columns[-1] + query.step], range(len(rows) + 1), rows, cmap=scheme, norm=PowerNorm(0.5, vmin=0)
    )
    bounds = [float(curve.labels["le"]) for curve in curves]
    every = math.ceil(len(bounds) / (axes.get_window_extent().height / 16))
    shown = range(0, len(bounds), every)
    axes.yaxis.set_major_locator(FixedLocator([index + 1 for index in shown]))
    unit = panel.source["options"]["yAxis"]["unit"]
    labels = {index + 1: "more" if math.isinf(bounds[index]) else written(bounds[index], unit) for index in shown}
    axes.yaxis.set_major_formatter(FuncFormatter(lambda at, _: labels.get(at, "")))
    times(axes, span)
    bar = page.figure.colorbar(mesh, cax=page.axes(Box(box.x + box.width - 52, box.y, 8, box.height - 18)))
    bar.outline.set_visible(False)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}/s"))
