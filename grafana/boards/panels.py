"""The kinds of panel, and their parts: series and figures.

Nothing here knows a metric. A panel is not made without title, description and unit; thresholds are always set, because
Grafana's default would paint every value above 80 red, in any unit.
"""

from dataclasses import dataclass, field
from enum import Enum

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as dashboard_builders
from grafana_foundation_sdk.builders import heatmap, prometheus, stat, text, timeseries
from grafana_foundation_sdk.models import common, units
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import heatmap as heatmap_models
from grafana_foundation_sdk.models import prometheus as prometheus_models
from grafana_foundation_sdk.models import text as text_models

from boards.palette import COUNT, PER_SECOND, PROMETHEUS, SECONDS, WIDTH, Colour, steps, thresholds


class Look(Enum):
    """How a series is drawn, and how much it stands out."""

    LINE = "a line over a light fill"
    STACKED = "a layer on the others: together they are a whole"
    LIMIT = "dashed: what the rest is measured by"
    CONTEXT = "faint: the same figure of others, which also holds the axis equal across a row"


_LOOKS: dict[Look, dict[str, object]] = {
    Look.LINE: {"custom.fillOpacity": 15},
    Look.STACKED: {"custom.fillOpacity": 60, "custom.lineWidth": 0, "custom.stacking": {"mode": "normal", "group": "whole"}},
    Look.LIMIT: {"custom.lineStyle": {"fill": "dash", "dash": [6, 6]}},
    Look.CONTEXT: {"custom.lineStyle": {"fill": "dot", "dash": [2, 4]}},
}


@dataclass(frozen=True)
class Series:
    """One query and how its result looks. A name with {{labels}} stands for several series; `colours` tells them apart."""

    name: str
    expr: str
    colour: str = Colour.NEUTRAL
    look: Look = Look.LINE
    colours: dict[str, str] = field(default_factory=dict)


def _letter(place: int) -> str:
    return chr(ord("A") + place)


def _query(place: int, name: str, expr: str) -> prometheus.Dataquery:
    return (
        prometheus.Dataquery()
        .datasource(PROMETHEUS)
        .ref_id(_letter(place))
        .expr(expr)
        .legend_format(name)
        .editor_mode(prometheus_models.QueryEditorMode.CODE)
        .range()
    )


def _now(place: int, name: str, expr: str) -> prometheus.Dataquery:
    """An instant query. The last value of a range query can be old."""
    return _query(place, name, expr).instant()


def _fixed(colour: str) -> models.DynamicConfigValue:
    return models.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": colour})


def graph(
    title: str,
    description: str,
    unit: str,
    *series: Series,
    height: int = 6,
    width: int = WIDTH,
    log_from: float | None = None,
    maximum: float | None = None,
    legend: bool = True,
    warn_from: float | None = None,
) -> timeseries.Panel:
    """Series over time, from zero, or from `log_from` on a logarithmic axis; red above `warn_from`."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(unit)
        .height(height)
        .span(width)
        .line_width(1)
        .show_points(common.VisibilityMode.NEVER)
        .span_nulls(False)
        .min(log_from or 0)
        .thresholds(thresholds(*[] if warn_from is None else [(warn_from, Colour.LOST)]))
        .color_scheme(dashboard_builders.FieldColor().mode(models.FieldColorModeId.PALETTE_CLASSIC))
        .legend(
            common_builders.VizLegendOptions()
            .show_legend(legend)
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
        )
        .tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.NONE))
    )
    if warn_from is not None:
        panel.thresholds_style(common_builders.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED))
    if log_from is not None:
        panel.scale_distribution(common_builders.ScaleDistributionConfig().type(common.ScaleDistribution.LOG).log(10))
    if maximum is not None:
        panel.max(maximum)
    for place, one in enumerate(series):
        panel.with_target(_query(place, one.name, one.expr))
        # The area under a line on a logarithmic axis means nothing.
        looks = [
            models.DynamicConfigValue(id_val=key, value=value)
            for key, value in _LOOKS[one.look].items()
            if not (log_from and key == "custom.fillOpacity")
        ]
        panel.override_by_query(_letter(place), [*looks, _fixed(one.colour)])
        for name, colour in one.colours.items():
            panel.override_by_name(name, [_fixed(colour)])
    return panel


@dataclass(frozen=True)
class Figure:
    """One number. Its colour depends on its share of `reference`, which is a query: from each share on, its colour.

    A query, and not a number, because the numbers are set elsewhere (.env) and may be changed while the dashboard is open.
    """

    name: str
    expr: str
    unit: str
    decimals: int | None
    reference: str
    colours: tuple[tuple[float, str], ...]
    base: str
    absent: str = "none"
    """The text for -1, which a query returns if it has no value, so that the number keeps its place."""


def figures(title: str, description: str, *numbers: Figure, height: int, width: int = WIDTH) -> stat.Panel:
    """The latest values, one above the other."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(COUNT)
        .height(height)
        .span(width)
        .min(0)
        .thresholds(thresholds())
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.NONE)
        .text_mode(common.BigValueTextMode.VALUE_AND_NAME)
        .justify_mode(common.BigValueJustifyMode.AUTO)
        .orientation(common.VizOrientation.HORIZONTAL)
        .no_value("none")
        .reduce_options(common_builders.ReduceDataOptions().calcs(["last"]).values(False).fields(""))
    )
    for place, number in enumerate(numbers):
        reference = f"what {number.name} is measured by"
        panel.with_target(_now(2 * place, number.name, number.expr))
        panel.with_target(_now(2 * place + 1, reference, number.reference))
        panel.with_transformation(_maximum_from(_letter(2 * place + 1), reference, number.name))
        properties = [
            models.DynamicConfigValue(id_val="unit", value=number.unit),
            models.DynamicConfigValue(
                id_val="mappings",
                value=[{"type": "value", "options": {"-1": {"text": number.absent, "color": Colour.LOST, "index": 0}}}],
            ),
            models.DynamicConfigValue(
                id_val="thresholds",
                value=models.ThresholdsConfig(
                    mode=models.ThresholdsMode.PERCENTAGE,
                    steps=steps((None, number.base), *((100 * share, colour) for share, colour in number.colours)),
                ),
            ),
        ]
        if number.decimals is not None:
            properties.append(models.DynamicConfigValue(id_val="decimals", value=number.decimals))
        panel.override_by_name(number.name, properties)
    return panel


def _maximum_from(letter: str, source: str, target: str) -> models.DataTransformerConfig:
    """Grafana's "config from query results": the field `target` gets its maximum, of which thresholds are percentages."""
    return models.DataTransformerConfig(
        id_val="configFromData",
        options={
            "configRefId": letter,
            "mappings": [{"fieldName": source, "handlerKey": "max", "reducerId": "lastNotNull"}],
            "applyTo": {"id": "byName", "options": target},
        },
    )


def number(
    title: str,
    description: str,
    unit: str,
    expr: str,
    *colours: tuple[float, str],
    base: str = Colour.TEXT,
    width: int = 4,
    height: int = 4,
    decimals: int | None = None,
) -> stat.Panel:
    """The latest value of one query; from each value of `colours` on, its colour."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(unit)
        .height(height)
        .span(width)
        .thresholds(thresholds(*colours, base=base))
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.NONE)
        .text_mode(common.BigValueTextMode.VALUE)
        .no_value("none")
        .reduce_options(common_builders.ReduceDataOptions().calcs(["last"]).values(False).fields(""))
        .with_target(_now(0, title, expr))
    )
    if decimals is not None:
        panel.decimals(decimals)
    return panel


def heat(title: str, description: str, histogram: str, *, height: int = 8, width: int = WIDTH) -> heatmap.Panel:
    """How a duration is distributed, over time: a row per bucket. `histogram` gives a rate per `le`."""
    query = _query(0, "{{le}}", histogram).format(prometheus_models.PromQueryFormat.HEATMAP)
    return (
        heatmap.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(PER_SECOND)
        .height(height)
        .span(width)
        .thresholds(thresholds())
        .scale_distribution(common_builders.ScaleDistributionConfig().type(common.ScaleDistribution.LINEAR))
        .calculate(False)
        .y_axis(heatmap.YAxisConfig().unit(SECONDS).axis_placement(common.AxisPlacement.LEFT))
        .cell_values(heatmap.CellValues().unit(PER_SECOND).decimals(1))
        .rows_frame(heatmap.RowsHeatmapOptions().layout(common.HeatmapCellLayout.AUTO))
        .color(
            heatmap.HeatmapColorOptions()
            .mode(heatmap_models.HeatmapColorMode.SCHEME)
            .scheme("Plasma")
            .scale(heatmap_models.HeatmapColorScale.EXPONENTIAL)
            .exponent(0.5)
            .steps(64)
        )
        .filter_values(heatmap.FilterValueRange().le(1e-9))
        .mode(common.TooltipDisplayMode.SINGLE)
        .show_legend()
        .with_target(query)
    )


def words(title: str, description: str, content: str, *, height: int, width: int = WIDTH) -> text.Panel:
    """Text, in Markdown."""
    return (
        text.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(units.NoUnit)
        .height(height)
        .span(width)
        .thresholds(thresholds())
        .mode(text_models.TextMode.MARKDOWN)
        .content(content)
    )
