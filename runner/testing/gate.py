"""A point in a script where it waits until a test lets it go on."""

from __future__ import annotations

import asyncio
import contextlib
import threading


class Latch:
    """A one-shot event that any thread may set, and any event loop or thread may wait for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._event = threading.Event()
        self._waiters: list[asyncio.Future[None]] = []

    def is_set(self) -> bool:
        return self._event.is_set()

    def set(self) -> None:
        with self._lock:
            self._event.set()
            waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            wake(waiter)

    async def wait(self) -> None:
        with self._lock:
            if self._event.is_set():
                return
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
        await waiter

    def wait_blocking(self, seconds: float) -> bool:
        return self._event.wait(seconds)


def wake(waiter: asyncio.Future[None]) -> None:
    """Complete a future from any thread; a loop that is closed by now needs no waking."""

    def complete() -> None:
        if not waiter.done():
            waiter.set_result(None)

    with contextlib.suppress(RuntimeError):
        waiter.get_loop().call_soon_threadsafe(complete)


class Gate:
    """Closed until `release`. All methods may be called from any thread, before or after the script gets here."""

    def __init__(self) -> None:
        self._reached = Latch()
        self._released = Latch()

    def release(self) -> None:
        self._released.set()

    @property
    def is_reached(self) -> bool:
        return self._reached.is_set()

    async def reached(self) -> None:
        """Return when the script stands at this gate, or has passed it."""
        await self._reached.wait()

    def wait_reached(self, seconds: float = 10.0) -> None:
        """The same for a test that runs in another thread. Raises TimeoutError."""
        if not self._reached.wait_blocking(seconds):
            raise TimeoutError(f"the script did not reach the gate within {seconds} s")

    async def pass_through(self) -> None:
        """Called by the script: say that it is here, then wait."""
        self._reached.set()
        await self._released.wait()
