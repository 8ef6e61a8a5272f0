"""Lists of sessions, from the summary columns and the ledger; no event is read for them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from runner.errors import NotFoundError
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
        (SELECT min(i.source) FROM imported_runs i WHERE i.session_id = s.session_id), s.pinned, s.deleted,
        s.root_id, s.forked_from, s.forked_turn,
        (SELECT group_concat(a.text, char(10)) FROM annotations a
            WHERE a.session_id = s.session_id AND a.kind = 'tag' AND a.run_id = '' AND a.turn = 0),
        (SELECT a.text FROM annotations a
            WHERE a.session_id = s.session_id AND a.kind = 'note' AND a.run_id = '' AND a.turn = 0),
        (SELECT coalesce(sum(max(0, t.updated - t.started)), 0) FROM runs t
            WHERE t.session_id = s.session_id AND t.parent_run_id IS NULL AND t.inherited = 0),
        s.rowid AS place
    FROM sessions s LEFT JOIN runs r ON r.run_id = s.last_run_id
"""
_OWN_COLUMNS = 24

_KINDS: tuple[tuple[str, type[str] | type[int]], ...] = (
    *((name, str) for name in ("its id", "title", "name", "folder", "agent", "models")),
    *((name, int) for name in ("created", "updated", "runs", "turns", "tool calls")),
    *((name, str) for name in ("its last run", "status", "reason", "origin")),
    *((name, int) for name in ("pinned", "deleted")),
    *((name, str) for name in ("root", "forked from")),
    ("forked turn", int),
    *((name, str) for name in ("tags", "note")),
    ("length", int),
)
_MAY_BE_NULL = frozenset({"its last run", "status", "reason", "origin", "deleted", "tags", "note"})
"""Columns of what there may be none of."""

LATEST = 253_402_300_799_000_000
"""Microseconds of the last moment that a date can say."""

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
    deleted: bool,
    now: float,
    on_problem: Callable[[Problem], None],
) -> list[SessionSummary]:
    """The newest first. query: words that must all occur in the name, the title, the first messages, the folder or
    the agent. deleted: those in the trash in the place of all others."""
    words = clean(query[:LONGEST_QUERY]).casefold().split()
    wheres = ["s.deleted IS NOT NULL" if deleted else "s.deleted IS NULL"]
    wheres += ["(s.search LIKE ? ESCAPE '\\' OR s.name_key LIKE ? ESCAPE '\\')"] * len(words)
    values: list[Any] = [pattern for word in words for pattern in [f"%{_escape(word)}%"] * 2]
    page = f"{_PAGE} WHERE {' AND '.join(wheres)} ORDER BY s.updated DESC, s.rowid DESC LIMIT ? OFFSET ?"
    values += [-1 if limit is None else limit, offset]
    return _summaries(connection, connection.execute(_with_sums(page), values).fetchall(), now, on_problem)


def of_ids(
    connection: sqlite3.Connection, ids: Sequence[str], now: float, on_problem: Callable[[Problem], None]
) -> list[SessionSummary]:
    """Those of them that there are, in the order of the ids, the ones in the trash too."""
    if not ids:
        return []
    page = f"{_PAGE} WHERE s.session_id IN (SELECT value FROM json_each(?))"
    rows = connection.execute(_with_sums(page), (json.dumps(list(ids)),)).fetchall()
    made = {summary.session_id: summary for summary in _summaries(connection, rows, now, on_problem)}
    return [made[session_id] for session_id in ids if session_id in made]


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
    return _summaries(connection, rows, now, on_problem)[0]


def _summaries(
    connection: sqlite3.Connection, rows: Iterable[Any], now: float, on_problem: Callable[[Problem], None]
) -> list[SessionSummary]:
    running = open_runs(connection, now)
    live = {run.session_id for run in running if run.alive}
    dead = {run.run_id for run in running if not run.alive}
    made: list[SessionSummary] = []
    for row in rows:
        columns, wrong = _mended(row)
        if wrong:
            message = f"its summary is damaged: {', '.join(wrong)} cannot be read"
            on_problem(Problem(session_id=columns[0], run_id="", seq=0, message=message))
        made.append(_summary(columns, columns[0] in live, columns[11] in dead))
    return made


def _mended(row: Sequence[Any]) -> tuple[list[Any], list[str]]:
    """The row, in the place of what is damaged the value of an empty column; and the names of what is damaged."""
    columns, wrong = list(row), list[str]()
    for index, (name, kind) in enumerate(_KINDS):
        value = columns[index]
        if value is None and name in _MAY_BE_NULL:
            columns[index] = None if name == "deleted" else kind()
        elif not isinstance(value, kind) or (isinstance(value, int) and not 0 <= value <= LATEST):
            columns[index] = kind()
            wrong.append(name)
    return columns, wrong


def _summary(row: Sequence[Any], live: bool, dead: bool) -> SessionSummary:
    title, name, models = row[1], row[2], row[5]
    status, reason = row[12], row[13]
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
        imported=row[14],
        pinned=bool(row[15]),
        deleted=None if row[16] is None else from_micros(row[16]),
        root_id=row[17] or row[0],
        forked_from=row[18],
        forked_turn=row[19],
        tags=tuple(sorted(row[20].split("\n"))) if row[20] else (),
        note=row[21],
        seconds=row[22] / 1_000_000,
    )


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
