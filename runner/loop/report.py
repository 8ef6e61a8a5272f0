"""Where a running tool's reports become events, from whichever thread they come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from runner.events import ToolActivity, ToolOutputDelta, ToolStarted
from runner.loop.core import RunCore
from runner.messages import ToolCall
from runner.tools.base import Activity, ProcessEnd


class CallReporter:
    """Reports of one call; what comes after its end (an abandoned thread) is not recorded."""

    def __init__(self, core: RunCore, call: ToolCall) -> None:
        self._core = core
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self.started_mono: float | None = None
        self.started_at = 0.0
        self.seconds = 0.0

    def start(self) -> None:
        self.started_mono = self._core.clock.mono()
        self.started_at = self._core.clock.now().timestamp()

    def close(self) -> None:
        self._closed = True
        if self.started_mono is not None:
            self.seconds = self._core.clock.mono() - self.started_mono

    def activity(self, activity: Activity) -> None:
        self._post(
            lambda: self._core.emitter.fact(
                ToolActivity(
                    call_id=self._call.call_id,
                    message=activity.message,
                    progress=activity.progress,
                    data=activity.data,
                )
            )
        )

    def output(self, text: str, stream: str = "stdout") -> None:
        if text:
            self._post(
                lambda: self._core.emitter.delta(ToolOutputDelta(call_id=self._call.call_id, stream=stream, text=text))
            )

    def process_started(self, pid: int, pgid: int, started: float | None, *, name: str = "", marker: str = "") -> None:
        self._post(
            lambda: self._core.emitter.fact(
                ToolStarted(
                    call_id=self._call.call_id,
                    tool=self._call.tool,
                    pid=pid,
                    pgid=pgid,
                    name=name,
                    marker=marker,
                    process_started=started,
                )
            )
        )

    def process_ended(self, end: ProcessEnd) -> None:
        self._post(lambda: self._core.receipt.processes.append(end))

    def _post(self, report: Callable[[], object]) -> None:
        def now() -> None:
            if not self._closed:
                report()

        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        if here:
            now()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(now)
