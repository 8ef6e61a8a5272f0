"""A search in the transcript while it goes on: in small steps between the frames, and also while text streams."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Final

from textual.content import Content

from tui.render.finding import Finder, Hit, Needle, first_in
from tui.widgets.find_bar import FindBar
from tui.words import count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.screen import Screen
    from textual.timer import Timer
    from textual.widget import Widget

    from tui.widgets.reading_view import Spot
    from tui.widgets.transcript import Transcript

SLICE: Final = 0.004
"""Seconds of searching at a time; as long again belongs to everything else."""

_KEYS: Final = (("enter", "next"), ("esc", "back"), ("tab", "stay there"), ("up", "before"))
"""What the keys of the line do, the most important first."""

AGAIN: Final = 0.25
"""Seconds between two looks at what streams."""


class Searching:
    def __init__(self, screen: Screen[None], transcript: Transcript, repaint: Callable[[], None]) -> None:
        self._screen = screen
        self._transcript = transcript
        self._repaint = repaint
        self._bar = FindBar(changed=self.search, moved=self.move, left=self.leave, id="find")
        self._bar.display = False
        # At once, so that it takes the very next key when it is opened.
        screen.query_one("#main").mount(self._bar)
        self._finder: Finder | None = None
        self._timer: Timer | None = None
        self._wanted = 0
        self._searched = True
        self._from: Spot | None = None
        self._came_from: Widget | None = None
        self._marked: str | None = None
        self._unfolded: list[str] = []

    @property
    def open(self) -> bool:
        return bool(self._bar.display)

    @property
    def writing(self) -> bool:
        """Whether the line has the focus."""
        return bool(self._bar.input.has_focus)

    @property
    def found(self) -> bool:
        return self._finder is not None

    def begin(self, words: str | None = None) -> None:
        """Open the line, or go back to it."""
        if not self.open:
            self._from, self._marked = self._transcript.spot(), self._transcript.marked_item
            self._came_from, self._unfolded = self._screen.focused, []
        self._bar.display = True
        self._bar.begin(words)
        if words is None and self._finder is None and self._bar.words:
            self.search(self._bar.words)

    def land(self, words: str, sections: Sequence[int]) -> bool:
        """Go to the first hit in one of these items, with the search on as if a person had stayed there; whether there
        was one."""
        model, needle = self._transcript.model, Needle(words)
        found = ((section, first_in(model.view(section), needle)) for section in sections)
        section, place = next(((section, place) for section, place in found if place is not None), (0, None))
        if place is None:
            return False
        self.end()
        self._from, self._marked, self._came_from, self._unfolded = None, None, None, []
        self._bar.show(words)
        self._finder = finder = Finder(model, words)
        finder.arrived(model.view(section), *place)
        self._searched = False
        self._transcript.arrive(Hit(section, *place), finder.needle)
        self._go_on()
        return True

    def search(self, words: str) -> None:
        """Search for other words; nothing moves."""
        self._finder = Finder(self._transcript.model, words) if words else None
        self._wanted = 0
        self._searched = not words
        self._transcript.highlight(self._finder.needle if self._finder is not None else None)
        self._go_on()

    def follow(self) -> None:
        """More may have been said."""
        if self._finder is not None and self._timer is None:
            self._timer = self._screen.set_timer(AGAIN, self._go_on)

    def _go_on(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        finder = self._finder
        if finder is not None:
            until = perf_counter() + SLICE
            self._searched = not finder.step(lambda: perf_counter() >= until)
            if not self._searched:
                self._timer = self._screen.set_timer(SLICE, self._go_on)
            if self._wanted:
                self.move(self._wanted)
        self._tell()

    def move(self, by: int) -> None:
        """Go to the next hit or the one before; the first time to the one nearest to what is being read."""
        finder = self._finder
        if finder is None:
            return
        hit = finder.move(by)
        if hit is None:
            hit = finder.near(*self._seen(), all_known=self._searched)
        self._wanted = by if hit is None and not self._searched else 0
        if hit is not None:
            unfolded = self._transcript.arrive(hit, finder.needle)
            if unfolded:
                self._unfolded.append(unfolded)
        self._tell()

    def _seen(self) -> tuple[int, int]:
        """The item and its block at the top of what is seen."""
        place = self._transcript.spot().place
        sections = self._transcript.document.sections
        lead = sections[place.section].lead if place.section < len(sections) else 0
        return place.section, max(0, place.block - lead)

    def _tell(self) -> None:
        if self.open:
            self._bar.tell(self._words(), _KEYS)
            self._repaint()

    def _words(self) -> Content:
        finder = self._finder
        if finder is None:
            return Content("")
        more = "" if self._searched else ", still searching"
        hit = finder.current
        if hit is not None:
            return Content.styled(f"{finder.number(hit):,} of {finder.total:,}{more}", "$foreground")
        if finder.total:
            return Content.styled(f"{count(finder.total, 'hit')}{more}", "$foreground")
        return Content.styled("searching" if more else "no hits", "$state-waiting")

    def leave(self, stay: bool) -> None:
        """stay: at the hit, with the transcript in focus and the search still on. Else it ends, and everything is as
        it was before."""
        if stay:
            self._screen.set_focus(self._transcript)
            self._transcript.mark_seen()
            return
        self.end()
        transcript = self._transcript
        for key in self._unfolded:
            transcript.expand_item(key, expanded=False)
        transcript.mark(self._marked)
        if self._from is not None:
            transcript.go_back(self._from)
        back = self._came_from
        if back is not None and back.is_attached and back.focusable:
            self._screen.set_focus(back)

    def end(self) -> None:
        """Nothing is searched for any more; one stays where one is."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._finder, self._wanted, self._searched = None, 0, True
        self._transcript.highlight(None)
        self._bar.display = False
