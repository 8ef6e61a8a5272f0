"""Forks: a new session that begins with copies of another one's runs, up to the end of a turn.

Copies, so that deleting either never harms the other. What they cost was paid there: no request is copied, and what a
person had allowed for the run or the session is not carried over either, because nothing runs that was not allowed.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from runner.errors import NotFoundError
from runner.events import Event
from runner.events.codec import load_json
from runner.ids import Uuid7Ids
from runner.store.admin import LONGEST_NAME
from runner.store.base import Problem, SessionSummary
from runner.store.closing import close_cut, close_run
from runner.store.encode import encode
from runner.store.read import ROWS_AT_ONCE, Reader
from runner.store.tally import RUN_SQL, SESSION_SQL, Tally
from runner.store.units import clean, from_micros

if TYPE_CHECKING:
    from runner.store.writer import SqliteJournal

OnDamage = Callable[[str, int, str], None]
"""Told of a row that cannot be read: the run, its number there, and what is wrong."""

_DESCRIBING = frozenset({"run_queued", "run_started", "message_delivered", "model_requested", "model_switched"})
"""What a session's title, models and words to search for are made of."""

_GOES_ON = frozenset({"turn_started", "message_delivered", "compaction_started"})
"""After a turn, these begin something new; without them the rest of the run is only its end."""

_RUNS = """
    SELECT run_id, parent_run_id, status, reason, finished, agent, model, started, updated
    FROM runs WHERE session_id = ? ORDER BY n
"""


@dataclass(frozen=True, slots=True)
class _Source:
    """A run that may be copied; times in microseconds since the epoch."""

    run_id: str
    parent_run_id: str | None
    status: str
    reason: str
    finished: bool
    agent: str
    model: str
    started: int
    updated: int


@dataclass(slots=True)
class _Copy:
    """A run as it will be. rows: number, kind, JSON. events: those of its rows that say what it is about."""

    source: _Source
    run_id: str
    rows: list[tuple[int, str, bytes]]
    whole: bool
    events: list[Event] = field(default_factory=list[Event])


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """A fork that is ready to be stored. after: turns that it holds. artifacts: the old and the new id, the new run."""

    session_id: str
    source_id: str
    run_id: str
    after: int
    name: str
    copies: Sequence[_Copy]
    artifacts: Sequence[tuple[str, str, str]]


def fork(
    journal: SqliteJournal,
    reader: Reader,
    source: SessionSummary,
    place: tuple[str, int],
    name: str,
    on_problem: Callable[[Problem], None],
) -> str:
    """See Store.fork. What is long is done in this thread, before the transaction."""

    def on_damage(run_id: str, seq: int, what: str) -> None:
        on_problem(Problem(session_id=source.session_id, run_id=run_id, seq=seq, message=what))

    run_id, turn = place
    ready = prepare(
        reader, source.session_id, run_id=run_id, turn=turn, name=name, title=source.title, on_damage=on_damage
    )
    now = time.time_ns() // 1000
    return journal.call(lambda connection: store(connection, ready, now))


def prepare(
    reader: Reader, session_id: str, *, run_id: str, turn: int, name: str, title: str, on_damage: OnDamage
) -> Fork:
    """Read and rewrite what the fork holds; nothing is stored yet.

    run_id, turn: the last turn to take; turn 0 stands before all of that run, run_id "" before everything.
    Raises NotFoundError where there is no such session, run or finished turn.
    """
    return _Forking(reader, session_id, title, on_damage).prepare(run_id, turn, name)


def store(connection: sqlite3.Connection, fork: Fork, now: int) -> str:
    """All of it, inside of one transaction. now: microseconds since the epoch. Raises NotFoundError where the session
    was deleted meanwhile."""
    found = connection.execute(
        "SELECT title, workspace, agent, root_id FROM sessions WHERE session_id = ?", (fork.source_id,)
    ).fetchone()
    if found is None:
        raise NotFoundError(f"no session has the id {fork.source_id!r}")
    title, workspace, agent, root_id = found
    connection.execute(
        "INSERT INTO sessions(session_id, workspace, created, updated, root_id, forked_from, forked_run, forked_turn)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (fork.session_id, workspace, now, now, root_id or fork.source_id, fork.source_id, fork.run_id, fork.after),
    )
    for copy in fork.copies:
        _store_run(connection, fork.session_id, copy)
    for old, new, run_id in fork.artifacts:
        connection.execute(
            "INSERT INTO artifacts(artifact_id, run_id, call_id, created, content)"
            " SELECT ?, ?, call_id, created, content FROM artifacts WHERE artifact_id = ?",
            (new, run_id, old),
        )
    # What the copied runs come to belongs to the session that they came from.
    connection.execute(
        "UPDATE sessions SET name = ?, name_key = ?, created = ?, updated = ?, runs = 0, turns = 0, tool_calls = 0,"
        " title = CASE WHEN title = '' THEN ? ELSE title END, agent = CASE WHEN agent = '' THEN ? ELSE agent END"
        " WHERE session_id = ?",
        (fork.name, fork.name.casefold(), now, now, title if fork.after else "", agent, fork.session_id),
    )
    return fork.session_id


def _store_run(connection: sqlite3.Connection, session_id: str, copy: _Copy) -> None:
    connection.executemany(
        "INSERT INTO events(run_id, seq, kind, json) VALUES (?, ?, ?, CAST(? AS TEXT))",
        [(copy.run_id, *row) for row in copy.rows],
    )
    tally = _tally(session_id, copy)
    # No program runs it, so no owner's death can leave it open.
    connection.execute(RUN_SQL, tally.run_row(""))
    connection.execute("UPDATE runs SET inherited = 1 WHERE run_id = ?", (copy.run_id,))
    connection.executemany(SESSION_SQL, tally.session_rows())


def _tally(session_id: str, copy: _Copy) -> Tally:
    source = copy.source
    tally = Tally(
        run_id=copy.run_id,
        session_id=session_id,
        parent_run_id=source.parent_run_id,
        started=source.started,
        updated=source.updated,
    )
    for event in copy.events:
        tally.take(event)
    if copy.whole:
        tally.status, tally.reason, tally.updated = source.status, source.reason, source.updated
        tally.model = source.model
    tally.finished, tally.agent = True, tally.agent or source.agent
    return tally


class _Forking:
    """One fork in the making."""

    def __init__(self, reader: Reader, session_id: str, title: str, on_damage: OnDamage) -> None:
        self._reader = reader
        self._source_id = session_id
        self._title = title
        self._on_damage = on_damage
        ids = Uuid7Ids()
        self._new_run_id = ids.run_id
        self._session_id = ids.session_id()
        self._ids: dict[str, str] = {}
        self._artifacts: dict[str, tuple[str, str]] = {}

    def prepare(self, run_id: str, turn: int, name: str) -> Fork:
        self._reader.require(self._source_id)
        runs = [_source(row) for row in self._reader.all(_RUNS, (self._source_id,))]
        top = [run for run in runs if run.parent_run_id is None]
        place = next((index for index, run in enumerate(top) if run.run_id == run_id), None)
        if run_id and place is None:
            raise NotFoundError(f"session {self._source_id} has no run {run_id!r}")
        kept = top[: (place or 0)]
        cut = None if place is None or turn <= 0 else top[place]
        end = 0 if cut is None else self._end_of(cut, turn)
        after = sum(self._turns(run.run_id) for run in kept)
        if cut is not None:
            kept.append(cut)
            after += self._turns(cut.run_id, end)
        until = None if cut is None else self._time_of(cut, end)
        chosen = _with_children(runs, {run.run_id for run in kept}, cut, until)
        for run in chosen:
            self._ids[run.run_id] = self._new_run_id()
        copies = [self._copy(run, end if run is cut else None, after) for run in chosen]
        return Fork(
            session_id=self._session_id,
            source_id=self._source_id,
            run_id="" if cut is None else cut.run_id,
            after=after,
            name=clean(" ".join(name.split())[:LONGEST_NAME]),
            copies=copies,
            artifacts=[(old, new, run) for old, (new, run) in self._artifacts.items()],
        )

    def _end_of(self, run: _Source, turn: int) -> int:
        """The number of the fact that ends the turn."""
        for seq, event in self._facts(run.run_id, "turn_finished"):
            if event.turn == turn:
                return seq
        raise NotFoundError(f"turn {turn} of run {run.run_id} has not finished; a fork begins after a finished turn")

    def _time_of(self, run: _Source, end: int) -> datetime | None:
        """When the turn ended; None where all of the run is taken."""
        found = [event.time for seq, event in self._facts(run.run_id, "turn_finished") if seq == end]
        return found[0] if found and not self._is_whole(run, end) else None

    def _facts(self, run_id: str, kind: str) -> Iterator[tuple[int, Event]]:
        rows = self._reader.all(
            "SELECT seq, CAST(json AS BLOB) FROM events WHERE run_id = ? AND kind = ? ORDER BY seq", (run_id, kind)
        )
        for seq, data in rows:
            event = _decoded(data)
            if event is not None:
                yield seq, event

    def _turns(self, run_id: str, end: int | None = None) -> int:
        sql = "SELECT count(*) FROM events WHERE run_id = ? AND kind = 'turn_finished'"
        limit, values = ("", (run_id,)) if end is None else (" AND seq <= ?", (run_id, end))
        return int(self._reader.all(sql + limit, values)[0][0])

    def _is_whole(self, run: _Source, end: int) -> bool:
        """Whether after the turn comes only the end of the run, which says how it ended."""
        rows = self._reader.all("SELECT DISTINCT kind FROM events WHERE run_id = ? AND seq > ?", (run.run_id, end))
        kinds = {row[0] for row in rows}
        return run.finished and "run_finished" in kinds and not kinds & _GOES_ON

    def _copy(self, run: _Source, end: int | None, after: int) -> _Copy:
        whole = end is None or self._is_whole(run, end)
        copy = _Copy(run, self._ids[run.run_id], list(self._rows(run, None if whole else end)), whole)
        parent = run.parent_run_id
        mark: dict[str, Any] = {"session_id": self._source_id, "run_id": run.run_id, "turns": 0}
        mark |= {"turns": sum(row[1] == "turn_finished" for row in copy.rows), "name": self._title, "after": after}
        copy.rows = [(seq, kind, self._rewritten(run, seq, data, mark)) for seq, kind, data in copy.rows]
        decode_all = not whole or not run.finished
        decoded = (_decoded(data) for _, kind, data in copy.rows if decode_all or kind in _DESCRIBING)
        copy.events = [event for event in decoded if event is not None]
        if decode_all:
            copy.whole = False
            self._close(copy, cut=not whole)
        copy.source = _source((run.run_id, self._ids.get(parent) if parent else None, *_rest(run)))
        return copy

    def _close(self, copy: _Copy, *, cut: bool) -> None:
        """The facts that let it fold to a finished run; their time is that of what came last."""
        now = copy.events[-1].time if copy.events else from_micros(copy.source.updated)
        close = close_cut if cut else close_run
        last = max((row[0] for row in copy.rows), default=0)
        closed = close(copy.events, run_id=copy.run_id, session_id=self._session_id, next_seq=last + 1, now=now)
        added = closed.events
        copy.events += added
        copy.rows += [(event.seq, event.kind, encode(event).encode()) for event in added]

    def _rows(self, run: _Source, end: int | None) -> Iterator[tuple[int, str, bytes]]:
        start = 0
        while True:
            rows = self._reader.all(
                "SELECT seq, kind, CAST(json AS BLOB) FROM events WHERE run_id = ? AND seq >= ? ORDER BY seq LIMIT ?",
                (run.run_id, start, ROWS_AT_ONCE),
            )
            for seq, kind, data in rows:
                if not (isinstance(seq, int) and isinstance(kind, str) and isinstance(data, bytes)):
                    self._on_damage(run.run_id, seq if isinstance(seq, int) else 0, "a row has columns of wrong types")
                elif end is None or seq <= end:
                    yield seq, kind, data
            numbers = [seq for seq, _, _ in rows if isinstance(seq, int)]
            if len(rows) < ROWS_AT_ONCE or not numbers or (end is not None and numbers[-1] >= end):
                return
            start = numbers[-1] + 1

    def _rewritten(self, run: _Source, seq: int, data: bytes, mark: Mapping[str, Any]) -> bytes:
        """The fact as one of the copy. What cannot be read stays as it is, so that it is told of there too."""
        try:
            found: object = json.loads(data)
        except ValueError as error:
            self._on_damage(run.run_id, seq, f"copied as it is, damaged: {error}")
            return data
        if not isinstance(found, dict):
            self._on_damage(run.run_id, seq, "copied as it is: it is no event")
            return data
        fact = cast("dict[str, Any]", found)
        if fact.get("run_id") == run.run_id:
            fact |= {"run_id": self._ids[run.run_id], "session_id": self._session_id}
            parent = fact.get("parent_run_id")
            fact |= {"parent_run_id": self._ids[parent]} if isinstance(parent, str) and parent in self._ids else {}
        artifact = fact.get("artifact")
        if isinstance(artifact, str):
            fact["artifact"] = self._artifact(artifact, self._ids[run.run_id])
        if fact.get("kind") == "run_started":
            config = fact.get("config")
            known = cast("dict[str, Any]", config) if isinstance(config, dict) else {}
            fact["config"] = {**known, "inherited": dict(mark)}
        return _dumped(fact)

    def _artifact(self, old: str, run_id: str) -> str:
        if old not in self._artifacts:
            self._artifacts[old] = (f"artifact_{uuid.uuid4().hex}", run_id)
        return self._artifacts[old][0]


def _source(row: Sequence[Any]) -> _Source:
    run_id, parent, status, reason, finished, agent, model, started, updated = row
    return _Source(run_id, parent, status, reason, bool(finished), agent, model, started, updated)


def _rest(run: _Source) -> tuple[Any, ...]:
    return run.status, run.reason, run.finished, run.agent, run.model, run.started, run.updated


def _with_children(
    runs: Iterable[_Source], kept: set[str], cut: _Source | None, until: datetime | None
) -> list[_Source]:
    """The runs to copy, in their order. until: a sub-agent of the cut run that began later belongs to a later call."""
    chosen: list[_Source] = []
    for run in runs:
        parent = run.parent_run_id
        late = cut is not None and until is not None and parent == cut.run_id and from_micros(run.started) > until
        if run.run_id in kept or (parent in kept and not late):
            kept.add(run.run_id)
            chosen.append(run)
    return chosen


def _decoded(data: object) -> Event | None:
    """None of what is damaged, as everywhere where facts are summed up."""
    if not isinstance(data, bytes):
        return None
    try:
        return load_json(data)
    except (ValueError, TypeError):
        return None


def _dumped(fact: Mapping[str, Any]) -> bytes:
    text = json.dumps(fact, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(fact, separators=(",", ":")).encode()
