"""Running one call to its one outcome: whatever the tool does, the loop gets a ToolOutcome."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any, cast

from runner.errors import ToolError, ToolInputError, ToolTimeoutError
from runner.messages import JsonObject, SideEffects, ToolStatus
from runner.tools.base import (
    Activity,
    ProcessEnd,
    Tool,
    ToolContext,
    ToolOutcome,
    ToolOutput,
    ToolReporter,
)
from runner.tools.caught import Caught, portable
from runner.tools.deadline import Deadline
from runner.tools.truncate import encodable, truncate

CLEAN_UP_SECONDS = 1.5
"""What a cancelled tool gets beyond abort_grace to clean up; then it is left behind."""

_SEEN_KEPT = 4096
_SEEN = "runner.tools.seen"


async def execute(
    tool: Tool,
    ctx: ToolContext,
    arguments: JsonObject,
    *,
    timeout: float | None,
    max_output: int,
    deadline: Deadline | None = None,
) -> ToolOutcome:
    """Run a call with validated arguments. timeout: seconds, and the tool's own counts where it is shorter.

    max_output: bytes of output for the model. deadline: keeps the time, for whoever makes it stand still; its seconds
    are set here. Raises nothing but CancelledError, and that only after the tool was
    cancelled and its processes are dead; code in a thread, or a task that ignores its cancellation, is left behind.
    """
    limits = [limit for limit in (timeout, tool.timeout) if limit is not None]
    clock = deadline or Deadline()
    clock.seconds = seconds = min(limits) if limits else None
    watch = _Watch(ctx.reporter)
    ctx.scratch[f"{_SEEN}:{ctx.call_id}"] = watch
    started = time.monotonic()
    task = asyncio.create_task(_last_output(tool, replace(ctx, reporter=watch), arguments), name=f"tool {tool.name}")
    try:
        done = await clock.wait(task)
        if not done:
            await _end(task, ctx.abort_grace)
    except asyncio.CancelledError:
        await _end(task, ctx.abort_grace)
        raise
    finally:
        watch.close()
    ctx.scratch.pop(f"{_SEEN}:{ctx.call_id}", None)
    if not done:
        return _timed_out(tool, time.monotonic() - started, seconds or 0.0, watch.seen(), max_output)
    return _outcome(tool, task, max_output)


def aborted_outcome(tool: Tool, ctx: ToolContext, *, what: str, by_person: bool, max_output: int) -> ToolOutcome:
    """What to record of a call whose `execute` was cancelled: by a person who cancelled this call, or with the run.

    what: the words for the model, such as "was interrupted by an abort". What the tool had printed by then is part of
    the output.
    """
    watch = ctx.scratch.pop(f"{_SEEN}:{ctx.call_id}", None)
    effects = (
        "It only reads, so it changed nothing."
        if tool.read_only
        else "It may have had effects: check before relying on it."
    )
    text = _with_seen(
        f"This call {what} while it was running. {effects}", watch.seen() if isinstance(watch, _Watch) else ""
    )
    status: ToolStatus = "cancelled" if by_person else "interrupted"
    return _cut(ToolOutput(text=text, status=status), max_output, "none" if tool.read_only else "unknown")


async def _last_output(tool: Tool, ctx: ToolContext, arguments: JsonObject) -> ToolOutput | Exception:
    """The tool's output, or what it raised, as a value: an exception of a task would end the program in one case."""
    output: ToolOutput | None = None
    with Caught(Exception, SystemExit) as caught:
        steps = tool.run(ctx, arguments)
        if hasattr(steps, "aclose"):
            async with aclosing(cast("AsyncGenerator[Any, None]", steps)):
                output = await _through(steps, ctx)
        else:
            output = await _through(steps, ctx)
    if caught.error is not None:
        return portable(caught.error)
    return output if output is not None else ToolError("The tool ended without a result.")


async def _through(steps: Any, ctx: ToolContext) -> ToolOutput | None:
    output: ToolOutput | None = None
    async for step in steps:
        if isinstance(step, Activity):
            ctx.reporter.activity(step)
        elif isinstance(step, ToolOutput):
            output = step
        else:
            raise TypeError(f"the tool yielded {type(step).__name__}, which is neither Activity nor ToolOutput")
    return output


async def _end(task: asyncio.Task[Any], grace: float) -> None:
    """Cancel and wait, but not for ever. Further cancellations of ours do not cut the waiting short."""
    task.cancel()
    until = time.monotonic() + grace + CLEAN_UP_SECONDS
    while not task.done() and (left := until - time.monotonic()) > 0:
        try:
            await asyncio.wait({task}, timeout=left)
        except asyncio.CancelledError:
            continue  # The caller raises one when the tool is down; that is all a second one could ask for.


def _outcome(tool: Tool, task: asyncio.Task[ToolOutput | Exception], max_output: int) -> ToolOutcome:
    if task.cancelled():
        error: Exception = ToolError("The tool cancelled itself.")
    else:
        raised = task.exception()
        error_or_output = portable(raised) if raised is not None else task.result()
        if isinstance(error_or_output, ToolOutput):
            effects: SideEffects = "none" if tool.read_only else "done"
            if error_or_output.status in ("timeout", "interrupted", "cancelled") and not tool.read_only:
                effects = "unknown"
            return _cut(error_or_output, max_output, error_or_output.side_effects or effects)
        error = error_or_output
    status: ToolStatus = "timeout" if isinstance(error, ToolTimeoutError) else "error"
    return _cut(ToolOutput(text=_in_words(error), status=status), max_output, _effects_of(tool, error))


def _in_words(error: Exception) -> str:
    """The message of a ToolError is written for the model; of any other exception it reads type and message."""
    text = str(error)
    if isinstance(error, ToolError) and text:
        return text
    kind = type(error).__name__
    return f"{kind}: {text}" if text else f"The tool failed with {kind}."


def _effects_of(tool: Tool, error: Exception) -> SideEffects:
    """An exception can come from anywhere in the tool's work, unless it says what was done."""
    if tool.read_only or isinstance(error, ToolInputError):
        return "none"
    said = getattr(error, "side_effects", None)
    return said if said in ("none", "done") else "unknown"


def _timed_out(tool: Tool, took: float, limit: float, seen: str, max_output: int) -> ToolOutcome:
    effects = "" if tool.read_only else " It may have had effects: check before relying on it."
    late = f" (ended after {took:.1f} s)" if took > limit + 0.5 else ""
    text = _with_seen(f"The tool did not finish within {limit:g} s and was ended{late}.{effects}", seen)
    return _cut(ToolOutput(text=text, status="timeout"), max_output, "none" if tool.read_only else "unknown")


def _with_seen(text: str, seen: str) -> str:
    return f"{text}\nIts output until then:\n{seen}" if seen else text


def _cut(output: ToolOutput, max_output: int, effects: SideEffects) -> ToolOutcome:
    text = encodable(output.text)
    cut = truncate(text, max_output)
    return ToolOutcome(
        status=output.status,
        output=cut.text,
        display=output.display,
        truncated=cut.left_out > 0,
        full_output=text if cut.left_out else None,
        side_effects=effects,
    )


class _Watch:
    """The reporter a tool gets: remembers the end of what was printed, and falls silent when the call is over.

    A thread that was left behind may report for as long as it lives; nothing may follow a call's end.
    """

    def __init__(self, reporter: ToolReporter) -> None:
        self._reporter = reporter
        self._lock = threading.Lock()
        self._closed = False
        self._seen: deque[str] = deque()
        self._size = 0

    def seen(self) -> str:
        with self._lock:
            return "".join(self._seen)[-_SEEN_KEPT:]

    def close(self) -> None:
        with self._lock:
            self._closed = True

    def activity(self, activity: Activity) -> None:
        with self._lock:
            if not self._closed:
                self._reporter.activity(activity)

    def output(self, text: str, stream: str = "stdout") -> None:
        with self._lock:
            if self._closed:
                return
            self._seen.append(text)
            self._size += len(text)
            while self._size - len(self._seen[0]) >= _SEEN_KEPT:
                self._size -= len(self._seen.popleft())
            self._reporter.output(text, stream)

    def process_started(self, pid: int, pgid: int, started: float | None, *, name: str = "", marker: str = "") -> None:
        with self._lock:
            if not self._closed:
                self._reporter.process_started(pid, pgid, started, name=name, marker=marker)

    def process_ended(self, end: ProcessEnd) -> None:
        with self._lock:
            if not self._closed:
                self._reporter.process_ended(end)
