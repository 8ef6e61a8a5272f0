"""Where a recording stands while it is played: any position of it, forwards and backwards, with bounded work. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Collection
from dataclasses import replace

from runner.review.reel import Course, Gap, MarkKind, Position, Reel
from runner.state import RunState, reduce


class Player:
    """Holds one position of a reel, and the states of the runs there. Nothing is carried out and nobody is asked."""

    def __init__(self, reel: Reel, *, longest: float = math.inf) -> None:
        """longest: recorded seconds of silence that are played at most."""
        self.reel = reel
        self.course = Course(reel, longest)
        self.position = Position()
        self.moment = 0.0
        self._state: RunState | None = None
        """Of the run on the screen, at the position."""
        self._run: int = -1
        self._shown: tuple[RunState, RunState] | None = None
        self._runs: tuple[RunState, ...] = ()
        self.seek(0)

    # What is on the screen

    @property
    def runs(self) -> tuple[RunState, ...]:
        """The states at the position, oldest first, as they were then. The same values for the same position."""
        state = self._state
        if state is None:
            return ()
        if self._shown is None or self._shown[0] is not state:
            shown = self._same_items(state)
            self._shown = state, shown
            self._runs = (*self.reel.finals(self._run), shown)
        return self._runs

    def _same_items(self, state: RunState) -> RunState:
        """What is settled never changes, so it is shown as the very values that the end of the run holds: whoever
        knows them from another position has nothing to draw again."""
        last = self.reel.finals(self._run + 1)[-1]
        return replace(
            state,
            settled=last.settled.first(len(state.settled)),
            ledger=last.ledger.first(len(state.ledger)),
            history=last.history.first(len(state.history)),
        )

    @property
    def now(self) -> float:
        """The moment on the clock that the `mono` of the run on the screen is of."""
        return self.course.mono(self.position.happened, self.moment)

    @property
    def at_end(self) -> bool:
        return self.position.happened == len(self.reel) and self.moment >= self.course.length

    @property
    def begun(self) -> float:
        """The moment of the last event."""
        happened = self.position.happened
        return self.course.moment(happened - 1) if happened else 0.0

    @property
    def gap(self) -> Gap:
        """The silence, and the text, between the position and the next event."""
        return self.course.gap(self.position.happened)

    # Going somewhere

    def play(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self._stand(self.moment + seconds, onwards=True)

    def go(self, moment: float) -> None:
        """To a moment, both ways."""
        self._stand(moment, onwards=False)

    def _stand(self, moment: float, *, onwards: bool) -> None:
        self.moment = max(0.0, min(moment, self.course.length))
        to = self.course.position(self.moment)
        self._move(max(to, self.position) if onwards else to)

    def seek(self, index: int) -> None:
        """To the position where so many events have happened, and the last of them just now."""
        index = max(0, min(index, len(self.reel)))
        to = Position(index, self.reel.least(index))
        self._move(to)
        self.moment = self.course.reached(to)

    def step(self, by: int) -> bool:
        """To the next fact, or back to the one before; whether there is one. Pieces of text are no steps."""
        index = self.position.happened
        if by < 0 and self.position > Position(index, self.reel.least(index)):
            # Some of the next answer is written already: back to where none of it was.
            self.seek(index)
            return True
        index += by
        events = self.reel.events
        while 0 < index < len(events) and events[index - 1].is_delta:
            index += by
        if not 0 <= index <= len(events):
            return False
        self.seek(index)
        return True

    def jump(self, by: int, kinds: Collection[MarkKind]) -> bool:
        """To just after the next mark of these kinds, or the one before; whether there is one."""
        marks, index = self.reel.marks, self.position.happened
        if by > 0:
            places = range(bisect_left(marks, index, key=lambda mark: mark.at), len(marks))
        else:
            places = range(bisect_right(marks, index - 2, key=lambda mark: mark.at) - 1, -1, -1)
        found = next((marks[place].at for place in places if marks[place].kind in kinds), None)
        if found is None:
            return False
        self.seek(found + 1)
        return True

    def cut(self, longest: float) -> None:
        """Play silences of so many seconds at most from here on; what is on the screen stays."""
        gap, since = self.gap, self.moment - self.begun
        # Seconds of the recording since the last event, which are on both axes.
        passed = since if since <= gap.kept else gap.quiet + since - gap.kept
        self.course = Course(self.reel, longest)
        after = self.gap
        since = min(passed, after.kept) + max(0.0, passed - after.quiet)
        self.moment = self.begun + since

    # Folding

    def _move(self, to: Position) -> None:
        run = self.reel.run_of(to.happened)
        if run < 0:
            self.position, self._run, self._state = to, run, None
            return
        kept, state = self.reel.checkpoint(to.happened)
        here = self.position.happened
        if self._state is None or run != self._run or to < self.position or kept > here:
            position = Position(kept)
        else:
            position, state = self.position, self._state
        self.position, self._run, self._state = to, run, self._fold(state, position, to)

    def _fold(self, state: RunState, position: Position, to: Position) -> RunState:
        """From one position of a run to a later one. Of answers that are whole by then, no pieces are made."""
        reel = self.reel
        writing = reel.writing(to.happened)
        index, written = position
        while index < to.happened:
            if writing is not None and index > writing.request:
                most = reel.most(index)
                for piece in reel.pieces(index, written, most):
                    state = reduce(state, piece)
                written = most
            state = reduce(state, reel.events[index])
            index += 1
            if writing is None or index == writing.request + 1:
                written = 0
        for piece in reel.pieces(index, written, to.written):
            state = reduce(state, piece)
        return state
