"""Closing the runs whose program died. Safe to do in two programs at once; runs of living programs are left alone."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from runner.events import Event
from runner.store.base import RecoveredRun
from runner.store.closing import Closing, close_run
from runner.store.encode import encode
from runner.store.leases import OWNER_COLUMNS, owner_from
from runner.store.process import is_alive
from runner.store.read import RawRow, decode
from runner.store.tally import RUN_SQL, SESSION_SQL, Tally

_OPEN_RUNS = f"""
    SELECT r.run_id, r.session_id, r.owner_id, {OWNER_COLUMNS}
    FROM runs r LEFT JOIN owners o ON o.owner_id = r.owner_id WHERE r.finished = 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """A run without an end. alive: its program still runs it."""

    run_id: str
    session_id: str
    owner_id: str
    alive: bool


def open_runs(connection: sqlite3.Connection, now: float) -> list[OpenRun]:
    """Every run without an end. now: seconds since the epoch."""
    alive: dict[str, bool] = {}
    found: list[OpenRun] = []
    for run_id, session_id, owner_id, *owner in connection.execute(_OPEN_RUNS + " ORDER BY r.n").fetchall():
        if owner_id not in alive:
            known = owner[0] is not None
            alive[owner_id] = known and is_alive(owner_from((owner[0], owner[1], owner[2], owner[3], owner[4])), now)
        found.append(OpenRun(run_id=run_id, session_id=session_id, owner_id=owner_id, alive=alive[owner_id]))
    return found


def recover_run(connection: sqlite3.Connection, run_id: str, wall: float, now: datetime) -> RecoveredRun | None:
    """Close one run; inside of a transaction. None where another program was faster or the owner lives after all.

    wall: seconds since the epoch, for telling who lives. now: the time that the closing facts get.
    """
    case = next((run for run in open_runs(connection, wall) if run.run_id == run_id), None)
    if case is None or case.alive:
        return None
    last = connection.execute("SELECT max(seq) FROM events WHERE run_id = ?", (run_id,)).fetchone()[0]
    closing = close_run(
        _events(connection, run_id),
        run_id=run_id,
        session_id=case.session_id,
        next_seq=(last if isinstance(last, int) else 0) + 1,
        now=now,
    )
    _store(connection, case, closing)
    title = connection.execute("SELECT name, title FROM sessions WHERE session_id = ?", (case.session_id,)).fetchone()
    return RecoveredRun(
        session_id=case.session_id,
        run_id=run_id,
        title="" if title is None else title[0] or title[1],
        open_calls=closing.open_calls,
        partial_characters=closing.partial_characters,
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
        for seq, data in connection.execute(sql, (run_id,)).fetchall():
            try:
                row = RawRow(run_id=run_id, seq=seq, data=data, is_delta=place == 1)
                rows.append((seq, place, decode(row)))
            except (ValueError, TypeError):
                continue
    rows.sort(key=lambda row: row[:2])
    return [event for _, _, event in rows]


def _store(connection: sqlite3.Connection, case: OpenRun, closing: Closing) -> None:
    connection.executemany(
        "INSERT INTO events(run_id, seq, kind, json) VALUES (?, ?, ?, ?)",
        [(event.run_id, event.seq, event.kind, encode(event)) for event in closing.events],
    )
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
