"""A session runs in one program at a time."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from runner.errors import SessionBusyError
from runner.store.process import Owner, is_alive

if TYPE_CHECKING:
    import sqlite3

OWNER_COLUMNS = "o.owner_id, o.pid, o.started, o.place, o.seen"


class Lease:
    """The right to run a session. Released once, by `release` or at the end of a with block."""

    def __init__(self, session_id: str, release: Callable[[], None]) -> None:
        self.session_id = session_id
        self._release: Callable[[], None] | None = release

    def release(self) -> None:
        """Let other programs run the session, once all that was submitted until now is stored. Returns at once."""
        release, self._release = self._release, None
        if release is not None:
            release()

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def owner_from(row: tuple[str, int, str, str, float]) -> Owner:
    owner_id, pid, started, place, seen = row
    return Owner(owner_id=owner_id, pid=pid, started=started, place=place, seen=seen)


def holder(connection: sqlite3.Connection, session_id: str, now: float) -> Owner | None:
    """The living program that may run the session now."""
    rows = connection.execute(
        f"SELECT {OWNER_COLUMNS} FROM leases l JOIN owners o ON o.owner_id = l.owner_id WHERE l.session_id = ?"
        f" UNION SELECT {OWNER_COLUMNS} FROM runs r JOIN owners o ON o.owner_id = r.owner_id"
        " WHERE r.session_id = ? AND r.finished = 0",
        (session_id, session_id),
    ).fetchall()
    return next((owner for owner in map(owner_from, rows) if is_alive(owner, now)), None)


def take(connection: sqlite3.Connection, session_id: str, me: Owner, now: float) -> None:
    """Take the lease, from a dead program where need be; inside of a transaction. Raises SessionBusyError."""
    refuse_busy(holder(connection, session_id, now), session_id, me)
    connection.execute(
        "INSERT OR REPLACE INTO leases(session_id, owner_id, since) VALUES (?, ?, ?)", (session_id, me.owner_id, now)
    )


def refuse_busy(owner: Owner | None, session_id: str, me: Owner) -> None:
    """Raises SessionBusyError where a living program holds the session."""
    if owner is None:
        return
    where = "in this program" if owner.pid == me.pid else f"in another program (process {owner.pid})"
    raise SessionBusyError(f"session {session_id} is already running {where}")


def release(connection: sqlite3.Connection, session_id: str, me: Owner) -> None:
    connection.execute("DELETE FROM leases WHERE session_id = ? AND owner_id = ?", (session_id, me.owner_id))
