"""A scroll bar that costs little to draw: it moves with every line that comes, and Textual's own draws each of its
cells by itself."""

from __future__ import annotations

from typing import cast

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.strip import Strip

from tui.widgets.strips import LeanStrip


class LeanScrollBar(ScrollBar):
    """Upright; a cell that looks like another one is the same strip."""

    def render_lines(self, crop: Region) -> list[Strip]:
        width, height = self.size
        strips: dict[int, Strip] = {}
        lines: list[Strip] = []
        for segment in self._cells(height)[crop.y : crop.bottom]:
            strip = strips.get(id(segment))
            if strip is None:
                strip = strips[id(segment)] = self._strip(segment, width)
            lines.append(strip)
        return lines

    def _cells(self, height: int) -> list[Segment]:
        bar = cast("ScrollBarRender", self.render())
        style = cast("Style", bar.style)
        if style.bgcolor is None or style.color is None:
            return [Segment(" ", style)] * height
        drawn = bar.render_bar(
            size=height,
            virtual_size=bar.virtual_size,
            window_size=bar.window_size,
            position=bar.position,
            thickness=self.size.width,
            back_color=style.bgcolor,
            bar_color=style.color,
        )
        return list(drawn.segments)

    def _strip(self, segment: Segment, width: int) -> Strip:
        segments = [segment]
        for line_filter in self.get_line_filters():
            segments = line_filter.apply(segments, self.background_colors[1])
        return LeanStrip(segments, width)


class LeanScrollView(ScrollView):
    @property
    def vertical_scrollbar(self) -> ScrollBar:
        """The upright scroll bar, made when it is first asked for."""
        bar = self._vertical_scrollbar
        if bar is None:
            bar = self._vertical_scrollbar = LeanScrollBar(name="vertical", thickness=self.scrollbar_size_vertical)
            bar.display = False
            self.app._start_widget(self, bar)  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]
        return bar
