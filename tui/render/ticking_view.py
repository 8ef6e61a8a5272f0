"""What the views of a tool call and of a person's own command have in common: they run for a while, and print."""

from __future__ import annotations

from collections import deque
from typing import Final, Generic, TypeVar

from runner.log import AppendLog
from runner.state import CallItem, CommandItem, Item
from tui.render import calls
from tui.render.clean import Clean, Sanitiser
from tui.render.groups import Together
from tui.render.item_view import View, ViewKind
from tui.render.lines import plain_text

_WIDE: Final = 100_000
"""Cells: a width at which nothing is wrapped or shortened."""

Ran = TypeVar("Ran", CallItem, CommandItem)


class TickingView(View, Generic[Ran]):
    """Folded to one line or a few, until it is unfolded."""

    kind: ViewKind = "call"
    foldable = True

    def __init__(self, item: Ran) -> None:
        super().__init__(item.item_id)
        self._item: Ran = item
        self._running: int | None = None
        self._live = LiveOutput()

    def _since(self) -> float | None:
        """When what runs now began, on the run's monotonic clock; None while nothing runs."""
        raise NotImplementedError

    def _of(self, item: Item | Together) -> Ran | None:
        """The item, if it is one of this view's kind."""
        raise NotImplementedError

    @property
    def item(self) -> Item | Together:
        return self._item

    def update(self, item: Item | Together) -> int | None:
        mine = self._of(item)
        if mine is None:
            return None
        if mine is self._item:
            return len(self.blocks)
        self._item = mine
        return self.refresh() if self.built else 0

    def tick(self, now: float) -> int:
        """Show how long it runs at this moment of the run's monotonic clock, in seconds."""
        since = self._since()
        running = None if since is None else max(0, int(now - since))
        if running == self._running:
            return len(self.blocks)
        self._running = running
        return self.refresh() if self.built else 0

    def copy(self) -> Clean:
        """All of it, also what is folded or left out on the screen."""
        twin = type(self)(self._item)
        twin.show_whole()
        twin.build()
        return plain_text([line for block in twin.blocks for line in block.render(_WIDE)])


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

    def update(self, item: CallItem | CommandItem) -> None:
        pieces = item.live_output
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
