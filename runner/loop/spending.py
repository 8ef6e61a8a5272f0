"""Limits while a run goes on: a warning at 80 %, the end at 100 %, and the clock's limits at any moment."""

from __future__ import annotations

import asyncio

from runner.control.commands import LimitName
from runner.events import LimitReached, LimitWarning
from runner.loop.core import EndRun, RunCore
from runner.loop.limits import CLOCK_LIMITS, REASONS, LimitState, measure

LONGEST_SLEEP = 3600.0
SHORTEST_SLEEP = 0.02


def current(core: RunCore) -> list[LimitState]:
    """Every limit that is on; one that was changed counts from here on, and warns anew."""
    changed = core.inbox.requests.limits
    for name, value in changed.items():
        core.warned.discard(name)
        if value is None:
            core.limits.pop(name, None)
        else:
            core.limits[name] = value
    changed.clear()
    return measure(
        core.limits,
        core.emitter.state,
        requests=core.requests,
        calls=core.calls_started,
        active=core.timer.active,
        wall=core.timer.wall,
    )


def check_limits(core: RunCore) -> None:
    """Before a request: warn where a limit is near, raise EndRun where one is reached."""
    for state in current(core):
        if core.limit_hit is None and state.reached and state.limit != "max_tool_calls":
            reach(core, state)
        elif state.near and state.limit not in core.warned:
            core.warned.add(state.limit)
            core.emitter.fact(LimitWarning(limit=state.limit, used=state.used, value=state.value))
    if core.limit_hit is not None:
        raise EndRun(REASONS[core.limit_hit.limit])


def reach(core: RunCore, state: LimitState) -> None:
    """Record, once, the limit that ends the run; nothing new starts from here on."""
    if core.limit_hit is None:
        core.limit_hit = state
        core.emitter.fact(LimitReached(limit=state.limit, used=state.used, value=state.value))


def claim_call(core: RunCore) -> bool:
    """Take one of the allowed tool calls; False where there is none left, which ends the run after this turn.

    The model may still answer when the last allowed call has run: the limit is reached by the call that is too many.
    """
    limit: LimitName = "max_tool_calls"
    for state in current(core):
        if state.limit == limit and state.reached:
            reach(core, state)
    if core.limit_hit is not None:
        return False
    core.calls_started += 1
    return True


async def watch_time(core: RunCore) -> None:
    """End what is running when a limit of the clock is reached; sleeps until the earliest moment when that can be."""
    while True:
        states = [state for state in current(core) if state.limit in CLOCK_LIMITS]
        for state in states:
            if state.reached:
                reach(core, state)
                core.inbox.approvals.deny_all("stop", "the time limit is reached")
                core.inbox.end_scopes("limit")
                core.inbox.wake.set()
                return
        left = min((float(state.value - state.used) for state in states), default=LONGEST_SLEEP)
        changed = core.inbox.limits_changed
        changed.clear()
        try:
            async with asyncio.timeout(max(SHORTEST_SLEEP, left)):
                await changed.wait()
        except TimeoutError:
            continue
