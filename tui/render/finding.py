"""Searching a transcript: what the items hold when they are unfolded, counted in small steps. Pure.

Hits are found in what a person would read, not in its source: a search for two words finds them across the marks of
Markdown and over the end of a wrapped line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from runner.log import AppendLog
from runner.state import Item, TextItem, UserItem
from tui.render.blocks import safe_chunk_lines
from tui.render.clean import Clean, Sanitiser
from tui.render.groups import Together
from tui.render.item_view import View
from tui.render.items import view_of
from tui.render.lines import NEWLINE, PLAIN, Line, plain_text
from tui.render.model import TranscriptModel
from tui.render.splitter import Chunk, Splitter

PORTION: Final = 2048
"""Characters of a text that are taken apart in one step."""

WIDE: Final = 100_000
"""Cells: a width at which nothing is wrapped."""

_WORD = re.compile(r"[^\W_]+")
_MARK = re.compile(r"[␀-␡⟦⟧]")


class Needle:
    """What is searched for: as it is written, and without regard to capitals unless there is one in it."""

    def __init__(self, words: str) -> None:
        self.words = words
        flags = 0 if any(letter.isupper() for letter in words) else re.IGNORECASE
        self.pattern = re.compile(re.escape(words), flags)
        # A source that lacks one of the words cannot give a text that has all of them; marks are made from nothing.
        found = [] if _MARK.search(words) else _WORD.findall(words)
        self._parts = [re.compile(re.escape(part), flags) for part in found]

    def may_be_in(self, source: str) -> bool:
        return all(part.search(source) is not None for part in self._parts)

    def count(self, text: str) -> int:
        return sum(1 for _ in self.pattern.finditer(text))


class Piece(NamedTuple):
    """A part of a hit on one line: characters start to end of all that is seen of it."""

    row: int
    start: int
    end: int


def matches(lines: Sequence[Line], needle: Needle) -> list[list[Piece]]:
    """The hits in the lines of a block, each with its parts, where a wrapped line ends in the middle of it."""
    found: list[list[Piece]] = []
    first = 0
    for row in range(1, len(lines) + 1):
        if row == len(lines) or lines[row].joiner == NEWLINE:
            found.extend(_in_paragraph(lines, first, row, needle))
            first = row
    return found


def _in_paragraph(lines: Sequence[Line], first: int, last: int, needle: Needle) -> Iterator[list[Piece]]:
    starts: list[int] = []
    text = ""
    for row in range(first, last):
        text += str(lines[row].joiner) if row > first else ""
        starts.append(len(text))
        text += lines[row].plain
    for hit in needle.pattern.finditer(text):
        pieces: list[Piece] = []
        for row, start in enumerate(starts, first):
            line = lines[row]
            begin, end = max(hit.start(), start), min(hit.end(), start + len(line.plain))
            if begin < end:
                pieces.append(Piece(row, begin - start + line.lead, end - start + line.lead))
        yield pieces or [Piece(first, lines[first].lead, lines[first].lead)]


class Hit(NamedTuple):
    """The nth hit (from 0) in a block of an item that is shown unfolded and whole; the block is the item's own."""

    section: int
    block: int
    nth: int


class Entry:
    """The hits of one item, by its blocks; it goes on from where it was when a text grows."""

    __slots__ = (
        "_final",
        "_needle",
        "_pieces",
        "_sanitiser",
        "_settled",
        "_splitter",
        "blocks",
        "count",
        "item",
        "view",
    )

    def __init__(self, view: View, needle: Needle) -> None:
        self.view = view
        self.item: Item | Together | None = None
        self.blocks: list[tuple[int, int]] = []
        self.count = 0
        self._needle = needle
        self._restart()

    def _restart(self) -> None:
        self._sanitiser, self._splitter = Sanitiser(), Splitter()
        self._pieces = AppendLog[str]()
        self._final = 0
        self._settled: list[tuple[int, int]] = []

    def look(self) -> Iterator[None]:
        """Look through the item as it is now, a step at a time."""
        item = self.item = self.view.item
        match item:
            case TextItem():
                yield from self._text(item)
            case UserItem(text=text) if not self._needle.may_be_in(text):
                self._put([])
            case _:
                yield from self._blocks(item)

    def _put(self, blocks: list[tuple[int, int]]) -> None:
        self.blocks = blocks
        self.count = sum(number for _, number in blocks)

    def _blocks(self, item: Item | Together) -> Iterator[None]:
        twin = view_of(item)
        twin.show_whole()
        twin.build()
        found: list[tuple[int, int]] = []
        for at, block in enumerate(twin.blocks):
            text = plain_text(block.render(WIDE)) if block.found is None else block.found()
            if text and (number := self._needle.count(text)):
                found.append((at, number))
            yield
        self._put(found)

    def _text(self, item: TextItem) -> Iterator[None]:
        pieces, first = item.pieces, int(item.what == "reasoning")
        seen = len(self._pieces)
        if len(pieces) < seen or (seen and pieces[seen - 1] is not self._pieces[seen - 1]) or not item.live:
            self._restart()
            seen = 0
        new = "".join(pieces[seen:])
        self._pieces = pieces
        if not item.live and not self._needle.may_be_in(new):
            self._put([])
            return
        splitter = self._splitter
        for at in range(0, len(new), PORTION):
            splitter.feed(self._sanitiser.feed(new[at : at + PORTION]))
            yield
        if not item.live:
            splitter.feed(self._sanitiser.finish())
            splitter.finish()
        while self._final < len(splitter.chunks):
            self._add(self._settled, first + self._final, splitter.chunks[self._final])
            self._final += 1
            yield
        found = self._settled.copy()
        if item.live:
            for at, chunk in enumerate(splitter.tail(), first + self._final):
                self._add(found, at, chunk)
        else:
            # What was taken apart is not needed any more, and there may be megabytes of it.
            self._restart()
        self._put(found)

    def _add(self, found: list[tuple[int, int]], at: int, chunk: Chunk) -> None:
        if self._needle.may_be_in(chunk.text) and (number := self._needle.count(_read(chunk))):
            found.append((at, number))


def _read(chunk: Chunk) -> Clean:
    """What a person reads of a chunk."""
    if chunk.kind == "code":
        return chunk.text
    return plain_text(safe_chunk_lines(chunk, WIDE, PLAIN))


def first_in(view: View, needle: Needle) -> tuple[int, int] | None:
    """The block and the number in it of the first hit of an item; looks through all of it at once."""
    entry = Entry(view, needle)
    for _ in entry.look():
        pass
    return (entry.blocks[0][0], 0) if entry.blocks else None


class Finder:
    """The hits of a needle in a transcript that may grow. step() does the work; the rest only reads what is known."""

    def __init__(self, model: TranscriptModel, words: str) -> None:
        self.needle = Needle(words)
        self._model = model
        self._settled: list[Entry] = []
        self._tail: list[Entry] = []
        self._settled_count = 0
        self._job: Iterator[None] | None = None
        self._current: tuple[View, int, int] | None = None

    @property
    def total(self) -> int:
        """Hits known so far."""
        return self._settled_count + sum(entry.count for entry in self._tail)

    def step(self, enough: Callable[[], bool]) -> bool:
        """Look on until that is enough for now; whether there is more to look through."""
        while True:
            if self._job is None:
                self._job = self._next()
                if self._job is None:
                    return False
            if next(self._job, self) is self:
                self._job = None
            if enough():
                return True

    def _next(self) -> Iterator[None] | None:
        sections, settled = self._model.document.sections, self._model.settled
        known = len(self._settled)
        if known > settled or (known and sections[known - 1].view is not self._settled[-1].view):
            # Another session is shown, or what was shown is gone.
            self._settled, self._tail, self._settled_count, known = [], [], 0, 0
        if known < settled:
            return self._settle(sections[known].view)
        for at, section in enumerate(sections[settled:]):
            if at >= len(self._tail) or self._tail[at].view is not section.view:
                self._tail[at:] = [Entry(section.view, self.needle)]
            if self._tail[at].item is not section.view.item:
                return self._tail[at].look()
        del self._tail[len(sections) - settled :]
        return None

    def _settle(self, view: View) -> Iterator[None]:
        if self._tail and self._tail[0].view is view:
            entry = self._tail.pop(0)
        else:
            entry = Entry(view, self.needle)
            self._tail = []
        if entry.item is not view.item:
            yield from entry.look()
        self._settled.append(entry)
        self._settled_count += entry.count

    def _entries(self) -> list[Entry]:
        return [*self._settled, *self._tail]

    @property
    def current(self) -> Hit | None:
        """The hit that was gone to, while it is there."""
        return None if self._current is None else self._place(*self._current)

    def _place(self, view: View, block: int, nth: int) -> Hit | None:
        for section, entry in enumerate(self._entries()):
            if entry.view is view:
                return Hit(section, block, nth) if dict(entry.blocks).get(block, 0) > nth else None
        return None

    def arrived(self, view: View, block: int, nth: int) -> None:
        """A hit was gone to that may not be known here yet."""
        self._current = (view, block, nth)

    def forget_current(self) -> None:
        self._current = None

    def number(self, hit: Hit) -> int:
        """Which one it is, from 1."""
        entries = self._entries()
        before = sum(entry.count for entry in entries[: hit.section])
        inside = sum(number for block, number in entries[hit.section].blocks if block < hit.block)
        return before + inside + hit.nth + 1

    def near(self, section: int, block: int, *, all_known: bool) -> Hit | None:
        """The first hit from a place on, else the last one before it, and make it the current one. Before all is
        known, None where none from there on is known yet."""
        entries = self._entries()
        for at in range(section, len(entries)):
            for own, _ in entries[at].blocks:
                if at > section or own >= block:
                    return self._go(Hit(at, own, 0))
        return self._last(entries) if all_known else None

    def _last(self, entries: Sequence[Entry]) -> Hit | None:
        for at in range(len(entries) - 1, -1, -1):
            if entries[at].blocks:
                block, number = entries[at].blocks[-1]
                return self._go(Hit(at, block, number - 1))
        return None

    def move(self, by: int) -> Hit | None:
        """The next hit (by = 1) or the one before (-1), around the ends, and make it the current one."""
        current = self.current
        if current is None:
            return None
        entries = self._entries()
        hits = entries[current.section].blocks
        at = next(at for at, (block, _) in enumerate(hits) if block == current.block)
        if 0 <= current.nth + by < hits[at][1]:
            return self._go(current._replace(nth=current.nth + by))
        if 0 <= at + by < len(hits):
            block, number = hits[at + by]
            return self._go(Hit(current.section, block, 0 if by > 0 else number - 1))
        count = len(entries)
        for away in range(1, count + 1):
            section = (current.section + by * away) % count
            if entries[section].blocks:
                block, number = entries[section].blocks[0 if by > 0 else -1]
                return self._go(Hit(section, block, 0 if by > 0 else number - 1))
        return None

    def _go(self, hit: Hit) -> Hit:
        self._current = (self._entries()[hit.section].view, hit.block, hit.nth)
        return hit
