"""Reading facts, and telling of those that cannot be read or are gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from runner.events import Event, RunFinished, ToolFinished
from runner.events.codec import load_json
from runner.state import RunState, fold, reduce
from runner.store.base import Problem
from runner.store.units import from_micros

if TYPE_CHECKING:
    from datetime import datetime

    from runner.store.read import OnProblem, Reader
    from runner.store.rows import RawRow

ARTIFACT_GONE = "the kept whole output of this call is gone; what the model was given of it is here"


class Telling(Protocol):
    """A part of the store's own methods. Each may be called from any thread and blocks for the disk."""

    _reader: Reader
    _problems: dict[tuple[str, str, int], Problem]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was damaged or gone of all that was read so far, each thing once."""
        return tuple(self._problems.values())

    def problems_of(self, session_id: str) -> list[Problem]:
        """What is damaged or gone of one session, as far as it was read."""
        return [problem for problem in self.problems if problem.session_id == session_id]

    def _miss_last_run(self, session_id: str, run_ids: Sequence[str]) -> None:
        rows = self._reader.all("SELECT last_run_id FROM sessions WHERE session_id = ?", (session_id,))
        for (last,) in rows:
            if isinstance(last, str) and last and last not in run_ids:
                what = (
                    "it is gone from the list of runs; what is left of it comes back with: quarterdeck sessions rescue"
                )
                self._remember(Problem(session_id=session_id, run_id=last, seq=0, message=what, gone=True))

    def _events_of(
        self,
        session_id: str,
        run_id: str,
        from_seq: int = 0,
        on_problem: OnProblem | None = None,
        change: Callable[[bytes, bool], bytes] | None = None,
    ) -> Iterator[Event]:
        def told(seq: int, message: str) -> None:
            self._report(Problem(session_id=session_id, run_id=run_id, seq=seq, message=message), on_problem)

        def gone(seq: int, message: str) -> None:
            problem = Problem(session_id=session_id, run_id=run_id, seq=seq, message=message, gone=True)
            self._report(problem, on_problem)

        missing = _Missing(self._reader, run_id, from_seq, gone)
        for row in self._reader.rows(run_id, from_seq, told):
            event = self._decode(session_id, row, on_problem)
            missing.take(row, event)
            if event is not None:
                yield event if change is None else load_json(change(row.data, row.is_delta))
        missing.end()

    def _fold(self, session_id: str, run_id: str, change: Callable[[bytes, bool], bytes] | None = None) -> RunState:
        """A run that had ended is over, even where the facts that say so are gone: what they left open is closed."""
        state = RunState(run_id=run_id, session_id=session_id)
        for event in self._events_of(session_id, run_id, change=change):
            state = reduce(state, event)
        if not state.finished:
            for (updated,) in self._reader.all("SELECT updated FROM runs WHERE run_id = ? AND finished = 1", (run_id,)):
                # It may have ended between the two looks, so it is read once more.
                events = tuple(self._events_of(session_id, run_id, change=change))
                state = fold(events, RunState(run_id=run_id, session_id=session_id))
                if not state.finished:
                    state = _closed(state, events, from_micros(updated if isinstance(updated, int) else 0))
        return state

    def _lines(self, session_id: str) -> Iterator[bytes]:
        """The stored facts, all of them readable; deltas are no part of an export."""
        for run_id in self._reader.run_ids(session_id):
            yield from self._lines_of(session_id, run_id)

    def _lines_of(self, session_id: str, run_id: str) -> Iterator[bytes]:
        def told(seq: int, message: str) -> None:
            self._remember(Problem(session_id=session_id, run_id=run_id, seq=seq, message=message))

        def gone(seq: int, message: str) -> None:
            self._remember(Problem(session_id=session_id, run_id=run_id, seq=seq, message=message, gone=True))

        missing = _Missing(self._reader, run_id, 0, gone)
        for row in self._reader.rows(run_id, 0, told):
            event = self._decode(session_id, row, None)
            missing.take(row, event)
            if not row.is_delta and event is not None:
                yield row.data
        missing.end()

    def _decode(self, session_id: str, row: RawRow, on_problem: OnProblem | None) -> Event | None:
        from runner.store.rows import decode, problem_text

        try:
            return decode(row)
        except ValueError as error:
            problem = Problem(session_id=session_id, run_id=row.run_id, seq=row.seq, message=problem_text(error))
            self._report(problem, on_problem)
            return None

    def _remember(self, problem: Problem) -> None:
        self._problems.setdefault((problem.session_id, problem.run_id, problem.seq), problem)

    def _report(self, problem: Problem, on_problem: OnProblem | None) -> None:
        self._remember(problem)
        if on_problem is not None:
            on_problem(problem)


def _closed(state: RunState, events: Sequence[Event], ended: datetime) -> RunState:
    from runner.store.closing import close_run

    closing = close_run(events, run_id=state.run_id, session_id=state.session_id, next_seq=state.seq + 1, now=ended)
    for event in closing.events:
        state = reduce(state, event)
    return state


class _Missing:
    """Follows the facts of one run, which are numbered from 1 on without a gap, and finds what is not there."""

    def __init__(self, reader: Reader, run_id: str, from_seq: int, told: Callable[[int, str], None]) -> None:
        self._reader = reader
        self._told = told
        self._run_id = run_id
        self._last = max(0, from_seq - 1)
        self._ended = False
        self._artifacts: dict[str, int] = {}

    def take(self, row: RawRow, event: Event | None) -> None:
        if row.is_delta:
            return
        first, last = self._last + 1, row.seq - 1
        if first <= last:
            self._told(first, f"events {first} to {last} are gone" if first < last else f"event {first} is gone")
        self._last = max(self._last, row.seq)
        match event:
            case RunFinished():
                self._ended = True
            case ToolFinished(artifact=str(artifact)):
                self._artifacts[artifact] = row.seq
            case _:
                return

    def end(self) -> None:
        if not self._ended:
            ended = self._reader.all("SELECT 1 FROM runs WHERE run_id = ? AND finished = 1", (self._run_id,))
            rows = self._reader.all("SELECT max(seq) FROM events WHERE run_id = ?", (self._run_id,)) if ended else []
            if ended and rows[0][0] in (None, self._last):
                self._told(self._last + 1, "its end is gone")
        if self._artifacts:
            known = self._reader.all(
                "SELECT artifact_id FROM artifacts WHERE artifact_id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(self._artifacts)),),
            )
            for artifact in self._artifacts.keys() - {row[0] for row in known}:
                self._told(self._artifacts[artifact], ARTIFACT_GONE)
