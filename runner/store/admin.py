"""Changes to a session as a whole. Each function runs inside of a transaction."""

from __future__ import annotations

import sqlite3
import time

from runner.errors import NotFoundError
from runner.store import imports, leases, trash
from runner.store.process import Owner
from runner.store.units import clean

LONGEST_NAME = 200


def rename(connection: sqlite3.Connection, session_id: str, name: str) -> None:
    name = clean(" ".join(name.split())[:LONGEST_NAME])
    changed = connection.execute(
        "UPDATE sessions SET name = ?, name_key = ? WHERE session_id = ?", (name, name.casefold(), session_id)
    )
    if changed.rowcount == 0:
        raise NotFoundError(f"no session has the id {session_id!r}")


def pin(connection: sqlite3.Connection, session_id: str, on: bool) -> None:
    changed = connection.execute("UPDATE sessions SET pinned = ? WHERE session_id = ?", (int(on), session_id))
    if changed.rowcount == 0:
        raise NotFoundError(f"no session has the id {session_id!r}")


def delete(connection: sqlite3.Connection, session_id: str, me: Owner, now: float) -> None:
    """What it cost stays in the ledger, without a name. Raises NotFoundError, and SessionBusyError while it runs."""
    leases.refuse_busy(leases.holder(connection, session_id, now), session_id, me)
    imports.forget(connection, session_id)
    trash.leave_family(connection, session_id)
    runs = "SELECT run_id FROM runs WHERE session_id = ?"
    for table in ("events", "deltas", "artifacts"):
        connection.execute(f"DELETE FROM {table} WHERE run_id IN ({runs})", (session_id,))
    for table in ("decisions", "revocations", "annotations"):
        connection.execute(f"DELETE FROM {table} WHERE session_id = ?", (session_id,))
    connection.execute("DELETE FROM runs WHERE session_id = ?", (session_id,))
    connection.execute("DELETE FROM leases WHERE session_id = ?", (session_id,))
    connection.execute("UPDATE requests SET session_id = '', run_id = '' WHERE session_id = ?", (session_id,))
    if connection.execute("DELETE FROM sessions WHERE session_id = ?", (session_id,)).rowcount == 0:
        raise NotFoundError(f"no session has the id {session_id!r}")


def insert_artifact(connection: sqlite3.Connection, artifact_id: str, run_id: str, call_id: str, text: str) -> None:
    connection.execute(
        "INSERT INTO artifacts(artifact_id, run_id, call_id, created, content) VALUES (?, ?, ?, ?, ?)",
        (artifact_id, run_id, call_id, time.time_ns() // 1000, text.encode("utf-8", "surrogatepass")),
    )
