"""A unified diff as a person reads it: in one column, or old and new beside each other. Pure; nothing is cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import chop_cells
from textual.content import Content

from tui.marked import marked

LEAST_WIDTH = 136
"""Cells from which old and new have room beside each other."""

ADDED, REMOVED, HUNK = (
    "$diff-added on $diff-added-bg",
    "$diff-removed on $diff-removed-bg",
    "$diff-hunk on $diff-hunk-bg",
)
CONTEXT, NOTE = "$diff-context", "$muted"
_GUTTER = " │ "
_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")


@dataclass(frozen=True, slots=True)
class Half:
    """One line of the old or the new text. number: its place in the file, from 1; sign: " ", "-" or "+"."""

    number: int
    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """whole: a line across both sides (a hunk's head, a note); else the two halves, None where a side has no line."""

    whole: str = ""
    old: Half | None = None
    new: Half | None = None


def parsed(diff: str) -> list[Row]:
    """The rows of a unified diff; inside a hunk its counts decide what a line is, not its look."""
    return list(_paired(_lines(diff)))


def _lines(diff: str) -> Iterator[str | Row]:
    """Lines across as text; a removed, an added or an unchanged line as a row of its own."""
    lines = diff.removesuffix("\n").split("\n")
    if len(lines) > 1 and lines[0].startswith("--- ") and lines[1].startswith("+++ "):
        # The names of the file stand in the title already, whole.
        del lines[:2]
    old_left = new_left = old = new = 0
    for line in lines:
        sign, text = line[:1], line[1:]
        if sign == "-" and old_left:
            yield Row(old=Half(old, "-", text))
            old, old_left = old + 1, old_left - 1
        elif sign == "+" and new_left:
            yield Row(new=Half(new, "+", text))
            new, new_left = new + 1, new_left - 1
        elif sign == " " and old_left and new_left:
            yield Row(old=Half(old, " ", text), new=Half(new, " ", text))
            old, new, old_left, new_left = old + 1, new + 1, old_left - 1, new_left - 1
        else:
            if (head := _HUNK.match(line)) is not None:
                old, new = int(head[1]), int(head[3])
                old_left, new_left = (int(found) if found else 1 for found in (head[2], head[4]))
            yield line


def _paired(lines: Iterator[str | Row]) -> Iterator[Row]:
    """Removed lines stand beside the added ones that follow them."""
    removed: list[Half] = []
    added: list[Half] = []
    for line in lines:
        if isinstance(line, str):
            if line.startswith("\\") and (added or removed):
                # "No newline at end of file" belongs to the line before it.
                (added or removed).append(Half(0, "\\", line))
                continue
            yield from _side(removed, added)
            removed, added = [], []
            yield Row(whole=line)
        elif line.old is not None and line.new is None and not added:
            removed.append(line.old)
        elif line.new is not None and line.old is None:
            added.append(line.new)
        else:
            yield from _side(removed, added)
            removed, added = ([line.old], []) if line.old is not None and line.new is None else ([], [])
            if not removed:
                yield line
    yield from _side(removed, added)


def _side(removed: list[Half], added: list[Half]) -> Iterator[Row]:
    for index in range(max(len(removed), len(added))):
        yield Row(
            old=removed[index] if index < len(removed) else None,
            new=added[index] if index < len(added) else None,
        )


def beside(diff: str, width: int) -> Content:
    """Old on the left, new on the right, long lines wrapped in their column."""
    rows = parsed(diff)
    digits = len(str(max((half.number for row in rows for half in (row.old, row.new) if half), default=1)))
    column = max(10, (width - len(_GUTTER)) // 2)
    lines: list[Content] = []
    for row in rows:
        if row.whole:
            lines.append(marked(row.whole, HUNK if row.whole.startswith("@@") else NOTE))
            continue
        left, right = _half(row.old, column, digits), _half(row.new, column, digits)
        blank = Content(" " * column)
        for index in range(max(len(left), len(right))):
            lines.append(
                Content.assemble(
                    left[index] if index < len(left) else blank,
                    (_GUTTER, "$border"),
                    right[index] if index < len(right) else Content(""),
                )
            )
    return Content("\n").join(lines)


def _half(half: Half | None, column: int, digits: int) -> list[Content]:
    """The lines of the screen that one line of a file takes."""
    if half is None:
        return []
    style = {"+": ADDED, "-": REMOVED}.get(half.sign, CONTEXT)
    if half.sign == "\\":
        return [_padded(piece, column, NOTE) for piece in chopped(marked(half.text, NOTE), column)]
    room = column - digits - 3
    found: list[Content] = []
    for index, piece in enumerate(chopped(marked(half.text, style), room)):
        number = str(half.number) if not index else ""
        lead = Content.assemble((f"{number:>{digits}} ", "$muted"), (f"{half.sign if not index else ' '} ", style))
        found.append(lead + _padded(piece, room, style))
    return found


def _padded(content: Content, width: int, style: str) -> Content:
    missing = width - content.cell_length
    return content + Content.styled(" " * missing, style) if missing > 0 else content


def chopped(content: Content, width: int) -> list[Content]:
    """The content in pieces of at most so many cells."""
    if content.cell_length <= width:
        return [content]
    found: list[Content] = []
    at = 0
    for piece in chop_cells(content.plain, width):
        found.append(content[at : at + len(piece)])
        at += len(piece)
    return found or [content]


def unified(diff: str) -> Content:
    """In one column, coloured by what a line is; the sign stays, so colour is never the only difference."""
    lines: list[Content] = []
    for line in _lines(diff):
        if isinstance(line, str):
            style = HUNK if line.startswith("@@") else NOTE if line.startswith(("\\", "[...")) else CONTEXT
            lines.append(marked(line, style))
            continue
        half = line.old or line.new
        if half is not None:
            style = {"+": ADDED, "-": REMOVED}.get(half.sign, CONTEXT)
            lines.append(marked(f"{half.sign}{half.text}", style))
    return Content("\n").join(lines)
