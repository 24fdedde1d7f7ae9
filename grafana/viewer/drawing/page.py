"""The sheet on which a dashboard is drawn: Grafana's grid, its dark theme, and the frame around each panel."""

from dataclasses import dataclass

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot
from matplotlib.axes import Axes

CELL, GAP = 30, 8
"""Pixels: Grafana's height of a row of the grid, and the space between panels."""
TITLE_HEIGHT = 30
DPI = 100

BACKGROUND, PANEL, EDGE = "#111217", "#181B1F", "#2A2D33"
TEXT, FAINT = "#CCCCDC", "#8E8E99"

pyplot.rcParams.update({"font.family": "sans-serif", "font.size": 8, "text.color": TEXT, "svg.hashsalt": "same"})


def colour(name: str) -> str:
    """A colour of Grafana in the form that matplotlib needs. `text` is the colour of the theme's text."""
    return TEXT if name == "text" else name


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels, from the top left."""

    x: float
    y: float
    width: float
    height: float

    def inner(self, left: float = 0, top: float = 0, right: float = 0, bottom: float = 0) -> "Box":
        """The part of the rectangle that is left inside these margins."""
        return Box(self.x + left, self.y + top, self.width - left - right, self.height - top - bottom)


class Page:
    """A sheet with this number of grid rows."""

    def __init__(self, rows: int, width: int, columns: int, title: str, settings: str) -> None:
        self.width, self.height = width, rows * (CELL + GAP) + 60
        self._columns = columns
        self.figure = pyplot.figure(figsize=(self.width / DPI, self.height / DPI), dpi=DPI, facecolor=BACKGROUND)
        self.text(GAP, 14, title, size=13, weight="bold")
        self.text(self.width - GAP, 14, settings, size=9, colour=FAINT, align="right")

    def box(self, x: float, y: float, width: float, height: float) -> Box:
        """The rectangle of a panel in these cells."""
        column = (self.width - GAP) / self._columns
        return Box(GAP + x * column, 44 + y * (CELL + GAP), width * column - GAP, height * (CELL + GAP) - GAP)

    def frame(self, box: Box, title: str) -> Box:
        """Draws the frame and the title; returns the rectangle that is left for the contents."""
        frame = self.axes(box)
        frame.set(facecolor=PANEL, xticks=[], yticks=[], zorder=-1)
        for spine in frame.spines.values():
            spine.set(visible=True, color=EDGE)
        self.text(box.x + 10, box.y + 8, title, size=9.5, weight="bold")
        return box.inner(left=8, top=TITLE_HEIGHT, right=8, bottom=6)

    def text(self, x: float, y: float, words: str, *, size: float, weight="normal", colour=TEXT, align="left") -> None:
        """Draws words with their top at y."""
        self.figure.text(
            x / self.width, 1 - y / self.height, words, fontsize=size, fontweight=weight, color=colour, ha=align, va="top"
        )

    def axes(self, box: Box) -> Axes:
        """Returns axes that fill the box."""
        axes = self.figure.add_axes(
            (
                box.x / self.width,
                1 - (box.y + box.height) / self.height,
                box.width / self.width,
                box.height / self.height,
            ),
            facecolor="none",
        )
        axes.tick_params(colors=FAINT, length=0, labelsize=7.5)
        for spine in axes.spines.values():
            spine.set_visible(False)
        return axes
