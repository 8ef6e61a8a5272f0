"""Reading a stream that may never answer, and one that never stops to let others work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

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
