"""A dashboard around its panels: variables, annotations, rows, and the settings that all dashboards share."""

from grafana_foundation_sdk.builders import dashboard as dashboard_builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models

from boards.palette import PROMETHEUS, TAG


class Annotation(models.AnnotationQuery):
    """An annotation from Prometheus. The SDK's model lacks the fields that are this data source's own."""

    OWN_FIELDS = ("step", "titleFormat", "textFormat", "useValueForTime")

    def __init__(self, name: str, expr: str, title: str, colour: str, value_is_time: bool = False) -> None:
        super().__init__(name=name, datasource=PROMETHEUS, expr=expr, icon_color=colour)
        self.title = title
        self.value_is_time = value_is_time

    def build(self) -> "Annotation":
        """Returns the annotation itself: it is its own builder."""
        return self

    def to_json(self) -> dict[str, object]:
        # Grafana looks only once a minute unless it is told a step: most of what happens here would be missed.
        own = ("1s", self.title, self.name, self.value_is_time)
        return super().to_json() | dict(zip(self.OWN_FIELDS, own, strict=True))


def choice(name: str, label: str, description: str, query: str, *, regex: str = "", all_of: str | None = None) -> Builder:
    """A variable: what the query finds. With `all_of`, several may be chosen, and all are until one does; that is what
    stands for all of them in a query."""
    variable = (
        dashboard_builders.QueryVariable(name)
        .label(label)
        .description(description)
        .datasource(PROMETHEUS)
        .query({"query": query, "refId": name})
        .regex(regex)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.DISABLED)
        .multi(all_of is not None)
        .include_all(all_of is not None)
    )
    if all_of is not None:
        variable.all_value(all_of).current(models.VariableOption(selected=True, text=["All"], value=["$__all"]))
    return variable


class Board:
    """A dashboard under construction: panels fill rows from left to right, and are numbered as they come."""

    def __init__(self, uid: str, title: str, description: str, *, minutes: int) -> None:
        others = dashboard_builders.DashboardLink("More").type(models.DashboardLinkType.DASHBOARDS).tags([TAG]).keep_time(True)
        self._dashboard = (
            dashboard_builders.Dashboard(title)
            .uid(uid)
            .description(description)
            .tags([TAG])
            .link(others)
            .time(f"now-{minutes}m", "now")
            .timezone(common.TimeZoneBrowser)
            .refresh("5s")
            .timepicker(dashboard_builders.TimePicker().refresh_intervals(["1s", "5s", "10s", "30s", "1m"]))
            .tooltip(models.DashboardCursorSync.CROSSHAIR)
        )
        self._panels = 0

    def variables(self, *variables: Builder) -> None:
        """Adds variables: the values that a viewer can choose."""
        self._dashboard.variables(list(variables))

    def annotations(self, *annotations: Annotation) -> None:
        """Adds annotations: events that every panel marks."""
        self._dashboard.annotations(list(annotations))

    def row(self, title: str, *panels: Builder) -> None:
        """Adds a heading and the panels below it."""
        self._panels += 1
        self._dashboard.with_row(dashboard_builders.Row(title).id(self._panels))
        self.add(*panels)

    def add(self, *panels: Builder) -> None:
        """Adds panels without a heading."""
        for panel in panels:
            self._panels += 1
            self._dashboard.with_panel(panel.id(self._panels))

    def build(self) -> models.Dashboard:
        """Returns the finished dashboard."""
        return self._dashboard.build()
