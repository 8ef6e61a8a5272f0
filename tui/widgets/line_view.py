"""A scrolling view of a document of lines: only what is visible is rendered, and it stays put while the rest changes.

Built on Textual's line API. It follows the end until a person scrolls up; then the line at the top keeps its place
however the document grows, and `new_lines` counts what came in the meantime.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.reactive import Reactive, reactive
from textual.strip import Strip
from textual.widget import Widget

from tui.render import markdown
from tui.render.clean import Clean, clean
from tui.render.code import LEXERS
from tui.render.document import Document, Place
from tui.render.lines import BLANK, MUTED, Line, spans_of, wrapped
from tui.render.palette import Palette
from tui.widgets.scroll_bar import LeanScrollView
from tui.widgets.selecting import row_of
from tui.widgets.strips import GUTTER, RIGHT, LeanStrip, LinePainter

if TYPE_CHECKING:
    from textual import events
    from textual._animator import EasingFunction
    from textual._types import AnimationLevel, CallbackType
    from textual.selection import Selection

    from themes import Theme


class LineView(LeanScrollView, can_focus=True):
    """Shows `document`; call sync() after changing it."""

    ALLOW_SELECT = True
    DEFAULT_CSS = """
    LineView { overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }
    """
    new_lines: reactive[int] = reactive(0, repaint=False)
    """Lines below the place where a person left the end; 0 while the end is followed."""

    is_at_end: reactive[bool] = reactive(True, repaint=False)
    """Whether the end is visible and followed."""

    def __init__(
        self,
        theme: Theme | None = None,
        *,
        placeholder: str = "",
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        if theme is None:
            import themes

            theme = themes.load(themes.DEFAULT)
        self.document = Document()
        self._painter = LinePainter(Palette(theme))
        self._placeholder = clean(placeholder)
        self._follow = True
        self._anchor = Place(0, 0, 0)
        self._left_at = Place(0, 0, 0)
        self._window: list[tuple[Place, Line]] = []
        self._marked: int | None = None
        self._thumb: tuple[int, ...] = ()
        self._placing = False
        self._painting = False
        self._stop_listening: Callable[[], None] | None = None

    # What the app calls

    @property
    def placeholder(self) -> str:
        """What is shown while the document is empty."""
        return self._placeholder

    @placeholder.setter
    def placeholder(self, text: str) -> None:
        self._placeholder = clean(text)
        if not self.document.sections:
            self.sync()

    def set_theme(self, theme: Theme) -> None:
        """Show everything in another theme's colours."""
        self._painter.set_palette(Palette(theme))
        self.refresh()

    def sync(self) -> None:
        """Bring the screen up to date with the document; costs what is visible."""
        rows = self._rows
        if rows <= 0 or self._line_width <= 0:
            return
        document = self.document
        if not self._follow:
            document.settle_down(self._anchor, rows)
            if document.top(self._anchor) + rows >= document.total:
                document.settle_up(document.end(), rows)
        if self._follow:
            document.settle_up(document.end(), rows)
        last = max(0, document.total - rows)
        position = last if self._follow else min(document.top(self._anchor), last)
        self._follow = position == last
        self._place(position)
        if not self._follow:
            document.settle_down(self._left_at, 1)
        self.is_at_end = self._follow
        self.new_lines = 0 if self._follow else max(0, document.total - document.top(self._left_at))
        self._repaint(document.at(position), rows)

    def visible_text(self) -> list[Clean]:
        """The lines on the screen, from top to bottom, without padding."""
        return [line.text for _, line in self._window]

    def follow(self) -> None:
        """Go to the end, and stay there."""
        self._follow = True
        self.sync()

    def bring_into_view(self, index: int, *, hold: bool = False) -> None:
        """Scroll as little as needed to see a section, its beginning if it is too long. hold: stop following."""
        document, rows = self.document, self._rows
        if rows <= 0 or index >= len(document.sections):
            return
        document.settle_down(Place(index, 0, 0), rows)
        start, end = document.span(index)
        top = document.top(self._anchor)
        if self._follow:
            document.settle_up(document.end(), rows)
            top = max(0, document.total - rows)
        position = min(start, top) if start < top or end - start >= rows else max(top, end - rows)
        if hold and start < document.total - rows:
            position = min(position, start)
        if position != round(self.scroll_y):
            if self._follow:
                self._left_at = document.end()
            self._follow = False
            self._anchor = document.at(position) or document.end()
            self.sync()

    # Geometry

    @property
    def _rows(self) -> int:
        return self.scrollable_content_region.height

    @property
    def _line_width(self) -> int:
        return self.scrollable_content_region.width - GUTTER - RIGHT

    def on_mount(self) -> None:
        super().on_mount()
        loop = asyncio.get_running_loop()

        def ready() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._lexer_ready)

        self._stop_listening = LEXERS.listen(ready)
        self.call_after_refresh(threading.Thread(target=markdown.warm, name="markdown", daemon=True).start)

    def on_unmount(self) -> None:
        if self._stop_listening is not None:
            self._stop_listening()

    def on_resize(self, event: events.Resize) -> None:
        self._painter.right = self.size.width - GUTTER - self._line_width
        self._fit_width()
        self.sync()

    def _fit_width(self) -> None:
        """Lay the document out for the widget's width; the line at the top stays, as near as wrapping allows."""
        width = self._line_width
        if width <= 0 or width == self.document.width:
            return
        if self.is_mounted and self.text_selection is not None:
            # Lines are wrapped elsewhere now, so the selected ones cannot be told any more.
            self.screen.clear_selection()
        anchor, left_at = self._anchor, self._left_at
        old = [self.document.height(place) for place in (anchor, left_at)]
        self.document.set_width(width)
        self._anchor, self._left_at = (
            self.document.scaled(place, height) for place, height in zip((anchor, left_at), old, strict=True)
        )

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        # Textual moves the scroll position into the new bounds, which is not a person scrolling.
        self._placing = True
        try:
            return super()._size_updated(size, virtual_size, container_size, layout)
        finally:
            self._placing = False

    def _place(self, position: int) -> None:
        """Set length and scroll position without a new layout of the screen."""
        total, rows = self.document.total, self._rows
        size = Size(self.scrollable_content_region.width, total)
        self._placing = True
        try:
            if size != self.virtual_size:
                self.set_reactive(cast("Reactive[Size]", Widget.virtual_size), size)
            if round(self.scroll_y) != position:
                self.scroll_target_y = self.scroll_y = position
            # The scroll bar is drawn in eighths of a cell; a change that nobody can see is no reason to draw it.
            thumb = (rows, *(8 * rows * value // max(1, total) for value in (position, rows)))
            if thumb != self._thumb:
                self._thumb = thumb
                self._scroll_update(size)
                self.vertical_scrollbar.position = position
        finally:
            self._placing = False

    def _repaint(self, top: Place | None, rows: int) -> None:
        """Refresh the rows whose line differs from what they showed."""
        if top is not None:
            self._anchor = top
            window = self.document.window(top, rows)
        else:
            window = self._empty(rows)
        old, self._window = self._window, window
        if len(old) != len(window) or not self.is_mounted:
            self.refresh()
            return
        changed = [row for row in range(len(window)) if window[row][1] is not old[row][1] or self._remarked(row, old)]
        if len(changed) > len(window) // 2:
            self.refresh()
        elif changed:
            width = self.size.width
            self.refresh(*[Region(0, row, width, 1) for row in changed])

    def _remarked(self, row: int, old: list[tuple[Place, Line]]) -> bool:
        marked = self._marked
        return marked is not None and (old[row][0].section == marked) != (self._window[row][0].section == marked)

    def _empty(self, rows: int) -> list[tuple[Place, Line]]:
        text = self._placeholder
        lines = wrapped(spans_of(text, MUTED), self._line_width) if text else []
        return [(Place(0, 0, row), line) for row, line in enumerate(lines[:rows])]

    def _lexer_ready(self) -> None:
        if self.document.forget_coloured():
            self.sync()

    # Scrolling

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        old, new = round(old_value), round(new_value)
        if not self._placing and old != new:
            self._moved(old, new)

    def _moved(self, old: int, new: int) -> None:
        """A person scrolled."""
        document, rows = self.document, self._rows
        if self._follow:
            self._left_at = document.end()
        near = abs(new - old) <= 4 * rows
        if near and new > old:
            document.settle_down(self._anchor, rows + new - old)
        if new >= document.total - rows:
            self.follow()
            return
        self._follow = False
        if new == 0:
            place = document.arrive(0, upwards=False)
        elif near and new < old:
            # What is entered from below is measured first, so that the step is as long on the screen as it was meant.
            document.settle_up(self._anchor, old - new)
            place = document.at(max(0, document.top(self._anchor) - (old - new)))
        else:
            place = document.arrive(new, upwards=new < old)
        self._anchor = place or document.end()
        self.sync()

    def _scroll_to(
        self,
        x: float | None = None,
        y: float | None = None,
        *,
        animate: bool = True,
        speed: float | None = None,
        duration: float | None = None,
        easing: EasingFunction | str | None = None,
        force: bool = False,
        on_complete: CallbackType | None = None,
        level: AnimationLevel = "basic",
        release_anchor: bool = True,
    ) -> bool:
        """Every way to scroll ends here; none is animated."""
        return super()._scroll_to(
            x,
            y,
            animate=False,
            force=force,
            on_complete=on_complete,
            level=level,
            release_anchor=release_anchor,
        )

    def scroll_end(
        self,
        *,
        animate: bool = True,
        speed: float | None = None,
        duration: float | None = None,
        easing: EasingFunction | str | None = None,
        force: bool = False,
        on_complete: CallbackType | None = None,
        level: AnimationLevel = "basic",
        immediate: bool = False,
        x_axis: bool = True,
        y_axis: bool = True,
    ) -> None:
        if y_axis:
            self.follow()

    def action_scroll_home(self) -> None:
        self.scroll_to(y=0)

    def action_scroll_end(self) -> None:
        self.follow()

    # Painting

    def watch_has_focus(self, _has_focus: bool) -> None:
        super().watch_has_focus(_has_focus)
        self._painter.focused = self.has_focus
        if self._marked is not None:
            self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        styles = self.styles
        if styles.gutter.width or styles.gutter.height or self.opacity != 1.0 or styles.tint.a:
            # Textual draws borders and tints, and applies the filters itself.
            self._painter.filters, self._painting = (), True
            try:
                return super().render_lines(crop)
            finally:
                self._painting = False
        # The lines carry their full style, so nothing of Textual's blending is needed.
        self._painter.filters = filters = tuple(self.get_line_filters())
        if filters:
            self._painter.background = self.background_colors[1]
        width, selection = self.size.width, self.text_selection
        strips = [self._paint(y, width, selection) for y in crop.line_range]
        if crop.column_span != (0, width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """A row. Asked for by Textual to find what is under the mouse, so segments carry their offsets."""
        if self._painting:
            return self._paint(y, self.size.width, self.text_selection)
        place, line = self._window[y] if y < len(self._window) else (self._below(), BLANK)
        segments: list[Segment] = []
        at, row = 0, row_of(place)
        for text, style, _ in self._painter.segments(line, self.size.width, marked=False):
            segments.append(Segment(text, (style or Style.null()) + Style.from_meta({"offset": (at, row)})))
            at += len(text)
        return LeanStrip(segments, self.size.width)

    def _below(self) -> Place:
        return Place(len(self.document.sections), 0, 0)

    def _paint(self, y: int, width: int, selection: Selection | None) -> Strip:
        if y >= len(self._window):
            return self._painter.strip(BLANK, width)
        place, line = self._window[y]
        marked = place.section == self._marked and line is not BLANK
        if selection is not None:
            span = selection.get_span(row_of(place))
            if span is not None and span[0] != span[1]:
                return self._painter.selected(line, width, marked, span)
        return self._painter.strip(line, width, marked)

    # Selecting with the mouse

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()
