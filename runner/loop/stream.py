"""Reading one response: the provider's chunks become deltas, and the parts of an Attempt."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from runner.errors import ModelError, ModelTimeoutError, StreamBrokenError
from runner.events import (
    Event,
    RateLimitInfo,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolArgumentsDelta,
)
from runner.loop.attempt import Attempt
from runner.loop.core import RunCore
from runner.loop.switching import tell_left_out
from runner.models.base import (
    Chunk,
    LeftOutChunk,
    RateLimitChunk,
    ReasoningChunk,
    RefusalChunk,
    TextChunk,
    ToolCallChunk,
)


async def consume(core: RunCore, attempt: Attempt, *, silent: bool = False) -> ModelError | None:
    """Read the stream to its end, sending deltas on; returns the error that broke it, or None.

    silent: nothing is sent on, the attempt only keeps it.
    """
    deadline = asyncio.timeout(core.config.timeout_per_turn)
    try:
        async with deadline, aclosing(attempt.model.stream(attempt.request)) as stream:
            async for chunk in stream:
                if silent:
                    attempt.assembly.add(chunk, "unused")
                else:
                    _take(core, attempt, chunk)
    except ModelError as error:
        return error
    except TimeoutError:
        if not deadline.expired():
            raise
        limit = core.config.timeout_per_turn or 0
        return ModelTimeoutError(f"no complete answer within {limit:g} s", model=attempt.model.info.name)
    if attempt.assembly.finish is None:
        return StreamBrokenError("the stream ended without a finish reason", model=attempt.model.info.name)
    return None


def _take(core: RunCore, attempt: Attempt, chunk: Chunk) -> None:
    assembly = attempt.assembly
    opens = isinstance(chunk, ToolCallChunk) and chunk.key not in assembly.calls
    assembly.add(chunk, core.ids.short_id("call") if opens else "")
    delta: Event | None = None
    match chunk:
        case TextChunk(text=text):
            delta = TextDelta(text=text) if text else None
        case ReasoningChunk(text=text):
            delta = ReasoningDelta(text=text) if text else None
        case RefusalChunk(text=text):
            delta = RefusalDelta(text=text) if text else None
        case ToolCallChunk():
            call = assembly.calls[chunk.key]
            delta = ToolArgumentsDelta(call_id=call.call_id, tool=call.name, text=chunk.arguments)
        case RateLimitChunk():
            info = RateLimitInfo(utilization=chunk.utilization, reset_at=chunk.reset_at, allowed=chunk.allowed)
            core.emitter.fact(info)
        case LeftOutChunk(settings=missing):
            tell_left_out(core, attempt.model, missing)
        case _:
            pass
    if delta is not None:
        now = core.clock.mono()
        if attempt.first_token is None:
            attempt.first_token = now
        if isinstance(chunk, ReasoningChunk):
            attempt.reasoning_first = now if attempt.reasoning_first is None else attempt.reasoning_first
            attempt.reasoning_last = now
        core.emitter.delta(delta)
