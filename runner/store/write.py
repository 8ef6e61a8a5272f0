"""The writing side of the database: what waits to be stored, and the one transaction that stores it.

Used by the journal's thread alone. What a failed transaction could not store is kept for the next one, so that a
full disk or a locked file delays facts and never tears a hole into a run.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Any, TypeVar

from runner.errors import StoreError
from runner.events import Event, RunFinished, RunQueued, RunStarted
from runner.store.decisions import Change, change_of
from runner.store.deltas import DeltaBuffer, DeltaRow, Superseded, superseded_by
from runner.store.encode import encode
from runner.store.ledger import INSERT_SQL, RequestRow, request_row
from runner.store.process import FOREIGN_SILENCE, Owner
from runner.store.tally import RUN_SQL, SESSION_SQL, Tally

T = TypeVar("T")
FactRow = tuple[str, int, str, str]
Operation = Callable[[sqlite3.Connection], None]

HEARTBEAT_SECONDS = FOREIGN_SILENCE / 4

REFUSED = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    OverflowError,
    ValueError,
)
"""The row itself is wrong and will be wrong next time too; everything else may pass."""

# Each statement gives the interpreter's lock away and must win it back, so many rows go into one.
_ROWS_AT_ONCE = (512, 64, 8, 1)


class EventWriter:
    """owner: in whose name runs are begun. wall: seconds since the epoch, for heartbeats."""

    def __init__(self, connection: sqlite3.Connection, owner: Owner, wall: Callable[[], float] = time.time) -> None:
        self._connection = connection
        self._owner = owner
        self._wall = wall
        self._registered = False
        self._last_seen = 0.0
        self._facts: list[FactRow] = []
        self._requests: list[RequestRow] = []
        self._decisions: list[tuple[str, Change]] = []
        self._operations: list[Operation] = []
        self._deletes: list[Superseded] = []
        self._tallies: dict[str, Tally] = {}
        self._ended: set[str] = set()
        self._broken: set[str] = set()
        self._refusal: StoreError | None = None
        self.deltas = DeltaBuffer()
        self.bytes_since_checkpoint = 0

    @property
    def pending(self) -> bool:
        """Something must be written now (deltas may wait a little)."""
        return bool(self._facts or self._operations or self._deletes or self._refusal)

    @property
    def waiting_facts(self) -> int:
        return len(self._facts)

    @property
    def broken(self) -> bool:
        """A run is going on whose facts cannot be stored."""
        return bool(self._broken)

    def take(self, event: Event, now: float) -> None:
        """Get an event ready for the next transaction. now: monotonic seconds."""
        run_id = event.run_id
        if event.is_delta:
            if run_id not in self._ended and run_id not in self._broken:
                self.deltas.add(event, now)
            return
        if run_id in self._broken:
            self.give_up(run_id, "it could not be stored before")
        elif run_id in self._ended and isinstance(event, RunQueued | RunStarted):
            self.give_up(run_id, "a run with this id has ended already")
        elif run_id in self._ended:
            self._refusal = StoreError(f"run {run_id}: {event.kind} comes after its end")
        else:
            fact, request = (run_id, event.seq, event.kind, encode(event)), request_row(event)
            self._facts.append(fact)
            if request is not None:
                self._requests.append(request)
            decision = change_of(event)
            if decision is not None:
                self._decisions.append((run_id, decision))
            tally = self._tallies.get(run_id)
            if tally is None:
                tally = self._tallies[run_id] = Tally.of(event)
            tally.take(event)
            gone = superseded_by(event)
            if gone is not None:
                self._deletes.extend(self.deltas.supersede(gone))
        if isinstance(event, RunFinished):
            self._broken.discard(run_id)
            self._ended.add(run_id)

    def later(self, operation: Operation) -> None:
        """Do this in the next transaction, and again in the one after where that fails."""
        self._operations.append(operation)

    def heartbeat_wait(self) -> float | None:
        """Seconds until this program should say that it lives; None where nobody needs to know."""
        return max(0.0, self._last_seen + HEARTBEAT_SECONDS - self._wall()) if self._registered else None

    def write(self, *, deltas: bool) -> bool:
        """Store all that is ready; False where there was nothing.

        Raises sqlite3.Error where nothing was stored and all is kept for the next time, and StoreError where the
        rest was stored but some facts never can be.
        """
        try:
            stored = self._write(deltas=deltas)
        except REFUSED:
            self._drop_refused()
            stored = self._write(deltas=deltas)
        refusal, self._refusal = self._refusal, None
        if refusal is not None:
            raise refusal
        return stored

    def call(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Run an action in a transaction of its own."""
        with _Transaction(self._connection):
            return action(self._connection)

    def register(self, connection: sqlite3.Connection) -> None:
        """Make this program known as an owner; inside of a transaction."""
        owner, now = self._owner, self._wall()
        connection.execute(
            "INSERT INTO owners(owner_id, pid, started, place, seen) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT(owner_id) DO UPDATE SET seen = excluded.seen",
            (owner.owner_id, owner.pid, owner.started, owner.place, now),
        )
        self._registered, self._last_seen = True, now

    def unregister(self, connection: sqlite3.Connection) -> None:
        """Give up the leases and say that this program owns nothing any more."""
        connection.execute("DELETE FROM leases WHERE owner_id = ?", (self._owner.owner_id,))
        connection.execute("DELETE FROM owners WHERE owner_id = ?", (self._owner.owner_id,))
        self._registered = False

    def checkpoint(self) -> None:
        """Move the write-ahead log into the database, as far as readers let it."""
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        self.bytes_since_checkpoint = 0

    def shrink(self) -> None:
        self._connection.execute("PRAGMA incremental_vacuum").fetchall()
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self.bytes_since_checkpoint = 0

    def _write(self, *, deltas: bool) -> bool:
        connection = self._connection
        dirty = [tally for tally in self._tallies.values() if tally.dirty]
        rows: list[DeltaRow] = []
        if deltas:
            rows = [(delta.run_id, owner, delta.seq, encode(delta)) for owner, delta in self.deltas.rows()]
        beat = self.heartbeat_wait() == 0.0
        beside = self._requests or self._decisions or self._operations or self._deletes
        if not (dirty or rows or beat or beside):
            if len(self._facts) in _ROWS_AT_ONCE:
                # One statement is a transaction of its own: the usual lone fact costs a third.
                self._insert_facts()
                self._facts.clear()
                return True
            if not self._facts:
                return False
        with _Transaction(connection):
            self._insert_facts()
            connection.executemany(INSERT_SQL, self._requests)
            for _, (sql, values) in self._decisions:
                connection.execute(sql, values)
            if beat or any(not tally.known for tally in dirty):
                self.register(connection)
            for operation in self._operations:
                operation(connection)
            for gone in self._deletes:
                _delete_deltas(connection, gone)
            connection.executemany("INSERT INTO deltas(run_id, owner, seq, json) VALUES (?, ?, ?, ?)", rows)
            for tally in dirty:
                connection.execute(RUN_SQL, tally.run_row(self._owner.owner_id))
                connection.executemany(SESSION_SQL, tally.session_rows())
        self._stored(dirty, deltas)
        return True

    def _insert_facts(self) -> None:
        start, facts = 0, self._facts
        for size in _ROWS_AT_ONCE:
            sql = "INSERT INTO events(run_id, seq, kind, json) VALUES " + ", ".join(["(?, ?, ?, ?)"] * size)
            while len(facts) - start >= size:
                values: list[Any] = []
                for row in facts[start : start + size]:
                    values.extend(row)
                    self.bytes_since_checkpoint += len(row[3])
                self._connection.execute(sql, values)
                start += size

    def _stored(self, dirty: list[Tally], deltas: bool) -> None:
        self._facts.clear()
        self._requests.clear()
        self._decisions.clear()
        self._operations.clear()
        self._deletes.clear()
        if deltas:
            self.deltas.written()
        for tally in dirty:
            tally.stored()
            if tally.finished:
                del self._tallies[tally.run_id]

    def give_up(self, run_id: str, why: str) -> None:
        """Store nothing more of this run: its log has lost a fact."""
        self._broken.add(run_id)
        self._refusal = StoreError(f"run {run_id}: {why}")

    def _drop_refused(self) -> None:
        """Find the rows that can never be stored, one by one, and take them and the rest of their runs out."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            for row in self._facts:
                try:
                    connection.execute("INSERT INTO events(run_id, seq, kind, json) VALUES (?, ?, ?, ?)", row)
                except REFUSED as error:
                    self.give_up(row[0], f"{row[2]} {row[1]} cannot be stored: {error}")
            for request in self._requests:
                try:
                    connection.execute(INSERT_SQL, request)
                except REFUSED as error:
                    self.give_up(request[0], f"a request cannot be stored: {error}")
            for run_id, (sql, values) in self._decisions:
                try:
                    connection.execute(sql, values)
                except REFUSED as error:
                    self.give_up(run_id, f"a decision cannot be stored: {error}")
            for operation in list(self._operations):
                try:
                    operation(connection)
                except REFUSED as error:
                    self._operations.remove(operation)
                    self._refusal = StoreError(f"cannot be stored: {error}")
        finally:
            connection.execute("ROLLBACK")
        self._facts = [row for row in self._facts if row[0] not in self._broken]
        self._requests = [row for row in self._requests if row[0] not in self._broken]
        self._decisions = [row for row in self._decisions if row[0] not in self._broken]
        for run_id in self._broken:
            self._tallies.pop(run_id, None)
            self.deltas.supersede(Superseded(run_id=run_id, owner=None, before=0))


class _Transaction:
    """BEGIN IMMEDIATE, then COMMIT or ROLLBACK. (sqlite3's own context manager begins lazily and not IMMEDIATE.)"""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind is None:
            try:
                self._connection.execute("COMMIT")
            except sqlite3.Error:
                self._roll_back()
                raise
        else:
            self._roll_back()

    def _roll_back(self) -> None:
        # SQLite has already rolled back by itself after some errors, a full disk among them.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def _delete_deltas(connection: sqlite3.Connection, gone: Superseded) -> None:
    if gone.owner is None:
        connection.execute("DELETE FROM deltas WHERE run_id = ?", (gone.run_id,))
    else:
        connection.execute(
            "DELETE FROM deltas WHERE run_id = ? AND owner = ? AND seq < ?", (gone.run_id, gone.owner, gone.before)
        )
