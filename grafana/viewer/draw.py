"""Draws each dashboard, from what a running Prometheus answers to its queries, to a PNG: so that a panel that is empty,
flat, unreadable or misleading is seen before a user sees it. The pictures of the documentation are made with it."""

import argparse
import sys
import time
from pathlib import Path

from PIL import Image

from viewer.drawing import graph, heat, numbers, words
from viewer.drawing.graph import Event
from viewer.drawing.page import FAINT, Page
from viewer.prometheus import Prometheus, Span
from viewer.shown import COLUMNS, PIXELS, SCRAPE, Dashboard, Mark

GRAFANA = Path(__file__).parent.parent
COLOURS = 256
"""Colours that a picture is reduced to: the file needs a third of the space, and the difference is not visible."""


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="draw-dashboards", description=__doc__)
    parser.add_argument("prometheus", metavar="URL", help="Prometheus, such as http://127.0.0.1:9090")
    parser.add_argument(
        "--to",
        type=Path,
        default=GRAFANA.parent / "target" / "dashboards",
        help="folder for the pictures (default: target/dashboards)",
    )
    parser.add_argument("--minutes", type=float, default=6, help="how much is shown (default: 6)")
    parser.add_argument("--until", type=float, default=time.time(), help="seconds since 1970 (default: now)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="DASHBOARD.NAME=VALUE",
        help="value of a variable, such as service.instance=sync:9464 (default: its first)",
    )
    parser.add_argument("--only", help="draw this dashboard only, such as compare")
    arguments = parser.parse_args()
    wanted = dict(one.split("=", 1) for one in arguments.set)
    span = Span(arguments.until - 60 * arguments.minutes, arguments.until)
    arguments.to.mkdir(parents=True, exist_ok=True)
    for path in sorted((GRAFANA / "dashboards").glob("*.json")):
        if arguments.only in (None, path.stem):
            picture = arguments.to / f"{path.stem}.png"
            own = {name.partition(".")[2]: value for name, value in wanted.items() if name.startswith(f"{path.stem}.")}
            draw(Dashboard(path), Prometheus(arguments.prometheus), span, own, picture)
            print(f"{picture}: {picture.stat().st_size / 1024:.0f} KiB")
    return 0


def draw(dashboard: Dashboard, prometheus: Prometheus, span: Span, wanted: dict[str, str], picture: Path) -> None:
    """Draws one dashboard, with the first setting of its variables that matches the wanted one."""
    settings = [
        setting
        for setting in dashboard.settings(prometheus, span)
        if all(value in setting.get(name, []) for name, value in wanted.items())
    ]
    if not settings:
        sys.exit(f"{dashboard.path.name}: its variables cannot be set to {wanted}")
    chosen = settings[0]
    panels = dashboard.panels(chosen, span)
    rows = int(max(panel.y + panel.height for panel in panels))
    chosen_words = "   ".join(f"{name}: {', '.join(values)}" for name, values in chosen.items())
    page = Page(rows, PIXELS, COLUMNS, dashboard.title, chosen_words)
    events = [event for mark in dashboard.marks(chosen, span) for event in happened(mark, prometheus, span)]
    for panel in panels:
        place = page.box(panel.x, panel.y, panel.width, panel.height)
        if panel.kind == "row":
            page.text(place.x + 6, place.y + 8, f"⌄  {panel.title}", size=11, weight="bold")
            continue
        box = page.frame(place, panel.title)
        results = {query.letter: query.run(prometheus, span) for query in panel.queries}
        if panel.kind == "timeseries":
            graph.draw(page, box, panel, results, span, events)
        elif panel.kind == "stat":
            numbers.draw(page, box, panel, results)
        elif panel.kind == "heatmap":
            heat.draw(page, box, panel, results, span)
        else:
            words.draw(page, box, panel)
    page.text(page.width - 8, page.height - 12, "drawn by scripts/draw-dashboards", size=7, colour=FAINT, align="right")
    page.figure.savefig(picture, dpi=page.figure.dpi, facecolor=page.figure.get_facecolor())
    Image.open(picture).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(picture, optimize=True)


def happened(mark: Mark, prometheus: Prometheus, span: Span) -> list[Event]:
    """The events of an annotation: values above zero. Neighbouring values are one event, as in Grafana."""
    events = []
    for curve in mark.query.run(prometheus, span):
        found: list[list[float]] = []
        for moment, value in zip(curve.times, curve.values, strict=True):
            at = value / 1000 if mark.value_is_time else moment
            if value <= 0:
                continue
            if found and at <= found[-1][1] + SCRAPE:
                found[-1][1] = at
            else:
                found.append([at, at])
        events += [Event(start, end, mark.colour, mark.query.name_of(curve)) for start, end in found]
    return events


if __name__ == "__main__":
    sys.exit(main())
