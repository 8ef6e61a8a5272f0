"""The only place where run events meet the screen: drained on one frame clock, folded, one notice a frame.

Nothing is scheduled while nothing happens. The next frame waits at least four times what the last one cost, a flood of
text gets fewer frames than what can be read, and a frame is put off while the terminal is behind.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from runner.hub import delta_text
from runner.state import RunState, reduce
from tui.frame_pace import FramePace
from tui.terminal import frame_time

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
        drain: Callable[[], float] = lambda: 0.0,
        spent: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """lagging: the terminal has not taken the last frame. drain: the seconds that it needs for one. spent: seconds
        of processor time that the screen's thread has used so far.
        """
        self._scheduler = scheduler
        self._on_frame = on_frame
        self._frame_time = 1.0 / frames_per_second
        self._lagging = lagging
        self._drain = drain
        self._spent = spent
        self._pace = FramePace()
        self._watched: dict[str, _Watched] = {}
        self._lock = threading.Lock()
        self._woken = False
        self._hurried = False
        self._asked = False

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
            self._woken = self._hurried = self._asked = False
        changed: dict[str, RunState] = {}
        characters = 0
        for run_id, watched in list(self._watched.items()):
            events = watched.subscription.drain()
            if not events:
                continue
            for event in events:
                watched.state = reduce(watched.state, event)
                characters += len(delta_text(event))
            changed[run_id] = watched.state
            if watched.state.finished:
                watched.source.unsubscribe(watched.subscription)
                del self._watched[run_id]
        self._pace.framed(began, self._spent(), characters)
        return changed

    def wake(self) -> None:
        """Something waits in a subscription; may be called from any thread.

        A subscription calls again for its first fact, which may not have to wait as long as the text before it.
        """
        with self._lock:
            if self._woken and self._hurried:
                return
            self._hurried = self._woken
            self._woken = True
        self._scheduler.call_soon(self._schedule)

    def _schedule(self) -> None:
        if self._asked or not self._woken:
            return
        facts = any(watched.subscription.has_facts for watched in self._watched.values())
        at_least = frame_time(self._frame_time, self._drain())
        wait = self._pace.wait(self._scheduler.now(), self._spent(), at_least=at_least, facts=facts)
        if self._lagging():
            wait = max(wait, LAGGING_PAUSE)
        if wait > 0:
            self._scheduler.call_later(wait, self._schedule)
        else:
            self._asked = True
            self._on_frame()
