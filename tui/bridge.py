"""The only place where run events meet the screen: drained on one frame clock, folded, one notice a frame.

Nothing is scheduled while nothing happens. The next frame waits at least four times what the last one cost, and a
frame is put off while the terminal is behind.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from runner.state import RunState, reduce

if TYPE_CHECKING:
    from runner.hub import Subscription

LAGGING_PAUSE = 0.1
"""Seconds until the next look at a terminal that is behind."""


class Source(Protocol):
    """What the bridge needs of a run's handle."""

    @property
    def run_id(self) -> str: ...

    def unsubscribe(self, subscription: Subscription) -> None: ...


class Scheduler(Protocol):
    """Where frames are scheduled; call_soon may be called from any thread, call_later only from the screen's."""

    def now(self) -> float: ...

    def call_soon(self, function: Callable[[], None]) -> None: ...

    def call_later(self, seconds: float, function: Callable[[], None]) -> None: ...


@dataclass(slots=True)
class _Watched:
    source: Source
    subscription: Subscription
    state: RunState = field(default_factory=RunState)


class Bridge:
    """Call everything but wake on the screen's thread. `on_frame` is told that something waits for `collect`."""

    def __init__(
        self,
        scheduler: Scheduler,
        on_frame: Callable[[], None],
        *,
        frames_per_second: float = 25.0,
        lagging: Callable[[], bool] = lambda: False,
    ) -> None:
        self._scheduler = scheduler
        self._on_frame = on_frame
        self._frame_time = 1.0 / frames_per_second
        self._lagging = lagging
        self._watched: dict[str, _Watched] = {}
        self._lock = threading.Lock()
        self._woken = False
        self._not_before = 0.0

    def watch(self, source: Source, subscription: Subscription) -> None:
        """Follow a run until its end.

        The subscription is made where the run is started, with `wake` as its notify: one made later would miss the
        pieces of text that came in between.
        """
        self._watched[source.run_id] = _Watched(source, subscription)
        self.wake()

    def close(self) -> None:
        for watched in self._watched.values():
            watched.source.unsubscribe(watched.subscription)
        self._watched.clear()

    def collect(self) -> dict[str, RunState]:
        """The new states of the runs that changed since the last call; call it once for each on_frame."""
        began = self._scheduler.now()
        with self._lock:
            self._woken = False
        changed: dict[str, RunState] = {}
        for run_id, watched in list(self._watched.items()):
            events = watched.subscription.drain()
            if not events:
                continue
            for event in events:
                watched.state = reduce(watched.state, event)
            changed[run_id] = watched.state
            if watched.state.finished:
                watched.source.unsubscribe(watched.subscription)
                del self._watched[run_id]
        self._not_before = began + self._frame_time
        return changed

    def painted(self, seconds: float) -> None:
        """What showing the last frame cost; the next one waits for at least four times as long."""
        self._not_before = max(self._not_before, self._scheduler.now() + 4 * seconds)

    def wake(self) -> None:
        """Something waits in a subscription; may be called from any thread."""
        with self._lock:
            if self._woken:
                return
            self._woken = True
        self._scheduler.call_soon(self._schedule)

    def _schedule(self) -> None:
        wait = self._not_before - self._scheduler.now()
        if self._lagging():
            wait = max(wait, LAGGING_PAUSE)
        if wait > 0:
            self._scheduler.call_later(wait, self._schedule)
        else:
            self._on_frame()
