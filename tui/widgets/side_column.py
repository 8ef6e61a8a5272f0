"""The column beside the transcript. Its left border can be dragged, and a double click gives it its own width again."""

from __future__ import annotations

from textual import events
from textual.containers import Vertical
from textual.message import Message


class SideColumn(Vertical):
    class Dragged(Message):
        """The border was dragged. width: in cells, None for its own; dropped: the button was let go."""

        def __init__(self, width: int | None, *, dropped: bool) -> None:
            super().__init__()
            self.width = width
            self.dropped = dropped

    _held = False

    def _on_border(self, event: events.MouseEvent) -> bool:
        return event.x == 0 and bool(self.styles.border_left[0])

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button == 1 and self._on_border(event):
            event.stop()
            self._held = True
            self.add_class("-held")
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._held:
            event.stop()
            self.post_message(self.Dragged(self.region.right - round(event.screen_x), dropped=False))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._held:
            event.stop()
            self._held = False
            self.remove_class("-held")
            self.release_mouse()
            self.post_message(self.Dragged(self.region.right - round(event.screen_x), dropped=True))

    def on_click(self, event: events.Click) -> None:
        if event.chain == 2 and self._on_border(event):
            event.stop()
            self.post_message(self.Dragged(None, dropped=True))
