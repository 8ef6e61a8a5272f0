"""One turn's response: attempts, retries, fallback models, until one response is accepted or the run ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from runner.errors import ContextOverflowError, InternalError, ModelError
from runner.events import (
    ErrorOccurred,
    MessageDelivered,
    ModelRequested,
    ModelResponded,
    ModelSwitched,
    RetryScheduled,
    RetrySkipped,
)
from runner.loop.attempt import Attempt, accept, close_cut, discard
from runner.loop.compact import can_compact, compact, wanted_compaction
from runner.loop.core import EndRun, RunCore
from runner.loop.estimate import estimate_input
from runner.loop.gate import describe, end_if_stopping, pass_gate
from runner.loop.limits import Hit
from runner.loop.plan import (
    Allowance,
    Backoff,
    Compact,
    GiveUp,
    NextModel,
    Plan,
    Repair,
    Retry,
    Rules,
    action_of,
    plan_next,
)
from runner.loop.scope import run_scope
from runner.loop.spending import request_hit
from runner.loop.stream import consume
from runner.loop.switching import settings_of, take_settings
from runner.models.assemble import Assembly
from runner.models.base import Model, ModelRequest
from runner.state.person import owed_messages
from runner.usage import Usage


async def respond(core: RunCore) -> ModelResponded | None:
    """The accepted response of this turn, emitted; None where a message of the user interrupted it.

    Raises EndRun where there is none. Every way round the loop has spent a part of the turn's Allowance, or answers a
    command of a person; both are bounded by max_model_requests besides.
    """
    turn = _Turn(core)
    while True:
        request, estimate = await turn.ready()
        attempt = turn.begin(request, estimate)
        try:
            outcome = await run_scope(core.inbox, consume(core, attempt), what="request")
        except asyncio.CancelledError:
            close_cut(core, attempt)
            raise
        match outcome:
            case None:
                return accept(core, attempt)
            case ModelError():
                await turn.recover(attempt, outcome)
            case Exception():
                message = f"{type(outcome).__name__}: {outcome}"
                await turn.recover(attempt, InternalError(message, model=attempt.model.info.name))
            case "switch":
                discard(core, attempt, "settings_changed" if core.inbox.requests.model is None else "model_switched")
            case "message":
                close_cut(core, attempt)
                return None
            case "abort" | "limit" | "cancel":
                close_cut(core, attempt)
                if not core.inbox.requests.abort:
                    await pass_gate(core, lambda: core.limit_hit)
                raise EndRun("aborted")


def deliver_messages(core: RunCore) -> None:
    """Put what waits into the history; only where no call is open."""
    requests = core.inbox.requests
    requests.interrupt = False
    for told in owed_messages(core.emitter.state):
        core.emitter.fact(told)
    while requests.messages:
        message = requests.messages.popleft()
        core.emitter.fact(MessageDelivered(message_id=message.message_id, text=message.text))


class _Turn:
    """The attempts of one turn: which model is next, and how many tries are left."""

    def __init__(self, core: RunCore) -> None:
        self._core = core
        self._queue = [core.model, *(model for model in core.fallbacks if model is not core.model)]
        self._allowance = self._fresh()
        self._compacted = False
        self._prepared: tuple[Model, int, ModelRequest, int] | None = None

    async def ready(self) -> tuple[ModelRequest, int]:
        """The next request and the estimate of its input, once nothing keeps it from starting."""
        core = self._core
        while True:
            end_if_stopping(core)
            if core.inbox.requests.interrupt:
                deliver_messages(core)
            await pass_gate(core, self._hit)
            self._take_switch()
            request, estimate = self._prepare()
            cause = wanted_compaction(core, self._queue[0], estimate, done=self._compacted)
            if cause is None:
                return request, estimate
            self._compacted = await compact(core, self._queue[0], cause)

    def _hit(self) -> Hit | None:
        self._take_switch()
        return request_hit(self._core, self._queue[0], self._prepare()[1])

    def _take_switch(self) -> None:
        """A model that the person chose starts with fresh retries, the fallbacks behind it."""
        core = self._core
        name, core.inbox.requests.model = core.inbox.requests.model, None
        if name is not None:
            self._switch(name)
        take_settings(core)

    def _switch(self, name: str) -> None:
        core = self._core
        old = core.model.info.name
        core.model = core.models.resolve(name)
        self._queue = [core.model, *(model for model in self._queue if model.info.name not in (name, old))]
        self._allowance = self._fresh()
        if name != old:
            core.told_left_out = None
            core.emitter.fact(ModelSwitched(old=old, new=name, cause="user"))

    def _fresh(self) -> Allowance:
        return _rules(self._core).fresh(len(self._queue) - 1)

    def _prepare(self) -> tuple[ModelRequest, int]:
        """The request as it would be sent now; made anew only where the model or the history changed."""
        core, model = self._core, self._queue[0]
        if self._prepared is not None:
            old_model, seq, request, estimate = self._prepared
            if old_model is model and seq == _history_mark(core):
                return request, estimate
        request = _request(core, model)
        estimate = estimate_input(core, request)
        self._prepared = (model, _history_mark(core), request, estimate)
        return request, estimate

    def begin(self, request: ModelRequest, estimate: int) -> Attempt:
        core = self._core
        model = self._queue[0]
        request = replace(request, **_latest(core, request))
        core.requests += 1
        core.emitter.attempt += 1
        core.emitter.fact(
            ModelRequested(
                model=model.info.name,
                provider=model.info.provider,
                price=model.price(Usage(input=estimate)),
                messages=len(request.messages),
                tools=len(request.tools),
                input_tokens_estimate=estimate,
                context_window=model.info.context_window,
            )
        )
        return Attempt(
            model=model,
            request=request,
            input_estimate=estimate,
            started=core.clock.mono(),
            assembly=Assembly(),
        )

    async def recover(self, attempt: Attempt, error: ModelError) -> None:
        """Discard the failed attempt, then do as the plan says; raises EndRun where nothing is left."""
        core = self._core
        discard(core, attempt, error.type_name)
        plan = self._plan(error)
        end_if_stopping(core)
        if isinstance(plan, GiveUp):
            core.emitter.fact(ErrorOccurred(error=describe(error, "abort"), fatal=True))
            raise EndRun(plan.reason, describe(error, "abort"))
        action = action_of(plan)
        delay = plan.delay if isinstance(plan, Retry) else 0.0
        core.emitter.fact(
            RetryScheduled(
                error=describe(error, action),
                delay=delay,
                retry_after=error.retry_after,
                action=action,
                next_model=self._queue[1].info.name if len(self._queue) > 1 else "",
            )
        )
        match plan:
            case Retry():
                await self._wait(delay)
            case NextModel():
                self._next_model()
            case Repair():
                core.repaired.add(attempt.model.info.name)
            case Compact():
                self._compacted = await compact(core, attempt.model, "overflow")

    def _plan(self, error: ModelError) -> Plan:
        core = self._core
        if isinstance(error, ContextOverflowError):
            # Only a larger model can help; the others are given up for this turn when it is chosen.
            larger = [model for model in self._queue[1:] if _larger(model, self._queue[0])]
            allowance = replace(self._allowance, models=len(larger))
        else:
            larger, allowance = None, self._allowance
        compactable = core.config.compaction is not None and not self._compacted and can_compact(core)
        made = plan_next(error, allowance, _rules(core), random=core.random(), can_compact=compactable)
        if isinstance(made, GiveUp):
            return made
        plan, left = made
        assert left.measure < self._allowance.measure, "a plan that spends nothing could go on for ever"
        if isinstance(plan, NextModel) and larger is not None:
            self._queue[1:] = larger
        elif larger is not None:
            left = replace(left, models=self._allowance.models)
        self._allowance = left
        return plan

    def _next_model(self) -> None:
        core = self._core
        old = self._queue.pop(0)
        core.model = self._queue[0]
        core.told_left_out = None
        core.emitter.fact(ModelSwitched(old=old.info.name, new=core.model.info.name, cause="fallback"))

    async def _wait(self, delay: float) -> None:
        inbox = self._core.inbox
        inbox.await_retry("next_model" if len(self._queue) > 1 else "alone")
        try:
            await wait_for_retry(self._core, delay)
        finally:
            skip = inbox.end_retry_wait()
        if skip == "next_model":
            self._allowance = replace(
                self._allowance, models=self._allowance.models - 1, retries=self._core.config.max_retries
            )
            self._next_model()


async def wait_for_retry(core: RunCore, delay: float) -> None:
    """Wait, unless a stop, an abort, another model, a message or "now" of the person comes first."""
    sleeper = asyncio.ensure_future(core.clock.sleep(delay))
    inbox = core.inbox
    try:
        while not sleeper.done():
            inbox.wake.clear()
            end_if_stopping(core)
            if inbox.requests.model is not None or inbox.requests.skip is not None or core.limit_hit is not None:
                return
            if inbox.requests.interrupt:
                core.emitter.fact(RetrySkipped(to="message"))
                return
            waker = asyncio.ensure_future(inbox.wake.wait())
            try:
                await asyncio.wait({sleeper, waker}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                waker.cancel()
    finally:
        sleeper.cancel()


def _rules(core: RunCore) -> Rules:
    config = core.config
    return Rules(
        max_retries=config.max_retries,
        switch_after=config.switch_after,
        backoff=Backoff(
            initial=config.backoff_initial,
            factor=config.backoff_factor,
            maximum=config.backoff_max,
            retry_after_max=config.retry_after_max,
        ),
    )


def _larger(model: Model, than: Model) -> bool:
    """Whether a history that overflowed one model may fit another; an unknown window may."""
    mine, other = model.info.context_window, than.info.context_window
    return mine is None or other is None or mine > other


def _history_mark(core: RunCore) -> int:
    """Changes whenever what the next request would send does."""
    state = core.emitter.state
    done = state.compacted
    return len(state.history) * 1_000_000 + (0 if done is None else done.at_ledger + 1)


def _latest(core: RunCore, request: ModelRequest) -> dict[str, Any]:
    """What may have changed since the request was prepared."""
    settings = settings_of(core)
    if core.wrapping and request.tools:
        # The tools stay named, because some providers refuse a history of calls without them.
        settings = replace(settings, tool_choice="none")
    return {
        "settings": settings,
        "messages": core.history if core.wrapping else request.messages,
        "first_token_timeout": core.config.first_token_timeout,
        "idle_timeout": core.config.stream_idle_timeout,
        "repair": request.model in core.repaired,
    }


def _request(core: RunCore, model: Model) -> ModelRequest:
    return ModelRequest(
        model=model.info.name,
        instructions=instructions_of(core),
        messages=core.history,
        tools=[tool.spec for tool in core.offer()],
        settings=settings_of(core),
    )


def instructions_of(core: RunCore) -> str:
    made = core.agent.instructions
    return made if isinstance(made, str) else made(core.config.context)
