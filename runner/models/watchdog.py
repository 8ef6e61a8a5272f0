"""Reading a stream that may never answer, and one that never stops to let others work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar

T = TypeVar("T")

BREATH = 0.008
"""Seconds of work on data that is always ready, after which the loop gets a turn: 8 ms keeps keys and other runs
smooth and costs nothing."""


class TooSlow(Exception):
    """The awaited thing did not come in time; what was awaited is cancelled, so its connection is closed."""


async def in_time(awaited: Awaitable[T], seconds: float | None) -> T:
    """Await something for at most `seconds` (None: for ever). Raises TooSlow.

    Only our own deadline becomes TooSlow: a TimeoutError from inside and a cancellation from outside pass as they are.
    """
    if seconds is None:
        return await awaited
    deadline = asyncio.timeout(seconds)
    try:
        async with deadline:
            return await awaited
    except TimeoutError as error:
        if deadline.expired():
            raise TooSlow from error
        raise


class Watch:
    """Deadlines for the many reads of one stream, for the price of one timer.

    `in_time` makes a timer for each read, which for a stream of small pieces costs more than the reading itself. Here
    the timer of the first read stays, and looks again when it fires before the deadline of the read that goes on then.
    """

    __slots__ = ("_due", "_expired", "_loop", "_task", "_timer")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[Any] | None = None
        self._due = 0.0
        self._expired = False

    async def read(self, source: AsyncIterator[T], due: float | None) -> T:
        """The next item. due: the moment, by the monotonic clock, after which the wait ends with TooSlow.

        As with `in_time`, a cancellation from outside passes as it is.
        """
        task = asyncio.current_task()
        if due is None or task is None:
            return await anext(source)
        self._due = due
        if self._timer is None or self._timer.when() > due:
            self._set_timer()
        cancelled_before = task.cancelling()
        self._task = task
        try:
            return await anext(source)
        except BaseException as error:
            if self._expired:
                self._expired = False
                if task.uncancel() <= cancelled_before and isinstance(error, asyncio.CancelledError):
                    raise TooSlow from error
            raise
        finally:
            self._task = None

    def close(self) -> None:
        """Drop the timer; the watch can still be used."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # asyncio's clock is the monotonic one on every platform that we run on.
        self._timer = self._loop.call_at(self._due, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._task is None:
            # Whoever reads the stream is busy with what came; the next read sets the timer again.
            return
        if self._loop.time() < self._due:
            self._set_timer()
            return
        self._expired = True
        self._task.cancel()


class Breath:
    """Gives the event loop a turn every few milliseconds of uninterrupted work."""

    __slots__ = ("_since", "turns")

    def __init__(self) -> None:
        self._since = time.monotonic()
        self.turns = 0

    async def take(self) -> None:
        now = time.monotonic()
        if now - self._since >= BREATH:
            self.turns += 1
            await asyncio.sleep(0)
            self._since = time.monotonic()


async def read(source: AsyncIterator[T], seconds: float | None) -> T:
    """The next item within `seconds`. Raises TooSlow, or StopAsyncIteration at the end."""
    return await in_time(anext(source), seconds)
