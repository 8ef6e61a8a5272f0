"""Lines of fixed height whose text changes often without a new layout."""

from __future__ import annotations

from functools import cache

from textual import events
from textual.content import Content
from textual.message import Message
from textual.style import Style
from textual.widgets import Static


@cache
def does(action_id: str) -> Style:
    """Marks a part of what a bar shows: a click on it carries the action out."""
    return Style.from_meta({"does": action_id})


class Bar(Static):
    """What is shown is put there from outside, and only painted where it changed."""

    class Clicked(Message):
        def __init__(self, action_id: str) -> None:
            super().__init__()
            self.action_id = action_id

    def __init__(self, text: str = "", *, id: str | None = None) -> None:
        super().__init__(Content.styled(text, "$muted"), id=id, markup=False)
        self._shown: Content | None = None

    @property
    def room(self) -> int:
        """Cells in a line; a guess before the first layout."""
        return self.content_size.width or 80

    @property
    def lines(self) -> int:
        """Lines there is room for; plenty before the first layout."""
        return self.content_size.height or 100

    def put(self, content: Content) -> None:
        if self._shown is None or content != self._shown or self._shown.spans != content.spans:
            self._shown = content
            self.update(content, layout=False)

    def on_click(self, event: events.Click) -> None:
        action_id: object = event.style.meta.get("does")
        if event.button == 1 and isinstance(action_id, str):
            event.stop()
            self.post_message(self.Clicked(action_id))
