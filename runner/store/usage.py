"""What requests came to: sums over the ledger by what a person asks for."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from runner.store.base import UsageBy, UsageSum
from runner.store.imports import NOT_IMPORTED
from runner.store.ledger import SUMS_SQL, sums
from runner.store.units import from_micros, from_pico, micros
from runner.usage import Cost

# The day is the one that the person's calendar showed: the offset of that moment, not of the present one.
_KEYS: dict[UsageBy, str] = {
    "all": "''",
    "model": "model",
    "provider": "provider",
    "agent": "agent",
    "project": "coalesce((SELECT s.workspace FROM sessions s WHERE s.session_id = requests.session_id), '')",
    "day": "date(time / 1000000, 'unixepoch', 'localtime')",
    "session": "session_id",
    "run": "run_id",
}

_ESTIMATED = "source = 'estimated' AND (input <> 0 OR output <> 0 OR cost IS NULL OR cost <> 0)"
"""An estimate that says something: what cost nothing is no estimate of anything."""


def _part(condition: str) -> str:
    """How many requests, their known cost, and how many of them have none."""
    return (
        f"sum({condition}), coalesce(sum(CASE WHEN {condition} THEN cost END), 0), sum(({condition}) AND cost IS NULL)"
    )


def usage(
    connection: sqlite3.Connection, by: UsageBy, since: datetime | None, session_id: str | None
) -> list[UsageSum]:
    """One sum for each key, in the order in which the keys came up. What other programs paid for counts only where
    their session is asked for."""
    wheres = [NOT_IMPORTED] if session_id is None else []
    values: list[Any] = []
    if since is not None:
        wheres.append("time >= ?")
        values.append(micros(since))
    if session_id is not None:
        wheres.append("session_id = ?")
        values.append(session_id)
    where = f"WHERE {' AND '.join(wheres)}" if wheres else ""
    rows = connection.execute(
        f"SELECT {_KEYS[by]} AS key, max(session_id), count(*), sum(attempt > 1), min(time), max(time),"
        f" {_part(_ESTIMATED)}, {_part('discarded')},"
        f" coalesce(sum(CASE WHEN {_ESTIMATED} THEN input + output END), 0), {SUMS_SQL}"
        f" FROM requests {where} GROUP BY key ORDER BY min(n)",
        values,
    ).fetchall()
    titles = _titles(connection, [row[1] for row in rows]) if by in ("session", "run") else {}
    return [_sum(row, titles.get(row[1], "")) for row in rows]


def _sum(row: Sequence[Any], title: str) -> UsageSum:
    tokens, cost = sums(row[13:])
    return UsageSum(
        key=row[0],
        title=title,
        requests=row[2],
        retries=row[3],
        first=from_micros(row[4]),
        last=from_micros(row[5]),
        estimated=row[6],
        estimated_cost=Cost(known=from_pico(row[7]), unknown=row[8]),
        estimated_tokens=row[12],
        discarded=row[9],
        discarded_cost=Cost(known=from_pico(row[10]), unknown=row[11]),
        usage=tokens,
        cost=cost,
    )


def _titles(connection: sqlite3.Connection, session_ids: Sequence[str]) -> dict[str, str]:
    wanted = set(session_ids)
    rows = connection.execute("SELECT session_id, name, title FROM sessions").fetchall()
    return {session_id: name or title for session_id, name, title in rows if session_id in wanted}
