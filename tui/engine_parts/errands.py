"""Work on the engine's loop that somebody on another thread waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 1.0
"""Seconds that errands get to notice that the program ends."""


class Errands:
    """Lives on the engine's loop. Once the program ends nothing new is begun: the loop's threads are about to go, and
    work that finds them gone would end the screen with a fault."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ending = False

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it. Raises QuarterdeckError where the program ends."""
        task = asyncio.current_task()
        if self._ending or task is None:
            work.close()
            from runner.errors import QuarterdeckError

            raise QuarterdeckError("the program is ending")
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
