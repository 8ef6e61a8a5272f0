"""Streaming Markdown as a row of chunks: each is final as soon as its last line has come, only the last one grows.

A chunk is a paragraph, a heading, one list item, a quote, a table or a slice of a code block, small enough to be
parsed again for every frame while it grows. Which chunks a text gives depends on the text alone, never on how it
arrived. This is layout only: inside a chunk, a CommonMark parser decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from tui.render.clean import Clean
from tui.render.lines import NEWLINE, NOTHING, SPACE

CHUNK_CHARACTERS = 2048
"""A chunk that reaches this is closed and continued by another, so that the cost of a frame has a bound."""

SLICE_LINES = 60
"""Lines in one slice of a code block."""

ChunkKind = Literal["prose", "table", "code"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """margin: cells to the left of it. depth: how many lists it is nested in. gap: a blank line stands above it.

    joiner: what stands before it in the source: a newline, unless it goes on with the very line of the chunk above.
    hidden: its first lines repeat a table's head.
    info: what stands behind a code fence; first: it is the code block's first slice.
    """

    kind: ChunkKind
    text: Clean
    margin: int = 0
    depth: int = 0
    gap: bool = False
    joiner: Clean = NEWLINE
    hidden: int = 0
    info: Clean = NOTHING
    first: bool = True


Kind = Literal["", "paragraph", "item", "quote", "table", "indented", "code"]

_FENCE = re.compile(r"(`{3,}|~{3,})[ ]*([^`]*)\Z")
_HEADING = re.compile(r"#{1,6}(?: |\Z)")
_RULE = re.compile(r"(?:\*[ ]*){3,}\Z|(?:-[ ]*){3,}\Z|(?:_[ ]*){3,}\Z")
_UNDERLINE = re.compile(r"(?:=+|-+)[ ]*\Z")
_MARKER = re.compile(r"([-*+]|(\d{1,9})[.)])([ ]+|\Z)")
_DELIMITERS = re.compile(r"\|?[ ]*:?-+:?[ ]*(?:\|[ ]*:?-+:?[ ]*)*\|?[ ]*\Z")
# The beginning of a line that may turn out to be a marker of some kind; shown only once that is known.
_UNDECIDED = re.compile(r"[ ]*(?:[-*_=+#>`~|:]+|\d{1,9}[.)]?)[ ]*\Z")


class _Open:
    """What is known of the chunk that still grows, and of the lists around it."""

    __slots__ = (
        "blank", "depth", "fence", "first", "hidden", "indent", "info", "joiner", "kind", "lines", "margin", "middle",
         "offsets", "size",
    )  # fmt: skip

    def __init__(self) -> None:
        self.kind: Kind = ""
        self.lines: list[str] = []
        self.size = 0
        self.margin = 0
        self.depth = 0
        self.indent = 0
        self.offsets: list[int] = []
        self.blank = False
        self.joiner = NEWLINE
        self.middle = False
        self.hidden = 0
        self.fence = ""
        self.info = ""
        self.first = True

    def copy(self) -> _Open:
        twin = _Open()
        for name in _Open.__slots__:
            setattr(twin, name, getattr(self, name))
        twin.lines = self.lines.copy()
        twin.offsets = self.offsets.copy()
        return twin


class Splitter:
    """Feed it clean text; `chunks` only grows and holds what is final, tail() is the rest as it stands."""

    __slots__ = ("_open", "_pending", "chunks")

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self._open = _Open()
        self._pending = ""

    def feed(self, text: Clean) -> None:
        if not text:
            return
        lines = (self._pending + text).split("\n")
        pending = lines.pop()
        for line in lines:
            _whole_line(self._open, line, self.chunks)
        self._pending = _long_line(self._open, pending, self.chunks)

    def tail(self) -> list[Chunk]:
        """The chunks that may still change."""
        twin, chunks = self._open.copy(), list[Chunk]()
        if self._pending and not _UNDECIDED.match(self._pending):
            _line(twin, self._pending, chunks)
        _close(twin, chunks)
        return chunks

    def finish(self) -> None:
        """No more will come: everything is final."""
        pending, self._pending = self._pending, ""
        if pending:
            _line(self._open, pending, self.chunks)
        _close(self._open, self.chunks)


def split(text: Clean) -> list[Chunk]:
    """All chunks of a whole text."""
    splitter = Splitter()
    splitter.feed(text)
    splitter.finish()
    return splitter.chunks


def _whole_line(state: _Open, line: str, chunks: list[Chunk]) -> None:
    rest = _long_line(state, line, chunks)
    _line(state, rest, chunks)
    state.middle = False


def _long_line(state: _Open, line: str, chunks: list[Chunk]) -> str:
    """Close a chunk in the middle of an overlong line, at a space where there is one; gives the rest of the line."""
    while len(line) > CHUNK_CHARACTERS:
        cut = line.rfind(" ", CHUNK_CHARACTERS // 2, CHUNK_CHARACTERS) + 1 or CHUNK_CHARACTERS
        _line(state, line[:cut], chunks)
        _continue(state, chunks)
        state.middle = True
        state.joiner = SPACE if line[cut - 1] == " " else NOTHING
        line = line[cut:]
    return line


def _line(state: _Open, line: str, chunks: list[Chunk]) -> None:
    if state.kind == "code":
        _code_line(state, line, chunks)
        return
    text = line.lstrip(" ")
    if not text:
        _close(state, chunks)
        state.blank = True
        return
    indent = len(line) - len(text)
    if state.middle:
        state.middle = False
        _begin(state, "paragraph", state.margin, line)
        return
    if state.kind and _goes_on(state, text, indent, chunks):
        return
    _start(state, line, text, indent, chunks)


def _goes_on(state: _Open, text: str, indent: int, chunks: list[Chunk]) -> bool:
    """Add the line to the open chunk if it belongs there."""
    kind = state.kind
    if kind == "indented":
        if indent < state.margin + 4:
            return False
    elif indent - _base(state.offsets, indent) < 4:
        if kind == "paragraph" and _UNDERLINE.match(text) and state.joiner == NEWLINE:
            _add(state, text, indent)
            _close(state, chunks)
            return True
        if _interrupts(state, text):
            return False
        if kind == "paragraph" and len(state.lines) == 1 and "|" in state.lines[0] and _DELIMITERS.match(text):
            state.kind = "table"
    _add(state, text, indent)
    if state.size >= CHUNK_CHARACTERS or (kind == "indented" and len(state.lines) >= SLICE_LINES):
        _continue(state, chunks)
    return True


def _interrupts(state: _Open, text: str) -> bool:
    if _FENCE.match(text) or _HEADING.match(text) or _RULE.match(text):
        return True
    if text[0] == ">":
        return state.kind != "quote"
    marker = _MARKER.match(text)
    if marker is None:
        return False
    if state.kind != "paragraph" or state.offsets:
        return True
    # Only a list that starts with 1 and has text may follow a paragraph at once: "2019. was a year" is no list.
    return marker.end() < len(text) and marker[2] in (None, "1")


def _start(state: _Open, line: str, text: str, indent: int, chunks: list[Chunk]) -> None:
    _close(state, chunks)
    while state.offsets and indent < state.offsets[-1]:
        state.offsets.pop()
    base = state.offsets[-1] if state.offsets else 0
    if indent - base >= 4:
        _begin(state, "indented", base, line)
    elif (fence := _FENCE.match(text)) is not None:
        _begin_code(state, fence, base, indent)
    elif _HEADING.match(text):
        state.blank = True
        _begin(state, "paragraph", base, line)
        _close(state, chunks)
    elif _RULE.match(text):
        _begin(state, "paragraph", base, line)
        _close(state, chunks)
    elif (marker := _MARKER.match(text)) is not None:
        _begin_item(state, line, text, indent, marker, chunks)
    elif text[0] == ">":
        _begin(state, "quote", base, line)
    else:
        _begin(state, "paragraph", base, line)


def _begin_item(state: _Open, line: str, text: str, indent: int, marker: re.Match[str], chunks: list[Chunk]) -> None:
    space = len(marker[3])
    width = len(marker[1]) + (space if 1 <= space <= 4 else 1)
    state.depth = len(state.offsets)
    state.offsets.append(indent + width)
    fence = _FENCE.match(text[marker.end() :])
    if fence is None:
        _begin(state, "item", indent, line)
        return
    # The marker stands alone above the code block that is its content.
    _begin(state, "item", indent, " " * indent + marker[1])
    _close(state, chunks)
    _begin_code(state, fence, indent + width, indent + width)


def _begin_code(state: _Open, fence: re.Match[str], margin: int, indent: int) -> None:
    _begin(state, "code", margin, None)
    state.indent = indent
    state.fence, state.info, state.first = fence[1], fence[2].strip(), True


def _code_line(state: _Open, line: str, chunks: list[Chunk]) -> None:
    text = line.strip(" ")
    if not state.middle and len(text) >= len(state.fence) and not text.strip(state.fence[0]):
        _close(state, chunks)
        return
    state.middle = False
    kept = line[min(len(line) - len(line.lstrip(" ")), state.indent) :]
    state.lines.append(kept)
    state.size += len(kept) + 1
    if state.size >= CHUNK_CHARACTERS or len(state.lines) >= SLICE_LINES:
        _continue(state, chunks)


def _begin(state: _Open, kind: Kind, margin: int, line: str | None) -> None:
    state.kind, state.margin = kind, margin
    if kind != "item":
        state.depth = len(state.offsets)
    if line is not None:
        _add(state, line.lstrip(" "), len(line) - len(line.lstrip(" ")))


def _add(state: _Open, text: str, indent: int) -> None:
    kept = " " * max(0, indent - state.margin) + text
    state.lines.append(kept)
    state.size += len(kept) + 1


def _base(offsets: list[int], indent: int) -> int:
    """The list content that a line of this indentation belongs to."""
    return next((offset for offset in reversed(offsets) if offset <= indent), 0)


def _continue(state: _Open, chunks: list[Chunk]) -> None:
    """Close the open chunk for its size; what follows belongs to it."""
    kind, margin, head = state.kind, state.margin, state.lines[:2]
    fence, info, indent = state.fence, state.info, state.indent
    _close(state, chunks)
    if kind == "code":
        state.kind, state.margin, state.first = "code", margin, False
        state.fence, state.info, state.indent = fence, info, indent
    elif kind == "table":
        state.kind, state.margin, state.lines, state.hidden = "table", margin, head, 2
    else:
        state.margin = margin


def _close(state: _Open, chunks: list[Chunk]) -> None:
    kind = state.kind
    if kind and not (kind == "code" and not state.lines and not state.first) and len(state.lines) > state.hidden - 1:
        shown: ChunkKind = "code" if kind in ("code", "indented") else "table" if kind == "table" else "prose"
        lines = [line[4:] for line in state.lines] if kind == "indented" else state.lines
        if len(lines) > state.hidden or not state.hidden:
            chunks.append(
                Chunk(
                    kind=shown,
                    text=Clean("\n".join(lines)),
                    margin=state.margin,
                    depth=state.depth,
                    gap=state.blank and state.joiner == NEWLINE,
                    joiner=state.joiner,
                    hidden=state.hidden,
                    info=Clean(state.info) if kind == "code" else NOTHING,
                    first=state.first,
                )
            )
        state.blank = False
    state.kind, state.lines, state.size, state.hidden = "", [], 0, 0
    state.joiner = NEWLINE
    state.fence, state.info, state.first = "", "", True
