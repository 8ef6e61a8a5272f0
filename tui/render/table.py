"""Tables that fit the width: columns shrink and wrap, and where even that is too narrow, each row becomes a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tui.render.clean import Clean
from tui.render.lines import MUTED, PLAIN, SPACE, Ink, Line, Prefix, Span, width_of, wrap, wrapped

Align = Literal["left", "right", "center"]
Cell = Sequence[Span]

_RULE: Final = Ink("md.rule")
_BETWEEN: Final = Span(Clean(" │ "), _RULE)
_NARROWEST = 10
"""Cells that a column with longer text must get; with less, words are cut into pieces that nobody can read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """head is empty where a table is continued."""

    head: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]
    align: Sequence[Align]


def table_lines(table: Table, width: int, *, prefix: Prefix = ()) -> list[Line]:
    room = width - sum([width_of(span.text) for span in prefix])
    widths = _fit([_natural(table, column) for column in range(len(table.align))], room)
    if widths is None:
        return _as_list(table, width, prefix)
    lines: list[Line] = []
    if table.head:
        lines.extend(_row([_bold(cell) for cell in table.head], widths, table.align, prefix))
        rule = Span(Clean("─┼─".join(["─" * cells for cells in widths])), _RULE)
        lines.append(Line(spans=(*prefix, rule), lead=sum([len(span.text) for span in prefix]), aside=True))
    for row in table.rows:
        lines.extend(_row(row, widths, table.align, prefix))
    return lines


def _natural(table: Table, column: int) -> int:
    cells = [row[column] for row in (table.head, *table.rows) if column < len(row)]
    return max((_cells(cell) for cell in cells), default=0) or 1


def _cells(cell: Cell) -> int:
    return sum([width_of(span.text) for span in cell])


def _fit(natural: list[int], room: int) -> list[int] | None:
    """Widths that fill at most the room: the widest columns give first; None where each would get too little."""
    between = 3 * (len(natural) - 1)
    if sum(natural) + between <= room:
        return natural
    # The highest common cap that fits, found by halving.
    low, high = 0, max(natural)
    while low < high:
        cap = (low + high + 1) // 2
        if sum(min(cells, cap) for cells in natural) + between <= room:
            low = cap
        else:
            high = cap - 1
    if low < _NARROWEST:
        return None
    widths = [min(cells, low) for cells in natural]
    left = room - between - sum(widths)
    for index, cells in enumerate(natural):
        if left and widths[index] < cells:
            widths[index] += 1
            left -= 1
    return widths


def _bold(cell: Cell) -> Cell:
    return [Span(span.text, span.ink._replace(bold=True)) for span in cell]


def _row(row: Sequence[Cell], widths: list[int], align: Sequence[Align], prefix: Prefix) -> list[Line]:
    columns = [wrap(row[index] if index < len(row) else (), cells) for index, cells in enumerate(widths)]
    lines: list[Line] = []
    for at in range(max(len(column) for column in columns)):
        spans: list[Span] = list(prefix)
        texts: list[str] = []
        for index, column in enumerate(columns):
            content = column[at][0] if at < len(column) else ()
            if index:
                spans.append(_BETWEEN)
            texts.append("".join([span.text for span in content]))
            spans.extend(_aligned(content, widths[index], align[index], last=index == len(columns) - 1))
        # A copy has neither the rules nor the padding between columns.
        copied = Clean("\t".join(texts).rstrip("\t"))
        lines.append(Line(spans=tuple(spans), lead=sum([len(span.text) for span in prefix]), copied=copied))
    return lines


def _aligned(content: Cell, cells: int, align: Align, *, last: bool) -> list[Span]:
    if last and not content:
        return []
    missing = max(0, cells - _cells(content))
    left = missing if align == "right" else missing // 2 if align == "center" else 0
    right = 0 if last else missing - left
    parts = [_space(left), *content, _space(right)]
    return [span for span in parts if span.text]


def _space(cells: int) -> Span:
    return Span(Clean(SPACE * cells), PLAIN)


def _as_list(table: Table, width: int, prefix: Prefix) -> list[Line]:
    lines: list[Line] = []
    for row in table.rows:
        for index, cell in enumerate(row):
            name = [Span(span.text, MUTED) for span in table.head[index]] if index < len(table.head) else []
            mark = (*prefix, Span(Clean("· " if index == 0 else "  "), MUTED))
            rest = (*prefix, Span(Clean("  "), MUTED))
            head = [*name, Span(Clean(": "), MUTED)] if name else []
            lines.extend(wrapped([*head, *cell], width, first=mark, rest=rest))
    if not table.rows:
        for cell in table.head:
            lines.extend(wrapped(list(cell), width, first=prefix))
    return lines
