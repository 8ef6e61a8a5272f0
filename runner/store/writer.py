"""The journal: the thread between the runs and the disk (runner.hub.Journal).

It takes all that waits, stores it in one transaction, and only then hands the facts on, so nobody ever sees a fact
that a crash could take back. Deltas are handed on at once, at their place among the facts, and stored in batches.
"""

from __future__ import annotations

import atexit
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from runner.errors import StoreError
from runner.events import Event
from runner.store.encode import prepare_encoding
from runner.store.schema import BUSY_TIMEOUT, trouble
from runner.store.write import REFUSED, EventWriter, Operation

T = TypeVar("T")
Publish: TypeAlias = Callable[[list[Event]], None]

MOST_AT_ONCE = 4096
"""Events in one transaction; more would make the first of them wait."""

RETRY_SECONDS = 0.5
"""Between two attempts to write while writing fails, unless somebody waits for the answer."""

FAILING_BUSY_TIMEOUT = 0.1
"""Seconds to wait for a lock while writing fails, so that the person still sees what happens."""

IDLE_SECONDS = 1.0
CHECKPOINT_BYTES = 2_000_000

logger = logging.getLogger(__name__)
logger.addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class _Submitted:
    event: Event
    publish: Publish


@dataclass(frozen=True, slots=True)
class _Later:
    operation: Operation


@dataclass(frozen=True, slots=True)
class _Barrier:
    done: Future[None]


@dataclass(frozen=True, slots=True)
class _Call:
    action: Callable[[], Any]
    done: Future[Any]


@dataclass(frozen=True, slots=True)
class _Close:
    pass


_Item: TypeAlias = _Submitted | _Later | _Barrier | _Call | _Close


class SqliteJournal:
    """failed: why the last write did not succeed, None where all is well. May be read from any thread."""

    def __init__(
        self, connection: sqlite3.Connection, events: EventWriter, mono: Callable[[], float] = time.monotonic
    ) -> None:
        self._connection = connection
        self._events = events
        self._mono = mono
        self._queue: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._closing = False
        self._closed = False
        self._ending = False
        self._next_try = 0.0
        self.failed: StoreError | None = None
        self._thread = threading.Thread(target=self._run, name="quarterdeck-journal", daemon=True)
        self._thread.start()
        atexit.register(self._close_at_exit)

    def submit(self, event: Event, publish: Publish) -> None:
        """Take an event; after close it is handed on unstored, so that the person still sees it."""
        if not self._put(_Submitted(event, publish)):
            publish([event])

    def barrier(self) -> Future[None]:
        """Done when all before it is stored and published; carries a StoreError where it is not stored."""
        done: Future[None] = Future()
        if not self._put(_Barrier(done)):
            done.set_exception(StoreError("the store is closed"))
        return done

    def later(self, operation: Operation) -> None:
        """Do this with the next transaction. Raises StoreError after close."""
        if not self._put(_Later(operation)):
            raise StoreError("the store is closed")

    def call(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Run an action in a transaction of its own, after all that was submitted before; wait for its result.

        Raises StoreError where the database cannot do it.
        """
        return self._run_in_thread(lambda: self._events.call(action))

    def register(self, connection: sqlite3.Connection) -> None:
        """Make this program known as an owner; inside of an action given to call."""
        self._events.register(connection)

    def warm(self) -> None:
        """Load what storing the first event needs, in the journal's thread. Returns at once."""
        self._put(_Call(prepare_encoding, Future()))

    def shrink(self) -> None:
        """Give freed pages back to the disk and empty the write-ahead log, as far as readers let it."""
        self._run_in_thread(self._shrink)

    @property
    def closed(self) -> bool:
        return self._closed

    def _run_in_thread(self, action: Callable[[], T]) -> T:
        done: Future[T] = Future()
        if not self._put(_Call(action, done)):
            raise StoreError("the store is closed")
        return done.result()

    def close(self) -> None:
        """Store and publish all that waits, then end the thread. Raises StoreError where facts could not be stored."""
        with self._gate:
            first, self._closing = not self._closing, True
            if first:
                self._queue.put(_Close())
        self._thread.join()
        atexit.unregister(self._close_at_exit)
        if first and self.failed is not None:
            raise self.failed

    def _close_at_exit(self) -> None:
        try:
            self.close()
        except StoreError as error:
            logger.error("%s", error)

    def _put(self, item: _Item) -> bool:
        with self._gate:
            if not self._closed:
                self._queue.put(item)
            return not self._closed

    def _run(self) -> None:
        while not self._ending:
            items = self._wait()
            self._process(items)
            if not items:
                self._rest()
        self._end()

    def _process(self, items: Sequence[_Item]) -> None:
        start = 0
        for index, item in enumerate(items):
            if isinstance(item, _Call):
                self._store(items[start:index])
                start = index + 1
                self._answer(item)
            elif isinstance(item, _Close):
                self._ending = True
        self._store(items[start:])

    def _wait(self) -> list[_Item]:
        """All that waits, at least one item unless it is time to do something by ourselves."""
        items: list[_Item] = []
        try:
            items.append(self._queue.get(timeout=self._patience()))
            while len(items) < MOST_AT_ONCE:
                items.append(self._queue.get_nowait())
        except queue.Empty:
            return items
        return items

    def _patience(self) -> float | None:
        events, now = self._events, self._mono()
        waits = [wait for wait in (events.deltas.wait(now), events.heartbeat_wait()) if wait is not None]
        if self.failed is not None and (waits or events.pending):
            waits = [max(0.0, self._next_try - now)]
        if events.bytes_since_checkpoint > CHECKPOINT_BYTES:
            waits.append(IDLE_SECONDS)
        return min(waits, default=None)

    def _store(self, items: Sequence[_Item]) -> None:
        barriers = [item.done for item in items if isinstance(item, _Barrier)]
        submitted = [item for item in items if isinstance(item, _Submitted)]
        first = next((index for index, item in enumerate(submitted) if not item.event.is_delta), 0)
        self._publish(submitted[:first])
        now = self._mono()
        for item in items:
            match item:
                case _Submitted(event):
                    self._take(event, now)
                case _Later(operation):
                    self._events.later(operation)
                case _:
                    pass
        self._write(waited_for=bool(barriers))
        self._publish(submitted[first:])
        for done in barriers:
            self._settle(done)

    def _take(self, event: Event, now: float) -> None:
        try:
            self._events.take(event, now)
        except Exception as error:
            # Whatever is wrong with one event, the thread must live on for all the others.
            logger.exception("event %s of run %s cannot be stored", event.kind, event.run_id)
            self._events.give_up(event.run_id, f"{event.kind} cannot be stored: {error}")

    def _write(self, *, waited_for: bool = False) -> None:
        events, now = self._events, self._mono()
        due = events.deltas.due(now)
        if self.failed is not None and now < self._next_try and not waited_for:
            return
        if not (events.pending or due or waited_for or events.heartbeat_wait() == 0.0):
            return
        try:
            stored = events.write(deltas=due or waited_for)
        except sqlite3.Error as error:
            self._fail(StoreError(f"cannot write the session store: {trouble(error)}"))
        except StoreError as error:
            self._fail(error)
        except Exception as error:
            logger.exception("writing failed in a way that nobody thought of")
            self._fail(StoreError(f"cannot write the session store: {error!r}"))
        else:
            if stored and self.failed is not None and not events.broken:
                self._set_busy_timeout(BUSY_TIMEOUT)
                self.failed = None

    def _fail(self, error: StoreError) -> None:
        if self.failed is None:
            logger.error("%s", error)
            self._set_busy_timeout(FAILING_BUSY_TIMEOUT)
        self.failed = error
        self._next_try = self._mono() + RETRY_SECONDS

    def _set_busy_timeout(self, seconds: float) -> None:
        self._connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")

    def _publish(self, submitted: Sequence[_Submitted]) -> None:
        start = 0
        for index in range(1, len(submitted) + 1):
            publish = submitted[start].publish
            if index < len(submitted) and submitted[index].publish == publish:
                continue
            events = [item.event for item in submitted[start:index]]
            start = index
            try:
                publish(events)
            except Exception:
                logger.exception("a reader of events failed")

    def _settle(self, done: Future[None]) -> None:
        if not done.set_running_or_notify_cancel():
            return
        if self.failed is None:
            done.set_result(None)
        else:
            done.set_exception(self.failed)

    def _answer(self, item: _Call) -> None:
        if not item.done.set_running_or_notify_cancel():
            return
        try:
            result = item.action()
        except (sqlite3.Error, *REFUSED) as error:
            item.done.set_exception(StoreError(f"cannot write the session store: {trouble(error)}"))
        except StoreError as error:
            item.done.set_exception(error)
        except Exception as error:
            logger.exception("an action on the session store failed")
            item.done.set_exception(error)
        else:
            item.done.set_result(result)

    def _rest(self) -> None:
        if self._events.bytes_since_checkpoint > CHECKPOINT_BYTES and self.failed is None:
            try:
                self._events.checkpoint()
            except sqlite3.Error as error:
                self._fail(StoreError(f"cannot write the session store: {trouble(error)}"))

    def _shrink(self) -> None:
        self._set_busy_timeout(FAILING_BUSY_TIMEOUT)
        try:
            self._events.shrink()
        finally:
            if self.failed is None:
                self._set_busy_timeout(BUSY_TIMEOUT)

    def _end(self) -> None:
        """Take what came until now, then let go: whoever submits after that is told that the store is closed."""
        while True:
            with self._gate:
                self._closed = self._queue.empty()
            if self._closed:
                break
            self._process([self._queue.get()])
        self._write(waited_for=True)
        if self.failed is None:
            try:
                self._events.call(self._events.unregister)
            except sqlite3.Error as error:
                self._fail(StoreError(f"cannot write the session store: {trouble(error)}"))
        self._connection.close()
