"""The database: how it is opened, and what is in it. Its version is PRAGMA user_version."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from runner.errors import StoreError
from runner.store.decisions import fill as fill_decisions
from runner.store.leases import OWNER_COLUMNS, owner_from
from runner.store.ledger import fill
from runner.store.process import is_alive

APPLICATION_ID = 0x5144434B
BUSY_TIMEOUT = 5.0
"""Seconds to wait for another program's write."""

MIGRATION_TIMEOUT = 120.0
"""Seconds to wait for another program that brings the schema up to date: it reads every request ever made."""

CHECKPOINT_PAGES = 4000
"""The backstop; the writer moves the log into the database when it is idle, so that a commit rarely has to."""

Step: TypeAlias = tuple[str | Callable[[sqlite3.Connection], None], ...]
"""Statements, and what no statement alone can do."""

_FIRST: Step = (
    """
    CREATE TABLE owners(
        owner_id TEXT PRIMARY KEY, pid INTEGER NOT NULL, started TEXT NOT NULL, place TEXT NOT NULL, seen REAL NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE leases(session_id TEXT PRIMARY KEY, owner_id TEXT NOT NULL, since REAL NOT NULL) WITHOUT ROWID
    """,
    # Times are microseconds since the epoch, costs are units of 1e-12 US dollars, so that sums stay integers.
    """
    CREATE TABLE sessions(
        session_id TEXT PRIMARY KEY, name TEXT NOT NULL DEFAULT '', name_key TEXT NOT NULL DEFAULT '',
        title TEXT NOT NULL DEFAULT '', workspace TEXT NOT NULL DEFAULT '', agent TEXT NOT NULL DEFAULT '',
        models TEXT NOT NULL DEFAULT '', created INTEGER NOT NULL, updated INTEGER NOT NULL,
        last_run_id TEXT NOT NULL DEFAULT '', runs INTEGER NOT NULL DEFAULT 0, turns INTEGER NOT NULL DEFAULT 0,
        tool_calls INTEGER NOT NULL DEFAULT 0, input INTEGER NOT NULL DEFAULT 0,
        cached_input INTEGER NOT NULL DEFAULT 0, cache_write INTEGER NOT NULL DEFAULT 0,
        output INTEGER NOT NULL DEFAULT 0, reasoning INTEGER NOT NULL DEFAULT 0, cost INTEGER NOT NULL DEFAULT 0,
        cost_unknown INTEGER NOT NULL DEFAULT 0, search TEXT NOT NULL DEFAULT ''
    )
    """,
    "CREATE INDEX sessions_by_age ON sessions(updated DESC)",
    """
    CREATE TABLE runs(
        n INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, session_id TEXT NOT NULL, parent_run_id TEXT,
        owner_id TEXT NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
        finished INTEGER NOT NULL DEFAULT 0, agent TEXT NOT NULL DEFAULT '', model TEXT NOT NULL DEFAULT '',
        started INTEGER NOT NULL, updated INTEGER NOT NULL, turns INTEGER NOT NULL DEFAULT 0,
        tool_calls INTEGER NOT NULL DEFAULT 0, input INTEGER NOT NULL DEFAULT 0,
        cached_input INTEGER NOT NULL DEFAULT 0, cache_write INTEGER NOT NULL DEFAULT 0,
        output INTEGER NOT NULL DEFAULT 0, reasoning INTEGER NOT NULL DEFAULT 0, cost INTEGER NOT NULL DEFAULT 0,
        cost_unknown INTEGER NOT NULL DEFAULT 0
    )
    """,
    "CREATE INDEX runs_of_session ON runs(session_id, n)",
    "CREATE INDEX runs_open ON runs(owner_id) WHERE finished = 0",
    """
    CREATE TABLE events(
        run_id TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (run_id, seq)
    ) WITHOUT ROWID
    """,
    # owner: the call whose output this is, '' for what the model writes; seq: the last fact before the text.
    """
    CREATE TABLE deltas(
        n INTEGER PRIMARY KEY, run_id TEXT NOT NULL, owner TEXT NOT NULL, seq INTEGER NOT NULL, json TEXT NOT NULL
    )
    """,
    "CREATE INDEX deltas_of_run ON deltas(run_id, owner)",
    """
    CREATE TABLE artifacts(
        artifact_id TEXT PRIMARY KEY, run_id TEXT NOT NULL, call_id TEXT NOT NULL, created INTEGER NOT NULL,
        content BLOB NOT NULL
    )
    """,
    "CREATE INDEX artifacts_of_run ON artifacts(run_id)",
)

_SECOND: Step = (
    # cost: NULL where it is unknown; price: JSON, NULL where it is unknown; session_id and run_id: '' once deleted.
    """
    CREATE TABLE requests(
        n INTEGER PRIMARY KEY, run_id TEXT NOT NULL, session_id TEXT NOT NULL, seq INTEGER NOT NULL,
        time INTEGER NOT NULL, turn INTEGER NOT NULL, attempt INTEGER NOT NULL, provider TEXT NOT NULL,
        model TEXT NOT NULL, agent TEXT NOT NULL, purpose TEXT NOT NULL, input INTEGER NOT NULL,
        cached_input INTEGER NOT NULL, cache_write INTEGER NOT NULL, output INTEGER NOT NULL,
        reasoning INTEGER NOT NULL, price TEXT, cost INTEGER, source TEXT NOT NULL, discarded INTEGER NOT NULL,
        reason TEXT NOT NULL
    )
    """,
    # Holds all that a session's sums need, so that a list of sessions reads the index alone.
    """
    CREATE INDEX requests_of_session
    ON requests(session_id, input, cached_input, cache_write, output, reasoning, cost)
    """,
    fill,
    """
    CREATE TABLE sessions_2(
        session_id TEXT PRIMARY KEY, name TEXT NOT NULL DEFAULT '', name_key TEXT NOT NULL DEFAULT '',
        title TEXT NOT NULL DEFAULT '', workspace TEXT NOT NULL DEFAULT '', agent TEXT NOT NULL DEFAULT '',
        models TEXT NOT NULL DEFAULT '', created INTEGER NOT NULL, updated INTEGER NOT NULL,
        last_run_id TEXT NOT NULL DEFAULT '', runs INTEGER NOT NULL DEFAULT 0, turns INTEGER NOT NULL DEFAULT 0,
        tool_calls INTEGER NOT NULL DEFAULT 0, search TEXT NOT NULL DEFAULT ''
    )
    """,
    """
    INSERT INTO sessions_2 SELECT session_id, name, name_key, title, workspace, agent, models, created, updated,
        last_run_id, runs, turns, tool_calls, search FROM sessions ORDER BY rowid
    """,
    "DROP TABLE sessions",
    "ALTER TABLE sessions_2 RENAME TO sessions",
    "CREATE INDEX sessions_by_age ON sessions(updated DESC)",
    """
    CREATE TABLE runs_2(
        n INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, session_id TEXT NOT NULL, parent_run_id TEXT,
        owner_id TEXT NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
        finished INTEGER NOT NULL DEFAULT 0, agent TEXT NOT NULL DEFAULT '', model TEXT NOT NULL DEFAULT '',
        started INTEGER NOT NULL, updated INTEGER NOT NULL, turns INTEGER NOT NULL DEFAULT 0,
        tool_calls INTEGER NOT NULL DEFAULT 0
    )
    """,
    """
    INSERT INTO runs_2 SELECT n, run_id, session_id, parent_run_id, owner_id, status, reason, finished, agent, model,
        started, updated, turns, tool_calls FROM runs
    """,
    "DROP TABLE runs",
    "ALTER TABLE runs_2 RENAME TO runs",
    "CREATE INDEX runs_of_session ON runs(session_id, n)",
    "CREATE INDEX runs_open ON runs(owner_id) WHERE finished = 0",
)
"""The ledger, in the place of sums that were counted beside it."""

_THIRD: Step = (
    # asked, resolved: the numbers of the facts, NULL where there is none; grants: their keys; search: folded texts.
    """
    CREATE TABLE decisions(
        n INTEGER PRIMARY KEY, run_id TEXT NOT NULL, session_id TEXT NOT NULL, call_id TEXT NOT NULL,
        request_id TEXT NOT NULL, asked INTEGER, resolved INTEGER, time INTEGER NOT NULL, tool TEXT NOT NULL,
        decision TEXT NOT NULL, decided_by TEXT NOT NULL, grants TEXT NOT NULL, search TEXT NOT NULL
    )
    """,
    "CREATE INDEX decisions_of_session ON decisions(session_id, n)",
    "CREATE INDEX decisions_open ON decisions(run_id, request_id) WHERE resolved IS NULL",
    "CREATE INDEX decisions_by_grants ON decisions(grants, decision, time) WHERE grants <> ''",
    fill_decisions,
    # after_run: the newest run of the session (runs.n) when a grant was taken back; what later runs granted stays.
    """
    CREATE TABLE revocations(
        n INTEGER PRIMARY KEY, session_id TEXT NOT NULL, after_run INTEGER NOT NULL, key TEXT NOT NULL,
        time INTEGER NOT NULL
    )
    """,
    "CREATE INDEX revocations_of_session ON revocations(session_id)",
)
"""Decisions that can be searched, and grants taken back while no run goes on."""

_FOURTH: Step = (
    # digest: of the run's events as they were brought in.
    """
    CREATE TABLE imported_runs(
        run_id TEXT PRIMARY KEY, session_id TEXT NOT NULL, source TEXT NOT NULL, digest TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX imported_runs_of_session ON imported_runs(session_id, source)",
)
"""Runs of other programs."""

_FIFTH: Step = (
    # deleted: since when it lies in the trash, NULL where it does not. root_id, forked_from: '' where it is no fork.
    # The long text stands last, so that no other column is read past it.
    """
    CREATE TABLE sessions_5(
        session_id TEXT PRIMARY KEY, name TEXT NOT NULL DEFAULT '', name_key TEXT NOT NULL DEFAULT '',
        title TEXT NOT NULL DEFAULT '', workspace TEXT NOT NULL DEFAULT '', agent TEXT NOT NULL DEFAULT '',
        models TEXT NOT NULL DEFAULT '', created INTEGER NOT NULL, updated INTEGER NOT NULL,
        last_run_id TEXT NOT NULL DEFAULT '', runs INTEGER NOT NULL DEFAULT 0, turns INTEGER NOT NULL DEFAULT 0,
        tool_calls INTEGER NOT NULL DEFAULT 0, pinned INTEGER NOT NULL DEFAULT 0, deleted INTEGER,
        root_id TEXT NOT NULL DEFAULT '', forked_from TEXT NOT NULL DEFAULT '', forked_run TEXT NOT NULL DEFAULT '',
        forked_turn INTEGER NOT NULL DEFAULT 0, search TEXT NOT NULL DEFAULT ''
    )
    """,
    """
    INSERT INTO sessions_5(session_id, name, name_key, title, workspace, agent, models, created, updated, last_run_id,
        runs, turns, tool_calls, search)
    SELECT session_id, name, name_key, title, workspace, agent, models, created, updated, last_run_id,
        runs, turns, tool_calls, search FROM sessions ORDER BY rowid
    """,
    "DROP TABLE sessions",
    "ALTER TABLE sessions_5 RENAME TO sessions",
    # Holds all that ordering and grouping need, so that a list of all sessions reads the index alone.
    """
    CREATE INDEX sessions_by_age
    ON sessions(updated DESC, session_id, root_id, forked_from, created, pinned, deleted, workspace)
    """,
    "CREATE INDEX sessions_of_root ON sessions(root_id) WHERE root_id <> ''",
    "CREATE INDEX sessions_pinned ON sessions(updated DESC) WHERE pinned = 1",
    "CREATE INDEX sessions_in_trash ON sessions(deleted) WHERE deleted IS NOT NULL",
    # inherited: a copy of a run of the session that this one was forked from, which is where it was paid for.
    "ALTER TABLE runs ADD COLUMN inherited INTEGER NOT NULL DEFAULT 0",
    # kind: tag or note; run_id '' and turn 0: of the session as a whole.
    """
    CREATE TABLE annotations(
        n INTEGER PRIMARY KEY, session_id TEXT NOT NULL, run_id TEXT NOT NULL DEFAULT '',
        turn INTEGER NOT NULL DEFAULT 0, kind TEXT NOT NULL, text TEXT NOT NULL, time INTEGER NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX annotations_of_session ON annotations(session_id, kind, run_id, turn, text)",
    "CREATE INDEX annotations_by_tag ON annotations(text, session_id) WHERE kind = 'tag'",
)
"""What people add to sessions, forks, and a trash to take sessions out of again."""

MIGRATIONS: tuple[Step, ...] = (_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH)
"""Step i brings a database from version i to i + 1."""

VERSION = len(MIGRATIONS)


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection that any one thread at a time may use; statements commit themselves unless BEGIN was said."""
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = NORMAL")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    else:
        # What is deleted must not be left readable in free pages.
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    return connection


def open_database(path: Path) -> sqlite3.Connection:
    """The writer's connection, the schema brought up to date. Raises StoreError with what is wrong."""
    connection: sqlite3.Connection | None = None
    try:
        connection = connect(path)
        if _is_new(connection, path):
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        _use_wal(connection)
        migrate(connection, path)
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise StoreError(f"cannot open {path}: {trouble(error)}") from error
    except StoreError:
        if connection is not None:
            connection.close()
        raise
    return connection


def trouble(error: Exception) -> str:
    """What is wrong, and what to do where the file itself is damaged."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return str(error)
    return f"{error}. To save what can be read of it: quarterdeck sessions rescue (the damaged file is kept)"


def version_of(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _is_new(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether nothing is in it yet. Raises StoreError where what is in it is not for us to touch."""
    origin = int(connection.execute("PRAGMA application_id").fetchone()[0])
    tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if origin != APPLICATION_ID and (origin != 0 or tables > 0):
        raise StoreError(f"{path} is a database of another program")
    _refuse_newer(version_of(connection), path)
    return tables == 0


def _refuse_newer(version: int, path: Path) -> None:
    if version > VERSION:
        raise StoreError(
            f"{path} was written by a newer version (its format is {version}, this program knows {VERSION}); update"
        )


def _refuse_in_use(connection: sqlite3.Connection, path: Path) -> None:
    """A program of the older version that is at work could store nothing more."""
    now = time.time()
    for owner in map(owner_from, connection.execute(f"SELECT {OWNER_COLUMNS} FROM owners o").fetchall()):
        if is_alive(owner, now):
            raise StoreError(f"{path} is in use by an older version (process {owner.pid}); end it first")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL. SQLite does not wait by itself where two programs switch the same new file at once."""
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the schema up to date, in one transaction: whatever ends it in the middle leaves the old database whole."""
    if version_of(connection) == VERSION:
        return
    connection.execute(f"PRAGMA busy_timeout = {int(MIGRATION_TIMEOUT * 1000)}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Read again under the lock: another program may have done it meanwhile.
        version = version_of(connection)
        _refuse_newer(version, path)
        if 0 < version < VERSION:
            _refuse_in_use(connection, path)
        for step in MIGRATIONS[version:]:
            for part in step:
                if isinstance(part, str):
                    connection.execute(part)
                else:
                    part(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT * 1000)}")
