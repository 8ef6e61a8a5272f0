"""Full text of everything said and done, found in milliseconds (SQLite FTS5).

The index is a file of its own beside the database, made of the stored facts and of nothing else: it lags behind until
somebody searches, it can be deleted at any time, and no run ever waits for it. It is readable by the user only, and
what is deleted from the store is deleted from it.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, cast

from runner.errors import StoreError
from runner.events import (
    ErrorOccurred,
    Event,
    MessageDelivered,
    ModelResponded,
    PersonCommandFinished,
    RunStarted,
    ToolFinished,
    ToolProposed,
)
from runner.messages import UserMessage
from runner.store.paths import prepare
from runner.store.read import Reader
from runner.store.rows import RawRow, decode
from runner.store.units import clean, from_micros, micros

Part = Literal["said", "answer", "reasoning", "call", "output", "command", "error"]
"""What a hit is in: a person's message, a model's answer or reasoning, a call's arguments or output, a command that
the person ran, an error."""

VERSION: Final = 1
"""Of what is put into the index; another number makes it anew."""

RUNS_AT_ONCE: Final = 20
LONGEST_QUERY: Final = 400
_BUSY: Final = 30.0
_OPEN, _CLOSE = "\x02", "\x03"
"""Around what was found, inside a snippet; no stored text keeps them."""

_WORDS: Final = re.compile(r'"([^"]*)"?|(\S+)')
_KINDS: Final = (
    "run_started",
    "message_delivered",
    "model_responded",
    "tool_proposed",
    "tool_finished",
    "person_command_finished",
    "error",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Where something was found: fact `seq` of the run. snippet: what stands there, each piece with whether it was
    searched for."""

    session_id: str
    run_id: str
    seq: int
    part: Part
    tool: str
    time: datetime
    snippet: tuple[tuple[str, bool], ...]


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
        with self._opened() as connection:
            return len(self._missing(connection))

    def catch_up(self, seconds: float | None = None) -> int:
        """Take in what was stored since, for so long at most; gives how many runs are still missing then."""
        until = None if seconds is None else time.monotonic() + seconds
        with self._opened() as connection:
            self._drop_gone(connection)
            missing = self._missing(connection)
            while missing and (until is None or time.monotonic() < until):
                some, missing = missing[:RUNS_AT_ONCE], missing[RUNS_AT_ONCE:]
                with _transaction(connection):
                    for run_id, session_id, finished in some:
                        self._take(connection, run_id, session_id, finished=finished)
            return len(missing)

    def find(self, query: str, *, session_id: str = "", limit: int = 50, offset: int = 0) -> list[Hit]:
        """The newest first. query: words that must all occur in one place, the last one perhaps begun only; "words in
        quotes" stand together. Empty for a query without a word."""
        match = match_of(query)
        if not match:
            return []
        only = " AND t.session_id = ?" if session_id else ""
        with self._opened() as connection:
            rows = connection.execute(
                "SELECT t.session_id, t.run_id, t.seq, t.part, t.tool, t.time,"
                f" snippet(words, 0, '{_OPEN}', '{_CLOSE}', '…', 24)"
                f" FROM words JOIN texts t ON t.n = words.rowid WHERE words MATCH ?{only}"
                " ORDER BY t.time DESC, t.n DESC LIMIT ? OFFSET ?",
                (match, *([session_id] if session_id else []), limit, offset),
            ).fetchall()
        return [_hit(row) for row in rows]

    def sessions(self, query: str) -> dict[str, int]:
        """In how many places of which sessions it occurs."""
        match = match_of(query)
        if not match:
            return {}
        with self._opened() as connection:
            return dict(
                connection.execute(
                    "SELECT t.session_id, count(*) FROM words JOIN texts t ON t.n = words.rowid WHERE words MATCH ?"
                    " GROUP BY t.session_id",
                    (match,),
                ).fetchall()
            )

    def forget(self, session_id: str) -> None:
        """The session is deleted; where there is no index there is nothing to forget."""
        if not self._path.exists():
            return
        with self._opened() as connection:
            _delete(connection, "session_id", [session_id])

    @contextlib.contextmanager
    def _opened(self) -> Generator[sqlite3.Connection]:
        """Raises StoreError in place of SQLite's errors. An index that is damaged is made anew the next time."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = _open(self._path)
                yield self._connection
            except sqlite3.Error as error:
                connection, self._connection = self._connection, None
                if connection is not None:
                    connection.close()
                if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                    _remove(self._path)
                raise StoreError(f"the search index {self._path} cannot be used: {error}") from error

    def _missing(self, connection: sqlite3.Connection) -> list[tuple[str, str, bool]]:
        known = {row[0]: row[1] for row in connection.execute("SELECT run_id, seq FROM indexed")}
        stored = self._reader.all("SELECT run_id, session_id, finished FROM runs ORDER BY n DESC")
        return [
            (run_id, session_id, bool(finished))
            for run_id, session_id, finished in stored
            # Of a run without an end, what is new is looked for each time.
            if known.get(run_id, 0) >= 0
        ]

    def _take(self, connection: sqlite3.Connection, run_id: str, session_id: str, *, finished: bool) -> None:
        row = connection.execute("SELECT seq FROM indexed WHERE run_id = ?", (run_id,)).fetchone()
        last = seen = max(0, row[0]) if row else 0
        tools: dict[str, str] = dict(
            connection.execute("SELECT call_id, tool FROM texts WHERE run_id = ? AND call_id <> ''", (run_id,))
        )
        marks = ", ".join("?" * len(_KINDS))
        rows = self._reader.all(
            "SELECT seq, CAST(json AS BLOB) FROM events WHERE run_id = ? AND seq > ?"
            f" AND kind IN ({marks}) ORDER BY seq",
            (run_id, seen, *_KINDS),
        )
        for seq, data in rows:
            try:
                event = decode(RawRow(run_id=run_id, seq=seq, data=data, is_delta=False))
            except (ValueError, TypeError):
                continue
            last = max(last, seq)
            for part, tool, call_id, text in _texts(event, tools):
                _insert(connection, (session_id, run_id, seq, part, tool, call_id, micros(event.time)), text)
        # A negative number: known to its end.
        connection.execute(
            "INSERT OR REPLACE INTO indexed(run_id, session_id, seq) VALUES (?, ?, ?)",
            (run_id, session_id, -1 - last if finished else last),
        )

    def _drop_gone(self, connection: sqlite3.Connection) -> None:
        """What another program deleted, or brought in once more, is not what is here."""
        known = {row[0] for row in connection.execute("SELECT run_id FROM indexed")}
        gone = known - {row[0] for row in self._reader.all("SELECT run_id FROM runs")}
        if gone:
            _delete(connection, "run_id", gone)


def match_of(query: str) -> str:
    """The query as FTS5 reads it: only words and phrases, none of its own signs."""
    parts: list[str] = []
    text = clean(query[:LONGEST_QUERY])
    for phrase, word in _WORDS.findall(text):
        inner = re.sub(r"[^\w]+", " ", phrase or word).strip()
        if inner:
            parts.append(f'"{inner}"')
    if parts and not text.rstrip().endswith('"') and not text.endswith(" "):
        parts[-1] += "*"
    return " ".join(parts)


def _texts(event: Event, tools: dict[str, str]) -> Iterator[tuple[Part, str, str, str]]:
    """Triples of what it is, the tool, its call, and the text."""
    match event:
        case RunStarted(input=messages):
            yield "said", "", "", "\n".join(message.text for message in messages if isinstance(message, UserMessage))
        case MessageDelivered(text=text, by="user"):
            yield "said", "", "", text
        case ModelResponded(text=text, reasoning=reasoning):
            yield "answer", "", "", text
            yield "reasoning", "", "", reasoning
        case ToolProposed(call_id=call_id, tool=tool, arguments=arguments):
            tools[call_id] = tool
            given = arguments if isinstance(arguments, str) else _values(arguments)
            yield "call", tool, call_id, f"{tool}\n{given}"
        case ToolFinished(call_id=call_id, output=output):
            yield "output", event.tool or tools.get(call_id, ""), "", output
        case PersonCommandFinished(command=command, output=output):
            yield "command", "", "", f"{command}\n{output}"
        case ErrorOccurred(error=error):
            yield "error", "", "", error.message
        case _:
            return


def _values(arguments: object) -> str:
    """Names and values as text, without the signs of JSON between them."""
    if isinstance(arguments, dict):
        named = cast("dict[str, object]", arguments)
        return "\n".join(f"{name} {_values(value)}" for name, value in named.items())
    if isinstance(arguments, list):
        return "\n".join(_values(value) for value in cast("list[object]", arguments))
    return arguments if isinstance(arguments, str) else json.dumps(arguments, default=str)


_SCHEMA: Final = (
    """
    CREATE TABLE texts(
        n INTEGER PRIMARY KEY, session_id TEXT NOT NULL, run_id TEXT NOT NULL, seq INTEGER NOT NULL, part TEXT NOT NULL,
        tool TEXT NOT NULL, call_id TEXT NOT NULL, time INTEGER NOT NULL
    )
    """,
    "CREATE INDEX texts_of_session ON texts(session_id)",
    "CREATE INDEX texts_of_run ON texts(run_id)",
    "CREATE TABLE indexed(run_id TEXT PRIMARY KEY, session_id TEXT NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE VIRTUAL TABLE words USING fts5(text, tokenize = \"unicode61 remove_diacritics 2 tokenchars '_'\")",
    f"PRAGMA user_version = {VERSION}",
)


def _open(path: Path) -> sqlite3.Connection:
    prepare(path)
    connection = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
    try:
        for pragma in ("secure_delete = ON", "journal_mode = WAL", "synchronous = NORMAL"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        with _transaction(connection):
            if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                for (name,) in connection.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('texts', 'indexed', 'words')"
                ).fetchall():
                    connection.execute(f"DROP TABLE {name}")
                for statement in _SCHEMA:
                    connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection


def _insert(connection: sqlite3.Connection, place: tuple[Any, ...], text: str) -> None:
    words = clean(text).replace(_OPEN, "").replace(_CLOSE, "")
    if not words.strip():
        return
    row = connection.execute(
        "INSERT INTO texts(session_id, run_id, seq, part, tool, call_id, time) VALUES (?, ?, ?, ?, ?, ?, ?)", place
    )
    connection.execute("INSERT INTO words(rowid, text) VALUES (?, ?)", (row.lastrowid, words))


def _delete(connection: sqlite3.Connection, column: Literal["session_id", "run_id"], values: Iterable[str]) -> None:
    """The words leave the file too. An index keeps them in parts that a later merge drops, so it is merged now."""
    with _transaction(connection):
        for value in values:
            connection.execute(f"DELETE FROM words WHERE rowid IN (SELECT n FROM texts WHERE {column} = ?)", (value,))
            for table in ("texts", "indexed"):
                connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (value,))
        connection.execute("INSERT INTO words(words) VALUES ('optimize')")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _remove(path: Path) -> None:
    for name in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        name.unlink(missing_ok=True)


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Generator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _hit(row: tuple[Any, ...]) -> Hit:
    session_id, run_id, seq, part, tool, moment, snippet = row
    return Hit(
        session_id=session_id,
        run_id=run_id,
        seq=seq,
        part=part,
        tool=tool,
        time=from_micros(moment),
        snippet=_pieces(snippet),
    )


def _pieces(snippet: str) -> tuple[tuple[str, bool], ...]:
    found: list[tuple[str, bool]] = []
    for number, part in enumerate(re.split(f"[{_OPEN}{_CLOSE}]", snippet)):
        if part:
            found.append((part, number % 2 == 1))
    return tuple(found)
