"""Views: what the transcript keeps for an item while it is shown; the item itself is never changed."""

from __future__ import annotations

from collections import deque
from typing import Final

from runner.log import AppendLog
from runner.state import CallItem, EventItem, Item, TextItem, UserItem
from tui import words
from tui.render import calls
from tui.render.blocks import Block, TextStream, estimated_lines, prefix_of, text_block
from tui.render.clean import Clean, Sanitiser, clean, clean_output
from tui.render.facts import EventView, RunnerView
from tui.render.groups import Together
from tui.render.item_view import INDENT, View, ViewKind, fold_line
from tui.render.lines import Ink, plain_text

_USER: Final = Ink("text.user")
_QUEUED: Final = Ink("state.queued", italic=True)
_REASONING: Final = Ink("text.reasoning")
_REFUSAL: Final = Ink("text.error")


class UserView(View):
    kind: ViewKind = "user"

    def __init__(self, item: UserItem) -> None:
        super().__init__(item.item_id)
        self._item = item

    def update(self, item: Item | Together) -> int | None:
        if not isinstance(item, UserItem):
            return None
        if item is self._item or (item.text, item.queued) == (self._item.text, self._item.queued):
            self._item = item
            return len(self.blocks)
        self._item = item
        return self.refresh() if self.built else 0

    def estimate(self, width: int) -> int:
        return estimated_lines(len(self._item.text), self._item.text.count("\n"), width)

    def copy(self) -> Clean:
        return clean(self._item.text, tab=4)

    def _make(self) -> list[Block]:
        text = clean(self._item.text.strip("\n"), tab=4)
        if not self._item.queued:
            return [text_block(text, _USER, first=prefix_of("┃ ", _USER), key=("user", text))]
        first, rest = prefix_of("┊ not delivered ", _QUEUED), prefix_of("┊ ", _QUEUED)
        return [text_block(text, _QUEUED, first=first, rest=rest, key=("queued", text))]


class TextView(View):
    """The answer, or a refusal."""

    kind: ViewKind = "text"

    def __init__(self, item: TextItem) -> None:
        super().__init__(item.item_id)
        self._item = item
        self._stream = TextStream(base=_REFUSAL if item.what == "refusal" else Ink())

    def update(self, item: Item | Together) -> int | None:
        if not isinstance(item, TextItem) or item.what != self._item.what:
            return None
        if item is self._item:
            return len(self.blocks)
        self._item = item
        return self.refresh() if self.built else 0

    def refresh(self) -> int:
        item, stream = self._item, self._stream
        shown = len(stream.blocks)
        first = stream.update(item.pieces, done=not item.live)
        # What stands below the text (nothing, or one note) is replaced whenever the text is.
        notes = _note(item)
        if first == shown == len(stream.blocks) and len(self.blocks) == shown + len(notes):
            return len(self.blocks)
        self.blocks[first:] = stream.blocks[first:]
        self.blocks.extend(notes)
        return first

    def estimate(self, width: int) -> int:
        if self.built:
            return super().estimate(width)
        pieces = self._item.pieces
        return sum(estimated_lines(len(piece), piece.count("\n"), width) - 1 for piece in pieces) + 1

    def copy(self) -> Clean:
        return clean(self._item.text.replace("\r\n", "\n").replace("\r", "\n"), tab=4)


def _note(item: TextItem) -> list[Block]:
    if item.interrupted:
        return [text_block(Clean("■ interrupted here"), Ink("state.cancelled"), key="interrupted")]
    return []


class ReasoningView(View):
    """One line, until it is unfolded."""

    kind: ViewKind = "reasoning"
    foldable = True

    def __init__(self, item: TextItem) -> None:
        super().__init__(item.item_id)
        self._item = item
        self._stream: TextStream | None = None
        self._words = 0
        self._counted = AppendLog[str]()

    def update(self, item: Item | Together) -> int | None:
        if not isinstance(item, TextItem) or item.what != "reasoning":
            return None
        if item is self._item:
            return len(self.blocks)
        self._item = item
        return self.refresh() if self.built else 0

    def refresh(self) -> int:
        header = self._header()
        unchanged = bool(self.blocks) and self.blocks[0].same(header)
        if not self.expanded:
            self._stream = None
            old = len(self.blocks)
            self.blocks[:] = self.blocks[:1] if unchanged else [header]
            return 1 if unchanged and old == 1 else int(unchanged)
        if self._stream is None:
            self._stream = TextStream(base=_REASONING, indent=INDENT)
        shown = len(self._stream.blocks)
        first = self._stream.update(self._item.pieces, done=not self._item.live)
        if len(self.blocks) != shown + 1:
            first = 0
        if not unchanged:
            self.blocks[:1] = [header]
        self.blocks[first + 1 :] = self._stream.blocks[first:]
        return first + 1 if unchanged else 0

    def copy(self) -> Clean:
        return clean(self._item.text.replace("\r\n", "\n"), tab=4)

    def _header(self) -> Block:
        item = self._item
        count = words.count(self._count(), "word")
        if item.live:
            text = f"thinking · {count}"
        elif item.seconds is not None:
            text = f"thought for {words.duration(item.seconds)} · {count}"
        else:
            text = f"thought · {count}"
        if item.interrupted:
            text += " · interrupted"
        return fold_line(Clean(text), self.expanded, Ink("text.reasoning", italic=True))

    def _count(self) -> int:
        pieces = self._item.pieces
        seen = len(self._counted)
        if len(pieces) < seen or (seen and pieces[seen - 1] is not self._counted[seen - 1]):
            self._words, seen, self._counted = 0, 0, AppendLog[str]()
        new = pieces[seen:]
        if new:
            joined = "".join(new)
            self._words += len(joined.split())
            before = self._counted[-1] if len(self._counted) else " "
            # A word that was cut by the end of a piece is one word.
            if joined and before and not joined[0].isspace() and not before[-1].isspace():
                self._words -= 1
            self._counted = pieces
        return self._words


class CallView(View):
    """One line, until it is unfolded."""

    kind: ViewKind = "call"
    foldable = True

    def __init__(self, item: CallItem) -> None:
        super().__init__(item.item_id)
        self._item = item
        self._running: int | None = None
        self._live = LiveOutput()

    def update(self, item: Item | Together) -> int | None:
        if not isinstance(item, CallItem):
            return None
        if item is self._item:
            return len(self.blocks)
        self._item = item
        return self.refresh() if self.built else 0

    def tick(self, now: float) -> int:
        """Show how long it runs at this moment of the run's monotonic clock, in seconds."""
        item = self._item
        running: int | None = None
        if item.phase == "running" and item.started_mono is not None:
            running = max(0, int(now - item.started_mono))
        if running == self._running:
            return len(self.blocks)
        self._running = running
        return self.refresh() if self.built else 0

    def copy(self) -> Clean:
        call = self._item
        lines = [calls.header_line(call, 200), *calls.detail_lines(call, 200)]
        if call.phase == "finished":
            output = calls.result_lines(call, 200) or calls.output_lines(clean_output(calls.output_text(call)), 200)
            lines.extend(output)
        return plain_text(lines)

    def _make(self) -> list[Block]:
        call, expanded, running = self._item, self.expanded, self._running
        header = Block(render=lambda width: [calls.header_line(call, width, running=running)])
        if not expanded:
            always = bool(calls.always_lines(call, 40))
            return (
                [header, Block(render=lambda width: calls.always_lines(call, width), newlines=3)]
                if always
                else [header]
            )
        return [header, Block(render=lambda width: calls.detail_lines(call, width)), *self._output(), self._ending()]

    def _output(self) -> list[Block]:
        call = self._item
        if call.phase == "finished" or calls.result_lines(call, 40) is not None:
            special = calls.result_lines(call, 40) is not None
            text = clean_output(calls.output_text(call))
            failed = call.status not in ("ok", None)
            shown = text if not special or failed else Clean("")
            blocks = [Block(render=lambda width: calls.result_lines(call, width) or [], newlines=10)] if special else []
            if shown:
                blocks.append(_output_block(shown, failed=failed))
            return blocks
        self._live.update(call)
        text = self._live.text
        return [_output_block(text, earlier=self._live.earlier)] if text else []

    def _ending(self) -> Block:
        call = self._item
        return Block(render=lambda width: calls.ending_lines(call, width))


def _output_block(text: Clean, *, failed: bool = False, earlier: int = 0) -> Block:
    return Block(
        render=lambda width: calls.output_lines(text, width, failed=failed, earlier=earlier),
        length=min(len(text), calls.OUTPUT_LINES * 80),
        newlines=min(text.count("\n"), calls.OUTPUT_LINES),
        key=(text, failed, earlier),
    )


class LiveOutput:
    """The last lines that a running call printed, cleaned as they come."""

    def __init__(self, kept: int = calls.OUTPUT_LINES) -> None:
        self._kept = kept
        self._restart()

    def _restart(self) -> None:
        self._sanitiser = Sanitiser(tab=8, progress=True)
        self._lines: deque[str] = deque(maxlen=self._kept)
        self._count = 0
        self._pieces = AppendLog[str]()

    def update(self, call: CallItem) -> None:
        pieces = call.live_output
        seen = len(self._pieces)
        if len(pieces) < seen or (seen and pieces[seen - 1] is not self._pieces[seen - 1]):
            self._restart()
            seen = 0
        new = pieces[seen:]
        self._pieces = pieces
        if new:
            rows = self._sanitiser.feed("".join(new)).split("\n")
            rows.pop()
            self._lines.extend(rows)
            self._count += len(rows)

    @property
    def text(self) -> Clean:
        partial = self._sanitiser.partial
        return Clean("\n".join([*self._lines, partial] if partial else self._lines))

    @property
    def earlier(self) -> int:
        """Lines that were printed before those in the text."""
        return self._count - len(self._lines)


def view_of(item: Item | Together) -> View:
    match item:
        case UserItem(by="runner"):
            return RunnerView(item)
        case UserItem():
            return UserView(item)
        case TextItem(what="reasoning"):
            return ReasoningView(item)
        case TextItem():
            return TextView(item)
        case CallItem():
            return CallView(item)
        case EventItem() | Together():
            return EventView(item)
