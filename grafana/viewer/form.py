"""Checks of a dashboard's JSON that need no Prometheus. Each function yields complaints."""

import json
from collections.abc import Iterator

from grafana_foundation_sdk.cog import plugins, runtime
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import timeseries

from boards.frame import Annotation
from boards.palette import PROMETHEUS, WIDTH

DATASOURCE = PROMETHEUS.to_json()

plugins.register_default_plugins()


def complaints(source: dict) -> Iterator[str]:
    """Yields the complaints of all checks."""
    yield from unmodelled(source)
    yield from unfinished_panels(source)
    yield from foreign_datasources(source)
    yield from misplaced(source)


def unmodelled(source: dict) -> Iterator[str]:
    """Fields that Grafana's models lack: they are lost when the models read the JSON and write it again."""
    known = json.loads(json.dumps(source))
    for annotation in known["annotations"]["list"]:
        for own in Annotation.OWN_FIELDS:
            annotation.pop(own)
    yield from differences("", known, _as_json(models.Dashboard.from_json(known)))
    for panel in known["panels"]:
        if panel["type"] == "row":
            continue
        if runtime.panelcfg_config(panel["type"]) is None:
            yield f"{panel['title']}: no panel type {panel['type']}"
        for override in panel["fieldConfig"].get("overrides", []):
            for prop in override["properties"]:
                yield from _unknown_property(panel["title"], prop)


def _unknown_property(title: str, prop: dict) -> Iterator[str]:
    """An override names a field of the configuration by its path; the models leave these free."""
    model, path = models.FieldConfig, prop["id"]
    if path.startswith("custom."):
        model, path = timeseries.FieldConfig, path.removeprefix("custom.")
    if prop["value"] != _as_json(model.from_json({path: prop["value"]})).get(path):
        yield f"{title}: override {prop['id']} = {prop['value']} is not in Grafana's model"


def _as_json(value: object):
    return json.loads(json.dumps(value, cls=JSONEncoder))


def differences(path: str, written: object, read: object) -> Iterator[str]:
    """The places at which two JSON values differ. `written` is the value in the file."""
    if isinstance(written, dict) and isinstance(read, dict):
        for key in written.keys() | read.keys():
            if key not in read:
                yield f"{path}.{key}: not in Grafana's model"
            elif key not in written:
                yield f"{path}.{key}: Grafana's model adds {read[key]!r}"
            else:
                yield from differences(f"{path}.{key}", written[key], read[key])
    elif isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        for index, (one, other) in enumerate(zip(written, read, strict=True)):
            yield from differences(f"{path}[{index}]", one, other)
    elif written != read:
        yield f"{path}: {written!r} is read as {read!r}"


def unfinished_panels(source: dict) -> Iterator[str]:
    """Panels without title, description, unit or thresholds; and with the title of another, which people cannot tell apart.

    A row is a heading: it has a title and nothing to describe. Repeated panels stand under their row, and share a title.
    """
    for panel in source["panels"]:
        name = panel.get("title") or f"panel {panel['id']}"
        if not panel.get("title"):
            yield f"{name}: no title"
        if panel["type"] == "row":
            continue
        if not panel.get("description"):
            yield f"{name}: no description"
        defaults = panel.get("fieldConfig", {}).get("defaults", {})
        if not defaults.get("unit"):
            yield f"{name}: no unit"
        if not defaults.get("thresholds", {}).get("steps"):
            yield f"{name}: no thresholds"
        if panel["type"] != "text" and not panel.get("targets"):
            yield f"{name}: no query"
    titles = [panel["title"] for panel in source["panels"] if not panel.get("repeat")]
    for title in {title for title in titles if titles.count(title) > 1}:
        yield f"{title}: the title of {titles.count(title)} panels"


def foreign_datasources(source: dict) -> Iterator[str]:
    """Every panel, target, variable and annotation names the one data source that is provisioned, by its fixed uid."""
    panels = [panel for panel in source["panels"] if panel["type"] != "row"]
    targets = [target for panel in panels for target in panel.get("targets", [])]
    for thing in [*panels, *targets, *source["templating"]["list"], *source["annotations"]["list"]]:
        if thing.get("datasource") != DATASOURCE:
            name = thing.get("title") or thing.get("name") or thing.get("expr")
            yield f"{name}: data source {thing.get('datasource')}, not {DATASOURCE}"


def misplaced(source: dict) -> Iterator[str]:
    """Panels that leave the grid or overlap, and panel numbers that occur twice."""
    taken: dict[tuple[int, int], str] = {}
    ids = [panel["id"] for panel in source["panels"]]
    if len(ids) != len(set(ids)):
        yield "two panels have the same id"
    for panel in source["panels"]:
        place = panel["gridPos"]
        if place["x"] + place["w"] > WIDTH:
            yield f"{panel['title']}: reaches over the edge of the grid"
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if (x, y) in taken:
                    yield f"{panel['title']}: on top of {taken[x, y]}"
                    return
                taken[x, y] = panel["title"]
