"""One of several, with the keys or the mouse: on one line, or a line each."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.marked import marked
from tui.words import cut, one_line


class Pick(Static, can_focus=True):
    """A sign shows which one is chosen, so that colour is never the only difference."""

    class Picked(Message):
        def __init__(self, pick: Pick) -> None:
            super().__init__()
            self.pick = pick

        @property
        def control(self) -> Pick:
            return self.pick

    def __init__(self, options: Sequence[str], *, chosen: int = 0, listed: bool = False, id: str | None = None) -> None:
        """options: not clean. chosen: -1 for none. listed: a line each, with its number."""
        super().__init__("", id=id, markup=False)
        self.options = options
        self.chosen = chosen
        self._listed = listed
        self._spots: list[tuple[int, int, int]] = []

    def on_mount(self) -> None:
        self.redraw()

    def on_resize(self) -> None:
        self.redraw()

    def _watch_has_focus(self, focus: bool) -> None:
        self.redraw()

    def redraw(self) -> None:
        width = self.content_size.width
        if width <= 0:
            return
        lines = self._rows(width) if self._listed else self._wrapped(width)
        self.update(Content("\n").join(lines), layout=len(lines) != self.size.height)

    def _rows(self, width: int) -> list[Content]:
        self._spots = [(line, 0, width) for line in range(len(self.options))]
        return [self._item(index, f"{index + 1} ", width) for index in range(len(self.options))]

    def _wrapped(self, width: int) -> list[Content]:
        lines, row, used = list[Content](), Content(""), 0
        self._spots = []
        for index in range(len(self.options)):
            item = self._item(index, "", width)
            size = item.cell_length
            if used and used + 2 + size > width:
                lines.append(row)
                row, used = Content(""), 0
            if used:
                row, used = row + Content("  "), used + 2
            self._spots.append((len(lines), used, used + size))
            row, used = row + item, used + size
        return [*lines, row]

    def _item(self, index: int, number: str, width: int) -> Content:
        chosen = index == self.chosen
        room = max(4, width - 2 - cell_len(number))
        text = marked(cut(one_line(self.options[index]), room), "$foreground" if chosen else "$muted")
        item = Content.assemble(
            ("● " if chosen else "○ ", "$primary" if chosen else "$muted"), (number, "$muted"), text
        )
        return item.stylize("$selection-text on $selection") if chosen and self.has_focus else item

    def choose(self, index: int) -> None:
        if 0 <= index < len(self.options) and index != self.chosen:
            self.chosen = index
            self.redraw()
            self.post_message(self.Picked(self))

    def on_key(self, event: events.Key) -> None:
        """Keys that mean nothing here pass on; at its ends, so do those that move."""
        back, on = ("up", "down") if self._listed else ("left", "right")
        if event.key in (back, on):
            index = self.chosen + (1 if event.key == on else -1)
            if self._listed and not 0 <= index < len(self.options):
                return
            self.choose(index % len(self.options))
        elif event.key == "space":
            self.choose((self.chosen + 1) % len(self.options))
        elif self._listed and event.key.isdecimal() and event.key != "0":
            self.choose(int(event.key) - 1)
        elif not event.is_printable:
            return
        event.stop()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        for index, (line, start, end) in enumerate(self._spots):
            if line == event.y and start <= event.x < end:
                self.choose(index)
