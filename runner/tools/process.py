"""Running a child process for a tool: watched in a thread, reported as it goes, dead when the call is over."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from runner.errors import ToolError
from runner.tools.base import ProcessEnd, ToolContext
from runner.tools.caught import Caught
from runner.tools.child import Child, Ending, Limits
from runner.tools.environment import child_environment
from runner.tools.group import started_at


async def run_process(
    argv: Sequence[str],
    ctx: ToolContext,
    *,
    name: str,
    cwd: Path | None = None,
    timeout: float | None = None,
    env: Mapping[str, str] | None = None,
    live: bool = True,
    output_limit: int | None = None,
) -> Ending:
    """Run a program to its end. argv[0]: an absolute path. env: added to the child's usual environment.

    live: its output is reported as it comes. output_limit: bytes of output after which it is ended.

    The child is forked by the calling event loop's thread, whose end would end it too (see runner.tools.launcher).
    A cancellation ends the child's whole session first (SIGTERM, ctx.abort_grace seconds, SIGKILL) and then propagates.
    Raises ToolError when the program cannot be started.
    """
    emit = ctx.reporter.output if live else _ignore
    try:
        child = Child(
            argv,
            cwd=cwd or ctx.workspace,
            env=child_environment(ctx.env) | dict(env or {}),
            limits=Limits(timeout=timeout, grace=ctx.abort_grace, output=output_limit),
            emit=lambda stream, text: emit(text, stream),
        )
    except (OSError, ValueError) as error:
        raise ToolError(f"The command could not be started: {error}") from error
    ended = _watch_in_thread(child, ctx, name)
    try:
        return await asyncio.shield(ended)
    except asyncio.CancelledError:
        child.stop()
        await _wait_in_spite_of_cancels(ended)
        raise


def _ignore(text: str, stream: str) -> None:
    """For programs whose output is the tool's business alone."""


def _watch_in_thread(child: Child, ctx: ToolContext, name: str) -> asyncio.Future[Ending]:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Ending] = loop.create_future()

    def settle(ending: Ending | None, error: BaseException | None) -> None:
        if ended.done():
            return
        if error is not None:
            ended.set_exception(error)
        elif ending is not None:
            ended.set_result(ending)

    def watch() -> None:
        ending: Ending | None = None
        with Caught(Exception) as told:
            ctx.reporter.process_started(child.pid, child.pid, started_at(child.pid))
        if told.error is not None:
            # A reporter that fails ends the call, but the process is watched to its end first.
            child.stop()
        with Caught(Exception) as watched:
            ending = child.watch()
            ctx.reporter.process_ended(
                ProcessEnd(pid=child.pid, pgid=child.pid, name=name, how=ending.how, call_id=ctx.call_id)
            )
        _post(loop, lambda: settle(ending, told.error or watched.error))

    threading.Thread(target=watch, name=f"watch-{child.pid}", daemon=True).start()
    return ended


def _post(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:
        return  # The loop is closed: nobody waits for this child any more.


async def _wait_in_spite_of_cancels(ended: asyncio.Future[Ending]) -> None:
    """A second cancellation does not leave the child behind; the time is bounded by the grace and KILL_WAIT."""
    while not ended.done():
        try:
            await asyncio.wait({ended})
        except asyncio.CancelledError:
            continue
    if not ended.cancelled():
        ended.exception()
