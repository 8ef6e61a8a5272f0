"""The calls that run on a server: what they report, and what the server may ask through them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from runner.mcp.text import one_line
from runner.tools.base import Activity, ToolContext

REPORT_INTERVAL = 0.1
"""Seconds between two reports of a call: each is kept for ever, and a server can send thousands."""

_MESSAGE = 300
_LET_GO = 2.0

Answer = TypeVar("Answer")


@dataclass(slots=True)
class RunningCall:
    """One call while it runs. asked: what its run is being asked for the server."""

    number: int
    ctx: ToolContext
    latest: Activity | None = None
    said: asyncio.Event = field(default_factory=asyncio.Event)
    asked: set[asyncio.Task[Any]] = field(default_factory=set[asyncio.Task[Any]])

    async def progress(self, progress: float, total: float | None, message: str | None) -> None:
        share = min(max(progress / total, 0.0), 1.0) if total is not None and total > 0 else None
        words = one_line(message or "", _MESSAGE)
        if not words:
            words = f"{progress:g}" if total is None else f"{progress:g} of {total:g}"
        self.say(Activity(message=words, progress=share))

    def say(self, activity: Activity) -> None:
        """The latest is what is reported, where they come faster than that."""
        self.latest = activity
        self.said.set()

    def take(self) -> Activity | None:
        taken, self.latest = self.latest, None
        self.said.clear()
        return taken

    async def ask(self, question: Coroutine[Any, Any, Answer]) -> Answer | None:
        """The answer of the call's run; None where the call ended first."""
        task = asyncio.ensure_future(question)
        self.asked.add(task)
        try:
            await asyncio.wait({task})
            return None if task.cancelled() else task.result()
        finally:
            task.cancel()
            self.asked.discard(task)

    def end(self) -> None:
        for task in list(self.asked):
            task.cancel()


class RunningCalls:
    def __init__(self) -> None:
        self._calls: dict[int, RunningCall] = {}
        self._last = 0

    def begin(self, ctx: ToolContext) -> RunningCall:
        self._last += 1
        call = RunningCall(self._last, ctx)
        self._calls[call.number] = call
        return call

    def end(self, call: RunningCall) -> None:
        self._calls.pop(call.number, None)
        call.end()

    def find(self, number: int | None) -> RunningCall | None:
        """The call that a server's request is about: where it does not say so, the one that runs."""
        if number is not None:
            return self._calls.get(number)
        return next(iter(self._calls.values())) if len(self._calls) == 1 else None


async def activities(call: RunningCall, task: asyncio.Task[Any]) -> AsyncGenerator[Activity]:
    """What a call reports until its task is done."""
    last = 0.0
    while not task.done():
        said = asyncio.ensure_future(call.said.wait())
        try:
            await asyncio.wait({task, said}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            said.cancel()
        pause = last + REPORT_INTERVAL - time.monotonic()
        if pause > 0 and not task.done():
            await asyncio.wait({task}, timeout=pause)
        if (activity := call.take()) is not None:
            last = time.monotonic()
            yield activity


async def let_go(task: asyncio.Task[Any]) -> None:
    """Cancel what nobody waits for any more. It tells the server so, but nobody waits long for that."""
    task.cancel()
    await asyncio.wait({task}, timeout=_LET_GO)
    if task.done() and not task.cancelled():
        task.exception()
