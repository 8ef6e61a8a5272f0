"""Collects the events of a run for a test to look at."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterable, Iterable
from typing import TypeVar

from runner.events import Event, TextDelta
from runner.state import RunState, fold
from runner.testing.invariants import check_events

E = TypeVar("E", bound=Event)


class Recorder:
    """A list of events with questions that tests ask; may be filled from any thread."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._lock = threading.Lock()
        self._events: list[Event] = list(events)

    def put(self, *events: Event) -> None:
        with self._lock:
            self._events.extend(events)

    async def follow(self, events: AsyncIterable[Event]) -> Recorder:
        """Take all that comes, to the end."""
        async for event in events:
            self.put(event)
        return self

    @property
    def events(self) -> list[Event]:
        with self._lock:
            return list(self._events)

    @property
    def facts(self) -> list[Event]:
        return [event for event in self.events if not event.is_delta]

    def kinds(self, *, deltas: bool = False) -> list[str]:
        return [event.kind for event in (self.events if deltas else self.facts)]

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def only(self, kind: type[E]) -> E:
        """The one event of this kind. Raises AssertionError where there is none, or more than one."""
        found = self.of(kind)
        assert len(found) == 1, f"{len(found)} events of {kind.__name__} in {self.kinds()}"
        return found[0]

    @property
    def streamed_text(self) -> str:
        return "".join(event.text for event in self.of(TextDelta))

    def state(self) -> RunState:
        return fold(self.events)

    def assert_valid(self, *, complete: bool = True) -> None:
        """Raises AssertionError with each broken invariant of the event stream."""
        broken = check_events(self.events, complete=complete)
        assert not broken, "\n".join(broken)
