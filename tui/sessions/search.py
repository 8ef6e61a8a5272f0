"""Looking for sessions as a filter is typed, and reading the lines that are seen; nothing here holds up a key."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from runner.errors import QuarterdeckError
from tui.sessions.finder import Finder, Found, Wish
from tui.sessions.lines import HITS_MORE, HITS_SHOWN, HitLine, Line, SessionLine, at

if TYPE_CHECKING:
    from textual.timer import Timer

    from runner.store.search import Hit
    from tui.sessions.rows import SessionRows

DEBOUNCE: Final = 0.12
"""Seconds without a letter after which what was typed is looked for."""

FIRST: Final = 100
"""Sessions that the list begins with, however many there are."""

REFRESH: Final = 4
"""Moments of reading for the index between two looks at what it has."""


class Place(Protocol):
    """The screen, as far as it is needed here."""

    @property
    def rows(self) -> SessionRows: ...

    @property
    def text(self) -> str:
        """What stands in the filter."""
        ...

    def start(self, job: Callable[[], Coroutine[Any, Any, None]], group: str, *, exclusive: bool = True) -> None: ...

    def later(self, seconds: float, what: Callable[[], None]) -> Timer: ...

    def say(self, text: str, token: str = "muted") -> None: ...

    def show_all(self) -> None: ...

    def show_read(self) -> None:
        """Lines that were seen are known now."""
        ...

    def choose(self) -> None: ...


class Search:
    """found: what is listed. settled: whether nothing more is to come for it. left: runs that are still being read."""

    def __init__(self, place: Place, finder: Finder) -> None:
        self.found: Found | None = None
        self.settled = False
        self.left = 0
        self._place = place
        self._finder = finder
        self._wish: Wish | None = None
        self._opened: dict[str, int] = {}
        self._timer: Timer | None = None
        self._choosing = False
        self._reading = False

    @property
    def words(self) -> str:
        return "" if self.found is None else self.found.words

    @property
    def waits(self) -> bool:
        """Whether something was typed that is not looked for yet."""
        return self._timer is not None

    def typed(self) -> None:
        self._choosing = self.settled = False
        self._stop_timer()
        self._timer = self._place.later(DEBOUNCE, self.look)

    def look(self) -> None:
        """Look for what is in the filter now."""
        self._stop_timer()
        self.settled = False
        text = self._place.text
        if self._wish is None or self._wish.text != text:
            self._opened = {}
        self._wish = Wish(text=text, grouping=self._place.rows.grouping, opened=dict(self._opened))
        self._place.start(partial(self._search, self._wish), "find")

    def submit(self) -> None:
        """Enter counts for what was typed, also where that is still being looked for."""
        shown = self._wish is not None and self._wish.text == self._place.text and not self.waits
        if shown and self.found is not None and (self._place.rows.row is not None or self.settled):
            self._place.choose()
            return
        self._choosing = True
        if self.waits:
            self.look()

    def open(self, session_id: str) -> None:
        """Show more places of a session."""
        self._opened[session_id] = self._opened.get(session_id, HITS_SHOWN) + HITS_MORE
        self.look()

    async def hit(self, row: HitLine) -> Hit | None:
        """What a line stands for, read where it was not seen yet."""
        known = self._place.rows.hit
        if known is not None:
            return known
        found = (await self._finder.hits(self.words, {row.session_id: row.number + 1}))[row.session_id]
        return found[row.number] if row.number < len(found) else None

    def missing(self, sessions: Sequence[str], hits: Mapping[str, int]) -> None:
        """Lines are seen that were not read. One page at a time: what is passed over meanwhile is not read at all."""
        if not self._reading:
            self._reading = True
            self._place.start(partial(self._read, sessions, hits), "read", exclusive=False)

    async def _search(self, wish: Wish) -> None:
        """First what the index knows already, then what it takes in meanwhile."""
        self.left = 0
        begins = self.found is None and not wish.text
        found = await self._find(wish, FIRST if begins else None)
        if found is not None and found.sessions is None:
            found = await self._find(wish)
        rounds = 0
        while found is not None and found.behind:
            # A run that goes on is behind for ever, and is no reason to speak of it.
            self.left = await self._finder.catch_up()
            rounds += 1
            if not self.left or rounds % REFRESH == 0:
                await self._find(wish)
            else:
                self._place.show_all()
            if not self.left:
                break
        self.settled = True
        self._place.show_all()
        if self._choosing:
            self._choose()

    async def _find(self, wish: Wish, limit: int | None = None) -> Found | None:
        try:
            found = await self._finder.find(wish, limit)
        except QuarterdeckError as error:
            self._place.say(str(error), "state-failed")
            return None
        self._use(wish, found)
        return found

    def _use(self, wish: Wish, found: Found) -> None:
        """What is selected stays so, as long as the same is looked for."""
        before, rows = self.found, self._place.rows
        same = before is not None and before.words == found.words and before.deleted == found.deleted
        if same and rows.row is not None:
            place = at(found.lines, cast("Line | None", rows.row))
            rows.selected = rows.selected if place is None else place
        else:
            rows.selected = _first(found.lines)
        rows.forget_hits()
        rows.grouping = wish.grouping
        self.found = found
        rows.set_rows(found.lines)
        if before is None:
            self._place.say("")
        self._place.show_all()
        if self._choosing and found.lines:
            self._choose()

    async def _read(self, sessions: Sequence[str], wanted: Mapping[str, int]) -> None:
        rows, words = self._place.rows, self.words
        try:
            if sessions:
                rows.learn(sessions, await self._finder.summaries(sessions))
            if wanted:
                limits = {one: max(number, self._opened.get(one, 0), HITS_SHOWN + 1) for one, number in wanted.items()}
                hits = await self._finder.hits(words, limits)
                if self.words == words:
                    rows.learn_hits(limits, hits)
        except QuarterdeckError as error:
            return self._place.say(str(error), "state-failed")
        finally:
            self._reading = False
        rows.redraw()
        self._place.show_read()

    def _choose(self) -> None:
        self._choosing = False
        self._place.choose()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None


def _first(lines: Sequence[Line]) -> int:
    """The best to begin with: of what was found the first place, else the first session."""
    head = lines[:4]
    hit = next((place for place, line in enumerate(head) if isinstance(line, HitLine)), None)
    return hit if hit is not None else next((n for n, line in enumerate(head) if isinstance(line, SessionLine)), 0)
