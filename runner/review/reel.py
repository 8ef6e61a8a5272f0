"""A recorded session made ready to be played: its events, when each of them came, and how its answers were written.

Pure. Answers are stored whole; the pieces in which they are written again are not made before they are needed.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, NamedTuple, TypeAlias

from runner.events import (
    ApprovalRequested,
    AttemptDiscarded,
    ErrorOccurred,
    Event,
    MessageDelivered,
    ModelRequested,
    ModelResponded,
    ReasoningDelta,
    RunStarted,
    TextDelta,
    TurnStarted,
)
from runner.messages import UserMessage
from runner.review.playing import PIECES_A_SECOND
from runner.state import RunState, reduce

MOST_PIECES: Final = 400
"""Pieces of one answer, however long it took: what one step may cost has a bound."""

CHECKPOINT_EVERY: Final = 256
"""Events between two kept states."""

TOLD_EVERY: Final = 2000
"""Events between two reports of how far the loading is."""

MarkKind: TypeAlias = Literal["run", "turn", "prompt", "approval", "error"]


class Position(NamedTuple):
    """happened: events so far. written: pieces of the answer that is being written."""

    happened: int = 0
    written: int = 0


class Mark(NamedTuple):
    """Something that a person may want to go to: it has happened at the positions behind `at`."""

    at: int
    kind: MarkKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """An answer, or an attempt at one, that is written after more than `request` and at most `response` events.

    first: when its first piece came, of the run's monotonic clock; each is `every` seconds after the one before it.
    """

    request: int
    response: int
    first: float
    every: float
    pieces: int

    def by(self, mono: float) -> int:
        """Pieces that have come by then."""
        if mono < self.first or not self.pieces:
            return 0
        return min(self.pieces, int((mono - self.first) / self.every + 1e-9) + 1) if self.every else self.pieces


@dataclass(slots=True, kw_only=True)
class _Run:
    """first: the place of its first event. kept, states: what it was like after so many events. last: at its end."""

    first: int
    kept: list[int]
    states: list[RunState]
    last: RunState


class Reel:
    """Everything that does not change while it is played. Made once, on any thread; reading it is safe everywhere."""

    def __init__(
        self, runs: Iterable[tuple[RunState, Iterable[Event]]], told: Callable[[int], None] = lambda _: None
    ) -> None:
        """runs: each as it is before its first event, and its events in order. told: hears from time to time how many
        events there are so far, and may raise to end this."""
        self.events: list[Event] = []
        self.marks: list[Mark] = []
        self._runs: list[_Run] = []
        self._writings: list[Writing] = []
        for start, events in runs:
            self._take(start, events, told)
        self._starts = [run.first for run in self._runs]
        self._requests = [writing.request for writing in self._writings]

    def __len__(self) -> int:
        """Events in all."""
        return len(self.events)

    @property
    def runs(self) -> int:
        return len(self._runs)

    @property
    def last(self) -> tuple[RunState, ...]:
        """The runs as they stand at the end."""
        return tuple(run.last for run in self._runs)

    # Making it

    def _take(self, state: RunState, events: Iterable[Event], told: Callable[[int], None]) -> None:
        first = len(self.events)
        kept, states = [first], [state]
        requested: int | None = None
        for event in events:
            index = len(self.events)
            self.events.append(event)
            state = reduce(state, event)
            if isinstance(event, ModelRequested):
                requested = index
            elif isinstance(event, ModelResponded | AttemptDiscarded):
                if requested is not None:
                    self._writings.append(_writing(self.events, requested, index))
                requested = None
            elif event.is_delta:
                # What came piece by piece needs no pieces of ours.
                requested = None
            self._mark(event, index)
            if requested is None and index + 1 - kept[-1] >= CHECKPOINT_EVERY:
                kept.append(index + 1)
                states.append(state)
            if len(self.events) % TOLD_EVERY == 0:
                told(len(self.events))
        self._runs.append(_Run(first=first, kept=kept, states=states, last=state))

    def _mark(self, event: Event, index: int) -> None:
        match event:
            case RunStarted(input=messages):
                self.marks.append(Mark(index, "run"))
                if any(isinstance(message, UserMessage) for message in messages):
                    self.marks.append(Mark(index, "prompt"))
            case TurnStarted():
                self.marks.append(Mark(index, "turn"))
            case MessageDelivered(by="user"):
                self.marks.append(Mark(index, "prompt"))
            case ApprovalRequested():
                self.marks.append(Mark(index, "approval"))
            case ErrorOccurred():
                self.marks.append(Mark(index, "error"))
            case _:
                pass

    # What happened when

    def run_at(self, index: int) -> int:
        """The place of the run that an event belongs to; the one that is to come is none yet."""
        return bisect_right(self._starts, index) - 1

    def run_of(self, index: int) -> int:
        """The run on the screen after so many events, -1 before the first one."""
        found = bisect_right(self._starts, index - 1) - 1
        # A run nothing is known of is there as soon as the one before it is over.
        while found + 1 < len(self._runs) and self._starts[found + 1] == index and self._is_empty(found + 1):
            found += 1
        return found

    def _is_empty(self, run: int) -> bool:
        return self._end_of(run) == self._starts[run]

    def _end_of(self, run: int) -> int:
        return self._starts[run + 1] if run + 1 < len(self._starts) else len(self.events)

    def beginning(self, run: int) -> int:
        """The place of a run's first event."""
        return self._starts[run]

    def follows(self, index: int) -> bool:
        """Whether an event has one before it in its own run."""
        return 0 < index < len(self.events) and self.run_at(index) == self.run_at(index - 1)

    def finals(self, count: int) -> tuple[RunState, ...]:
        """The first runs as they ended."""
        return tuple(run.last for run in self._runs[:count])

    def checkpoint(self, index: int) -> tuple[int, RunState]:
        """The nearest kept state of the run on the screen after so many events, and how many it holds."""
        run = self._runs[self.run_of(index)]
        found = bisect_right(run.kept, index) - 1
        return run.kept[found], run.states[found]

    # Pieces

    def writing(self, index: int) -> Writing | None:
        """The answer that is being written after so many events."""
        found = bisect_right(self._requests, index - 1) - 1
        if found < 0:
            return None
        writing = self._writings[found]
        return writing if writing.request < index <= writing.response else None

    def least(self, index: int) -> int:
        """Pieces that are written where an event has just happened."""
        writing = self.writing(index)
        if writing is None or writing.request == index - 1:
            return 0
        return writing.by(self.events[index - 1].mono)

    def most(self, index: int) -> int:
        """Pieces that are written before the next event happens."""
        writing = self.writing(index)
        if writing is None:
            return 0
        return writing.pieces if writing.response == index else writing.by(self.events[index].mono)

    def pieces(self, index: int, begin: int, end: int) -> Iterator[Event]:
        """The pieces of the answer that is being written after so many events, as they came when it was recorded."""
        writing = self.writing(index)
        if writing is None or begin >= end:
            return
        response, request = self.events[writing.response], self.events[writing.request]
        assert isinstance(response, ModelResponded | AttemptDiscarded)
        whole = len(response.reasoning) + len(response.text)
        size = math.ceil(whole / writing.pieces)
        for number in range(begin, end):
            mono = writing.first + number * writing.every
            after = timedelta(seconds=mono - request.mono)
            start, stop = number * size, min(whole, (number + 1) * size)
            told = response.reasoning[start:stop]
            behind = len(response.reasoning)
            said = response.text[max(0, start - behind) : max(0, stop - behind)]
            for kind, text in ((ReasoningDelta, told), (TextDelta, said)):
                if text:
                    yield kind(
                        run_id=response.run_id,
                        session_id=response.session_id,
                        parent_run_id=response.parent_run_id,
                        seq=self.events[index - 1].seq,
                        time=request.time + after,
                        mono=mono,
                        agent=response.agent,
                        turn=response.turn,
                        attempt=response.attempt,
                        text=text,
                    )


def _writing(events: Sequence[Event], request: int, response: int) -> Writing:
    asked, answer = events[request], events[response]
    assert isinstance(answer, ModelResponded | AttemptDiscarded)
    # When a discarded answer began is not known; it is written from its request on.
    after = answer.first_token_seconds if isinstance(answer, ModelResponded) else None
    first = asked.mono + max(0.0, after or 0.0)
    seconds = max(0.0, answer.mono - first)
    most = min(MOST_PIECES, len(answer.text) + len(answer.reasoning))
    pieces = min(most, int(seconds * PIECES_A_SECOND))
    if pieces:
        # Whole pieces have whole numbers of characters, so there may be fewer.
        whole = len(answer.text) + len(answer.reasoning)
        pieces = math.ceil(whole / math.ceil(whole / pieces))
    return Writing(
        request=request, response=response, first=first, every=seconds / pieces if pieces else 0.0, pieces=pieces
    )


class Gap(NamedTuple):
    """What lies before an event, in recorded seconds: silence, of which `kept` are played, then text that comes."""

    quiet: float = 0.0
    kept: float = 0.0
    flow: float = 0.0

    @property
    def cut(self) -> float:
        return self.quiet - self.kept


class Course:
    """The moments of a reel along one axis of seconds, in which no silence is longer than `longest`."""

    def __init__(self, reel: Reel, longest: float = math.inf) -> None:
        self.longest = longest
        self._reel = reel
        self._moments = array("d")
        moment, run = 0.0, 0
        events = reel.events
        before: Event | None = None
        for index, event in enumerate(events):
            if index and before is not None:
                while run + 1 < reel.runs and reel.beginning(run + 1) <= index:
                    run += 1
                gap = self._gap(index, before, event, same=reel.beginning(run) != index)
                moment += gap.kept + gap.flow
            before = event
            self._moments.append(moment)

    @property
    def length(self) -> float:
        return self._moments[-1] if self._moments else 0.0

    def moment(self, index: int) -> float:
        """When an event happens."""
        return self._moments[index]

    def reached(self, position: Position) -> float:
        """The moment from which a position is the one on the screen."""
        if not position.happened:
            return 0.0
        moment = self._moments[position.happened - 1]
        writing = self._reel.writing(position.happened)
        if writing is None or position.written <= self._reel.least(position.happened):
            return moment
        gap = self.gap(position.happened)
        since = writing.first + (position.written - 1) * writing.every - self._reel.events[position.happened - 1].mono
        return moment + gap.kept + max(0.0, since - gap.quiet)

    def gap(self, index: int) -> Gap:
        """What lies before an event."""
        if not 0 < index < len(self._moments):
            return Gap()
        events = self._reel.events
        return self._gap(index, events[index - 1], events[index], same=self._reel.follows(index))

    def _gap(self, index: int, before: Event, event: Event, *, same: bool) -> Gap:
        quiet = event.mono - before.mono if same else -1.0
        if quiet < 0:
            # Another clock.
            quiet = max(0.0, (event.time - before.time).total_seconds())
        flow = 0.0
        writing = self._reel.writing(index) if same else None
        if writing is not None and writing.pieces:
            flow = min(quiet, max(0.0, event.mono - max(writing.first, before.mono)))
            quiet -= flow
        return Gap(quiet, min(quiet, self.longest), flow)

    def position(self, moment: float) -> Position:
        """What is on the screen at a moment."""
        index = bisect_right(self._moments, moment)
        writing = self._reel.writing(index)
        if writing is None:
            return Position(index)
        written = writing.by(self.mono(index, moment))
        return Position(index, max(self._reel.least(index), min(self._reel.most(index), written)))

    def mono(self, index: int, moment: float) -> float:
        """The recorded clock of the run on the screen, so many events after the beginning, at a moment."""
        if not index:
            return self._reel.events[0].mono if len(self._reel) else 0.0
        event = self._reel.events[index - 1]
        since = max(0.0, moment - self._moments[index - 1])
        if index >= len(self._moments):
            return event.mono
        gap = self.gap(index)
        passed = since if since <= gap.kept else gap.quiet + min(since - gap.kept, gap.flow)
        return event.mono + passed
