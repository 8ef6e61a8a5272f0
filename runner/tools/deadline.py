"""The time that a call may take, which stands still while the call waits for a person."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any


class Deadline:
    """Used from one event loop. seconds None: no limit."""

    def __init__(self, seconds: float | None = None, mono: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._mono = mono
        self._holders = 0
        self._counted = 0.0
        self._since: float | None = None
        self._changed = asyncio.Event()

    @contextmanager
    def held(self) -> Generator[None, None, None]:
        """Time does not count meanwhile."""
        self._count()
        self._holders += 1
        self._changed.set()
        try:
            yield
        finally:
            self._count()
            self._holders -= 1
            self._changed.set()

    async def wait(self, task: asyncio.Future[Any]) -> bool:
        """Wait until the work is done or its time is over; whether it is done. Time counts from here on."""
        self._since = self._mono()
        while not task.done():
            self._changed.clear()
            left = self._left()
            if left is not None and left <= 0:
                return False
            changed = asyncio.ensure_future(self._changed.wait())
            try:
                await asyncio.wait({task, changed}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            finally:
                changed.cancel()
        return True

    def _left(self) -> float | None:
        self._count()
        return None if self.seconds is None or self._holders else self.seconds - self._counted

    def _count(self) -> None:
        now = self._mono()
        if self._since is not None:
            self._counted += now - self._since if not self._holders else 0.0
            self._since = now
