"""Closing the runs whose program died. Safe to do in two programs at once; runs of living programs are left alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from runner.events import Event, PersonCommandFinished, PersonCommandStarted, ToolFinished, ToolStarted
from runner.store.base import RecoveredRun
from runner.store.closing import Closing, close_run
from runner.store.decisions import change_of
from runner.store.encode import encode
from runner.store.leases import OWNER_COLUMNS, owner_from
from runner.store.ledger import INSERT_SQL, request_row
from runner.store.process import Owner, is_alive
from runner.store.rows import RawRow, decode
from runner.store.tally import RUN_SQL, SESSION_SQL, Tally

if TYPE_CHECKING:
    from runner.store.writer import SqliteJournal
    from runner.tools.base import ProcessEnd
    from runner.tools.leftovers import Recorded

_OPEN_RUNS = f"""
    SELECT r.run_id, r.session_id, r.owner_id, {OWNER_COLUMNS}
    FROM runs r LEFT JOIN owners o ON o.owner_id = r.owner_id WHERE r.finished = 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """A run without an end. alive: its program still runs it. place: where that program's pids mean something."""

    run_id: str
    session_id: str
    owner_id: str
    alive: bool
    place: str = ""


def open_runs(connection: sqlite3.Connection, now: float) -> list[OpenRun]:
    """Every run without an end. now: seconds since the epoch."""
    alive: dict[str, bool] = {}
    found: list[OpenRun] = []
    for run_id, session_id, owner_id, *owner in connection.execute(_OPEN_RUNS + " ORDER BY r.n").fetchall():
        if owner_id not in alive:
            known = owner[0] is not None
            alive[owner_id] = known and is_alive(owner_from((owner[0], owner[1], owner[2], owner[3], owner[4])), now)
        found.append(
            OpenRun(
                run_id=run_id,
                session_id=session_id,
                owner_id=owner_id,
                alive=alive[owner_id],
                place=owner[3] or "",
            )
        )
    return found


def recover(
    journal: SqliteJournal, claimed: Sequence[OpenRun], me: Owner, now: Callable[[], datetime], grace: float
) -> list[RecoveredRun]:
    """Close claimed runs. First what their calls had left running is ended: SIGTERM, grace seconds, SIGKILL."""
    recovered: list[RecoveredRun] = []
    try:
        for run in claimed:
            ended = _end_processes(journal.call(lambda db, run=run: processes_of(db, run)), grace)
            found = journal.call(lambda db, run=run, ended=ended: recover_run(db, run, me, now(), ended))
            if found is not None:
                recovered.append(found)
    finally:
        if len(recovered) < len(claimed):
            journal.call(lambda db: give_back(db, me, claimed))
    return recovered


def _end_processes(records: Sequence[Recorded], grace: float) -> list[ProcessEnd]:
    if not records:
        return []
    from runner.tools.leftovers import end_leftovers

    return end_leftovers(records, grace)


def claim(connection: sqlite3.Connection, me: Owner, wall: float, session_id: str | None) -> list[OpenRun]:
    """Make the runs of dead programs ours, so that nobody else closes them too; inside of a transaction.

    session_id: only those of this session. Returns them as they were.
    """
    dead = [
        run
        for run in open_runs(connection, wall)
        if not run.alive and (session_id is None or run.session_id == session_id)
    ]
    connection.executemany("UPDATE runs SET owner_id = ? WHERE run_id = ?", [(me.owner_id, run.run_id) for run in dead])
    return dead


def give_back(connection: sqlite3.Connection, me: Owner, claimed: Sequence[OpenRun]) -> None:
    """What was claimed and not closed belongs to the dead again; inside of a transaction."""
    connection.executemany(
        "UPDATE runs SET owner_id = ? WHERE run_id = ? AND owner_id = ? AND finished = 0",
        [(run.owner_id, run.run_id, me.owner_id) for run in claimed],
    )


def processes_of(connection: sqlite3.Connection, run: OpenRun) -> list[Recorded]:
    """The processes that open calls and commands of the run had started, as recorded; a damaged row is passed over."""
    started: dict[str, list[ToolStarted | PersonCommandStarted]] = {}
    rows = connection.execute(
        "SELECT seq, CAST(json AS BLOB) FROM events WHERE run_id = ? AND kind IN ('tool_started', 'tool_finished',"
        " 'person_command_started', 'person_command_finished') ORDER BY seq",
        (run.run_id,),
    ).fetchall()
    for event in _readable(run.run_id, rows, is_delta=False):
        match event:
            case ToolStarted(call_id=owner) | PersonCommandStarted(command_id=owner) if event.pid is not None:
                started.setdefault(owner, []).append(event)
            case ToolFinished(call_id=owner) | PersonCommandFinished(command_id=owner):
                started.pop(owner, None)
            case _:
                pass
    if not started:
        return []
    from runner.tools.leftovers import Recorded

    return [
        Recorded(
            pid=event.pid,
            pgid=event.pid if event.pgid is None else event.pgid,
            started=event.process_started,
            place=run.place,
            marker=event.marker,
            name=event.name,
            call_id=owner,
        )
        for owner, events in started.items()
        for event in events
        if event.pid is not None
    ]


def recover_run(
    connection: sqlite3.Connection, run: OpenRun, me: Owner, now: datetime, ended: Sequence[ProcessEnd]
) -> RecoveredRun | None:
    """Close one claimed run; inside of a transaction. None where it is not ours any more.

    now: the time that the closing facts get. ended: what became of the processes of its calls.
    """
    ours = "SELECT 1 FROM runs WHERE run_id = ? AND owner_id = ? AND finished = 0"
    if connection.execute(ours, (run.run_id, me.owner_id)).fetchone() is None:
        return None
    last = connection.execute("SELECT max(seq) FROM events WHERE run_id = ?", (run.run_id,)).fetchone()[0]
    closing = close_run(
        _events(connection, run.run_id),
        run_id=run.run_id,
        session_id=run.session_id,
        next_seq=(last if isinstance(last, int) else 0) + 1,
        now=now,
        ended=ended,
    )
    _store(connection, run, closing)
    title = connection.execute("SELECT name, title FROM sessions WHERE session_id = ?", (run.session_id,)).fetchone()
    return RecoveredRun(
        session_id=run.session_id,
        run_id=run.run_id,
        title="" if title is None else title[0] or title[1],
        open_calls=closing.open_calls,
        partial_characters=closing.partial_characters,
        processes=tuple(end for end in ended if end.how != "gone"),
    )


def forget_the_dead(connection: sqlite3.Connection, now: float) -> None:
    """Drop the leases and owners of dead programs that own no open run any more; inside of a transaction."""
    rows = connection.execute(
        f"SELECT {OWNER_COLUMNS} FROM owners o"
        " WHERE NOT EXISTS (SELECT 1 FROM runs r WHERE r.owner_id = o.owner_id AND r.finished = 0)"
    ).fetchall()
    for owner in map(owner_from, rows):
        if not is_alive(owner, now):
            connection.execute("DELETE FROM leases WHERE owner_id = ?", (owner.owner_id,))
            connection.execute("DELETE FROM owners WHERE owner_id = ?", (owner.owner_id,))


def _events(connection: sqlite3.Connection, run_id: str) -> list[Event]:
    """All that can be read of the run, deltas at their places; a damaged row is passed over."""
    rows: list[tuple[int, int, Event]] = []
    for place, table in enumerate(("events", "deltas")):
        order = "seq" if table == "events" else "seq, n"
        sql = f"SELECT seq, CAST(json AS BLOB) FROM {table} WHERE run_id = ? ORDER BY {order}"
        found = connection.execute(sql, (run_id,)).fetchall()
        rows.extend((event.seq, place, event) for event in _readable(run_id, found, is_delta=place == 1))
    rows.sort(key=lambda row: row[:2])
    return [event for _, _, event in rows]


def _readable(run_id: str, rows: Iterable[tuple[int, bytes]], *, is_delta: bool) -> Iterator[Event]:
    for seq, data in rows:
        try:
            yield decode(RawRow(run_id=run_id, seq=seq, data=data, is_delta=is_delta))
        except (ValueError, TypeError):
            continue


def _store(connection: sqlite3.Connection, case: OpenRun, closing: Closing) -> None:
    connection.executemany(
        "INSERT INTO events(run_id, seq, kind, json) VALUES (?, ?, ?, ?)",
        [(event.run_id, event.seq, event.kind, encode(event)) for event in closing.events],
    )
    requests = (request_row(event) for event in closing.events)
    connection.executemany(INSERT_SQL, [row for row in requests if row is not None])
    for change in map(change_of, closing.events):
        if change is not None:
            connection.execute(*change)
    connection.execute("DELETE FROM deltas WHERE run_id = ?", (case.run_id,))
    tally = _tally(connection, case, closing.events[0])
    for event in closing.events:
        tally.take(event)
    connection.execute(RUN_SQL, tally.run_row(case.owner_id))
    connection.executemany(SESSION_SQL, tally.session_rows())


def _tally(connection: sqlite3.Connection, case: OpenRun, first: Event) -> Tally:
    """The run's summary as it is stored, for the closing facts to be added to."""
    tally = Tally.of(first)
    names = ", ".join(tally.sums)
    row = connection.execute(
        f"SELECT parent_run_id, status, agent, model, started, updated, {names} FROM runs WHERE run_id = ?",
        (case.run_id,),
    ).fetchone()
    tally.parent_run_id, tally.status, tally.agent, tally.model, tally.started, tally.updated = row[:6]
    tally.sums = dict(zip(tally.sums, row[6:], strict=True))
    tally.flushed = dict(tally.sums)
    tally.known = True
    return tally
