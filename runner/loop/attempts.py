"""One turn's response: attempts, retries, fallback models, until one response is accepted or the run ends."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

from runner.errors import InternalError, ModelError, ModelTimeoutError, StreamBrokenError
from runner.events import (
    ErrorInfo,
    ErrorOccurred,
    Event,
    ModelRequested,
    ModelResponded,
    ModelSwitched,
    RateLimitInfo,
    ReasoningDelta,
    RefusalDelta,
    RetryScheduled,
    TextDelta,
    ToolArgumentsDelta,
)
from runner.loop.attempt import Attempt, accept, close_cut, discard
from runner.loop.core import EndRun, RunCore
from runner.loop.estimate import estimate_input
from runner.loop.plan import Backoff, GiveUp, NextModel, Retry, plan_next
from runner.loop.scope import run_scope
from runner.loop.spending import check_limits
from runner.models.assemble import Assembly
from runner.models.base import (
    Chunk,
    Model,
    ModelRequest,
    ModelSettings,
    RateLimitChunk,
    ReasoningChunk,
    RefusalChunk,
    TextChunk,
    ToolCallChunk,
)
from runner.usage import Usage


async def respond(core: RunCore) -> ModelResponded:
    """The accepted response of this turn, emitted. Raises EndRun where there is none."""
    turn = _Turn(core)
    while True:
        turn.take_switch()
        check_limits(core)
        attempt = turn.begin()
        try:
            outcome = await run_scope(core.inbox, _consume(core, attempt), what="request")
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
                discard(core, attempt, "model_switched")
            case "abort" | "limit" | "cancel":
                close_cut(core, attempt)
                if not core.inbox.requests.abort:
                    check_limits(core)
                raise EndRun("aborted")


class _Turn:
    """The attempts of one turn: which model is next, and how many tries are left."""

    def __init__(self, core: RunCore) -> None:
        self._core = core
        self._queue = [core.model, *(model for model in core.fallbacks if model is not core.model)]
        self._retries = 0

    def take_switch(self) -> None:
        """A model that the person chose starts with fresh retries, the fallbacks behind it."""
        core = self._core
        name = core.inbox.requests.model
        if name is None:
            return
        core.inbox.requests.model = None
        old = core.model.info.name
        core.model = core.models.resolve(name)
        self._queue = [core.model, *(model for model in self._queue if model.info.name not in (name, old))]
        self._retries = 0
        if name != old:
            core.emitter.fact(ModelSwitched(old=old, new=name, cause="user"))

    def begin(self) -> Attempt:
        core = self._core
        model = self._queue[0]
        _check_price(core, model)
        core.requests += 1
        core.emitter.attempt += 1
        history = core.history
        request = ModelRequest(
            model=model.info.name,
            instructions=_instructions(core),
            messages=history,
            tools=[tool.spec for tool in core.agent.tools],
            settings=_settings(core),
            first_token_timeout=core.config.first_token_timeout,
            idle_timeout=core.config.stream_idle_timeout,
        )
        estimated = estimate_input(core, request)
        core.emitter.fact(
            ModelRequested(
                model=model.info.name,
                messages=len(history),
                tools=len(request.tools),
                input_tokens_estimate=estimated,
                context_window=model.info.context_window,
            )
        )
        return Attempt(
            model=model,
            request=request,
            input_estimate=estimated,
            started=core.clock.mono(),
            assembly=Assembly(),
        )

    async def recover(self, attempt: Attempt, error: ModelError) -> None:
        """Discard the failed attempt, then wait or switch as the plan says; raises EndRun where nothing is left."""
        core = self._core
        discard(core, attempt, error.type_name)
        config = core.config
        plan = plan_next(
            error,
            retries_used=self._retries,
            max_retries=config.max_retries,
            switch_after=config.switch_after,
            has_next_model=len(self._queue) > 1,
            backoff=Backoff(
                initial=config.backoff_initial,
                factor=config.backoff_factor,
                maximum=config.backoff_max,
                retry_after_max=config.retry_after_max,
            ),
            random=core.random(),
        )
        if core.inbox.requests.stop:
            raise EndRun("aborted" if core.inbox.requests.abort else "stopped")
        match plan:
            case GiveUp(reason=reason):
                core.emitter.fact(ErrorOccurred(error=describe(error, "abort"), fatal=True))
                raise EndRun(reason, describe(error, "abort"))
            case NextModel():
                self._switch(error)
            case Retry(delay=delay):
                self._retries += 1
                info = describe(error, "retry")
                core.emitter.fact(
                    RetryScheduled(error=info, delay=delay, retry_after=error.retry_after, action="retry")
                )
                await wait_for_retry(core, delay)

    def _switch(self, error: ModelError) -> None:
        core = self._core
        core.emitter.fact(RetryScheduled(error=describe(error, "switch"), delay=0.0, action="switch"))
        old = self._queue.pop(0)
        self._retries = 0
        core.model = self._queue[0]
        core.emitter.fact(ModelSwitched(old=old.info.name, new=core.model.info.name, cause="fallback"))


def _check_price(core: RunCore, model: Model) -> None:
    """A cost limit cannot be kept with a model of unknown price, so no request starts."""
    if "max_cost_usd" not in core.limits or model.cost(Usage()) is not None:
        return
    name = model.info.name
    info = ErrorInfo(
        type="unknown_price",
        message=f"the price of {name} is not known, so the cost limit cannot be kept",
        action="abort",
        fix=f'give its prices in the configuration ([models."{name}"]), or run without a cost limit',
    )
    core.emitter.fact(ErrorOccurred(error=info, fatal=True))
    raise EndRun("error", info)


async def wait_for_retry(core: RunCore, delay: float) -> None:
    """Wait, unless a stop, an abort, or another model chosen by the person comes first."""
    sleeper = asyncio.ensure_future(core.clock.sleep(delay))
    inbox = core.inbox
    try:
        while not sleeper.done():
            inbox.wake.clear()
            if inbox.requests.stop:
                raise EndRun("aborted" if inbox.requests.abort else "stopped")
            if inbox.requests.model is not None:
                return
            check_limits(core)
            waker = asyncio.ensure_future(inbox.wake.wait())
            try:
                await asyncio.wait({sleeper, waker}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                waker.cancel()
    finally:
        sleeper.cancel()


async def _consume(core: RunCore, attempt: Attempt) -> ModelError | None:
    """Read the stream to its end, sending deltas on; returns the error that broke it, or None."""
    limit = core.config.timeout_per_turn
    try:
        async with asyncio.timeout(limit):
            async with aclosing(attempt.model.stream(attempt.request)) as stream:
                async for chunk in stream:
                    _take(core, attempt, chunk)
    except ModelError as error:
        return error
    except TimeoutError:
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


def _instructions(core: RunCore) -> str:
    made = core.agent.instructions
    return made if isinstance(made, str) else made(core.config.context)


def _settings(core: RunCore) -> ModelSettings:
    """The run's settings where set, else the agent's."""
    own = core.config.model_settings
    changes = {name: value for name in own.__slots__ if (value := getattr(own, name)) is not None}
    return replace(core.agent.model_settings, **changes)


def describe(error: ModelError, action: str) -> ErrorInfo:
    return ErrorInfo(
        type=error.type_name,
        message=error.message,
        action=action,
        retryable=error.action == "retry",
        status_code=error.status_code,
        fix=error.fix,
    )
