"""The one crossing between the loop and whatever watches a run.

Publishing never blocks and never waits for a reader. Each subscriber gets every fact, in order; deltas of one
stream that wait together are merged, and when too much text waits the oldest is dropped and counted: the fact that
completes them still comes.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace
from typing import Protocol

from runner.events import Event, TextDelta
from runner.events.model import ReasoningDelta, RefusalDelta, ToolArgumentsDelta
from runner.events.person import PersonOutputDelta
from runner.events.run import RunFinished
from runner.events.tool import ToolOutputDelta
from runner.log import AppendLog

MAX_WAITING_TEXT = 1_000_000
"""Characters of deltas that may wait for one subscriber."""


class Journal(Protocol):
    """Where facts are stored before anybody sees them."""

    def submit(self, event: Event, publish: Callable[[list[Event]], None]) -> None:
        """Take the event, store it, then hand it to publish, in order, from any thread. Returns at once."""
        ...

    def barrier(self) -> Future[None]:
        """Done when all submitted before is stored and published; carries a StoreError where storing failed."""
        ...


class Subscription:
    """One reader's queue. `drain` may be called from any thread; notify is called when something new waits, and when a
    fact comes to text that waits. has_facts: whether one does.

    from_seq: the first fact wanted. A fact is stored before it is published, so a reader that comes from the store may
    know facts that are still on their way here; only the end of the run is never kept from it.
    """

    def __init__(self, notify: Callable[[], None] | None = None, from_seq: int = 0) -> None:
        self._from_seq = from_seq
        self._lock = threading.Lock()
        self._waiting: deque[Event] = deque()
        self._pieces: dict[int, list[str]] = {}
        self._waiting_text = 0
        self._notify = notify
        self.dropped_characters = 0
        self.has_facts = False
        self.closed = False

    def put(self, events: Iterable[Event]) -> None:
        with self._lock:
            if self.closed:
                return
            before = len(self._waiting), self.has_facts
            for event in events:
                if event.is_delta:
                    if event.seq >= self._from_seq - 1:
                        self._put_delta(event)
                elif event.seq >= self._from_seq or isinstance(event, RunFinished):
                    self._waiting.append(event)
                    self.has_facts = True
            grew = before[0] == 0 and len(self._waiting) > 0
            grew = grew or self.has_facts != before[1]
        if grew and self._notify is not None:
            self._notify()

    def _put_delta(self, event: Event) -> None:
        text = delta_text(event)
        self._waiting_text += len(text)
        last = self._waiting[-1] if self._waiting else None
        if last is not None and same_stream(last, event):
            self._pieces.setdefault(id(last), [delta_text(last)]).append(text)
        else:
            self._waiting.append(event)
        if self._waiting_text > MAX_WAITING_TEXT:
            self._drop_oldest_deltas(MAX_WAITING_TEXT // 2)

    def _drop_oldest_deltas(self, limit: int) -> None:
        """Make room down to limit in one pass, so that a reader who stands still costs the others little."""
        kept: deque[Event] = deque()
        for event in self._waiting:
            if not event.is_delta or self._waiting_text <= limit:
                kept.append(event)
                continue
            pieces = self._pieces.pop(id(event), None)
            size = sum(map(len, pieces)) if pieces else len(delta_text(event))
            self._waiting_text -= size
            self.dropped_characters += size
        self._waiting = kept

    def drain(self) -> list[Event]:
        """All that waits, merged; empty where nothing does."""
        with self._lock:
            waiting, pieces = self._waiting, self._pieces
            self._waiting, self._pieces, self._waiting_text = deque(), {}, 0
            self.has_facts = False
        return [with_text(event, "".join(pieces[id(event)])) if id(event) in pieces else event for event in waiting]

    def close(self) -> None:
        with self._lock:
            self.closed = True
            self._waiting.clear()
            self._pieces.clear()


class Hub:
    """The events of one run: all its facts so far, and who is listening."""

    def __init__(self, journal: Journal | None = None) -> None:
        self._journal = journal
        self._lock = threading.Lock()
        self._facts: AppendLog[Event] = AppendLog()
        self._subscriptions: list[Subscription] = []
        self.finished = threading.Event()

    def emit(self, event: Event) -> None:
        """Store the event, then publish it; returns at once."""
        if self._journal is None:
            self.publish([event])
        else:
            self._journal.submit(event, self.publish)

    def publish(self, events: list[Event]) -> None:
        with self._lock:
            facts = [event for event in events if not event.is_delta]
            self._facts = self._facts.extend(facts)
            for subscription in self._subscriptions:
                subscription.put(events)
        if any(isinstance(event, RunFinished) for event in facts):
            self.finished.set()

    def barrier(self) -> Future[None]:
        if self._journal is not None:
            return self._journal.barrier()
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def facts(self, from_seq: int = 0) -> list[Event]:
        """The published facts with seq >= from_seq."""
        with self._lock:
            return [event for event in self._facts if event.seq >= from_seq]

    def subscribe(self, from_seq: int = 0, notify: Callable[[], None] | None = None) -> Subscription:
        """A queue that starts with the facts since from_seq, without a gap to what comes."""
        subscription = Subscription(notify, from_seq)
        with self._lock:
            subscription.put([event for event in self._facts if event.seq >= from_seq])
            self._subscriptions.append(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        subscription.close()
        with self._lock:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)


TextBearing = TextDelta | ReasoningDelta | RefusalDelta | ToolArgumentsDelta | ToolOutputDelta | PersonOutputDelta


def delta_text(event: Event) -> str:
    return event.text if isinstance(event, TextBearing) else ""


def with_text(event: Event, text: str) -> Event:
    return replace(event, text=text) if isinstance(event, TextBearing) else event


def same_stream(old: Event, new: Event) -> bool:
    """Whether two deltas may be sent as one."""
    if old.kind != new.kind or old.seq != new.seq or old.run_id != new.run_id:
        return False
    match old, new:
        case ToolArgumentsDelta(), ToolArgumentsDelta():
            return old.call_id == new.call_id
        case ToolOutputDelta(), ToolOutputDelta():
            return old.call_id == new.call_id and old.stream == new.stream
        case PersonOutputDelta(), PersonOutputDelta():
            return old.command_id == new.command_id and old.stream == new.stream
        case _:
            return True
