"""Limits while a run goes on: a warning at 80 %, the end or a question at 100 %; the clock's at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from runner.control.commands import LimitName, SetLimit
from runner.control.inbox import TIMEOUTS
from runner.events import LimitChanged, LimitReached, LimitWarning
from runner.loop.core import RunCore
from runner.loop.limits import CLOCK_LIMITS, Hit, LimitState, measure
from runner.models.base import Model
from runner.usage import Usage

LONGEST_SLEEP = 3600.0
SHORTEST_SLEEP = 0.02


def apply_limits(core: RunCore) -> None:
    """Make what somebody changed count from here on; a changed limit warns anew."""
    changed = core.inbox.requests.limits
    while changed:
        _apply(core, changed.pop(0))


def _apply(core: RunCore, command: SetLimit) -> None:
    name, value = command.limit, command.value
    old = core.emitter.state.limits.get(name)
    core.warned.discard(name)
    if core.announced is not None and core.announced.limit == name:
        core.announced = None
    if name in TIMEOUTS:
        changes: dict[str, Any] = {name: None if value is None else float(value)}
        core.config = replace(core.config, **changes)
    elif value is None:
        core.limits.pop(name, None)
    else:
        core.limits[name] = value
    core.emitter.fact(LimitChanged(limit=name, old=old, value=value, by=command.by))


def current(core: RunCore) -> list[LimitState]:
    """Every limit that is on."""
    apply_limits(core)
    return measure(
        core.limits,
        core.emitter.state,
        requests=core.requests,
        calls=core.calls_started,
        active=core.timer.active,
        wall=core.timer.wall,
    )


def turn_hit(core: RunCore) -> Hit | None:
    """What keeps any request from starting; also warns where a limit is near."""
    states = current(core)
    if core.limit_hit is not None:
        return core.limit_hit
    for state in states:
        if state.reached and state.limit != "max_tool_calls":
            return Hit(state=state, model=core.model.info.name)
    for state in states:
        if state.near and state.limit not in core.warned:
            core.warned.add(state.limit)
            core.emitter.fact(LimitWarning(limit=state.limit, used=state.used, value=state.value))
    return None


def request_hit(core: RunCore, model: Model, estimate: int) -> Hit | None:
    """What keeps the next request from starting. estimate: tokens of its input.

    A request that could pass the cost limit by its input alone is not made, and none at a price that nobody knows.
    """
    hit = turn_hit(core)
    cost = next((state for state in current(core) if state.limit == "max_cost_usd"), None)
    if hit is not None or cost is None:
        return hit
    needed = model.cost(Usage(input=estimate))
    if needed is None:
        return Hit(state=cost, why="unknown_price", model=model.info.name)
    if cost.used + needed > cost.value:
        return Hit(state=cost, why="next_request", needed=needed, model=model.info.name)
    return None


def call_hit(core: RunCore) -> Hit | None:
    """What keeps the next tool call from starting.

    The model may still answer when the last allowed call has run: the limit is reached by the call that is too many.
    """
    if core.limit_hit is not None:
        return core.limit_hit
    watched: Sequence[LimitName] = ("max_tool_calls", *CLOCK_LIMITS)
    reached = (state for state in current(core) if state.limit in watched and state.reached)
    return next((Hit(state=state, model=core.model.info.name) for state in reached), None)


def reach(core: RunCore, hit: Hit) -> None:
    """Record, once, the limit that ends the run; nothing new starts from here on."""
    if core.limit_hit is None:
        core.limit_hit = hit
        announce(core, hit)


def announce(core: RunCore, hit: Hit) -> None:
    """Say that a limit is reached; the same one is said once, until it is changed."""
    if core.announced is not None and core.announced.same(hit):
        return
    core.announced = hit
    state = hit.state
    needed = None if hit.needed is None else hit.needed.quantize(Decimal("0.000001"))
    core.emitter.fact(
        LimitReached(
            limit=state.limit,
            used=state.used,
            value=state.value,
            why=hit.why,
            needed=needed,
            model=hit.model,
            asks=core.asks,
        )
    )


async def watch_time(core: RunCore) -> None:
    """Notice a limit of the clock at the moment when it is reached: an attended run is told and asked at its next
    boundary, any other ends what is running. Sleeps until the earliest moment when that can be."""
    while True:
        states = [state for state in current(core) if state.limit in CLOCK_LIMITS]
        for state in states:
            if not state.reached or core.granted:
                continue
            hit = Hit(state=state, model=core.model.info.name)
            if core.asks:
                announce(core, hit)
                continue
            reach(core, hit)
            core.inbox.approvals.deny_all("stop", "the time limit is reached")
            core.inbox.end_scopes("limit")
            core.inbox.wake.set()
            return
        left = [float(state.value - state.used) for state in states if not state.reached]
        changed = core.inbox.limits_changed
        changed.clear()
        try:
            async with asyncio.timeout(max(SHORTEST_SLEEP, min(left, default=LONGEST_SLEEP))):
                await changed.wait()
        except TimeoutError:
            continue
