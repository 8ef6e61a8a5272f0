"""The view of a tool call: one line, and below it, when unfolded, what it was asked, printed and changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runner.state import CallItem, Item
from tui import words
from tui.render import calls
from tui.render.blocks import Block
from tui.render.clean import Clean, clean_output
from tui.render.groups import Together
from tui.render.lines import MUTED, NOTHING, Line, Span
from tui.render.results import INDENT, bounded
from tui.render.ticking_view import TickingView

HEAD: Final = 150
"""Lines shown from the beginning of a long output that is complete, before those that are left out."""

SLICE: Final = 50
"""Lines of output in one block, so that a long one is only rendered where it is seen."""


class CallView(TickingView[CallItem]):
    """One line, until it is unfolded."""

    def _since(self) -> float | None:
        return self._item.started_mono if self._item.phase == "running" else None

    def _of(self, item: Item | Together) -> CallItem | None:
        return item if isinstance(item, CallItem) else None

    def _make(self) -> list[Block]:
        call, expanded, running = self._item, self.expanded, self._running
        header = Block(
            render=lambda width: [calls.header_line(call, width, running=running)],
            found=lambda: calls.searched_header(call),
        )
        if not expanded:
            always = bool(calls.always_lines(call, 40))
            return (
                [header, Block(render=lambda width: calls.always_lines(call, width), newlines=3)]
                if always
                else [header]
            )
        most = None if self.whole else calls.OUTPUT_LINES
        opens = self.opens
        details = Block(render=lambda width: calls.detail_lines(call, width, most=most, opens=opens))
        return [header, details, *self._output(), self._ending()]

    def _output(self) -> list[Block]:
        call = self._item
        special = calls.is_special(call)
        if call.phase == "finished" or special:
            failed = call.status not in ("ok", None)
            blocks = self._special() if special else []
            if not special or failed:
                blocks.extend(self._text(clean_output(calls.output_text(call)), failed=failed))
            return blocks
        self._live.update(call)
        text = self._live.text
        return [_live_block(text, self._live.earlier)] if text else []

    def _special(self) -> list[Block]:
        """A result that is more than text, with what is left out of it counted."""
        call = self._item
        display, hidden = calls.display_of(call), 0
        if not self.whole and display is not None:
            display, hidden = bounded(display, calls.OUTPUT_LINES)
        shown = display
        blocks = [Block(render=lambda width: calls.special_lines(shown, width) or [], newlines=10)]
        return [*blocks, self._more(hidden)] if hidden else blocks

    def _text(self, text: Clean, *, failed: bool) -> list[Block]:
        """The beginning and the end of a finished output; all of it where nothing may be left out."""
        return output_blocks(text, whole=self.whole, opens=self.opens, failed=failed) if text else []

    def _more(self, hidden: int) -> Block:
        return more_block(hidden, self.opens)

    def _ending(self) -> Block:
        call = self._item
        return Block(render=lambda width: calls.ending_lines(call, width))


def output_blocks(text: Clean, *, whole: bool, opens: str, failed: bool = False) -> list[Block]:
    """A finished output: all of it, or its beginning and its end with the rest counted."""
    rows = text.removesuffix("\n").split("\n")
    hidden = len(rows) - calls.OUTPUT_LINES
    if whole or hidden <= 1:
        return _slices(rows, failed=failed)
    tail = rows[HEAD - calls.OUTPUT_LINES :]
    return [*_slices(rows[:HEAD], failed=failed), more_block(hidden, opens), *_slices(tail, failed=failed)]


def more_block(hidden: int, opens: str, what: str = "") -> Block:
    """Says what is left out; a click shows it here."""
    told = words.count(hidden, what) if what else f"{words.count(hidden, 'line')} more"
    text = Clean(f"… {told}{f': {opens} opens all' if opens else ''}")
    line = Line(spans=(*INDENT, Span(text, MUTED)), lead=len(INDENT[0].text), action=True, more=True)
    return Block(render=lambda width: [line], key=(text, "more"), found=lambda: NOTHING)


def _slices(rows: Sequence[str], *, failed: bool) -> list[Block]:
    return [_slice(Clean("\n".join(rows[at : at + SLICE])), failed) for at in range(0, len(rows), SLICE)]


def _slice(text: Clean, failed: bool) -> Block:
    return Block(
        render=lambda width: calls.output_lines(text, width, failed=failed),
        length=len(text),
        newlines=text.count("\n"),
        key=(text, failed),
        found=lambda: text,
    )


def _live_block(text: Clean, earlier: int) -> Block:
    return Block(
        render=lambda width: calls.output_lines(text, width, earlier=earlier),
        length=min(len(text), calls.OUTPUT_LINES * 80),
        newlines=min(text.count("\n"), calls.OUTPUT_LINES),
        key=(text, earlier),
    )
