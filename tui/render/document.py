"""Where everything stands: sections (one per item) of blocks of lines, exact where it was seen, estimated elsewhere.

Nothing here depends on how long the document is by more than its logarithm, except a change of the width.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from tui.render.blocks import GAP, Block
from tui.render.clean import Clean
from tui.render.heights import Heights
from tui.render.item_view import View
from tui.render.lines import MUTED, Line, Span, fit

LINES_KEPT: Final = 4096
"""Rendered lines kept, a few screens; what was pushed out is rendered again when it is seen again."""

STAMPED: Final = MUTED._replace(italic=True)

_EXACT_AT_ONCE = 64
"""Changed blocks that are rendered at once; a longer change (a whole stored run) starts as estimates."""


class Place(NamedTuple):
    """A line by what it belongs to, so that it stays the same line when heights above it change."""

    section: int
    block: int
    line: int


STAMP: Final = Block(render=lambda width: [Line()], key="stamp")
"""Stands for the line above an item that says when it was; its words are asked for when it is seen."""


class Section:
    """An item's blocks and their heights. Before them, where it has them, the blank line above it, and its stamp."""

    __slots__ = ("exact", "gap", "heights", "stamp", "stamped", "view")

    def __init__(self, view: View, gap: bool, stamped: bool) -> None:
        self.view = view
        self.gap = int(gap)
        self.stamped = stamped
        self.stamp: Line | None = None
        self.heights: Heights | None = None
        self.exact = bytearray()

    @property
    def lead(self) -> int:
        """Blocks that stand before the item's own."""
        return self.gap + self.stamped

    def block(self, index: int) -> Block:
        if index >= self.lead:
            return self.view.blocks[index - self.lead]
        return GAP if index < self.gap else STAMP

    def __len__(self) -> int:
        return self.lead + len(self.view.blocks)


class Document:
    def __init__(self, width: int = 80) -> None:
        self.width = width
        self.sections: list[Section] = []
        self.stamp_of: Callable[[int], Clean] | None = None
        """Gives the words of a section's stamp; None where none are shown. Change it with set_stamps()."""
        self._heights = Heights()
        self._lines: OrderedDict[Block, list[Line]] = OrderedDict()
        self._kept = 0

    @property
    def total(self) -> int:
        """Lines in all."""
        return self._heights.total

    def append(self, view: View, *, gap: bool) -> None:
        section = Section(view, gap, self.stamp_of is not None)
        self.sections.append(section)
        self._heights.append(section.lead + view.estimate(self.width))

    def truncate(self, count: int) -> None:
        """Keep the first `count` sections."""
        del self.sections[count:]
        self._heights.truncate(count)

    def changed(self, index: int, first: int, *, exact: bool = True) -> None:
        """The blocks of a section's view from `first` on are new. exact: render them now, where they are few."""
        section = self.sections[index]
        if section.heights is None:
            if not section.view.built:
                self._heights.set(index, section.lead + section.view.estimate(self.width))
                return
            self._lay_out(index)
        heights = section.heights
        if heights is None:
            return
        start = section.lead + first
        heights.truncate(start)
        del section.exact[start:]
        exact = exact and len(section) - start <= _EXACT_AT_ONCE
        for at in range(start, len(section)):
            block = section.block(at)
            heights.append(len(self.lines_of(block)) if exact else block.estimate(self.width))
            section.exact.append(exact)
        self._heights.set(index, heights.total)

    def set_width(self, width: int) -> None:
        """Forget every height; what is not on the screen is estimated again."""
        if width == self.width:
            return
        self.width = width
        self._lines.clear()
        self._kept = 0
        self._estimate_all()

    def set_stamps(self, stamp_of: Callable[[int], Clean] | None) -> None:
        """Show a line above each item, or none. Places are others then: see moved()."""
        self.stamp_of = stamp_of
        for section in self.sections:
            section.stamped = stamp_of is not None
            section.stamp = None
        self._estimate_all()

    def moved(self, place: Place) -> Place:
        """Where a place is after stamps came or went."""
        if place.section >= len(self.sections):
            return place
        section = self.sections[place.section]
        if place.block < section.gap or (not section.stamped and place.block == section.gap):
            return place
        return place._replace(block=place.block + (1 if section.stamped else -1))

    def _estimate_all(self) -> None:
        for section in self.sections:
            section.heights = None
            section.exact = bytearray()
        self._heights = Heights(section.lead + section.view.estimate(self.width) for section in self.sections)

    def forget_coloured(self) -> bool:
        """Render code again, in colours that were not there before; heights stay. Whether there was any."""
        found = [block for block in self._lines if block.coloured]
        for block in found:
            self._kept -= len(self._lines.pop(block))
        return bool(found)

    def lines_of(self, block: Block) -> list[Line]:
        lines = self._lines.get(block)
        if lines is not None:
            self._lines.move_to_end(block)
            return lines
        lines = self._lines[block] = block.render(self.width)
        self._kept += len(lines)
        while self._kept > LINES_KEPT and len(self._lines) > 1:
            self._kept -= len(self._lines.popitem(last=False)[1])
        return lines

    def top(self, place: Place) -> int:
        """The position of a place, counted in lines from the beginning; the end where the place is gone."""
        if place.section >= len(self.sections):
            return self.total
        heights = self.sections[place.section].heights
        above = self._heights.before(place.section)
        if heights is None:
            return above
        if place.block >= len(heights):
            return above + heights.total
        return above + heights.before(place.block) + min(place.line, heights[place.block])

    def at(self, position: int) -> Place | None:
        """The place at a position, as the heights stand; None past the end."""
        index, offset = self._heights.find(max(0, position))
        if index >= len(self.sections):
            return None
        heights = self._lay_out(index)
        block, line = heights.find(min(offset, max(0, heights.total - 1)))
        return Place(index, min(block, max(0, len(heights) - 1)), line)

    def arrive(self, position: int, *, upwards: bool) -> Place | None:
        """The place at a position, made exact.

        Coming from below, the distance to the end of what is entered is kept, so that the lines passed go on from
        those that were seen; coming from above, the distance to its beginning.
        """
        index, offset = self._heights.find(max(0, position))
        if index >= len(self.sections):
            return None
        before = self._heights[index]
        heights = self._lay_out(index)
        offset = _carried(offset, before, heights.total, upwards=upwards)
        block, line = heights.find(offset)
        if block >= len(heights):
            return Place(index, max(0, len(heights) - 1), 0)
        before = heights[block]
        return Place(index, block, _carried(line, before, self._settle(index, block), upwards=upwards))

    def settle_down(self, place: Place, rows: int) -> None:
        """Make the heights of the next `rows` lines from a place exact."""
        rows += place.line
        index, block = place.section, place.block
        while rows > 0 and index < len(self.sections):
            count = len(self._lay_out(index))
            while rows > 0 and block < count:
                rows -= self._settle(index, block)
                block += 1
            index, block = index + 1, 0

    def settle_up(self, place: Place, rows: int) -> None:
        """Make the heights of the `rows` lines above a place exact."""
        index, block = place.section, place.block
        if index >= len(self.sections):
            index, block = len(self.sections), 0
        elif place.line:
            rows -= min(place.line, self._settle(index, block))
        block -= 1
        while rows > 0:
            if block < 0:
                index -= 1
                if index < 0:
                    return
                block = len(self._lay_out(index)) - 1
            else:
                rows -= self._settle(index, block)
                block -= 1

    def end(self) -> Place:
        """The place behind the last line."""
        if not self.sections:
            return Place(0, 0, 0)
        index = len(self.sections) - 1
        heights = self._lay_out(index)
        last = len(heights) - 1
        return Place(index, max(0, last), heights[last] if last >= 0 else 0)

    def height(self, place: Place) -> int:
        """Lines of the block at a place, as far as they are known; 0 where the place is gone."""
        if place.section >= len(self.sections):
            return 0
        heights = self.sections[place.section].heights
        return heights[place.block] if heights is not None and place.block < len(heights) else 0

    def scaled(self, place: Place, old_height: int) -> Place:
        """The place after the width changed, as far into its block as it was."""
        if place.section >= len(self.sections) or place.block >= len(self._lay_out(place.section)):
            return place
        height = self._settle(place.section, place.block)
        line = place.line if place.line == 0 or not old_height else place.line * height // old_height
        return Place(place.section, place.block, min(line, height))

    def window(self, place: Place, rows: int) -> list[tuple[Place, Line]]:
        """The next `rows` lines from a place, fewer at the end."""
        found: list[tuple[Place, Line]] = []
        index, block, line = place
        while index < len(self.sections):
            for at in range(block, len(self._lay_out(index))):
                lines = self.lines_at(index, at)
                for number in range(line if at == block else 0, len(lines)):
                    found.append((Place(index, at, number), lines[number]))
                    if len(found) == rows:
                        return found
            index, block, line = index + 1, 0, 0
        return found

    def lines_between(self, first: Place, last: Place) -> Iterator[tuple[Place, Line]]:
        """The lines from one place to another, both included."""
        for index in range(first.section, min(last.section + 1, len(self.sections))):
            for at in range(len(self._lay_out(index))):
                if Place(index, at + 1, 0) <= first or Place(index, at, 0) > last:
                    continue
                for number, line in enumerate(self.lines_at(index, at)):
                    place = Place(index, at, number)
                    if first <= place <= last:
                        yield place, line

    def span(self, index: int) -> tuple[int, int]:
        """The first line of a section below its gap, and the line behind its last one."""
        start = self._heights.before(index)
        return start + self.sections[index].gap, start + self._heights[index]

    def lines_at(self, index: int, at: int) -> list[Line]:
        """The lines of a section's block."""
        section = self.sections[index]
        block = section.block(at)
        return self.lines_of(block) if block is not STAMP else [self._stamp(index)]

    def _stamp(self, index: int) -> Line:
        """The same line as long as its words are the same, so that it is not painted again."""
        section = self.sections[index]
        words = fit(self.stamp_of(index), self.width) if self.stamp_of is not None else Clean("")
        if section.stamp is None or section.stamp.text != words:
            section.stamp = Line(spans=(Span(words, STAMPED),), lead=len(words), aside=True)
        return section.stamp

    def _lay_out(self, index: int) -> Heights:
        section = self.sections[index]
        heights = section.heights
        if heights is None:
            section.view.build()
            estimates = [section.block(at).estimate(self.width) for at in range(len(section))]
            heights = section.heights = Heights(estimates)
            section.exact = bytearray(len(estimates))
            self._heights.set(index, heights.total)
        return heights

    def _settle(self, index: int, block: int) -> int:
        section = self.sections[index]
        heights = self._lay_out(index)
        if not section.exact[block]:
            heights.set(block, len(self.lines_of(section.block(block))))
            section.exact[block] = 1
            self._heights.set(index, heights.total)
        return heights[block]


def _carried(offset: int, before: int, after: int, *, upwards: bool) -> int:
    if upwards:
        offset = after - (before - offset)
    return max(0, min(offset, after - 1))
