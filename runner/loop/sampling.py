"""Sampling: a server whose tool runs asks the run's model; only where it may, counted and paid like every request."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from runner.errors import ModelError, ToolError
from runner.events import SamplingFinished, SamplingStarted
from runner.loop.attempt import Attempt, note_closed, update_usage, usage_of
from runner.loop.core import RunCore
from runner.loop.estimate import estimate_messages, estimate_text
from runner.loop.gate import pass_tool_gate
from runner.loop.scope import run_scope
from runner.loop.spending import request_hit
from runner.loop.stream import consume
from runner.messages import AssistantMessage, Message, ToolResult, UserMessage
from runner.models.assemble import Assembly
from runner.models.base import ModelRequest, ModelSettings
from runner.tools.base import Sampled, Sampling
from runner.usage import Usage

PROMPT_KEPT = 16_000
"""Characters of what was asked that the record keeps."""

ENDING = "the model was not asked: the call, or the run, is ending"


async def sample(core: RunCore, call_id: str, request: Sampling) -> Sampled:
    """One request to the run's model on somebody's behalf, while the call runs that it belongs to.

    One at a time in a run, so that each is measured against what the one before it came to. Raises ToolError where it
    is not allowed, where a limit is reached (nobody is asked about it, the run does that itself), or where it fails.
    """
    if request.who not in core.config.sampling:
        raise ToolError(f"{request.who or 'this server'} may not use the model: sampling is off")
    messages = _messages(request)
    async with core.sampling:
        if not await pass_tool_gate(core, lambda: None, lambda: _over(core, call_id)):
            raise ToolError(ENDING)
        made = _request(core, request, messages)
        estimate = estimate_text(made.instructions) + estimate_messages(messages)
        hit = request_hit(core, core.model, estimate)
        if hit is not None:
            raise ToolError(f"the model was not asked: {hit.limit} is reached, or would be passed")
        opened = _Open(core, call_id, request.who, made, estimate)
        core.closers[call_id] = opened.close
        try:
            return await opened.ask()
        finally:
            core.closers.pop(call_id, None)


def _over(core: RunCore, call_id: str) -> bool:
    """Whether nothing may start for this call any more: it has ended, or the run ends or turns to something else."""
    requests = core.inbox.requests
    if core.inbox.finished or core.limit_hit is not None or core.wrapping:
        return True
    if requests.stop or requests.interrupt or requests.wrap_up:
        return True
    live = core.emitter.state.live_calls
    return not any(call.call_id == call_id and call.phase in ("running", "waiting") for call in live)


def _messages(request: Sampling) -> list[Message]:
    """What was asked as a history that every provider takes. Raises ToolError where there is nothing in it."""
    found: list[Message] = [
        AssistantMessage(text=text, finish_reason="stop") if role == "assistant" else UserMessage(text=text)
        for role, text in request.messages
        if text.strip()
    ]
    if not found or not isinstance(found[-1], UserMessage):
        raise ToolError("the request to the model has no message of the user's at its end")
    return found


def _request(core: RunCore, request: Sampling, messages: list[Message]) -> ModelRequest:
    info = core.model.info
    most = max(1, min(request.max_tokens, info.max_output or request.max_tokens))
    return ModelRequest(
        model=info.name,
        instructions=request.system,
        messages=messages,
        settings=ModelSettings(max_tokens=most, temperature=_temperature(request.temperature)),
        first_token_timeout=core.config.first_token_timeout,
        idle_timeout=core.config.stream_idle_timeout,
    )


def _temperature(wanted: float | None) -> float | None:
    return None if wanted is None else min(2.0, max(0.0, wanted))


@dataclass(slots=True)
class _Open:
    """The open request; it is recorded as closed exactly once, however it ends."""

    core: RunCore
    call_id: str
    who: str
    request: ModelRequest
    estimate: int
    attempt: Attempt | None = None
    closed: bool = False

    async def ask(self) -> Sampled:
        attempt = self._begin()
        try:
            outcome = await run_scope(
                self.core.inbox, consume(self.core, attempt, silent=True), what="tool", call_id=self.call_id
            )
        except asyncio.CancelledError:
            self._cut(attempt)
            raise
        if isinstance(outcome, str):
            self._cut(attempt)
            raise ToolError("the request to the model was interrupted")
        text = "".join(attempt.assembly.text) or "".join(attempt.assembly.refusal)
        if outcome is not None:
            attempt.asked = attempt.assembly.characters > 0
            self._finish(attempt, "failed", "", _words(outcome))
            raise ToolError(f"the request to the model failed: {_words(outcome)}")
        self._finish(attempt, "model", text, "")
        return Sampled(text=text, model=attempt.model.info.name, finish_reason=attempt.assembly.finish or "stop")

    def close(self) -> None:
        """The call has ended: nobody waits for the answer any more."""
        if self.attempt is not None and not self.closed:
            self._cut(self.attempt)
            self.core.inbox.end_call(self.call_id)

    def _begin(self) -> Attempt:
        core, model = self.core, self.core.model
        core.requests += 1
        core.emitter.fact(
            SamplingStarted(
                call_id=self.call_id,
                who=self.who,
                prompt=_prompt(self.request)[:PROMPT_KEPT],
                model=model.info.name,
                provider=model.info.provider,
                price=model.price(Usage(input=self.estimate)),
                input_tokens_estimate=self.estimate,
            )
        )
        self.attempt = Attempt(
            model=model,
            request=self.request,
            input_estimate=self.estimate,
            started=core.clock.mono(),
            assembly=Assembly(),
        )
        return self.attempt

    def _cut(self, attempt: Attempt) -> None:
        if not self.closed:
            note_closed(self.core, attempt)
            self._finish(attempt, "none", "".join(attempt.assembly.text), "")

    def _finish(self, attempt: Attempt, how: Literal["model", "failed", "none"], text: str, error: str) -> None:
        if self.closed:
            return
        self.closed = True
        core = self.core
        usage, source = usage_of(attempt) if attempt.asked else (Usage(), "reported")
        core.emitter.fact(
            SamplingFinished(
                call_id=self.call_id,
                who=self.who,
                text=text,
                how=how,
                error=error,
                model=attempt.model.info.name,
                provider=attempt.model.info.provider,
                price=attempt.model.price(usage),
                usage=usage,
                cost_usd=attempt.model.cost(usage) if usage.total else Decimal(0),
                usage_source=source,
                seconds=core.clock.mono() - attempt.started,
            )
        )
        update_usage(core, attempt, core.emitter.state.context_used)


def _prompt(request: ModelRequest) -> str:
    """What is asked, for the record."""
    said = [f"{message.role}: {message.text}" for message in request.messages if not isinstance(message, ToolResult)]
    return "\n".join([*([f"system: {request.instructions}"] if request.instructions else []), *said])


def _words(error: Exception) -> str:
    if isinstance(error, ModelError):
        return f"{error.type_name}: {error.message}"
    return f"{type(error).__name__}: {error}"
