"""The strip along the whole recording: shows where it stands, and goes where it is clicked or dragged to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.replaying.strip import Strip, moment_of

if TYPE_CHECKING:
    from runner.review.player import Player


class Scrubber(Static, can_focus=True):
    class Sought(Message):
        """The person points at a moment."""

        def __init__(self, moment: float) -> None:
            super().__init__()
            self.moment = moment

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self._strip = Strip()
        self._player: Player | None = None
        self._words = Content("")
        self._drawn: Content | None = None
        self._held = False

    @property
    def room(self) -> int:
        """Cells in a line; a guess before the first layout."""
        return self.content_size.width or 80

    def show(self, player: Player, words: Content) -> None:
        """words: the line below the strip."""
        self._player, self._words = player, words
        self.redraw()

    def redraw(self) -> None:
        if self._player is None or self.content_size.width <= 0:
            return
        content = Content("\n").join([*self._strip.rows(self._player, self.content_size.width), self._words])
        if self._drawn is None or content != self._drawn or content.spans != self._drawn.spans:
            self._drawn = content
            self.update(content, layout=False)

    def on_resize(self) -> None:
        self.redraw()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button == 1:
            event.stop()
            self._held = True
            self.capture_mouse()
            self._seek(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._held:
            event.stop()
            self._seek(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._held:
            event.stop()
            self._held = False
            self.release_mouse()

    def _seek(self, event: events.MouseEvent) -> None:
        if self._player is not None:
            column = round(event.screen_x) - self.content_region.x
            self.post_message(self.Sought(moment_of(column, self._player.course.length, self.content_size.width)))
