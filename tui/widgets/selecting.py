"""Text selected with the mouse, in terms of a document whose lines may move while they are selected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.render.clean import Clean
from tui.render.document import Document, Place
from tui.render.lines import MUTED, Line, Span, plain_text
from tui.widgets.strips import GUTTER

if TYPE_CHECKING:
    from textual.selection import Selection


def row_of(place: Place) -> int:
    """A place as one number that grows with the document; Textual's selection takes it for a row that never moves."""
    return (place.section << 40) | (place.block << 20) | place.line


def place_of(row: int) -> Place:
    return Place(row >> 40, (row >> 20) & 0xFFFFF, row & 0xFFFFF)


def selected_text(document: Document, selection: Selection) -> Clean | None:
    """The selected characters without gutter, decoration and padding; None where there is no line."""
    start, end = selection
    first = Place(0, 0, 0) if start is None else place_of(start.y)
    last = document.end() if end is None else place_of(end.y)
    lines: list[Line] = []
    for place, line in document.lines_between(first, last):
        begin = max(0, start.x - GUTTER) if start is not None and place == first else 0
        finish = max(0, end.x - GUTTER) if end is not None and place == last else None
        lines.append(_sliced(line, begin, finish))
    return plain_text(lines) if lines else None


def _sliced(line: Line, begin: int, finish: int | None) -> Line:
    text = line.text
    start = max(begin, line.lead)
    kept = text[start:] if finish is None else text[start : max(start, finish)]
    whole = len(kept) == len(line.plain)
    copied = line.copied if whole else None
    return Line(spans=(Span(Clean(kept), MUTED),), joiner=line.joiner, aside=line.aside, copied=copied)
