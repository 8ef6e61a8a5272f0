"""Running a child process for a tool: watched in a thread, reported as it goes, dead when the call is over."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import ToolError
from runner.tools.base import ProcessEnd, ToolContext
from runner.tools.caught import Caught
from runner.tools.child import Child, Ending, Limits
from runner.tools.endings import LISTED
from runner.tools.environment import child_environment
from runner.tools.marker import new_marker

if TYPE_CHECKING:
    from runner.tools.sandbox import Boxed


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
    boxed: Boxed | None = None,
) -> Ending:
    """Run a program to its end. argv[0]: an absolute path. env: added to the child's usual environment.

    name: what it runs, in a few words. live: its output is reported as it comes. output_limit: bytes of output after
    which it is ended. boxed: what to start instead of argv, and with which environment (runner.tools.sandbox).

    A cancellation ends all that comes from the child first (SIGTERM, ctx.abort_grace seconds, SIGKILL) and then
    propagates. Raises ToolError when the program cannot be started.
    """
    emit = ctx.reporter.output if live else _ignore
    try:
        child = Child(
            argv if boxed is None else boxed.argv,
            name=name,
            marker=new_marker(ctx.run_id, ctx.call_id),
            cwd=cwd or ctx.workspace,
            env=environment_of(ctx) | dict(env or {}) if boxed is None else boxed.env,
            monitored=boxed is not None and boxed.monitored,
            limits=Limits(timeout=timeout, grace=ctx.abort_grace, output=output_limit),
            emit=lambda stream, text: emit(text, stream),
        )
    except (OSError, ValueError) as error:
        raise ToolError(f"The command could not be started: {error}") from error
    ended = _watch_in_thread(child, ctx, boxed)
    try:
        return await asyncio.shield(ended)
    except asyncio.CancelledError:
        child.stop()
        await _wait_in_spite_of_cancels(ended)
        raise


def environment_of(ctx: ToolContext) -> dict[str, str]:
    """What a call's processes get of the environment."""
    return child_environment(ctx.env, hidden=ctx.hidden_env, passed=ctx.pass_env)


def _ignore(text: str, stream: str) -> None:
    """For programs whose output is the tool's business alone."""


def _watch_in_thread(child: Child, ctx: ToolContext, boxed: Boxed | None) -> asyncio.Future[Ending]:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Ending] = loop.create_future()

    def settle(ending: Ending | None, error: BaseException | None) -> None:
        if ended.done():
            return
        if error is not None:
            ended.set_exception(error)
        elif ending is not None:
            ended.set_result(ending)

    problem: list[BaseException] = []

    def started(pid: int, since: float | None) -> None:
        with Caught(Exception) as told:
            ctx.reporter.process_started(pid, pid, since, name=child.name, marker=child.marker)
        if told.error is not None:
            # A reporter that fails ends the call, but the process is watched to its end first.
            problem.append(told.error)
            child.stop()

    def watch() -> None:
        ending: Ending | None = None
        with Caught(Exception) as watched:
            ending = child.watch(started)
            if boxed is not None:
                boxed.finish()
            for end in reported(ending, ctx.call_id):
                ctx.reporter.process_ended(end)
        error = problem[0] if problem else watched.error
        _post(loop, lambda: settle(ending, error))

    threading.Thread(target=watch, name=f"watch {child.name}", daemon=True).start()
    return ended


def reported(ending: Ending, call_id: str) -> list[ProcessEnd]:
    """A receipt that lists thousands of processes helps nobody: the last of those listed says how many more."""
    found = [
        ProcessEnd(pid=end.pid, pgid=end.pgid, name=end.name, how=end.how, call_id=call_id)
        for end in ending.ends[:LISTED]
    ]
    if len(ending.ends) > LISTED:
        found[-1] = replace(found[-1], more=len(ending.ends) - LISTED)
    return found


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
