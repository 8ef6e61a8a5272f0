"""Views of what happened to a run: one line each, more where there is more to say."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from runner.events import Event
from runner.state import EventItem, Item, UserItem
from tui import words
from tui.render.blocks import Block, chunk_block, prefix_of, text_block
from tui.render.clean import Clean, clean
from tui.render.groups import Together
from tui.render.item_view import INDENT, View, ViewKind, fold_line
from tui.render.lines import MUTED, Ink, Line, Span, fit, spans_of
from tui.render.splitter import split
from tui.render.wording import Notice, notice

_ADVICE: Final = Ink("foreground")
_FOLDED: Final = Ink("text.reasoning")
_BULLET: Final = prefix_of("  · ", MUTED)
_DEEPER: Final = prefix_of("    ", MUTED)
LONGEST_MESSAGE: Final = 20_000
"""Characters of a folded text that are shown; a summary is far shorter."""


class EventView(View):
    """A fact, or a few that belong together."""

    kind: ViewKind = "event"

    def __init__(self, item: EventItem | Together) -> None:
        super().__init__(item.item_id)
        self._item: EventItem | Together = item
        self._events = _events(item)
        self._notice: Notice | None = None

    @property
    def item(self) -> Item | Together:
        return self._item

    @property
    def foldable(self) -> bool:
        return bool(self._shown().folded)

    def update(self, item: Item | Together) -> int | None:
        if not isinstance(item, EventItem | Together):
            return None
        events = _events(item)
        same = len(events) == len(self._events) and all(
            one is other for one, other in zip(events, self._events, strict=True)
        )
        if same:
            return len(self.blocks)
        self._item, self._events, self._notice = item, events, None
        return self.refresh() if self.built else 0

    def _shown(self) -> Notice:
        if self._notice is None:
            self._notice = notice(*self._events)
        return self._notice

    def copy(self) -> Clean:
        """All of it, also what is cut or folded on the screen."""
        shown = self._shown()
        parts = (shown.text, *shown.details, shown.folded, shown.advice)
        return Clean("\n".join(part for part in parts if part))

    def _make(self) -> list[Block]:
        shown = self._shown()
        blocks = [_head(shown, self.expanded)]
        bullet, rest = (_BULLET, _DEEPER) if shown.listed and len(shown.details) > 1 else (INDENT, INDENT)
        blocks.extend(
            text_block(line, MUTED, first=bullet, rest=rest, key=(shown, line, at))
            for at, line in enumerate(shown.details)
        )
        if self.expanded and shown.folded:
            blocks.extend(_unfolded(shown, whole=self.whole))
        if shown.advice:
            blocks.append(text_block(shown.advice, _ADVICE, first=prefix_of("→ ", _ADVICE), rest=INDENT, key=shown))
        return blocks


def _events(item: EventItem | Together) -> tuple[Event, ...]:
    return item.events if isinstance(item, Together) else (item.event,)


def _head(shown: Notice, expanded: bool) -> Block:
    """The first line; a mark at its end says that there is more."""
    ink = Ink(shown.colour)
    glyph = prefix_of(f"{shown.glyph} ", ink)
    mark = Clean("" if not shown.folded else " ▾" if expanded else " ▸")
    if not shown.one_line:
        block = text_block(Clean(shown.text + mark), ink, first=glyph, rest=INDENT, key=(shown, expanded))
        return _clickable(block) if mark else block

    def render(width: int) -> list[Line]:
        text = fit(shown.text, max(8, width - 2 - len(mark)))
        return [Line(spans=(*glyph, *spans_of(text, ink), Span(mark, MUTED)), lead=2, action=bool(mark))]

    return Block(render=render, length=1, key=(shown, expanded))


def _clickable(block: Block) -> Block:
    def render(width: int) -> list[Line]:
        return [replace(line, action=True) for line in block.render(width)]

    return replace(block, render=render)


def _unfolded(shown: Notice, *, whole: bool) -> list[Block]:
    text = shown.folded
    if len(text) > LONGEST_MESSAGE and not whole:
        text = Clean(f"{text[:LONGEST_MESSAGE]}…")
    if not shown.markdown:
        return [text_block(text, _FOLDED, first=_DEEPER, key=(shown, "folded"))]
    return [
        chunk_block(chunk, base=_FOLDED, indent=_DEEPER, gap=chunk.gap and at > 0)
        for at, chunk in enumerate(split(text))
    ]


class RunnerView(View):
    """A request of Quarterdeck's own to the model: quiet, and its text folded."""

    kind: ViewKind = "event"
    foldable = True

    def __init__(self, item: UserItem) -> None:
        super().__init__(item.item_id)
        self._item = item

    @property
    def item(self) -> Item | Together:
        return self._item

    def update(self, item: Item | Together) -> int | None:
        if not isinstance(item, UserItem) or item.by != "runner":
            return None
        changed = item.text != self._item.text
        self._item = item
        return (self.refresh() if self.built else 0) if changed else len(self.blocks)

    def copy(self) -> Clean:
        return clean(self._item.text, tab=4)

    def _make(self) -> list[Block]:
        text = clean(self._item.text.strip("\n"), tab=4)
        short = Clean(words.cut(f"Quarterdeck asks the model: {words.one_line(text)}", 60))
        line = fold_line(short, self.expanded, Ink("text.system", italic=True))
        if not self.expanded:
            return [line]
        return [line, text_block(text, _FOLDED, first=_DEEPER, key=("runner", text))]
