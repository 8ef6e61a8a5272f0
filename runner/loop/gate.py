"""The gate before everything new, a request or a tool: stop, pause, limits. Nothing starts without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from runner.errors import ModelError
from runner.events import ErrorInfo, ErrorOccurred, MessageDelivered, Paused, Resumed
from runner.loop import texts
from runner.loop.core import EndRun, RunCore
from runner.loop.limits import REASONS, Hit
from runner.loop.spending import announce, reach

Check: TypeAlias = Callable[[], Hit | None]


def end_if_stopping(core: RunCore) -> None:
    requests = core.inbox.requests
    if requests.stop:
        raise EndRun("aborted" if requests.abort else "stopped")


async def pass_gate(core: RunCore, check: Check) -> None:
    """Return when a request may start; check says what keeps it. Raises EndRun where the run ends here instead."""
    async with core.gate:
        while True:
            end_if_stopping(core)
            if _pausing(core):
                await _pause(core)
                continue
            if core.granted:
                return
            hit = check()
            if hit is None:
                return
            if not core.asks:
                if hit.why == "unknown_price":
                    raise EndRun("error", _unknown_price(core, hit))
                reach(core, hit)
                raise EndRun(REASONS[hit.limit])
            if not await _ask(core, hit, check, lambda: False):
                begin_wrap_up(core)


async def pass_tool_gate(core: RunCore, check: Check, held_back: Callable[[], bool]) -> bool:
    """Whether a tool may start; it waits here through a pause and a question about a limit."""
    async with core.gate:
        while True:
            if held_back():
                return False
            if _pausing(core):
                await _pause(core)
                continue
            hit = check()
            if hit is None:
                return True
            if not core.asks:
                reach(core, hit)
                return False
            if not await _ask(core, hit, check, held_back):
                return False


def begin_wrap_up(core: RunCore) -> None:
    """From here on one last answer, without tools. A limit that is reached before it was asked for counts still."""
    core.inbox.requests.wrap_up = False
    if not core.wrapping:
        core.wrapping = True
        message_id = core.ids.short_id("wrap_up")
        core.emitter.fact(MessageDelivered(message_id=message_id, text=texts.WRAP_UP, by="runner"))


def _pausing(core: RunCore) -> bool:
    """A stop, and a limit that ends the run, go before a pause."""
    requests = core.inbox.requests
    return requests.pause and not requests.stop and core.limit_hit is None


async def _pause(core: RunCore) -> None:
    """Wait until somebody resumes, stops, or a limit ends the run."""
    requests = core.inbox.requests
    by = requests.paused_by
    _hold(core)
    core.emitter.fact(Paused(by=by))
    try:
        while _pausing(core):
            core.inbox.wake.clear()
            await core.inbox.wake.wait()
    finally:
        core.holding = False
        core.update_timer()
    if not requests.stop:
        core.emitter.fact(Resumed(by=requests.paused_by))
        core.update_activity()


async def _ask(core: RunCore, hit: Hit, check: Check, leave: Callable[[], bool]) -> bool:
    """Pause at a limit until it is no obstacle any more. False: wrap up instead. A stop, a person who is gone, and
    whatever leave knows are left to the caller, which looks at them first."""
    requests = core.inbox.requests
    announce(core, hit)
    _hold(core)
    core.emitter.fact(Paused(by="limit", limit=hit.state.limit))
    now: Hit | None = hit
    try:
        while now is not None and core.asks and not (requests.stop or requests.wrap_up or leave()):
            core.inbox.wake.clear()
            await core.inbox.wake.wait()
            now = check()
            if now is not None and core.asks:
                announce(core, now)
    finally:
        core.holding = False
        core.update_timer()
    if requests.stop or (now is not None and not core.asks):
        return True
    core.emitter.fact(Resumed(by="user"))
    core.update_activity()
    if now is not None and requests.wrap_up:
        core.granted, core.wrap_reason = True, REASONS[now.limit]
        return False
    return True


def _hold(core: RunCore) -> None:
    core.holding = True
    core.update_activity()


def _unknown_price(core: RunCore, hit: Hit) -> ErrorInfo:
    """What to do about a cost limit that cannot be kept."""
    info = ErrorInfo(
        type="unknown_price",
        message=f"the price of {hit.model} is not known, so the cost limit cannot be kept",
        action="abort",
        fix=f'give its prices in the configuration ([models."{hit.model}"]), or run without a cost limit',
    )
    core.emitter.fact(ErrorOccurred(error=info, fatal=True))
    return info


def describe(error: ModelError, action: str) -> ErrorInfo:
    return ErrorInfo(
        type=error.type_name,
        message=error.message,
        action=action,
        retryable=error.action == "retry",
        status_code=error.status_code,
        fix=error.fix,
    )
