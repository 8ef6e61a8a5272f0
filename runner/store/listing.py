"""The order of a list of sessions, and which of them a filter lets through. No event is read for it.

A family is a session and all that was forked from it. The family in which something happened last comes first, pinned
ones before all; a fork stands under the session that it was made of. Where a filter lets only a part of a family
through, that part is listed and nothing else, its first one in the place of the root.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from runner.store.base import SessionKey
from runner.store.query import Limit, SessionFilter, Term, TextField
from runner.store.recover import open_runs
from runner.store.search import LONGEST_QUERY, WORDS
from runner.store.units import EPOCH, clean, from_micros, micros

if TYPE_CHECKING:
    from runner.store.search import SearchIndex

CATCHING_UP: Final = 0.3
"""Seconds that a list waits for the search index to take in what is new."""

_PICO: Final = 10**12
_COLUMNS: Final = "s.session_id, s.root_id, s.forked_from, s.updated, s.created, s.pinned, s.workspace"

_ANNOTATED: Final = "EXISTS (SELECT 1 FROM annotations a WHERE a.session_id = s.session_id AND a.kind = '{}')"
_STATES: Final[Mapping[str, str]] = {
    "pinned": "s.pinned",
    "imported": "EXISTS (SELECT 1 FROM imported_runs i WHERE i.session_id = s.session_id)",
    "fork": "s.forked_from <> ''",
    "tagged": _ANNOTATED.format("tag"),
    "noted": _ANNOTATED.format("note"),
}
_AGENT: Final = (
    "s.agent LIKE ? ESCAPE '\\'"
    " OR EXISTS (SELECT 1 FROM runs r WHERE r.session_id = s.session_id AND r.agent LIKE ? ESCAPE '\\')"
)
_TAG: Final = "s.session_id IN (SELECT a.session_id FROM annotations a WHERE a.kind = 'tag' AND a.text = ?)"
_ENDED: Final = (
    # A run whose program died is shown as what recovery is going to make of it.
    "EXISTS (SELECT 1 FROM runs r WHERE r.run_id = s.last_run_id AND CASE WHEN r.run_id IN"
    " (SELECT value FROM json_each(?)) THEN 'failed interrupted' ELSE r.status || ' ' || r.reason END"
    " LIKE ? ESCAPE '\\')"
)
_REQUESTS: Final = "FROM requests q WHERE q.session_id = s.session_id"
_NUMBERS: Final[Mapping[str, str]] = {
    "turns": "s.turns",
    "calls": "s.tool_calls",
    "tokens": f"(SELECT coalesce(sum(q.input + q.output), 0) {_REQUESTS})",
    # NULL, which compares with nothing, where the cost of one request is unknown.
    "cost": f"(SELECT CASE WHEN count(q.cost) = count(*) THEN coalesce(sum(q.cost), 0) END {_REQUESTS})",
}


class _Row(NamedTuple):
    session_id: str
    root_id: str
    forked_from: str
    updated: int
    created: int
    pinned: int
    workspace: str


def keys(
    connection: sqlite3.Connection,
    filter: SessionFilter | None,
    index: SearchIndex,
    *,
    now: float,
    limit: int | None = None,
) -> list[SessionKey]:
    """In the order of the list. limit: no more of it than that; without words and the like, no more is looked at."""
    wanted = filter or SessionFilter()
    where, values = _Where(connection, index, now).of(wanted)
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM sessions s WHERE {where} ORDER BY s.updated DESC, s.session_id", values
    )
    if limit is None or wanted.reads_index:
        return _ordered(list(map(_Row._make, rows)))[:limit]
    return _first(connection, map(_Row._make, rows), where, values, limit)


def _ordered(rows: Sequence[_Row]) -> list[SessionKey]:
    """rows: the newest first."""
    families: dict[str, list[_Row]] = {row[1]: [] for row in rows if row[1]}
    slots: list[SessionKey | str] = []
    for row in rows:
        root = row[1] or row[0]
        # Most sessions are a family of their own.
        if root not in families:
            slots.append(_key(row, 0))
            continue
        if not families[root]:
            slots.append(root)
        families[root].append(row)
    pinned: list[SessionKey] = []
    others: list[SessionKey] = []
    for slot in slots:
        if isinstance(slot, str):
            members = families[slot]
            (pinned if any(row.pinned for row in members) else others).extend(_family(members))
        else:
            (pinned if slot.pinned else others).append(slot)
    return pinned + others


def _first(
    connection: sqlite3.Connection, rows: Iterable[_Row], where: str, values: Sequence[Any], limit: int
) -> list[SessionKey]:
    """The beginning of the same list: a family stands where its newest one stands."""
    # An index of their own finds the few that are pinned without a look at all others.
    pinned = connection.execute(
        f"SELECT {_COLUMNS} FROM sessions s INDEXED BY sessions_pinned WHERE s.pinned = 1 AND {where}", values
    ).fetchall()
    seen = {row.root_id or row.session_id for row in map(_Row._make, pinned)}
    made = _ordered(_members(connection, seen, where, values))
    for row in rows:
        if len(made) >= limit:
            break
        root = row.root_id or row.session_id
        if root not in seen:
            seen.add(root)
            made.extend(_ordered(_members(connection, [root], where, values)))
    return made[:limit]


def _members(connection: sqlite3.Connection, roots: Iterable[str], where: str, values: Sequence[Any]) -> list[_Row]:
    """Of these families, the newest first."""
    ids = json.dumps(list(roots))
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM sessions s WHERE (s.session_id IN (SELECT value FROM json_each(?))"
        " OR (s.root_id <> '' AND s.root_id IN (SELECT value FROM json_each(?))))"
        f" AND {where} ORDER BY s.updated DESC, s.session_id",
        (ids, ids, *values),
    )
    return list(map(_Row._make, rows))


def _family(members: Sequence[_Row]) -> Iterable[SessionKey]:
    """Each fork under the one it was made of, the newest first. What is listed without that one counts as made of the
    one that is listed in its place."""
    if len(members) == 1:
        return (_key(members[0], 0),)
    there = {row.session_id: row for row in members}
    root = members[0].root_id or members[0].session_id
    top = there.get(root) or min(members, key=lambda row: (str(row.created), row.session_id))
    under: dict[str, list[_Row]] = {}
    for row in members:
        if row is not top:
            above = row.forked_from if row.forked_from in there and row.forked_from != row.session_id else ""
            under.setdefault(above or top.session_id, []).append(row)
    made: list[SessionKey] = []
    left = [(top, 0)]
    while left:
        row, depth = left.pop()
        made.append(_key(row, depth))
        left.extend((child, depth + 1) for child in reversed(under.pop(row.session_id, [])))
    # What damage has made into a ring of forks hangs under nothing.
    made.extend(_key(row, 1) for rows in under.values() for row in rows)
    return made


def _key(row: _Row, depth: int) -> SessionKey:
    session_id, root_id, _, updated, created, pinned, workspace = row
    root = root_id or session_id
    try:
        return SessionKey(session_id, root, from_micros(updated), from_micros(created), bool(pinned), workspace, depth)
    except (TypeError, OverflowError):
        # A damaged row is told of where it is read whole.
        return SessionKey(session_id, root, EPOCH, EPOCH, bool(pinned), str(workspace), depth)


class _Where:
    """A filter as a condition on `sessions s`, and its values."""

    def __init__(self, connection: sqlite3.Connection, index: SearchIndex, now: float) -> None:
        self._connection = connection
        self._index = index
        self._now = now
        self._values: list[Any] = []

    def of(self, filter: SessionFilter) -> tuple[str, list[Any]]:
        if filter.reads_index:
            self._index.catch_up(CATCHING_UP)
        parts = ["s.deleted IS NOT NULL" if filter.deleted else "s.deleted IS NULL"]
        if filter.since is not None:
            parts.append(self._with("s.updated >= ?", micros(filter.since)))
        if filter.until is not None:
            parts.append(self._with("s.updated < ?", micros(filter.until)))
        for condition in filter.conditions:
            made = self._number(condition) if isinstance(condition, Limit) else self._term(condition)
            parts.append(f"NOT ({made})" if condition.excluded else f"({made})")
        if filter.words.strip():
            parts.append(self._words(filter.words))
        return " AND ".join(parts), self._values

    def _with(self, sql: str, *values: object) -> str:
        self._values.extend(values)
        return sql

    def _ids(self, ids: Iterable[str]) -> str:
        return self._with("s.session_id IN (SELECT value FROM json_each(?))", json.dumps(list(ids)))

    def _words(self, words: str) -> str:
        """All of them in the name, the first messages, the folder and the note; or as the full text has them."""
        # The cheaper question first; it is also the one that most often says yes.
        said = self._ids(self._index.sessions_saying(words))
        plain = [
            _like(phrase or word)
            for phrase, word in WORDS.findall(clean(words[:LONGEST_QUERY]).casefold())
            if phrase or word
        ]
        each = (
            self._with(
                "(s.search LIKE ? ESCAPE '\\' OR s.name_key LIKE ? ESCAPE '\\' OR s.workspace LIKE ? ESCAPE '\\'"
                " OR s.session_id IN (SELECT a.session_id FROM annotations a WHERE a.text LIKE ? ESCAPE '\\'))",
                *[pattern] * 4,
            )
            for pattern in plain
        )
        return f"({said} OR ({' AND '.join(each) or '0'}))"

    def _number(self, limit: Limit) -> str:
        value = limit.value * _PICO if limit.field == "cost" else limit.value
        exact = int(value) if value == value.to_integral_value() else float(value)
        return self._with(f"{_NUMBERS[limit.field]} {limit.sign} ?", exact)

    def _term(self, term: Term) -> str:
        return " OR ".join(f"({self._one(term.field, value)})" for value in term.values) or "0"

    def _one(self, field: TextField, value: str) -> str:
        match field:
            case "model":
                return self._with("s.models LIKE ? ESCAPE '\\'", _like(value))
            case "agent":
                return self._with(_AGENT, _like(value), _like(value))
            case "project":
                return self._with("s.workspace LIKE ? ESCAPE '\\'", _like(value))
            case "id":
                return self._with("s.session_id LIKE ? ESCAPE '\\'", _like(value)[1:])
            case "tag":
                return self._with(_TAG, clean("-".join(value.strip().lstrip("#").split())).casefold())
            case "tool":
                return self._ids(self._index.sessions_using(value))
            case "file":
                return self._ids(self._index.sessions_touching(value))
            case "ended":
                dead = [run.run_id for run in open_runs(self._connection, self._now) if not run.alive]
                return self._with(_ENDED, json.dumps(dead), _like(value))
            case "is":
                return self._state(value)

    def _state(self, state: str) -> str:
        if state == "live":
            return self._ids({run.session_id for run in open_runs(self._connection, self._now) if run.alive})
        return _STATES[state]


def _like(text: str) -> str:
    escaped = clean(text).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
