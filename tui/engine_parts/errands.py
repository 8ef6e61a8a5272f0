"""Work on the engine's loop that somebody on another thread waits for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 1.0
"""Seconds that errands get to notice that the program ends."""


class Errands:
    """Each errand that was handed in ends: done, refused because the program ends, or cancelled with it. The loop's
    threads go with the loop, and work that finds them gone would end the screen with a fault."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ending = False
        self._lock = threading.RLock()
        self._closed = False
        self._handed_in: dict[Future[Any], tuple[Coroutine[Any, Any, Any], ...]] = {}

    def hand_in(self, work: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop | None) -> Future[T]:
        """From any thread. Without a loop it is refused."""
        errand = self.run(work)
        with self._lock:
            if not self._closed and loop is not None:
                try:
                    future = asyncio.run_coroutine_threadsafe(errand, loop)
                except RuntimeError:
                    # The loop is closed, and close() has not come this far yet.
                    return _refused(Future(), errand, work)
                self._handed_in[future] = errand, work
                future.add_done_callback(self._ended)
                return future
        return _refused(Future(), errand, work)

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it, on the loop. Raises QuarterdeckError where the program ends."""
        task = asyncio.current_task()
        if self._ending or task is None:
            work.close()
            raise _ending()
        self._tasks.add(task)
        try:
            return await work
        finally:
            self._tasks.discard(task)

    async def end(self) -> None:
        """Give up what goes on, and refuse what comes."""
        self._ending = True
        rest = list(self._tasks)
        for task in rest:
            task.cancel()
        if rest:
            await asyncio.wait(rest, timeout=PATIENCE)

    def close(self) -> None:
        """The loop is gone: what it never came to is refused."""
        with self._lock:
            self._closed = True
            left = list(self._handed_in.items())
            self._handed_in.clear()
        for future, works in left:
            _refused(future, *works)

    def _ended(self, future: Future[Any]) -> None:
        with self._lock:
            self._handed_in.pop(future, None)


def _ending() -> Exception:
    from runner.errors import QuarterdeckError

    return QuarterdeckError("the program is ending")


def _refused(future: Future[T], *works: Coroutine[Any, Any, Any]) -> Future[T]:
    for work in works:
        work.close()
    if not future.done() and future.set_running_or_notify_cancel():
        future.set_exception(_ending())
    return future
