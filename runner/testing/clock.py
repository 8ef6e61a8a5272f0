"""A clock that moves only when a test says so."""

from __future__ import annotations

import asyncio
import heapq
import threading
from datetime import UTC, datetime, timedelta

from runner.testing.gate import wake

_START = datetime(2026, 1, 1, tzinfo=UTC)

SETTLE_ROUNDS = 25
"""Passes of the event loop that woken sleepers are given to act before time moves on."""


class FakeClock:
    """A runner.clock.Clock for tests; may be read and advanced from any thread.

    By default time stands still: `advance` jumps, `run` goes from one sleeper to the next. With auto=True time moves
    by itself to the next sleeper's moment whenever the loop had SETTLE_ROUNDS passes to do something else; use that
    only where nothing waits for real processes, threads or sockets, since their time does not count here.
    """

    def __init__(self, start: datetime = _START, *, auto: bool = False) -> None:
        self._start = start
        self._auto = auto
        self._lock = threading.Lock()
        self._mono = 0.0
        self._order = 0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._pumping = False
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._mono)

    def mono(self) -> float:
        return self._mono

    @property
    def sleeping(self) -> int:
        """How many sleepers wait."""
        with self._lock:
            return sum(not waiter.done() for _, _, waiter in self._sleepers)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        with self._lock:
            self._order += 1
            heapq.heappush(self._sleepers, (self._mono + seconds, self._order, waiter))
            start_pump = self._auto and not self._pumping
            self._pumping = self._pumping or start_pump
        if start_pump:
            loop.call_soon(self._pump, loop, SETTLE_ROUNDS)
        await waiter

    def advance(self, seconds: float) -> None:
        """Jump; those whose moment has come wake in the order of their moments. Returns before they have run."""
        target = self._mono + seconds
        while self._wake_next(target):
            pass
        with self._lock:
            self._mono = max(self._mono, target)

    async def run(self, seconds: float) -> None:
        """Let time pass: each sleeper wakes at its own moment and may act, and sleep again, before the next one."""
        target = self._mono + seconds
        await settle()
        while self._wake_next(target):
            await settle()
        with self._lock:
            self._mono = max(self._mono, target)
        await settle()

    async def until_sleeping(self, count: int = 1, *, passes: int = 10_000) -> None:
        """Return when at least `count` sleepers wait. Raises TimeoutError after that many passes of the loop."""
        for _ in range(passes):
            if self.sleeping >= count:
                return
            await asyncio.sleep(0)
        raise TimeoutError(f"{self.sleeping} sleepers instead of {count}")

    def _wake_next(self, target: float) -> bool:
        """Wake the earliest live sleeper not later than target; time stands at its moment."""
        with self._lock:
            while self._sleepers and self._sleepers[0][0] <= target:
                moment, _, waiter = heapq.heappop(self._sleepers)
                if waiter.done():
                    continue
                self._mono = max(self._mono, moment)
                wake(waiter)
                return True
        return False

    def _pump(self, loop: asyncio.AbstractEventLoop, rounds: int) -> None:
        if rounds > 0:
            loop.call_soon(self._pump, loop, rounds - 1)
            return
        self._wake_next(float("inf"))
        with self._lock:
            self._pumping = bool(self._sleepers)
            again = self._pumping
        if again:
            loop.call_soon(self._pump, loop, SETTLE_ROUNDS)


async def settle(rounds: int = SETTLE_ROUNDS) -> None:
    """Give the other tasks of this loop some passes."""
    for _ in range(rounds):
        await asyncio.sleep(0)
