"""Text panels: a Markdown table with one row. Each cell begins with bold words."""

import textwrap

from viewer.drawing.page import FAINT, Box, Page
from viewer.shown import Panel


def draw(page: Page, box: Box, panel: Panel) -> None:
    """Draws the panel's contents into the box."""
    header, _, *rows = panel.source["options"]["content"].splitlines()
    names = _cells(header)
    width = box.width / len(names)
    for index, name in enumerate(names):
        x, y = box.x + index * width + 8, box.y + 4
        page.text(x, y, name, size=9.5, weight="bold", colour=FAINT)
        y += 24
        bold, rest = _cells(rows[0])[index].removeprefix("**").split("**")
        for words, weight in ((bold, "bold"), (rest.strip(), "normal")):
            for line in textwrap.wrap(words, int((width - 16) / (7.6 if weight == "bold" else 6.9))):
                page.text(x, y, line, size=9, weight=weight)
                y += 17
            y += 4


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]
