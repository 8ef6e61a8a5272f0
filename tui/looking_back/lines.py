"""The table under the plot: which columns there is room for, and each of its lines. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from textual.content import Content

from tui.looking_back.plot import growing
from tui.looking_back.views import Line, Table
from tui.words import cut_middle, fit

GAP: Final = 2
LEAST_NAME, MOST_NAME = 12, 44
LEAST_BAR, MOST_BAR = 8, 56


@dataclass(frozen=True, slots=True)
class Columns:
    """Cells of the name, of the bar (0 = there is none), and of each column that there is room for."""

    name: int
    bar: int
    cells: tuple[int, ...]


def columns(table: Table, width: int, *, bars: bool) -> Columns:
    """The first columns stay longest; the name gives way before them, as long as it can be read."""
    room = width - 1
    natural = max((cell_len(line.name) for line in table.lines), default=0)
    name = max(cell_len(table.name), min(natural, MOST_NAME))
    bar = GAP + LEAST_BAR if bars else 0
    all_cells = [
        max(map(cell_len, (head, *(line.cells[place] for line in table.lines)))) + GAP
        for place, head in enumerate(table.head)
    ]
    least = min(name, max(LEAST_NAME, width * 3 // 8))
    kept = len(all_cells)
    while kept > 1 and least + bar + sum(all_cells[:kept]) > room:
        kept -= 1
    cells = sum(all_cells[:kept])
    name = max(1, min(name, room - bar - cells))
    if bars:
        bar = max(0, min(MOST_BAR + GAP, room - name - cells))
    return Columns(name, bar, tuple(all_cells[:kept]))


def heading(table: Table, width: int, *, bars: bool) -> Content:
    found = columns(table, width, bars=bars)
    cells = "".join(f"{text:>{cells}}" for text, cells in zip(table.head, found.cells, strict=False))
    return Content.styled(f" {fit(table.name, found.name)}{' ' * found.bar}{cells}", "$muted").truncate(width, pad=True)


def row(line: Line, table: Table, found: Columns, width: int) -> Content:
    # The end of a folder tells more than its middle.
    name = cut_middle(line.name, found.name) if table.name == "project" else line.name
    parts: list[Content | tuple[str, str]] = [(f" {fit(name, found.name)}", "$foreground")]
    if found.bar > GAP:
        parts += [(" " * GAP, "$muted"), growing(line.bar, line.guess, table.full, found.bar - GAP)]
    for place, (text, cells) in enumerate(zip(line.cells, found.cells, strict=False)):
        colour = "$state-waiting" if text == "unknown" or text.endswith("?") else "$foreground"
        parts.append((" " * (cells - cell_len(text)) + text, colour if place < 2 else "$muted"))
    return Content.assemble(*parts).truncate(width, pad=True)
