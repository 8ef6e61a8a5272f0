"""What every view of an item has in common: its blocks, and whether it is unfolded."""

from __future__ import annotations

from typing import Final, Literal

from runner.state import Item
from tui.render.blocks import Block, prefix_of
from tui.render.clean import Clean
from tui.render.groups import Together
from tui.render.lines import MUTED, NOTHING, Ink, Line, Span, plain_text

ViewKind = Literal["user", "text", "reasoning", "call", "event"]

INDENT: Final = prefix_of("  ", MUTED)


class View:
    """The blocks of one item. They are built when they are first needed; until then there is only an estimate."""

    kind: ViewKind = "event"
    foldable = False
    opens = ""
    """The key that opens all of the current item, named where something is left out."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.blocks: list[Block] = []
        self.built = False
        self.expanded = False
        self.whole = False

    @property
    def item(self) -> Item | Together:
        """What is shown, as it is now."""
        raise NotImplementedError

    def build(self) -> None:
        if not self.built:
            self.built = True
            self.refresh()

    def refresh(self) -> int:
        """Bring the blocks up to date; gives the index of the first one that changed."""
        return self._replace(self._make())

    def update(self, item: Item | Together) -> int | None:
        """Show a newer state of the item. None: it is another kind of item, and needs a view of its own."""
        raise NotImplementedError

    def fold(self, expanded: bool) -> int:
        self.expanded = expanded
        self.whole = False
        return self.refresh() if self.built else 0

    def show_whole(self) -> int:
        """Unfold it with nothing left out; gives the index of the first block that changed."""
        self.expanded = self.whole = True
        return self.refresh() if self.built else 0

    def estimate(self, width: int) -> int:
        return sum(block.estimate(width) for block in self.blocks) if self.built else 1

    def copy(self) -> Clean:
        """The item as plain text, without borders or padding."""
        self.build()
        return plain_text([line for block in self.blocks for line in block.render(200)])

    def _make(self) -> list[Block]:
        raise NotImplementedError

    def _replace(self, new: list[Block]) -> int:
        same = 0
        while same < min(len(self.blocks), len(new)) and self.blocks[same].same(new[same]):
            same += 1
        self.blocks[same:] = new[same:]
        return same


def fold_line(text: Clean, expanded: bool, ink: Ink) -> Block:
    """One line that folds and unfolds what is below it."""
    mark = Span(Clean("▾ " if expanded else "▸ "), ink._replace(italic=False))
    line = Line(spans=(mark, Span(text, ink)), lead=2, action=True)
    return Block(render=lambda width: [line], length=len(text), key=(text, expanded), found=lambda: NOTHING)
