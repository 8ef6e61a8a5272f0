"""A short list right above the message, with a line that says what its keys do. It takes keys only while in focus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer

from tui.arming import BURST
from tui.widgets.bars import Bar
from tui.widgets.list_keys import list_step
from tui.widgets.rows import Rows

LOW, TALL = 18, 28
"""Lines of a screen from which a shelf has a few rows, and more of them."""


class ShelfRows(Rows):
    """Letters count as keys of the list only alone: a burst of them is typing, and goes to the message."""

    class Typed(Message):
        """Text that was meant for the message."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """The person goes back to the message. up: beyond the first row, to what was written earlier."""

        def __init__(self, up: bool = False) -> None:
            super().__init__()
            self.up = up

    def __init__(self, carry_out: Callable[[str], bool], *, id: str | None = None) -> None:
        """carry_out: does what a key means; whether it means something here."""
        super().__init__(id=id)
        self._carry_out = carry_out
        self._pending = ""
        self._typing = False
        self._timer: Timer | None = None

    def on_key(self, event: events.Key) -> None:
        # All of it is done here: what the list in general does with a key does not know of typing.
        event.prevent_default()
        typed = event.character if event.is_printable else None
        if event.key == "escape":
            event.stop()
            self.post_message(self.Left())
        elif typed:
            event.stop()
            self._letter(typed)
        elif self._carry_out(event.key) or self._step(event.key):
            event.stop()

    def _step(self, key: str) -> bool:
        """A key of every list; beyond its ends lies the message."""
        step = list_step(self, key)
        if step == "close" or (step == "down" and self.selected == len(self._rows) - 1):
            self.post_message(self.Left())
        elif step == "up" and self.selected <= 0:
            self.post_message(self.Left(up=True))
        else:
            return step is not None and self.take(step)
        return True

    def _letter(self, typed: str) -> None:
        if self._pending or self._typing:
            self._type(self._pending + typed)
            return
        self._pending = typed
        self._timer = self.set_timer(BURST, self._alone)

    def _alone(self) -> None:
        """No further letter came: it was a key."""
        letter, self._pending = self._pending, ""
        if letter and self.has_focus and not (self._carry_out(letter) or self._step(letter)):
            self._type(letter)

    def _type(self, text: str) -> None:
        self._pending, self._typing = "", True
        self.post_message(self.Typed(text))

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self._type(event.text)

    def _watch_has_focus(self, focus: bool) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._pending, self._typing = "", False
        self.redraw()


class Shelf(Vertical):
    DEFAULT_CLASSES: ClassVar[str] = "shelf"

    def __init__(self, rows: ShelfRows, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.display = False
        self.head = Bar("")
        self.head.add_class("shelf-head")
        self.rows = rows
        self.rows.add_class("shelf-rows")

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.rows

    @property
    def in_focus(self) -> bool:
        return bool(self.rows.has_focus)

    @property
    def room(self) -> int:
        """Cells in its line; before its first layout what there will be."""
        return self.head.content_size.width or max(1, self.screen.size.width - 4)

    def most_rows(self, cramped: bool) -> int:
        """How many rows there is room for; cramped: something else needs the room."""
        height = self.screen.size.height
        if not self.in_focus and (cramped or height < LOW):
            return 0
        return 2 if height < LOW else 3 if height < TALL else 5

    def put(self, head: Content, rows: Sequence[object], cramped: bool = False) -> None:
        self.display = True
        self.head.put(head)
        most = min(len(rows), self.most_rows(cramped))
        self.rows.display = most > 0
        if self.rows.styles.height is None or self.rows.styles.height.value != most:
            self.rows.styles.height = most
            self.call_after_refresh(self.rows.redraw)
        self.rows.set_rows(rows)

    def put_away(self) -> None:
        if self.display:
            self.display = False

    def take_focus(self) -> None:
        # At once, so that a frame in between still finds it in focus.
        self.rows.display = True
        self.screen.set_focus(self.rows)


def key_words(room: int, *parts: tuple[str, str]) -> Content:
    """Keys with what they do, ("enter", "edits"), as many as there is room for; what has no key is left out."""
    found = Content("")
    for key, does in parts:
        more = Content.assemble((" · " if found else "", "$muted"), (key, "$key-name"), (f" {does}", "$key-label"))
        if key and found.cell_length + more.cell_length <= room:
            found += more
    return found
