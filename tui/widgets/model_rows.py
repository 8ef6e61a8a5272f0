"""How a model looks in the list: name, price, window, and what it can do; as many columns as there is room for."""

from __future__ import annotations

from typing import NamedTuple

from textual.content import Content

from runner.models.base import ModelInfo
from tui.model_list import Heading, Line, ModelRow, reread_cost
from tui.model_switch import Switch
from tui.render.clean import clean
from tui.widgets.rows import Rows
from tui.words import about_money, ago, cut, cut_middle, fit, price, window

_NOTHING = ModelRow(ModelInfo(name=""), "")


class Cell(NamedTuple):
    """One column of a row. name: over it, "" where its words say it. numbers stand at the right. gap: cells before."""

    text: str
    cells: int
    name: str = ""
    token: str = "muted"
    number: bool = False
    gap: int = 2

    def shown(self, text: str) -> str:
        text = cut(text, self.cells)
        return " " * self.gap + (text.rjust(self.cells) if self.number else text.ljust(self.cells))


class ModelRows(Rows):
    def __init__(self, *, id: str | None = None, switch: Switch) -> None:
        super().__init__(id=id)
        self._switch = switch

    def selectable(self, row: object) -> bool:
        return isinstance(row, Line)

    def draw(self, row: object, width: int, selected: bool) -> Content:
        if isinstance(row, Heading):
            return _heading(row, width)
        assert isinstance(row, Line)
        cells = self._cells(row, width)
        room = max(1, width - 2 - sum(cell.cells + cell.gap for cell in cells))
        used = row.row.info.name == self._switch.current
        sign = "★ " if row.favourite else "• " if used else "  "
        content = Content.assemble(
            (sign, "$state-waiting" if row.favourite else "$state-ok"),
            (fit(cut_middle(_name(row, room), room), room), "bold $foreground" if used else "$foreground"),
            *((cell.shown(cell.text), f"${cell.token}") for cell in cells),
        )
        return content.stylize("$selection-text on $selection") if selected else content

    def header(self, title: str, note: str, width: int) -> Content:
        """The names of the columns, over them."""
        cells = self._cells(Line(_NOTHING, ""), width)
        room = max(1, width - sum(cell.cells + cell.gap for cell in cells))
        fits = len(title) + 3 + len(note) <= room
        left = Content.assemble((title, "bold $primary"), (f"  {note}" if fits else "", "$muted"))
        names = "".join(cell.shown(cell.name) for cell in cells)
        return left + Content.styled(" " * max(0, room - left.cell_length) + names, "$muted")

    def _cells(self, line: Line, width: int) -> list[Cell]:
        """As many columns as leave room for the name."""
        info = line.row.info
        cells = [Cell(_price(info), 14, "$ in / out 1M", number=True)]
        if width >= 48:
            cells.append(Cell(window(info.context_window), 6, "window", number=True))
        if self._switch.history and width >= 92:
            cells.append(self._reread(line))
        if width >= 56:
            cells.append(_ability(info.tools, "tools"))
        if width >= 70:
            cells += [_ability(info.vision, "vision", 1), _ability(info.reasoning, "reasoning", 1)]
        if width >= 104:
            cells.append(Cell(info.client, 7))
        return cells

    def _reread(self, line: Line) -> Cell:
        info, history = line.row.info, self._switch.history
        token, size = "muted", info.context_window
        if info.name == self._switch.current:
            words = "in use"
        elif size and history > size:
            words, token = "too long", "state-waiting"
        else:
            cost = reread_cost(line.row, history)
            words = "unknown" if cost is None else about_money(cost) if cost else "free"
        return Cell(words, 9, "re-read", token, number=True)


def _name(line: Line, room: int) -> str:
    """With the time of its last use, where there is room for both."""
    name = clean(line.name)
    if line.used is None:
        return name
    from datetime import UTC, datetime

    longer = f"{name} · {ago(line.used, datetime.now(UTC))}"
    return longer if len(longer) <= room else name


def _heading(heading: Heading, width: int) -> Content:
    title = cut(clean(heading.title), width)
    note = cut(f"  {clean(heading.note)}", max(0, width - len(title)))
    return Content.assemble((title, "$primary"), (note, "$state-waiting" if heading.warns else "$muted"))


def _ability(can: bool | None, word: str, gap: int = 2) -> Cell:
    """The word where it can, a dash where it cannot, a question mark where nobody knows."""
    text = word if can else "—" if can is False else "?"
    missing = can is False and word == "tools"
    return Cell(text, len(word), token="state-waiting" if missing else "muted", gap=gap)


def _price(info: ModelInfo) -> str:
    """Input and output price for a million tokens."""
    if info.price is None:
        return "price unknown"
    if info.price.input == 0 and info.price.output == 0:
        return "free"
    return f"{price(info.price.input)} / {price(info.price.output)}"
