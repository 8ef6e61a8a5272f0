"""The choices of a card: each with its key, one of them marked, clickable while they are armed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

NARROW = 56


@dataclass(frozen=True, slots=True)
class Option:
    """id: what the card calls it. words, short: for a wide and for a narrow card; key: as people write it."""

    id: str
    key: str
    words: str
    short: str


@dataclass(frozen=True, slots=True)
class _Spot:
    choice: str
    line: int
    start: int
    end: int


class Choices(Static):
    class Clicked(Message):
        def __init__(self, choice: str) -> None:
            super().__init__()
            self.choice = choice

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self.marked = ""
        self._options: Sequence[Option] = ()
        self._spots: list[_Spot] = []
        self._lines = 0
        self._live = False
        self._head = Content("")
        self._shown: tuple[object, ...] = ()

    def show(self, options: Sequence[Option], *, live: bool, head: Content) -> None:
        """live: the keys count now. head: the line over the choices."""
        shown, wanted = self._shown, (tuple(options), live, head.plain, self.marked, self.content_size.width)
        self._options, self._live, self._head, self._shown = options, live, head, wanted
        if shown != wanted:
            self.redraw()

    def redraw(self) -> None:
        width = self.content_size.width
        if not self._options or width <= 0:
            return
        lines: list[Content] = [self._head.truncate(width, ellipsis=True)]
        row, used = Content(""), 0
        self._spots = []
        for option in self._options:
            words = option.words if width >= NARROW else option.short
            size = cell_len(option.key) + 1 + cell_len(words) + 2
            if used and used + 1 + size > width:
                lines.append(row)
                row, used = Content(""), 0
            if used:
                row, used = row + Content(" "), used + 1
            self._spots.append(_Spot(option.id, len(lines), used, used + size))
            row, used = row + self._item(option, words), used + size
        lines.append(row)
        self._lines = len(lines)
        self.update(Content("\n").join(lines), layout=self._lines != self.size.height)

    def _item(self, option: Option, words: str) -> Content:
        item = Content.assemble(
            (" ", ""),
            (option.key, "bold $key-name" if self._live else "$muted"),
            (f" {words} ", "$foreground" if self._live else "$muted"),
        )
        if option.id == self.marked and self._live:
            return item.stylize("$selection-text on $selection")
        return item

    @property
    def lines(self) -> int:
        return self._lines

    def move(self, by: int) -> None:
        order = [option.id for option in self._options]
        if order:
            index = order.index(self.marked) if self.marked in order else 0
            self.marked = order[(index + by) % len(order)]
            self.redraw()

    def on_resize(self) -> None:
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        for spot in self._spots:
            if spot.line == event.y and spot.start <= event.x < spot.end:
                self.post_message(self.Clicked(spot.choice))
                return
