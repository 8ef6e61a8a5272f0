"""Runs that another program made, kept beside our own: marked, never counted as our spending, taken in only once.

Everything here runs inside of a transaction.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runner.errors import ConfigError
from runner.events import Event
from runner.store import leases
from runner.store.encode import encode
from runner.store.ledger import INSERT_SQL, request_row
from runner.store.process import Owner
from runner.store.tally import RUN_SQL, SESSION_SQL, Tally

NOT_IMPORTED = "run_id NOT IN (SELECT run_id FROM imported_runs)"
"""A condition on requests: those that were paid here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a session that was brought in.

    added, changed, same: runs that are new, that had grown since, and that were here already. kept_back: new and grown
    ones that were not taken, because the session was continued here since: they would change what that goes on from.
    """

    session_id: str
    added: int = 0
    changed: int = 0
    same: int = 0
    kept_back: int = 0


def bring_in(
    connection: sqlite3.Connection, source: str, runs: Sequence[Sequence[Event]], me: Owner, now: float
) -> Imported:
    """Store whole runs of one session. Raises SessionBusyError while a program runs it, ConfigError for no runs."""
    if not runs or not all(runs):
        raise ConfigError("there is nothing to bring in: nothing was said in this session")
    session_id = runs[0][0].session_id
    leases.refuse_busy(leases.holder(connection, session_id, now), session_id, me)
    known = dict(
        connection.execute("SELECT run_id, digest FROM imported_runs WHERE session_id = ?", (session_id,)).fetchall()
    )
    stored = {row[0] for row in connection.execute("SELECT run_id FROM runs WHERE session_id = ?", (session_id,))}
    _refuse_taken(connection, session_id, [events[0].run_id for events in runs])
    continued = bool(stored - set(known))
    counts = dict.fromkeys(("added", "changed", "same", "kept_back"), 0)
    for events in runs:
        run_id = events[0].run_id
        rows = [(run_id, event.seq, event.kind, encode(event)) for event in events]
        digest = _digest(row[3] for row in rows)
        if known.get(run_id) == digest:
            counts["same"] += 1
        elif continued:
            counts["kept_back"] += 1
        else:
            counts["changed" if run_id in known else "added"] += 1
            _store(connection, source, events, rows, digest, is_new=run_id not in known)
    _sum_up(connection, session_id)
    return Imported(session_id=session_id, **counts)


def _refuse_taken(connection: sqlite3.Connection, session_id: str, run_ids: Sequence[str]) -> None:
    """Raises ConfigError where a run is here already, in another session: nothing of that one may be changed."""
    for run_id in run_ids:
        row = connection.execute("SELECT session_id FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        if row is not None and row[0] != session_id:
            raise ConfigError(f"run {run_id} of it is here already, in session {row[0]}")


def forget(connection: sqlite3.Connection, session_id: str) -> None:
    """Its session is deleted: unlike what was paid here, nothing of it is kept."""
    of_it = "(SELECT run_id FROM imported_runs WHERE session_id = ?)"
    connection.execute(f"DELETE FROM requests WHERE run_id IN {of_it}", (session_id,))
    connection.execute("DELETE FROM imported_runs WHERE session_id = ?", (session_id,))


def _digest(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass"))
        digest.update(b"\n")
    return digest.hexdigest()


def _store(
    connection: sqlite3.Connection,
    source: str,
    events: Sequence[Event],
    rows: Sequence[tuple[str, int, str, str]],
    digest: str,
    *,
    is_new: bool,
) -> None:
    run_id, session_id = events[0].run_id, events[0].session_id
    tally = Tally.of(events[0])
    for event in events:
        tally.take(event)
    if not is_new:
        # What a search looks at was noted when it came first.
        tally.search = ""
        for table in ("events", "requests"):
            connection.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))
    connection.executemany("INSERT INTO events(run_id, seq, kind, json) VALUES (?, ?, ?, ?)", rows)
    requests = (request_row(event) for event in events)
    connection.executemany(INSERT_SQL, [request for request in requests if request is not None])
    # No program ever ran it, so no owner's death can leave it open.
    connection.execute(RUN_SQL, tally.run_row(""))
    tally.known = not is_new
    connection.executemany(SESSION_SQL, tally.session_rows())
    connection.execute(
        "INSERT OR REPLACE INTO imported_runs(run_id, session_id, source, digest) VALUES (?, ?, ?, ?)",
        (run_id, session_id, source, digest),
    )


def _sum_up(connection: sqlite3.Connection, session_id: str) -> None:
    """A run that changed was counted once more; the runs themselves know best."""
    connection.execute(
        "UPDATE sessions SET turns = (SELECT sum(turns) FROM runs WHERE session_id = :id),"
        " tool_calls = (SELECT sum(tool_calls) FROM runs WHERE session_id = :id),"
        " created = (SELECT min(started) FROM runs WHERE session_id = :id),"
        " updated = (SELECT max(updated) FROM runs WHERE session_id = :id),"
        " last_run_id = (SELECT run_id FROM runs WHERE session_id = :id AND parent_run_id IS NULL"
        " ORDER BY n DESC LIMIT 1) WHERE session_id = :id",
        {"id": session_id},
    )
