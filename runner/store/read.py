"""The reading side of the database, from any thread. Nothing here waits for the writer (WAL)."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runner.errors import NotFoundError, StoreError
from runner.store.base import Problem
from runner.store.rows import RawRow
from runner.store.schema import connect, trouble

ROWS_AT_ONCE = 1000
"""Rows read in one go; between two goes no read transaction is open, however slow the reader is."""

OnProblem = Callable[[Problem], None]


class Reader:
    """Lends read connections, one to each thread that reads at the moment."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False

    @contextmanager
    def connection(self) -> Generator[sqlite3.Connection, None, None]:
        """A connection for one short read. Raises StoreError in place of SQLite's errors."""
        with self._lock:
            if self._closed:
                raise StoreError("the store is closed")
            connection = self._idle.pop() if self._idle else None
        try:
            if connection is None:
                connection = connect(self._path, read_only=True)
            yield connection
        except sqlite3.Error as error:
            raise StoreError(f"cannot read {self._path}: {trouble(error)}") from error
        finally:
            if connection is not None:
                self._give_back(connection)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def all(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with self.connection() as connection:
            return connection.execute(sql, values).fetchall()

    def require(self, session_id: str) -> None:
        """Raises NotFoundError where there is no such session."""
        if not self.all("SELECT 1 FROM sessions WHERE session_id = ?", (session_id,)):
            raise NotFoundError(f"no session has the id {session_id!r}")

    def run_ids(self, session_id: str, run_id: str | None = None) -> list[str]:
        """Its runs, oldest first, or the one asked for. Raises NotFoundError."""
        self.require(session_id)
        rows = self.all("SELECT run_id FROM runs WHERE session_id = ? ORDER BY n", (session_id,))
        found = [row[0] for row in rows]
        if run_id is None:
            return found
        if run_id not in found:
            raise NotFoundError(f"session {session_id} has no run {run_id!r}")
        return [run_id]

    def rows(self, run_id: str, from_seq: int, on_problem: Callable[[int, str], None]) -> Iterator[RawRow]:
        """The run's facts with seq >= from_seq, and the deltas not yet superseded at their places between them.

        The deltas are read first: a fact that supersedes them meanwhile comes after them all the same.
        """
        deltas = self._deltas(run_id, from_seq, on_problem)
        for row in self._facts(run_id, from_seq, on_problem):
            while deltas and deltas[0].seq < row.seq:
                yield deltas.pop(0)
            yield row
        yield from deltas

    def _deltas(self, run_id: str, from_seq: int, on_problem: Callable[[int, str], None]) -> list[RawRow]:
        try:
            rows = self.all(
                "SELECT seq, CAST(json AS BLOB) FROM deltas WHERE run_id = ? AND seq >= ? ORDER BY seq, n",
                (run_id, from_seq - 1),
            )
        except StoreError as error:
            on_problem(0, str(error))
            return []
        return [RawRow(run_id=run_id, seq=seq, data=data, is_delta=True) for seq, data in rows]

    def _facts(self, run_id: str, from_seq: int, on_problem: Callable[[int, str], None]) -> Iterator[RawRow]:
        start = from_seq
        while True:
            try:
                rows = self.all(
                    "SELECT seq, CAST(json AS BLOB) FROM events WHERE run_id = ? AND seq >= ? ORDER BY seq LIMIT ?",
                    (run_id, start, ROWS_AT_ONCE),
                )
            except StoreError as error:
                on_problem(start, str(error))
                return
            for seq, data in rows:
                if isinstance(seq, int) and isinstance(data, bytes):
                    yield RawRow(run_id=run_id, seq=seq, data=data, is_delta=False)
                else:
                    on_problem(start, f"a row has columns of the wrong type (its number is {seq!r})")
            numbers = [seq for seq, _ in rows if isinstance(seq, int)]
            if len(rows) < ROWS_AT_ONCE or not numbers:
                return
            start = max(numbers) + 1
