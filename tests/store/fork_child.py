"""Forks a session again and again, each time in a process that SIGKILLs itself before another statement of it, and says
what was left each time: a line of JSON."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import runner.store.fork as forking
from runner.store import Store

POINTS = ("INSERT INTO runs", "INSERT INTO artifacts", "UPDATE sessions SET name", "COMMIT", "")
TABLES = ("sessions", "runs", "events", "artifacts")


def left(database: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(database)) as connection:
        found: dict[str, Any] = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES
        }
        found["whole"] = connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return found


def fork_and_die(database: Path, before: str) -> None:
    """In a process of its own; before: how the statement begins that is not reached, "" for all are."""
    store = Store.open(database)
    stored = forking.store

    def statement(sql: str) -> None:
        if before and sql.strip().startswith(before):
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(connection: sqlite3.Connection, fork: forking.Fork, now: int) -> str:
        connection.set_trace_callback(statement)
        return stored(connection, fork, now)

    forking.store = watched
    store.fork("session-1", run_id="run-2", turn=1)
    # Not closed: it dies right after what it was to do.
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    database = Path(sys.argv[1])
    for before in POINTS:
        known = left(database)
        child = os.fork()
        if child == 0:
            fork_and_die(database, before)
        os.waitpid(child, 0)
        print(json.dumps({"before": known, "after": left(database)}), flush=True)


if __name__ == "__main__":
    main()
