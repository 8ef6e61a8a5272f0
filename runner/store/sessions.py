"""Lists of sessions, from the summary columns and the ledger; no event is read for them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

from runner.errors import NotFoundError, StoreError
from runner.store.base import Problem, SessionSummary
from runner.store.ledger import SUMS_SQL, sums
from runner.store.recover import open_runs
from runner.store.units import clean, from_micros

LONGEST_QUERY = 200
CANDIDATES_SHOWN = 5

_PAGE = """
    SELECT
        s.session_id, s.title, s.name, s.workspace, s.agent, s.models, s.created, s.updated, s.runs, s.turns,
        s.tool_calls, r.run_id, r.status, r.reason,
        (SELECT min(i.source) FROM imported_runs i WHERE i.session_id = s.session_id), s.rowid AS place
    FROM sessions s LEFT JOIN runs r ON r.run_id = s.last_run_id
"""
_OWN_COLUMNS = 16


_SUM_NAMES = "input, cached_input, cache_write, output, reasoning, cost, unknown"


def _with_sums(page: str) -> str:
    """The sessions of the page, in its order, each with the sums over its requests, which are read from the index."""
    return (
        f"WITH page AS ({page}), paid(session_id, {_SUM_NAMES}) AS ("
        f"SELECT session_id, {SUMS_SQL} FROM requests"
        " WHERE session_id IN (SELECT session_id FROM page) GROUP BY session_id"
        f") SELECT page.*, {_SUM_NAMES} FROM page LEFT JOIN paid ON paid.session_id = page.session_id"
        " ORDER BY page.updated DESC, page.place DESC"
    )


def listed(
    connection: sqlite3.Connection,
    *,
    limit: int | None,
    offset: int,
    query: str,
    now: float,
    on_problem: Callable[[Problem], None],
) -> list[SessionSummary]:
    """The newest first. query: words that must all occur in the name, the title, the first messages, the folder or
    the agent."""
    words = clean(query[:LONGEST_QUERY]).casefold().split()
    wheres = ["(s.search LIKE ? ESCAPE '\\' OR s.name_key LIKE ? ESCAPE '\\')"] * len(words)
    values: list[Any] = [pattern for word in words for pattern in [f"%{_escape(word)}%"] * 2]
    where = f"WHERE {' AND '.join(wheres)}" if wheres else ""
    page = f"{_PAGE} {where} ORDER BY s.updated DESC, s.rowid DESC LIMIT ? OFFSET ?"
    values += [-1 if limit is None else limit, offset]
    return _summaries(connection, connection.execute(_with_sums(page), values).fetchall(), now, on_problem)


def found(
    connection: sqlite3.Connection, id_or_prefix: str, now: float, on_problem: Callable[[Problem], None]
) -> SessionSummary:
    """Raises NotFoundError where no session, or more than one, has an id that starts so."""
    rows = connection.execute(_with_sums(f"{_PAGE} WHERE s.session_id = ?"), (id_or_prefix,)).fetchall()
    if not rows and id_or_prefix:
        rows = connection.execute(
            _with_sums(f"{_PAGE} WHERE s.session_id LIKE ? ESCAPE '\\' ORDER BY s.updated DESC LIMIT ?"),
            (f"{_escape(id_or_prefix)}%", CANDIDATES_SHOWN + 1),
        ).fetchall()
    if not rows:
        raise NotFoundError(f"no session has the id {id_or_prefix!r}")
    if len(rows) > 1:
        names = ", ".join(row[0] for row in rows[:CANDIDATES_SHOWN])
        more = ", ..." if len(rows) > CANDIDATES_SHOWN else ""
        raise NotFoundError(f"{id_or_prefix!r} is the start of more than one session's id: {names}{more}")
    made = _summaries(connection, rows, now, on_problem)
    if not made:
        raise StoreError(f"the summary of session {rows[0][0]} is damaged")
    return made[0]


def _summaries(
    connection: sqlite3.Connection, rows: Iterable[Any], now: float, on_problem: Callable[[Problem], None]
) -> list[SessionSummary]:
    running = open_runs(connection, now)
    live = {run.session_id for run in running if run.alive}
    dead = {run.run_id for run in running if not run.alive}
    made: list[SessionSummary] = []
    for row in rows:
        try:
            made.append(_summary(row, row[0] in live, row[11] in dead))
        except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
            on_problem(Problem(session_id=str(row[0]), run_id="", seq=0, message=f"its summary is damaged: {error}"))
    return made


def _summary(row: Any, live: bool, dead: bool) -> SessionSummary:
    title, name, models = row[1], row[2], row[5]
    status, reason = row[12] or "", row[13] or ""
    usage, cost = sums(row[_OWN_COLUMNS:])
    if dead:
        # What recovery is going to write.
        status, reason = "failed", "interrupted"
    return SessionSummary(
        session_id=row[0],
        title=name or title,
        name=name,
        workspace=row[3],
        agent=row[4],
        models=tuple(models.split("\n")) if models else (),
        created=from_micros(row[6]),
        updated=from_micros(row[7]),
        runs=row[8],
        turns=row[9],
        tool_calls=row[10],
        usage=usage,
        cost_usd=cost.total,
        status=status,
        reason=reason,
        live=live,
        imported=row[14] or "",
    )


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
