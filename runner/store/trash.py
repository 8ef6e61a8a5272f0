"""Sessions that were deleted and can still be taken back. Each function runs inside of a transaction."""

from __future__ import annotations

import sqlite3

from runner.errors import NotFoundError, StoreError
from runner.store import leases
from runner.store.process import Owner


def trash(connection: sqlite3.Connection, session_id: str, me: Owner, now: float) -> None:
    """Raises NotFoundError, and SessionBusyError while it runs. A second time changes nothing."""
    leases.refuse_busy(leases.holder(connection, session_id, now), session_id, me)
    changed = connection.execute(
        "UPDATE sessions SET deleted = coalesce(deleted, ?) WHERE session_id = ?",
        (int(now * 1_000_000), session_id),
    )
    if changed.rowcount == 0:
        raise NotFoundError(f"no session has the id {session_id!r}")


def restore(connection: sqlite3.Connection, session_id: str) -> None:
    """Raises NotFoundError where it does not lie in the trash."""
    changed = connection.execute(
        "UPDATE sessions SET deleted = NULL WHERE session_id = ? AND deleted IS NOT NULL", (session_id,)
    )
    if changed.rowcount == 0:
        raise NotFoundError(f"no session in the trash has the id {session_id!r}")


def older_than(connection: sqlite3.Connection, moment: float) -> list[str]:
    """Those that were thrown away before that moment, in seconds since the epoch."""
    rows = connection.execute("SELECT session_id FROM sessions WHERE deleted <= ?", (int(moment * 1_000_000),))
    return [row[0] for row in rows.fetchall()]


def refuse_trashed(connection: sqlite3.Connection, session_id: str) -> None:
    """Raises StoreError where it lies in the trash: nobody goes on with what he has thrown away."""
    sql = "SELECT 1 FROM sessions WHERE session_id = ? AND deleted IS NOT NULL"
    if connection.execute(sql, (session_id,)).fetchone() is not None:
        raise StoreError(f"session {session_id} is in the trash; restore it first")


def leave_family(connection: sqlite3.Connection, session_id: str) -> None:
    """The session goes for good; its forks are whole and stay. Each fork of a root becomes a root itself, with the
    forks made of it; a fork of a fork counts from then on as made where that one was made."""
    row = connection.execute(
        "SELECT root_id, forked_from, forked_run, forked_turn FROM sessions WHERE session_id = ?", (session_id,)
    ).fetchone()
    if row is None:
        return
    children = [
        child for (child,) in connection.execute("SELECT session_id FROM sessions WHERE forked_from = ?", (session_id,))
    ]
    connection.execute(
        "UPDATE sessions SET forked_from = ?, forked_run = ?, forked_turn = ? WHERE forked_from = ?",
        (*row[1:], session_id),
    )
    if not row[0]:
        for child in children:
            _give_root(connection, child)


def _give_root(connection: sqlite3.Connection, root: str) -> None:
    connection.execute("UPDATE sessions SET root_id = '' WHERE session_id = ?", (root,))
    connection.execute(
        """
        WITH RECURSIVE family(id) AS (
            SELECT session_id FROM sessions WHERE forked_from = ?1
            UNION SELECT s.session_id FROM sessions s JOIN family f ON s.forked_from = f.id
        )
        UPDATE sessions SET root_id = ?1 WHERE session_id IN (SELECT id FROM family)
        """,
        (root,),
    )
