"""Running a piece of work so that a command can end it, and so that nothing waits for it for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, Literal, TypeVar

from runner.control.inbox import Inbox, Scope, ScopeCause

T = TypeVar("T")

UNWIND_SECONDS = 3.0
"""How long ended work may take to clean up beyond what it is known to need; then it is left behind and said to be."""


async def outcome_of(work: Awaitable[T]) -> T | Exception:
    """The result of code that is not ours, or the exception it raised, as a value; a cancellation propagates."""
    [result] = await asyncio.gather(work, return_exceptions=True)
    if isinstance(result, BaseException) and not isinstance(result, Exception):
        raise result
    return result


async def run_scope(
    inbox: Inbox,
    work: Coroutine[Any, Any, T],
    *,
    what: Literal["request", "tool"],
    call_id: str = "",
    unwind: float = UNWIND_SECONDS,
) -> T | ScopeCause | Exception:
    """The work's result, the exception it raised, or why it was ended; each as a value.

    A foreign cancellation ends the work, waits for it, and propagates.
    """
    task: asyncio.Task[T] = asyncio.ensure_future(work)
    scope = Scope(task=task, what=what, call_id=call_id)
    inbox.enter(scope)
    try:
        await _until_ended(task, scope, unwind)
    except asyncio.CancelledError:
        task.cancel()
        await _settle(task, unwind)
        raise
    finally:
        inbox.leave(scope)
    if scope.cause is not None and (not task.done() or task.cancelled()):
        return scope.cause
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, Exception):
        return error
    raise error


async def _until_ended(task: asyncio.Task[Any], scope: Scope, unwind: float) -> None:
    ended = asyncio.ensure_future(scope.ended.wait())
    try:
        await asyncio.wait({task, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            await asyncio.wait({task}, timeout=unwind)
    finally:
        ended.cancel()


async def _settle(task: asyncio.Task[Any], unwind: float) -> None:
    """Wait for a cancelled task without losing our own cancellation, and without letting it hold us for ever."""
    if not task.done():
        await asyncio.wait({task}, timeout=unwind)
