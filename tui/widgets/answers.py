"""The answers that a question offers: numbered, one or several to be taken, clickable while they are live."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.marked import marked
from tui.side_by_side import chopped

LEAD = 6
"""Cells before the words of an answer."""


class Answers(Static):
    class Clicked(Message):
        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self) -> None:
        super().__init__("", markup=False, classes="card-answers")
        self.display = False
        self._choices: Sequence[str] = ()
        self._several = False
        self._at = -1
        self._taken: Collection[int] = ()
        self._owners: list[int] = []

    def show(self, choices: Sequence[str], *, several: bool, at: int, taken: Collection[int]) -> None:
        """choices: not clean. at: the marked one, -1 for none. taken: those that are chosen, where several may be."""
        self._choices, self._several, self._at, self._taken = choices, several, at, taken
        self.display = bool(choices)
        self.redraw()

    def redraw(self) -> None:
        width = self.content_size.width
        if width <= LEAD:
            return
        lines: list[Content] = []
        self._owners = []
        for index, choice in enumerate(self._choices):
            marked_now = index == self._at
            sign = ("☒ " if index in self._taken else "☐ ") if self._several else ""
            number = str(index + 1) if index < 9 else " "
            lead = Content.assemble(("▸ " if marked_now else "  ", "$primary"), (f"{number} ", "bold $key-name"), sign)
            words = marked(" ".join(choice.split()), "$foreground")
            for part, piece in enumerate(chopped(words, max(1, width - lead.cell_length))):
                line = (lead if not part else Content(" " * lead.cell_length)) + piece
                lines.append(line.stylize("$selection-text on $selection") if marked_now else line)
                self._owners.append(index)
        self.update(Content("\n").join(lines), layout=len(lines) != self.size.height)

    def line_of(self, index: int) -> int:
        """The line on which an answer begins."""
        return self._owners.index(index) if index in self._owners else 0

    def on_resize(self) -> None:
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if 0 <= event.y < len(self._owners):
            self.post_message(self.Clicked(self._owners[event.y]))
