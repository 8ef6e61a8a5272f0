"""The choices of an approval: each with its key, one of them marked, clickable while they are armed."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.actions import Choice
from tui.keymap import Keymap

ORDER: tuple[tuple[Choice, str, str, str], ...] = (
    ("allow", "approval.allow", "allow once", "allow"),
    ("allow_run", "approval.allow_run", "allow {tool} for this run", "for run"),
    ("deny", "approval.deny", "deny", "deny"),
    ("deny_reason", "approval.deny_reason", "deny, saying why", "why"),
    ("edit", "approval.edit", "edit", "edit"),
    ("view", "approval.view", "view all", "view"),
    ("end_run", "approval.end_run", "end run", "end"),
)
"""The choice, its action, and its words for a wide and for a narrow card."""

NARROW = 56
SAFE: Choice = "deny"
"""What enter does unless another choice is marked."""


@dataclass(frozen=True, slots=True)
class _Spot:
    choice: Choice
    line: int
    start: int
    end: int


class Choices(Static):
    class Clicked(Message):
        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice: Choice = choice

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self.marked: Choice = SAFE
        self._spots: list[_Spot] = []
        self._lines = 0
        self._tool = ""
        self._keys: Keymap | None = None
        self._live = False
        self._head = ("", "")

    def show(self, tool: str, keys: Keymap, *, live: bool, head: tuple[str, str]) -> None:
        """live: the keys count now. head: the words before the choices, with their theme variable."""
        self._tool, self._keys, self._live, self._head = tool, keys, live, head
        self.redraw()

    def redraw(self) -> None:
        width = self.content_size.width
        if self._keys is None or width <= 0:
            return
        lines: list[Content] = [Content.styled(self._head[0], f"${self._head[1]}")]
        row, used = Content(""), 0
        self._spots = []
        for choice, action_id, label, short in ORDER:
            key = self._keys.show(action_id)
            words = label.format(tool=self._tool) if width >= NARROW else short
            size = cell_len(key) + 1 + cell_len(words) + 2
            if used and used + 1 + size > width:
                lines.append(row)
                row, used = Content(""), 0
            if used:
                row, used = row + Content(" "), used + 1
            self._spots.append(_Spot(choice, len(lines), used, used + size))
            row, used = row + self._item(choice, key, words), used + size
        lines.append(row)
        self._lines = len(lines)
        self.update(Content("\n").join(lines), layout=self._lines != self.size.height)

    def _item(self, choice: Choice, key: str, words: str) -> Content:
        item = Content.assemble(
            (" ", ""),
            (key, "bold $key-name" if self._live else "$muted"),
            (f" {words} ", "$foreground" if self._live else "$muted"),
        )
        if choice == self.marked and self._live:
            return item.stylize("$selection-text on $selection")
        return item

    @property
    def lines(self) -> int:
        return self._lines

    def move(self, by: int) -> None:
        order: list[Choice] = [choice for choice, _, _, _ in ORDER]
        self.marked = order[(order.index(self.marked) + by) % len(order)]
        self.redraw()

    def on_resize(self) -> None:
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        for spot in self._spots:
            if spot.line == event.y and spot.start <= event.x < spot.end:
                self.post_message(self.Clicked(spot.choice))
                return
