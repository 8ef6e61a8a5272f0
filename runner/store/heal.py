"""Sessions whose own row is lost while their runs are there: the row is made anew from the facts."""

from __future__ import annotations

import sqlite3

from runner.store.rows import RawRow, decode
from runner.store.tally import SESSION_SQL, Tally

_LOST = """
    SELECT DISTINCT r.session_id FROM runs r
    WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.session_id = r.session_id)
"""


def lost_sessions(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute(_LOST).fetchall()]


def heal(connection: sqlite3.Connection) -> list[str]:
    """The sessions that are in the list again; inside of a transaction."""
    lost = lost_sessions(connection)
    for session_id in lost:
        runs = connection.execute(
            "SELECT run_id, inherited FROM runs WHERE session_id = ? ORDER BY n", (session_id,)
        ).fetchall()
        for run_id, inherited in runs:
            tally = _tally(connection, run_id, session_id)
            if inherited:
                tally.sums = dict.fromkeys(tally.sums, 0)
            connection.executemany(SESSION_SQL, tally.session_rows())
    return lost


def _tally(connection: sqlite3.Connection, run_id: str, session_id: str) -> Tally:
    parent, started, updated = connection.execute(
        "SELECT parent_run_id, started, updated FROM runs WHERE run_id = ?", (run_id,)
    ).fetchone()
    tally = Tally(run_id=run_id, session_id=session_id, parent_run_id=parent, started=started, updated=updated)
    rows = connection.execute("SELECT seq, CAST(json AS BLOB) FROM events WHERE run_id = ? ORDER BY seq", (run_id,))
    for seq, data in rows:
        try:
            tally.take(decode(RawRow(run_id=run_id, seq=seq, data=data, is_delta=False)))
        except (ValueError, TypeError):
            continue
    return tally
