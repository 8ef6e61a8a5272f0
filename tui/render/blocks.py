"""Blocks: the immutable pieces that items are shown as, each a few lines high."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final

from runner.log import AppendLog
from tui.render.clean import Clean, Sanitiser
from tui.render.lines import BLANK, PLAIN, Ink, Line, Prefix, Span, spans_of, wrapped
from tui.render.markdown import chunk_lines
from tui.render.splitter import Chunk, Splitter, split

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Block:
    """render gives the lines at a width. length, newlines: of its text, for an estimate of its height.

    key: equal keys mean equal lines, None is equal to nothing else. coloured: its colours depend on a lexer that may
    still be loading. found: the text that a search looks through; without it, that of the lines.
    """

    render: Callable[[int], list[Line]]
    length: int = 1
    newlines: int = 0
    key: Hashable = None
    coloured: bool = False
    found: Callable[[], Clean] | None = None

    def estimate(self, width: int) -> int:
        return estimated_lines(self.length, self.newlines, width)

    def same(self, other: Block) -> bool:
        return self is other or (self.key is not None and self.key == other.key)


def estimated_lines(length: int, newlines: int, width: int) -> int:
    return 1 + newlines + length // max(1, width)


GAP: Final = Block(render=lambda width: [BLANK], key="gap")


def text_block(text: Clean, ink: Ink, *, first: Prefix = (), rest: Prefix | None = None, key: Hashable = None) -> Block:
    """Plain wrapped text."""
    return Block(
        render=lambda width: wrapped(spans_of(text, ink), width, first=first, rest=rest),
        length=len(text),
        newlines=text.count("\n"),
        key=key,
    )


def chunk_block(chunk: Chunk, *, base: Ink = PLAIN, indent: Prefix = (), gap: bool) -> Block:
    def render(width: int) -> list[Line]:
        lines = safe_chunk_lines(chunk, width - sum([len(span.text) for span in indent]), base)
        if indent:
            lines = [
                Line(
                    spans=(*indent, *line.spans),
                    lead=line.lead + sum([len(span.text) for span in indent]),
                    joiner=line.joiner,
                    ground=line.ground,
                )
                for line in lines
            ]
        return [BLANK, *lines] if gap else lines

    return Block(
        render=render,
        length=len(chunk.text),
        newlines=chunk.text.count("\n") + gap,
        key=(chunk, gap),
        coloured=chunk.kind == "code" or "```" in chunk.text or "~~~" in chunk.text,
    )


def safe_chunk_lines(chunk: Chunk, width: int, base: Ink) -> list[Line]:
    """The chunk's lines; plain ones where a parser that is not ours trips over a hostile text."""
    try:
        return chunk_lines(chunk, width, base)
    except Exception:
        logger.exception("a chunk of Markdown is shown as plain text")
        return wrapped(spans_of(chunk.text, base), width)


def prose_blocks(text: Clean) -> list[Block]:
    return [chunk_block(chunk, gap=chunk.gap and index > 0) for index, chunk in enumerate(split(text))]


@dataclass(slots=True)
class TextStream:
    """The blocks of a text that grows: the first ones are final, the last few stand for what may still change."""

    base: Ink = PLAIN
    indent: Prefix = ()
    blocks: list[Block] = field(default_factory=list[Block])
    _sanitiser: Sanitiser = field(default_factory=Sanitiser)
    _splitter: Splitter = field(default_factory=Splitter)
    _pieces: AppendLog[str] = field(default_factory=AppendLog[str])
    _final: int = 0
    _done: bool = False

    def update(self, pieces: AppendLog[str], *, done: bool) -> int:
        """Take in what is new; gives the index of the first block that differs from before."""
        if self._done or not self._extends(pieces):
            if self._done and done and "".join(pieces) == "".join(self._pieces):
                return len(self.blocks)
            self._restart()
        new = pieces[len(self._pieces) :]
        self._pieces = pieces
        if new:
            self._splitter.feed(self._sanitiser.feed("".join(new)))
        if done:
            self._splitter.feed(self._sanitiser.finish())
            self._splitter.finish()
            self._done = True
        return self._refresh()

    def _extends(self, pieces: AppendLog[str]) -> bool:
        """Whether the pieces go on from those seen; a fact may also bring the whole text as one piece."""
        seen = len(self._pieces)
        if len(pieces) >= seen and (not seen or pieces[seen - 1] is self._pieces[seen - 1]):
            return True
        if len(pieces) == 1 and pieces[0] == "".join(self._pieces):
            self._pieces = pieces
            return True
        return False

    def _restart(self) -> None:
        self._sanitiser, self._splitter = Sanitiser(), Splitter()
        self._pieces = AppendLog[str]()
        self._final, self._done = 0, False

    def _refresh(self) -> int:
        """Replace the blocks that were not final, keeping those that come out the same."""
        start = self._final
        chunks = self._splitter.chunks
        tail: Sequence[Chunk] = () if self._done else self._splitter.tail()
        new = [self._block(chunk, at) for at, chunk in enumerate((*chunks[start:], *tail), start)]
        old = self.blocks[start:]
        same = 0
        while same < min(len(old), len(new)) and old[same].same(new[same]):
            same += 1
        self.blocks[start + same :] = new[same:]
        self._final = len(chunks)
        return start + same

    def _block(self, chunk: Chunk, at: int) -> Block:
        return chunk_block(chunk, base=self.base, indent=self.indent, gap=chunk.gap and at > 0)


def prefix_of(text: str, ink: Ink) -> Prefix:
    return (Span(Clean(text), ink),)
