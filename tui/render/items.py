"""Views: what the transcript keeps for an item while it is shown; the item itself is never changed."""

from __future__ import annotations

from typing import Final

from runner.log import AppendLog
from runner.state import CallItem, CommandItem, EventItem, Item, TextItem, UserItem
from tui import words
from tui.render.blocks import Block, TextStream, estimated_lines, prefix_of, text_block
from tui.render.call_view import CallView
from tui.render.clean import Clean, clean, copied
from tui.render.command_view import CommandView
from tui.render.facts import EventView, RunnerView
from tui.render.groups import Together
from tui.render.item_view import INDENT, View, ViewKind, fold_line
from tui.render.lines import Ink

_USER: Final = Ink("text.user")
_QUEUED: Final = Ink("state.queued", italic=True)
_REASONING: Final = Ink("text.reasoning")
_REFUSAL: Final = Ink("text.error")


class UserView(View):
    kind: ViewKind = "user"

    def __init__(self, item: UserItem) -> None:
        super().__init__(item.item_id)
        self._item = item

    @property
    def item(self) -> Item | Together:
        return self._item

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
        return copied(self._item.text)

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

    @property
    def item(self) -> Item | Together:
        return self._item

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
        return copied(self._item.text)


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

    @property
    def item(self) -> Item | Together:
        return self._item

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
        return copied(self._item.text)

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
        case CommandItem():
            return CommandView(item)
        case EventItem() | Together():
            return EventView(item)
