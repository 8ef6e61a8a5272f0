"""Lines to the strips that Textual shows.

Strips here are without caches of their own: Textual's keep references to themselves, garbage that only the collector
frees.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from tui.render.lines import MUTED, Ink, Line
from tui.render.palette import Palette

if TYPE_CHECKING:
    from textual.filter import LineFilter

GUTTER: Final = 2
"""Cells left of the lines: the mark of the current item, and a space."""

RIGHT: Final = 1
"""Cells right of the lines."""

_STRIPS_KEPT: Final = 1024
_SELECTED: Final = Ink("selection_text", "selection")
_FOUND: Final = Ink("warning", "panel", underline=True)
_GONE_TO: Final = Ink("selection_text", "selection", bold=True, underline=True)

Found = tuple[int, int, bool]
"""A part of a hit: characters start to end of all that is seen of a line, and whether it is the hit gone to."""


class _NoCache:
    """Stands in for each of a strip's caches, and keeps nothing."""

    def get(self, key: Any, default: Any = None) -> Any:
        return default

    def __setitem__(self, key: Any, value: Any) -> None:
        return


_NO_CACHE: Any = _NoCache()


class LeanStrip(Strip):
    __slots__ = ()

    def __init__(self, segments: Iterable[Segment], cell_length: int | None = None) -> None:
        self._segments = list(segments)
        self._cell_length = cell_length
        self._divide_cache = _NO_CACHE
        self._crop_cache = _NO_CACHE
        self._style_cache = _NO_CACHE
        self._filter_cache = _NO_CACHE
        self._line_length_cache = _NO_CACHE
        self._crop_extend_cache = _NO_CACHE
        self._offsets_cache = _NO_CACHE
        self._render_cache = None
        self._link_ids = None
        self._cell_count = None


def cut_segments(segments: list[Segment], start: int, end: int, style: Style) -> list[Segment]:
    """The segments with the characters from start to end in another style."""
    found: list[Segment] = []
    at = 0
    for segment in segments:
        text, own, _ = segment
        low, high = max(0, start - at), max(0, min(len(text), end - at))
        if low >= high:
            found.append(segment)
        else:
            parts = ((text[:low], own), (text[low:high], style), (text[high:], own))
            found.extend(Segment(part, look) for part, look in parts if part)
        at += len(text)
    return found


class LinePainter:
    """Full rows (gutter, text, padding) of lines, kept while they are likely to be shown again.

    filters: Textual's line filters, applied to whatever leaves here, against `background`. right: cells that stay
    free at the right, those below the scroll bar among them. Change it only together with the width.
    """

    def __init__(self, palette: Palette) -> None:
        self._palette = palette
        self._strips: OrderedDict[tuple[Line, bool], Strip] = OrderedDict()
        self._kept_for: tuple[object, ...] = ()
        self.filters: tuple[LineFilter, ...] = ()
        self.background = Color(0, 0, 0)
        self.focused = False
        self.right = RIGHT

    def set_palette(self, palette: Palette) -> None:
        self._palette = palette
        self._strips.clear()

    def strip(self, line: Line, width: int, marked: bool = False) -> Strip:
        kept_for = (width, self.focused, self.filters, self.background)
        if kept_for != self._kept_for:
            self._kept_for = kept_for
            self._strips.clear()
        key = (line, marked)
        strip = self._strips.get(key)
        if strip is not None:
            self._strips.move_to_end(key)
            return strip
        strip = self._strips[key] = self._filtered(self.segments(line, width, marked), width)
        if len(self._strips) > _STRIPS_KEPT:
            self._strips.popitem(last=False)
        return strip

    def selected(self, line: Line, width: int, marked: bool, span: tuple[int, int]) -> Strip:
        """The row with the characters of a span highlighted; gutter, decoration and padding never are."""
        length = GUTTER + len(line.text)
        start = max(span[0], GUTTER + line.lead)
        end = length if span[1] < 0 else min(span[1], length)
        segments = self.segments(line, width, marked)
        if start < end:
            segments = cut_segments(segments, start, end, self._palette.style(_SELECTED))
        return self._filtered(segments, width)

    def found(self, line: Line, width: int, marked: bool, parts: Iterable[Found]) -> Strip:
        """The row with what a search found in it set apart."""
        segments = self.segments(line, width, marked)
        for start, end, gone_to in parts:
            style = self._palette.style(_GONE_TO if gone_to else _FOUND)
            segments = cut_segments(segments, GUTTER + start, GUTTER + end, style)
        return self._filtered(segments, width)

    def segments(self, line: Line, width: int, marked: bool) -> list[Segment]:
        """The row, padded in the line's own ground."""
        style = self._palette.style
        mark = Ink("border_focus" if self.focused else "border") if marked else MUTED
        segments = [Segment("▎ " if marked else "  ", style(mark))]
        segments.extend([Segment(span.text, style(span.ink)) for span in line.spans])
        missing = width - GUTTER - line.cells
        right = min(self.right, missing) if line.ground else 0
        if missing > right:
            segments.append(Segment(" " * (missing - right), self._palette.fill(line.ground)))
        if right > 0:
            segments.append(Segment(" " * right, self._palette.fill("")))
        return segments

    def _filtered(self, segments: list[Segment], width: int) -> Strip:
        for line_filter in self.filters:
            segments = line_filter.apply(segments, self.background)
        return LeanStrip(segments, width)
