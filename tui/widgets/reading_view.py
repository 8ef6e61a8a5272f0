"""What a view of lines needs to be read: going to a place and back, hits that stand out, whole items selected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from textual.geometry import Offset
from textual.selection import Selection
from textual.widget import Widget

from tui.render.document import Place
from tui.render.finding import Hit, Needle, matches
from tui.widgets.line_view import LineView
from tui.widgets.selecting import row_of, selected_text

if TYPE_CHECKING:
    from textual.strip import Strip

    from tui.render.clean import Clean
    from tui.render.item_view import View
    from tui.render.lines import Line

_KEPT: Final = 4096
_LINE_END: Final = 10**6


@dataclass(frozen=True, slots=True)
class Spot:
    """What was being read: the line at the top, by the item it belongs to, and whether the end was followed."""

    view: View | None
    place: Place
    follow: bool


class ReadingView(LineView):
    _needle: Needle | None = None
    _hit: Hit | None = None

    # Going somewhere

    def spot(self) -> Spot:
        """Where one is now."""
        sections, place = self.document.sections, self._anchor
        view = sections[place.section].view if place.section < len(sections) else None
        return Spot(view, place, self._follow)

    def go_back(self, spot: Spot) -> None:
        """To where one was, as far as that is still there."""
        sections, place = self.document.sections, spot.place
        same = place.section < len(sections) and sections[place.section].view is spot.view
        if spot.follow or not same:
            self.follow()
            return
        self._leave_end()
        self._anchor = place
        self.sync()

    def reveal(self, place: Place) -> None:
        """Bring a line into view; where it is not there yet, a third of the way down, with what is around it."""
        document, rows = self.document, self._rows
        if rows <= 0 or place.section >= len(document.sections):
            return
        if any(shown == place for shown, _ in self._window):
            return
        document.settle_down(place, rows)
        document.settle_up(place, rows)
        self._leave_end()
        self._anchor = document.at(max(0, document.top(place) - rows // 3)) or place
        self.sync()

    def _leave_end(self) -> None:
        if self._follow:
            self._left_at = self.document.end()
        self._follow = False

    def _hold(self, change: Callable[[], None], *, moved: Callable[[Place], Place]) -> None:
        """Make a change above and below what is being read, and keep that line on its row: the current item's first
        one, where it is seen, else the one at the top, or the end while that is followed."""
        row = next((row for row, (place, _) in enumerate(self._window) if self._is_marked(place)), None)
        if row is None and self._follow:
            change()
            self.sync()
            return
        row = row or 0
        eye = self._window[row][0] if self._window else self._anchor
        if self.is_mounted and self.text_selection is not None:
            self.screen.clear_selection()
        left_at = self._left_at
        change()
        self._left_at = moved(left_at)
        place, document = moved(eye), self.document
        document.settle_up(place, self._rows)
        document.settle_down(place, self._rows)
        self._leave_end()
        self._anchor = document.at(max(0, document.top(place) - row)) or place
        self.sync()

    def _is_marked(self, place: Place) -> bool:
        sections = self.document.sections
        known = place.section == self._marked and place.section < len(sections)
        return known and place.block >= sections[place.section].lead

    # What a search found

    def highlight(self, needle: Needle | None, hit: Hit | None = None) -> None:
        """Let what a needle finds stand out, most of all the hit that was gone to."""
        if needle is not self._needle:
            self._parts: dict[Line, list[tuple[int, int, int]]] = {}
        if (needle, hit) != (self._needle, self._hit):
            self._needle, self._hit = needle, hit
            self.refresh()

    def _paint(self, y: int, width: int, selection: Selection | None) -> Strip:
        if self._needle is None or y >= len(self._window):
            return super()._paint(y, width, selection)
        place, line = self._window[y]
        sections = self.document.sections
        if place.section >= len(sections) or place.block >= len(sections[place.section]):
            # Painted between a change and the window that follows it: what is there now has fewer items.
            return super()._paint(y, width, selection)
        span = None if selection is None else selection.get_span(row_of(place))
        parts = self._found_in(self._needle, place, line)
        if not parts or (span is not None and span[0] != span[1]):
            return super()._paint(y, width, selection)
        hit = self._hit
        nth = -1
        if hit is not None and place.section == hit.section:
            lead = self.document.sections[place.section].lead
            nth = hit.nth if place.block == lead + hit.block else -1
        found = [(start, end, number == nth) for start, end, number in parts]
        return self._painter.found(line, width, place.section == self._marked, found)

    def _found_in(self, needle: Needle, place: Place, line: Line) -> list[tuple[int, int, int]]:
        """The parts of hits on a line: start, end, and which hit of its block it is."""
        found = self._parts.get(line)
        if found is not None:
            return found
        if len(self._parts) > _KEPT:
            self._parts.clear()
        block = self.document.sections[place.section].block(place.block)
        lines = self.document.lines_at(place.section, place.block)
        by_row: list[list[tuple[int, int, int]]] = [[] for _ in lines]
        if block.found is None or block.found():
            for nth, pieces in enumerate(matches(lines, needle)):
                for row, start, end in pieces:
                    by_row[row].append((start, end, nth))
        self._parts.update(zip(lines, by_row, strict=True))
        return self._parts.setdefault(line, by_row[place.line] if place.line < len(by_row) else [])

    # Selecting

    @property
    def select_container(self) -> Widget:
        """Three clicks select no more than two do; all of a long session is nobody's wish."""
        return self

    def text_select_all(self) -> None:
        """Two clicks select the item under the mouse, which the first one made the current one."""
        index = self._marked
        if index is None or index >= len(self.document.sections):
            return
        section = self.document.sections[index]
        first = Place(index, section.lead, 0)
        last = Place(index, len(section) - 1, (1 << 20) - 1)
        self.screen.selections = {self: Selection(Offset(0, row_of(first)), Offset(_LINE_END, row_of(last)))}

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text without gutter, borders and padding; wrapped lines are joined again.

        A selection that goes on beyond this widget ends with what is seen of it.
        """
        start, end = selection
        if self._window:
            start = start or Offset(0, row_of(self._window[0][0]))
            end = end or Offset(_LINE_END, row_of(self._window[-1][0]))
        text: Clean | None = selected_text(self.document, Selection(start, end))
        return None if text is None else (text, "\n")
