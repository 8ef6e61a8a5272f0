"""The search index as a file: its tables, how it is opened, and what the number of a text says.

A text's number is its time in seconds, then its session, then a count. So the newest come first without sorting, and
which sessions have a word is known without a look at any other table.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path
from typing import Final

from runner.errors import StoreError
from runner.store.paths import prepare

VERSION: Final = 2
"""Of what is put into the index; another number makes it anew."""

OPEN, CLOSE = "\x02", "\x03"
"""Around what was found, inside of a snippet; no indexed text keeps them."""

_BUSY: Final = 30.0
_COUNT_BITS: Final = 11
_SESSION_BITS: Final = 20
_SECOND_BITS: Final = _COUNT_BITS + _SESSION_BITS
_LAST_SECOND: Final = 2 ** (63 - _SECOND_BITS) - 1
MOST_SESSIONS: Final = 2**_SESSION_BITS - 1

SESSION_SQL: Final = f"((words.rowid >> {_COUNT_BITS}) & {MOST_SESSIONS})"
"""The number of the session of a text."""

_SCHEMA: Final = (
    # inherited: what a fork took over has a number of its own, so that it can be left out without a look at any text.
    """
    CREATE TABLE known(
        no INTEGER PRIMARY KEY, session_id TEXT NOT NULL, inherited INTEGER NOT NULL, UNIQUE (session_id, inherited)
    )
    """,
    "CREATE INDEX known_inherited ON known(no) WHERE inherited = 1",
    # seq: the last fact that was taken in, below 0 where nothing will come after it.
    """
    CREATE TABLE indexed(
        run INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, no INTEGER NOT NULL, seq INTEGER NOT NULL
    )
    """,
    "CREATE INDEX indexed_of_session ON indexed(no)",
    """
    CREATE TABLE texts(
        n INTEGER PRIMARY KEY, run INTEGER NOT NULL, seq INTEGER NOT NULL, part TEXT NOT NULL, tool TEXT NOT NULL,
        time INTEGER NOT NULL
    )
    """,
    "CREATE INDEX texts_of_run ON texts(run)",
    "CREATE TABLE tools(no INTEGER NOT NULL, tool TEXT NOT NULL, PRIMARY KEY (no, tool)) WITHOUT ROWID",
    "CREATE TABLE files(no INTEGER NOT NULL, path TEXT NOT NULL, PRIMARY KEY (no, path)) WITHOUT ROWID",
    """
    CREATE TABLE calls(
        run INTEGER NOT NULL, seq INTEGER NOT NULL, tool TEXT NOT NULL, time INTEGER NOT NULL, status TEXT NOT NULL,
        seconds REAL NOT NULL, PRIMARY KEY (run, seq)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX calls_by_tool ON calls(tool, seconds, status, time)",
    """
    CREATE TABLE approvals(
        run INTEGER NOT NULL, seq INTEGER NOT NULL, tool TEXT NOT NULL, time INTEGER NOT NULL, decision TEXT NOT NULL,
        decided_by TEXT NOT NULL, seconds REAL NOT NULL, PRIMARY KEY (run, seq)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX approvals_by_tool ON approvals(tool, decision, decided_by, seconds, time)",
    "CREATE TABLE notes(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE VIRTUAL TABLE words USING fts5(text, tokenize = \"unicode61 remove_diacritics 2 tokenchars '_'\")",
    # Words wait in memory until there are so many bytes of them: few large parts are merged more quickly than many.
    "INSERT INTO words(words, rank) VALUES ('hashsize', 8000000)",
    f"PRAGMA user_version = {VERSION}",
)


def first_number(session: int, moment: int) -> int:
    """Of a session's texts at a moment in microseconds."""
    second = min(max(moment // 1_000_000, 0), _LAST_SECOND)
    return (second << _SECOND_BITS) | (session << _COUNT_BITS)


def last_number(session: int, moment: int) -> int:
    return first_number(session, moment) | (2**_COUNT_BITS - 1)


def next_number(number: int) -> int:
    """The one after it of the same session: where a second is full, it goes on in the next one."""
    if (number + 1) % 2**_COUNT_BITS:
        return number + 1
    return number + 1 - 2**_COUNT_BITS + 2**_SECOND_BITS


def open_index(path: Path) -> sqlite3.Connection:
    """One of another version is made anew."""
    prepare(path)
    connection = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
    try:
        for pragma in ("secure_delete = ON", "journal_mode = WAL", "synchronous = NORMAL", "cache_size = -16000"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        with transaction(connection):
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version != VERSION and _tables(connection):
                raise OtherVersion
            if version != VERSION:
                for statement in _SCHEMA:
                    connection.execute(statement)
    except BaseException as error:
        connection.close()
        if isinstance(error, OtherVersion):
            # Dropping its tables one by one would take as long as filling them did.
            remove_index(path)
            return open_index(path)
        raise
    return connection


class OtherVersion(StoreError):
    """The file holds an index of another version."""


def _tables(connection: sqlite3.Connection) -> int:
    return connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


def remove_index(path: Path) -> None:
    for name in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        name.unlink(missing_ok=True)


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
