"""What a session has granted: read from its decisions, its revocations and the ends of the calls they allowed."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import TypeAlias

from runner.errors import NotFoundError
from runner.events import Event, ToolFinished
from runner.policy.live import Standing
from runner.store import leases
from runner.store.process import Owner
from runner.store.read import OnProblem, Reader
from runner.store.rows import RawRow
from runner.store.units import from_pico

Decode: TypeAlias = Callable[[str, RawRow, OnProblem | None], Event | None]

_DECISIONS = """
    SELECT r.n, e.run_id, e.seq, CAST(e.json AS BLOB) FROM runs r JOIN events e ON e.run_id = r.run_id
    WHERE r.session_id = ? AND r.inherited = 0
    AND e.kind IN ('approval_requested', 'approval_resolved', 'grant_revoked', 'run_finished') ORDER BY r.n, e.seq
"""
_ENDS = """
    SELECT e.run_id, e.seq, CAST(e.json AS BLOB) FROM events e
    WHERE e.run_id = ? AND e.kind = 'tool_finished' ORDER BY e.seq
"""


def standing(reader: Reader, session_id: str, decode: Decode) -> Standing:
    """Nothing where there is no such session; what inherited runs were allowed is not allowed here."""
    found = Standing()
    # Whoever revokes says after which run; what a later run granted is not meant.
    revoked = reader.all("SELECT after_run, key FROM revocations WHERE session_id = ? ORDER BY n", (session_id,))
    for n, run_id, seq, data in reader.all(_DECISIONS, (session_id,)):
        while revoked and revoked[0][0] < n:
            found.revoke(revoked.pop(0)[1])
        for event in _decoded(session_id, [(run_id, seq, data)], decode):
            found.take(event)
    for _, key in revoked:
        found.revoke(key)
    _take_ends(found, reader, session_id, decode)
    return found


def _take_ends(found: Standing, reader: Reader, session_id: str, decode: Decode) -> None:
    """Results of calls are long, so only those are read of runs where a grant depends on them."""
    careful = {grant.bound.until_failure for grant in found.given()}
    if True not in careful:
        return
    for run_id in dict.fromkeys(name.partition("/")[0] for name in found.uses.open):
        for event in _decoded(session_id, reader.all(_ENDS, (run_id,)), decode):
            if isinstance(event, ToolFinished):
                found.take(event)


def _decoded(session_id: str, rows: Iterable[tuple[str, int, bytes]], decode: Decode) -> Iterator[Event]:
    for run_id, seq, data in rows:
        event = decode(session_id, RawRow(run_id=run_id, seq=seq, data=data, is_delta=False), None)
        if event is not None:
            yield event


def costs_of(reader: Reader, session_id: str) -> dict[str, Decimal | None]:
    """What each run of the session has cost, None where a part of that is not known."""
    rows = reader.all(
        "SELECT r.run_id, coalesce(sum(q.cost), 0), count(q.n) - count(q.cost) FROM runs r"
        " LEFT JOIN requests q ON q.session_id = r.session_id AND q.run_id = r.run_id"
        " WHERE r.session_id = ? GROUP BY r.run_id",
        (session_id,),
    )
    return {run_id: None if unknown else from_pico(known) for run_id, known, unknown in rows}


def revoke(connection: sqlite3.Connection, session_id: str, key: str, me: Owner, now: float) -> None:
    """Inside of a transaction. Raises NotFoundError, and SessionBusyError while a program runs the session."""
    if connection.execute("SELECT 1 FROM sessions WHERE session_id = ?", (session_id,)).fetchone() is None:
        raise NotFoundError(f"no session has the id {session_id!r}")
    leases.refuse_busy(leases.holder(connection, session_id, now), session_id, me)
    connection.execute(
        "INSERT INTO revocations(session_id, after_run, key, time)"
        " SELECT ?, coalesce(max(n), 0), ?, ? FROM runs WHERE session_id = ?",
        (session_id, key, time.time_ns() // 1000, session_id),
    )
