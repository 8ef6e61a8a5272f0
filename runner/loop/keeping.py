"""Recording what a call changed, for undo: whatever the call is cut by, its fact precedes its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

from runner.loop.core import RunCore
from runner.tools.base import FileKeeper, Tool, ToolContext


def may_change_anything(tool: Tool) -> bool:
    """Whether only a comparison of the whole tree tells what the tool changed; a file tool says it by itself."""
    if tool.read_only or tool.kind in ("read", "net"):
        return False
    return tool.kind != "edit" or tool.touches is None


@asynccontextmanager
async def kept_files(core: RunCore, tool: Tool, context: ToolContext) -> AsyncGenerator[None]:
    """Around a call: what it changes is kept, and told by a fact when it is over."""
    keeper = core.keeper
    if keeper is None or tool.read_only:
        yield
        return
    compares = may_change_anything(tool)
    if compares:
        await _in_thread(keeper, context, keeper.before_command)
    try:
        yield
    except BaseException:
        # No time to compare; what a command changed is found by its record when somebody wants to undo it.
        _tell(core, keeper, context)
        raise
    if compares:
        await _in_thread(keeper, context, keeper.after_command)
    _tell(core, keeper, context)


async def settle(core: RunCore, call_ids: Sequence[str]) -> None:
    """The facts of these calls are stored: what was written down in case of a crash can go."""
    if core.keeper is None or not call_ids:
        return
    await core.emitter.durable()
    await asyncio.to_thread(core.keeper.stored, core.emitter.state.run_id, call_ids)


def _tell(core: RunCore, keeper: FileKeeper, context: ToolContext) -> None:
    changed = keeper.take(context)
    if changed is not None:
        core.emitter.fact(changed)


async def _in_thread(keeper: FileKeeper, context: ToolContext, work: Callable[[ToolContext], None]) -> None:
    """A cancellation leaves the thread behind; what it still opens is closed when it is done."""
    task = asyncio.ensure_future(asyncio.to_thread(work, context))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(lambda _: keeper.take(context))
        raise
