"""A list that draws only the rows that are seen: cheap however long it is, and one widget however many rows."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.widgets.list_keys import ListStep, list_step


class Rows(Static, can_focus=True):
    """`draw` makes one row's text; the selected row stays in sight. follow: keep the last row selected while it is."""

    class Selected(Message):
        """Another row is selected."""

        def __init__(self, rows: Rows) -> None:
            super().__init__()
            self.rows = rows

    class Chosen(Message):
        """Enter, or a click on the row that is selected."""

        def __init__(self, rows: Rows) -> None:
            super().__init__()
            self.rows = rows

    def __init__(self, *, id: str | None = None, empty: str = "") -> None:
        super().__init__("", id=id, markup=False)
        self._rows: Sequence[object] = ()
        self._empty = empty
        self._first = 0
        self._drawn: Content | None = None
        self.selected = -1

    @property
    def rows(self) -> Sequence[object]:
        return self._rows

    @property
    def row(self) -> object | None:
        """The selected row."""
        return self._rows[self.selected] if 0 <= self.selected < len(self._rows) else None

    def draw(self, row: object, width: int, selected: bool) -> Content:
        """One line; subclasses say how a row looks."""
        raise NotImplementedError

    def selectable(self, row: object) -> bool:
        """Headings and the like are passed over."""
        return True

    def set_rows(self, rows: Sequence[object], *, follow: bool = False) -> None:
        at_end = self.selected == len(self._rows) - 1
        self._rows = rows
        if not rows:
            self.selected = -1
        elif (follow and at_end) or self.selected < 0:
            self.selected = len(rows) - 1 if follow else 0
        else:
            self.selected = min(self.selected, len(rows) - 1)
        if rows:
            self.selected = self._nearest(self.selected, 1)
        self.redraw()

    def redraw(self) -> None:
        width, height = self.content_size
        if width <= 0 or height <= 0:
            return
        if not self._rows:
            self._put(Content.styled(self._empty, "$muted"))
            return
        self._keep_in_sight(height)
        seen = self._rows[self._first : self._first + height]
        lines = [self.draw(row, width, self._first + index == self.selected) for index, row in enumerate(seen)]
        self._put(Content("\n").join(lines))

    def _put(self, content: Content) -> None:
        if self._drawn is None or content != self._drawn or content.spans != self._drawn.spans:
            self._drawn = content
            self.update(content, layout=False)

    def _keep_in_sight(self, height: int) -> None:
        last = max(0, len(self._rows) - height)
        self._first = max(0, min(self._first, last, max(0, self.selected)))
        if self.selected >= self._first + height:
            self._first = self.selected - height + 1

    def select(self, index: int) -> None:
        if not self._rows:
            return
        index = max(0, min(index, len(self._rows) - 1))
        index = self._nearest(index, -1 if index < self.selected else 1)
        if index != self.selected:
            self.selected = index
            self.redraw()
            self.post_message(self.Selected(self))

    def _nearest(self, index: int, step: int) -> int:
        """The nearest row that can be selected, in the direction of the step first."""
        ahead = range(index, len(self._rows) if step > 0 else -1, step)
        back = range(index, -1 if step > 0 else len(self._rows), -step)
        return next((place for place in (*ahead, *back) if self.selectable(self._rows[place])), index)

    def on_key(self, event: events.Key) -> None:
        """At once: by way of the library's bindings, the next key would overtake it."""
        step = list_step(self, event.key)
        if step is not None and self.take(step):
            event.stop()
            event.prevent_default()

    def take(self, step: ListStep) -> bool:
        """Carry out a key of lists; whether it is one that lines have a use for."""
        page = max(1, self.content_size.height - 1)
        match step:
            case "up":
                self.move(-1)
            case "down":
                self.move(1)
            case "page_up":
                self.move(-page)
            case "page_down":
                self.move(page)
            case "first":
                self.move(-len(self._rows))
            case "last":
                self.move(len(self._rows))
            case "choose":
                self.pick()
            case _:
                return False
        return True

    def move(self, by: int) -> None:
        self.select(self.selected + by)

    def pick(self) -> None:
        """Choose the selected row."""
        if self._rows:
            self.post_message(self.Chosen(self))

    def on_resize(self) -> None:
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        index = self._first + event.y - self.gutter.top
        if not 0 <= index < len(self._rows):
            return
        if index == self.selected:
            self.pick()
        else:
            self.select(index)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.select(self.selected - 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.select(self.selected + 1)
