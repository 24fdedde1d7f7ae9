"""Single values, as Grafana's stat panel draws them."""

from viewer.drawing.page import FAINT, Box, Page, colour
from viewer.prometheus import Curve
from viewer.shown import Panel
from viewer.units import written


def draw(page: Page, box: Box, panel: Panel, results: dict[str, list[Curve]]) -> None:
    """Draws the contents into the box: a line for each value, with its name if there are several."""
    maxima, hidden = _maxima(panel, results)
    values = [
        (query.name_of(curve), curve.values[-1])
        for query in panel.queries
        if query.letter not in hidden
        for curve in results[query.letter]
    ]
    if not values:
        page.text(box.x + box.width / 2, box.y + box.height / 2 - 10, "No data", size=11, colour=FAINT, align="center")
    height = box.height / max(len(values), 1)
    for index, (name, value) in enumerate(values):
        config = panel.source["fieldConfig"]["defaults"] | _overrides(panel, name)
        text, tint = _text(value, config), colour(_colour(value, config, maxima.get(name)))
        for mapping in config.get("mappings", []):
            if match := mapping["options"].get(f"{value:g}"):
                text, tint = match["text"], colour(match["color"])
        middle = box.y + (index + 0.5) * height
        if len(values) == 1:
            page.text(box.x + box.width / 2, middle - 22, text, size=24, weight="bold", colour=tint, align="center")
        else:
            page.text(box.x + 6, middle - 8, name, size=9)
            page.text(box.x + box.width - 6, middle - 14, text, size=17, weight="bold", colour=tint, align="right")


def _maxima(panel: Panel, results: dict[str, list[Curve]]) -> tuple[dict[str, float], set[str]]:
    """Applies "config from query results": returns the maximum of each value, and the queries that serve only as a maximum."""
    maxima, hidden = {}, set()
    for transformation in panel.source.get("transformations", []):
        options = transformation["options"]
        hidden.add(options["configRefId"])
        for curve in results[options["configRefId"]]:
            maxima[options["applyTo"]["options"]] = curve.values[-1]
    return maxima, hidden


def _overrides(panel: Panel, name: str) -> dict[str, object]:
    return {
        prop["id"]: prop["value"]
        for override in panel.source["fieldConfig"].get("overrides", [])
        if override["matcher"]["options"] == name
        for prop in override["properties"]
    }


def _text(value: float, config: dict) -> str:
    return written(value, config["unit"], config.get("decimals"))


def _colour(value: float, config: dict, maximum: float | None) -> str:
    thresholds = config["thresholds"]
    measured = value
    if thresholds["mode"] == "percentage":
        measured = 100 * value / maximum if maximum else 0
    reached = (step for step in thresholds["steps"] if step["value"] is None or step["value"] <= measured)
    return [step["color"] for step in reached][-1]
