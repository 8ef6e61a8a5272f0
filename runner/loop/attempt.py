"""One request to a provider as it is recorded: accepted, cut, or thrown away. Each is paid for as far as is known."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from runner.events import AttemptDiscarded, ModelResponded, UsageUpdated
from runner.loop.core import RunCore
from runner.loop.estimate import estimate_output
from runner.messages import ToolCall
from runner.models.assemble import Assembly, PartialCall, parse_arguments
from runner.models.base import Model, ModelRequest
from runner.usage import Usage, UsageSource

GIVEN_UP = frozenset({"model_switched", "settings_changed"})
"""Why an attempt is thrown away that nothing was wrong with."""


@dataclass(slots=True)
class Attempt:
    """One request while it is open. Times are of the run's monotonic clock, in seconds. asked: it is to be paid for."""

    model: Model
    request: ModelRequest
    input_estimate: int
    started: float
    assembly: Assembly
    asked: bool = True
    first_token: float | None = None
    reasoning_first: float | None = None
    reasoning_last: float | None = None

    @property
    def reasoning_seconds(self) -> float | None:
        if self.reasoning_first is None or self.reasoning_last is None:
            return None
        return self.reasoning_last - self.reasoning_first


def accept(core: RunCore, attempt: Attempt) -> ModelResponded:
    """Record the response that the turn goes on with."""
    assembly = attempt.assembly
    usage, source = usage_of(attempt)
    finish = assembly.finish or "stop"
    refusal = "".join(assembly.refusal)
    event = ModelResponded(
        model=attempt.model.info.name,
        provider=attempt.model.info.provider,
        price=attempt.model.price(usage),
        text="".join(assembly.text) or refusal,
        reasoning="".join(assembly.reasoning),
        tool_calls=tuple(_call(call) for call in assembly.calls.values()),
        finish_reason="content_filter" if refusal and not assembly.text else finish,
        usage=usage,
        cost_usd=attempt.model.cost(usage),
        usage_source=source,
        seconds=core.clock.mono() - attempt.started,
        first_token_seconds=None if attempt.first_token is None else attempt.first_token - attempt.started,
        reasoning_seconds=attempt.reasoning_seconds,
        provider_data=assembly.provider_data or None,
    )
    core.emitter.fact(event)
    update_usage(core, attempt, usage.total)
    return event


def close_cut(core: RunCore, attempt: Attempt) -> None:
    """Keep what an ended request had produced, marked as interrupted; its half-written calls are dropped."""
    assembly = attempt.assembly
    usage, source = usage_of(attempt)
    note_closed(core, attempt)
    core.emitter.fact(
        ModelResponded(
            model=attempt.model.info.name,
            provider=attempt.model.info.provider,
            price=attempt.model.price(usage),
            text="".join(assembly.text),
            reasoning="".join(assembly.reasoning),
            finish_reason="interrupted",
            usage=usage,
            cost_usd=attempt.model.cost(usage),
            usage_source=source,
            seconds=core.clock.mono() - attempt.started,
            first_token_seconds=None if attempt.first_token is None else attempt.first_token - attempt.started,
            reasoning_seconds=attempt.reasoning_seconds,
        )
    )
    update_usage(core, attempt, usage.total)


def note_closed(core: RunCore, attempt: Attempt) -> None:
    """Put a request that was closed in the middle on the receipt."""
    usage, source = usage_of(attempt)
    cost = attempt.model.cost(usage)
    core.receipt.requests.append(
        {
            "model": attempt.model.info.name,
            "closed": True,
            "usage": {"input": usage.input, "output": usage.output},
            "usage_source": source,
            "cost_usd": None if cost is None else str(cost),
        }
    )


def update_usage(core: RunCore, attempt: Attempt, context: int) -> None:
    """Tell the totals. context: tokens in the model's context now."""
    state = core.emitter.state
    core.emitter.fact(
        UsageUpdated(
            usage=state.usage,
            cost_usd=state.cost.total,
            context_used=context,
            context_window=attempt.model.info.context_window,
        )
    )


def discard(core: RunCore, attempt: Attempt, reason: str) -> None:
    """Record an attempt that is thrown away: what a provider had begun to answer is paid for, a refused request is
    not.
    """
    paid = _answered(attempt) or reason in GIVEN_UP
    usage, source = usage_of(attempt) if paid else (Usage(), "reported")
    core.emitter.fact(
        AttemptDiscarded(
            model=attempt.model.info.name,
            provider=attempt.model.info.provider,
            price=attempt.model.price(usage),
            reason=reason,
            text="".join((*attempt.assembly.text, *attempt.assembly.refusal)),
            reasoning="".join(attempt.assembly.reasoning),
            usage=usage,
            # What cost nothing cost nothing at any price, known or not.
            cost_usd=attempt.model.cost(usage) if usage.total else Decimal(0),
            usage_source=source,
        )
    )
    if usage.total:
        update_usage(core, attempt, usage.total)


def _answered(attempt: Attempt) -> bool:
    return attempt.assembly.characters > 0 or attempt.assembly.usage is not None


def usage_of(attempt: Attempt) -> tuple[Usage, UsageSource]:
    """As the provider reported it, else an estimate."""
    if attempt.assembly.usage is not None:
        return attempt.assembly.usage, "reported"
    output = estimate_output(attempt.assembly.characters)
    return Usage(input=attempt.input_estimate, output=output), "estimated"


def _call(call: PartialCall) -> ToolCall:
    text = call.arguments_json
    return ToolCall(
        call_id=call.call_id,
        tool=call.name,
        arguments=parse_arguments(text),
        arguments_json=text,
        provider_id=call.provider_id,
    )
