"""The data source, the units, the colours with their meaning, and the thresholds of all panels."""

from grafana_foundation_sdk.builders import dashboard as dashboard_builders
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import units

PROMETHEUS = models.DataSourceRef(type_val="prometheus", uid="prometheus")
"""The uid that grafana/provisioning gives the data source: fixed, so that dashboards find it without being imported."""

WIDTH = 24
"""Columns of Grafana's grid."""

TAG = "fire-and-forget or synchronous"
"""The tag of the dashboards. Each one links to the others with this tag."""

PER_SECOND = units.MessagesPerSecond
SECONDS = units.Seconds
BYTES = units.BytesIEC
COUNT = units.Short
"""Rounded to thousands or millions where it is large: for axes."""
EXACT = units.NoUnit
SHARE = units.PercentUnit


class Colour:
    """One colour, one meaning, on every panel. They also differ in brightness, for readers who cannot tell red from green."""

    DONE = "#56A64B"
    LATE = "#F2CC0C"
    REFUSED = "#FF9830"
    WITHHELD = "#8AB8FF"
    THROTTLED = "#00A6A6"
    LOST = "#E02F44"
    WAITING = "#B877D9"
    WORKING = "#3274D9"
    OFFERED = "#C8F2C2"
    NEUTRAL = "#8E8E99"
    TEXT = "text"


def steps(*pairs: tuple[float | None, str]) -> list[models.Threshold]:
    """From each value on, its colour; the value of the first is `None`."""
    return [models.Threshold(value=value, color=colour) for value, colour in pairs]


def thresholds(*pairs: tuple[float, str], base: str = Colour.TEXT) -> dashboard_builders.ThresholdsConfig:
    """From each value on, its colour; below the first, `base`."""
    return dashboard_builders.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps((None, base), *pairs))
