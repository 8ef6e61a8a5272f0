"""Full text of everything said and done, found in milliseconds (SQLite FTS5).

The index is a file of its own beside the database, made of the stored facts and of nothing else: it lags behind until
somebody searches, it can be deleted at any time, and no run ever waits for it. It is readable by the user only, and
what is deleted from the store is deleted from it. What lies in the trash stays in it and is found by nobody.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import threading
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from runner.errors import StoreError
from runner.store.read import Reader
from runner.store.search_facts import Part
from runner.store.search_file import CLOSE, OPEN, SESSION_SQL, VERSION, open_index, remove_index
from runner.store.units import clean, from_micros, micros

if TYPE_CHECKING:
    from runner.store.base import ApprovalSum, ToolSum

__all__ = ["VERSION", "WORDS", "Around", "Hit", "Part", "Pieces", "SearchIndex", "match_of"]

LONGEST_QUERY: Final = 400
SHORTEST_BEGUN: Final = 3
"""Characters of a word that is perhaps begun only: shorter ones begin half of all words."""

FORGETTING: Final = 0.2
"""Seconds that deleting may take to drop a session's words for good; the next catch_up goes on with it."""

MOST_COUNTED: Final = 200_000
"""Places that are counted, the newest ones."""

_IN: Final = f"{SESSION_SQL} IN (SELECT value FROM json_each(?))"
WORDS: Final = re.compile(r'"([^"]*)"?|(\S+)')

Pieces: TypeAlias = tuple[tuple[str, bool], ...]
"""Pieces of a text, each with whether it was searched for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Where something was found: fact `seq` of the run. snippet: what stands there. place: its number in the index."""

    session_id: str
    run_id: str
    seq: int
    part: Part
    tool: str
    time: datetime
    snippet: Pieces
    place: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What stands around a hit: the line itself, and lines before and after it."""

    before: tuple[Pieces, ...]
    line: Pieces
    after: tuple[Pieces, ...]


class SearchIndex:
    """May be used from any thread, by one at a time; of several programs each waits for the other's writing."""

    def __init__(self, path: Path, reader: Reader) -> None:
        """path: of the index. reader: of the database."""
        self._path = path
        self._reader = reader
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def behind(self) -> int:
        """How many runs the index does not know yet, or not to their end."""
        from runner.store.search_filling import missing

        with self._opened() as connection:
            return len(missing(connection, self._reader))

    def catch_up(self, seconds: float | None = None) -> int:
        """Take in what was stored since, for about so long at most; gives how many runs are still missing then."""
        from runner.store.search_filling import catch_up

        with self._opened() as connection:
            return catch_up(connection, self._reader, seconds)

    def find(
        self,
        query: str,
        *,
        session_id: str = "",
        inherited: bool = True,
        within: Iterable[str] | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[Hit]:
        """The newest first. query: words that must all occur in one place, the last one perhaps begun only; "words in
        quotes" stand together. Empty for a query without a word.

        session_id: only there, where inherited also in what a fork took over; elsewhere that is found where it was
        said. within: only in these sessions, in the trash or not.
        """
        match = match_of(query)
        if not match:
            return []
        with self._opened() as connection:
            conditions, values = ["words MATCH ?"], [match]
            if session_id:
                kinds = (0, 1) if inherited else (0,)
                conditions.append(_IN)
                values.append(json.dumps(self._numbers(connection, [session_id], kinds)))
            else:
                conditions.append(f"NOT {_IN}")
                values.append(json.dumps(self._hidden(connection, trash=within is None)))
            if within is not None:
                conditions.append(_IN)
                values.append(json.dumps(self._numbers(connection, within)))
            rows = connection.execute(
                "SELECT k.session_id, i.run_id, t.seq, t.part, t.tool, t.time, page.snippet, t.n FROM ("
                f"SELECT words.rowid AS n, snippet(words, 0, '{OPEN}', '{CLOSE}', '…', 24) AS snippet"
                f" FROM words WHERE {' AND '.join(conditions)} ORDER BY words.rowid DESC LIMIT ? OFFSET ?"
                ") page JOIN texts t ON t.n = page.n JOIN indexed i ON i.run = t.run JOIN known k ON k.no = i.no"
                " ORDER BY page.n DESC",
                (*values, limit, offset),
            ).fetchall()
        return [_hit(row) for row in rows]

    def around(self, hit: Hit, query: str, *, lines: int = 3) -> Around | None:
        """The first line of the place in which it was found, and so many lines on both sides; None where it is gone."""
        match = match_of(query)
        if not match:
            return None
        with self._opened() as connection:
            row = connection.execute(
                f"SELECT highlight(words, 0, '{OPEN}', '{CLOSE}') FROM words WHERE words MATCH ? AND rowid = ?",
                (match, hit.place),
            ).fetchone()
        return None if row is None else _around(row[0], lines)

    def sessions(self, query: str) -> dict[str, int]:
        """In how many places of which sessions it occurs, without those in the trash and without what forks took over;
        of very many places only the newest are counted."""
        match = match_of(query)
        if not match:
            return {}
        with self._opened() as connection:
            rows = connection.execute(
                f"SELECT {SESSION_SQL} AS no, count(*) FROM (SELECT rowid FROM words WHERE words MATCH ?"
                " ORDER BY rowid DESC LIMIT ?) words GROUP BY no",
                (match, MOST_COUNTED),
            ).fetchall()
            names = self._names(connection, [no for no, _ in rows])
        return {names[no]: count for no, count in rows if no in names}

    def sessions_saying(self, query: str) -> set[str]:
        """The sessions in which it occurs in one place at least."""
        match = match_of(query)
        sql = f"SELECT DISTINCT {SESSION_SQL} FROM words WHERE words MATCH ?"
        return self._sessions(sql, [match]) if match else set()

    def sessions_using(self, tool: str) -> set[str]:
        """The sessions that called a tool with this in its name."""
        return self._sessions("SELECT DISTINCT no FROM tools WHERE tool LIKE ? ESCAPE '\\'", [_like(tool)])

    def sessions_touching(self, path: str) -> set[str]:
        """The sessions whose calls read or changed a file with this in its path, as far as the calls say so."""
        return self._sessions("SELECT DISTINCT no FROM files WHERE path LIKE ? ESCAPE '\\'", [_like(path)])

    def tool_sums(self, since: datetime | None = None) -> list[ToolSum]:
        """How the calls of each tool went, the most called first; without those of other programs."""
        from runner.store.search_sums import tool_sums

        with self._opened() as connection:
            return tool_sums(connection, 0 if since is None else micros(since))

    def approval_sums(self, since: datetime | None = None) -> list[ApprovalSum]:
        """What was decided about calls, by whom, and how long that took; the most frequent first."""
        from runner.store.search_sums import approval_sums

        with self._opened() as connection:
            return approval_sums(connection, 0 if since is None else micros(since))

    def forget(self, session_id: str) -> None:
        """The session is deleted; where there is no index there is nothing to forget."""
        from runner.store.search_filling import forget

        if not self._path.exists():
            return
        with self._opened() as connection:
            forget(connection, session_id, FORGETTING)

    def _sessions(self, sql: str, values: Sequence[Any]) -> set[str]:
        with self._opened() as connection:
            numbers = [row[0] for row in connection.execute(sql, values)]
            return set(self._names(connection, numbers).values())

    def _names(self, connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, str]:
        """The sessions of these numbers, without what is hidden."""
        sql = "SELECT no, session_id FROM known WHERE no IN (SELECT value FROM json_each(?))"
        found: dict[int, str] = dict(connection.execute(sql, (json.dumps(numbers),)).fetchall())
        for number in self._hidden(connection):
            found.pop(number, None)
        return found

    def _hidden(self, connection: sqlite3.Connection, *, trash: bool = True) -> list[int]:
        """The numbers of what lies in the trash, and of what forks took over while that can be found in their root."""
        trashed = self._ids("SELECT session_id FROM sessions WHERE deleted IS NOT NULL") if trash else []
        hidden = self._numbers(connection, trashed) if trashed else []
        if connection.execute("SELECT 1 FROM known WHERE inherited = 1 LIMIT 1").fetchone() is not None:
            forks = self._ids(
                "SELECT s.session_id FROM sessions s JOIN sessions r ON r.session_id = s.root_id"
                " WHERE s.root_id <> '' AND r.deleted IS NULL"
            )
            hidden += self._numbers(connection, forks, (1,))
        return hidden

    def _ids(self, sql: str) -> list[str]:
        return [row[0] for row in self._reader.all(sql)]

    def _numbers(
        self, connection: sqlite3.Connection, ids: Iterable[str], inherited: Sequence[int] = (0, 1)
    ) -> list[int]:
        sql = "SELECT no, inherited FROM known WHERE session_id IN (SELECT value FROM json_each(?))"
        return [no for no, kind in connection.execute(sql, (json.dumps(list(ids)),)) if kind in inherited]

    @contextlib.contextmanager
    def _opened(self) -> Generator[sqlite3.Connection]:
        """Raises StoreError in place of SQLite's errors. An index that is damaged is made anew the next time."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = open_index(self._path)
                yield self._connection
            except sqlite3.Error as error:
                connection, self._connection = self._connection, None
                if connection is not None:
                    connection.close()
                if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                    remove_index(self._path)
                raise StoreError(f"the search index {self._path} cannot be used: {error}") from error


def match_of(query: str) -> str:
    """The query as FTS5 reads it: only words and phrases, none of its own signs."""
    parts: list[str] = []
    text = clean(query[:LONGEST_QUERY])
    for phrase, word in WORDS.findall(text):
        inner = re.sub(r"[^\w]+", " ", phrase or word).strip()
        if inner:
            parts.append(f'"{inner}"')
    if parts and not text.rstrip().endswith('"') and not text.endswith(" ") and _may_be_begun(parts[-1]):
        parts[-1] += "*"
    return " ".join(parts)


def _may_be_begun(part: str) -> bool:
    last = part.strip('"').rpartition(" ")[2]
    return len(last) >= SHORTEST_BEGUN or not last.isascii()


def _like(text: str) -> str:
    escaped = clean(text).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _hit(row: tuple[Any, ...]) -> Hit:
    session_id, run_id, seq, part, tool, moment, snippet, place = row
    return Hit(
        session_id=session_id,
        run_id=run_id,
        seq=seq,
        part=part,
        tool=tool,
        time=from_micros(moment),
        snippet=_pieces(snippet),
        place=place,
    )


def _pieces(snippet: str) -> Pieces:
    found: list[tuple[str, bool]] = []
    for number, part in enumerate(re.split(f"[{OPEN}{CLOSE}]", snippet)):
        if part:
            found.append((part, number % 2 == 1))
    return tuple(found)


def _around(text: str, lines: int) -> Around:
    """The text has marks around what was found; a mark that goes over a line's end goes on in the next."""
    rows: list[str] = []
    inside = False
    for row in text.split("\n"):
        rows.append(f"{OPEN}{row}" if inside else row)
        inside = rows[-1].rfind(OPEN) > rows[-1].rfind(CLOSE)
    at = next((number for number, row in enumerate(rows) if OPEN in row), 0)
    return Around(
        before=tuple(_pieces(row) for row in rows[max(0, at - lines) : at]),
        line=_pieces(rows[at]),
        after=tuple(_pieces(row) for row in rows[at + 1 : at + 1 + lines]),
    )
