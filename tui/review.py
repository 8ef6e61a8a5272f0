"""Going through what was said and done: to what a stored fact made, and from one kind of item to the next."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Final

from runner.errors import QuarterdeckError
from tui.landing import Landing, made_by, needles
from tui.problem_words import missing_line
from tui.render.clean import clean
from tui.render.landmarks import Landmarks
from tui.review_words import reviewed
from tui.words import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runner.state import RunState
    from runner.store import Store
    from runner.store.base import Problem, SessionSummary
    from tui.actions.base import Landmark
    from tui.desk import Desk
    from tui.reading import Reading
    from tui.screens.cockpit import CockpitScreen
    from tui.view import Reviewed, View
    from tui.widgets.transcript import Transcript

MOST_FACTS: Final = 300
"""Facts that are looked at from the wanted one on, for one that shows."""

_NAMES: Final[Mapping[Landmark, str]] = {
    "prompt": "message of yours",
    "call": "tool call",
    "error": "error",
    "approval": "approval",
    "switch": "change of model",
}


class Review:
    """Lives on the screen's thread; the store is read on another."""

    def __init__(self, desk: Desk, screen: CockpitScreen, transcript: Transcript, reading: Reading) -> None:
        self._desk = desk
        self._screen = screen
        self._transcript = transcript
        self._reading = reading
        self._about: Reviewed | None = None
        self._landmarks = Landmarks(transcript.model)
        self._say = desk.deck.say

    # What is looked at

    def opened(self, summary: SessionSummary, runs: Sequence[RunState], problems: Sequence[Problem]) -> str:
        """A stored session is shown; gives what there is to be said of it."""
        self._about = reviewed(summary, runs, datetime.now(UTC))
        return missing_line(problems)

    def add_to(self, view: View) -> View:
        about, run = self._about, view.run
        if about is None or view.session_id != about.session_id or view.busy:
            return view
        return replace(view, reviewed=about) if run is not None and run.run_id == about.run_id else view

    # From one to the next

    def go(self, kind: Landmark, by: int) -> None:
        """To the next item of a kind (by = 1), or the one before (-1)."""
        transcript, name = self._transcript, _NAMES[kind]
        mark = self._landmarks.next(kind, transcript.reading_at(by), by)
        if mark is not None:
            self._screen.set_focus(transcript)
            transcript.go(mark.section)
            self._say(f"{name} {mark.number:,} of {mark.total:,}")
        elif total := self._landmarks.count(kind):
            self._say(f"no {name} {'after' if by > 0 else 'before'} this one, {total:,} in all")
        else:
            self._say(f"there is no {name} here")

    # Landing

    def land(self, run_id: str, seq: int, words: str = "") -> None:
        """Go to what fact `seq` of a run of the shown session made or changed, and highlight the words in it."""
        self._desk.host.work(self.arrive(Landing(run_id, seq, words)), "landing")

    async def arrive(self, at: Landing) -> None:
        """The same, done when it returns."""
        session_id = self._desk.deck.session_id
        if session_id is None:
            return

        def read(store: Store) -> list[tuple[str, ...]]:
            facts = (made_by(fact) for fact in store.events(session_id, at.run_id, at.seq) if not fact.is_delta)
            return [ids for ids in islice(facts, MOST_FACTS) if ids]

        try:
            wanted = await asyncio.wrap_future(self._desk.engine.ask(read))
        except QuarterdeckError as error:
            self._say(one_line(clean(str(error))), "warning")
        else:
            self._when_laid_out(lambda: self._go(at, wanted))
        self._desk.repaint()

    def _when_laid_out(self, go: Callable[[], None]) -> None:
        """A transcript that was hidden until now has no lines on the screen yet."""
        if self._transcript.size.height:
            go()
        else:
            self._transcript.call_after_refresh(go)

    def _go(self, at: Landing, wanted: list[tuple[str, ...]]) -> None:
        model = self._transcript.model
        sections = next((found for ids in wanted if (found := model.find_in(at.run_id, ids))), None)
        if not sections:
            # Nothing from there on shows: what came last before it is the nearest.
            last = model.last_of(at.run_id)
            sections = [] if last is None else [last]
        if not sections:
            self._say("that place is not in this session any more", "warning")
            self._desk.repaint()
            return
        self._screen.set_focus(self._transcript)
        for words in needles(at.words):
            if self._reading.searching.land(words, sections):
                return
        self._transcript.land(sections[0])
        self._desk.repaint()
