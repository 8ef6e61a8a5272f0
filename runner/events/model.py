"""Events about requests to models."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar, Literal

from runner.events.base import Event
from runner.events.run import ErrorInfo
from runner.messages import JsonObject, ToolCall
from runner.usage import Price, Usage, UsageSource


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequested(Event):
    """One attempt starts; exactly one model_responded or attempt_discarded follows. context_window: in tokens.

    price: in US dollars for a million tokens, at the size of this input; None = unknown.
    """

    kind: Literal["model_requested"] = "model_requested"
    model: str = ""
    provider: str = ""
    price: Price | None = None
    messages: int = 0
    tools: int = 0
    input_tokens_estimate: int = 0
    context_window: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta(Event):
    """Superseded by model_responded or attempt_discarded."""

    is_delta: ClassVar[bool] = True
    kind: Literal["text_delta"] = "text_delta"
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningDelta(Event):
    is_delta: ClassVar[bool] = True
    kind: Literal["reasoning_delta"] = "reasoning_delta"
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalDelta(Event):
    is_delta: ClassVar[bool] = True
    kind: Literal["refusal_delta"] = "refusal_delta"
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolArgumentsDelta(Event):
    """A piece of a tool call's arguments while the model writes them; call_id is the one tool_proposed will have."""

    is_delta: ClassVar[bool] = True
    kind: Literal["tool_arguments_delta"] = "tool_arguments_delta"
    call_id: str = ""
    tool: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelResponded(Event):
    """The accepted response of an attempt; completes all its deltas.

    finish_reason: stop, tool_calls, length, content_filter, or interrupted (closed by an abort; text is what had
    arrived).
    seconds, first_token_seconds: from the request.
    reasoning_seconds: from the first piece of reasoning to the last.
    provider_data: what only the same provider may be sent again.
    price: the one that cost_usd was reckoned with; None = unknown.
    """

    kind: Literal["model_responded"] = "model_responded"
    model: str = ""
    provider: str = ""
    price: Price | None = None
    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = ""
    usage: Usage = field(default_factory=Usage)
    cost_usd: Decimal | None = None
    usage_source: UsageSource = "reported"
    seconds: float = 0.0
    first_token_seconds: float | None = None
    reasoning_seconds: float | None = None
    provider_data: JsonObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptDiscarded(Event):
    """An attempt whose output is not used; its deltas are void. It is still paid for and still counted.

    reason: the error's type, or model_switched. text, reasoning: what it had written until then.
    """

    kind: Literal["attempt_discarded"] = "attempt_discarded"
    model: str = ""
    provider: str = ""
    price: Price | None = None
    reason: str = ""
    text: str = ""
    reasoning: str = ""
    usage: Usage = field(default_factory=Usage)
    cost_usd: Decimal | None = None
    usage_source: UsageSource = "estimated"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryScheduled(Event):
    """delay: seconds until the next attempt. retry_after: what the provider asked for, in seconds.

    next_model: the one that could be used instead of waiting, "" where there is none.
    """

    kind: Literal["retry_scheduled"] = "retry_scheduled"
    error: ErrorInfo
    delay: float = 0.0
    retry_after: float | None = None
    action: Literal["retry", "switch", "compact", "repair"] = "retry"
    next_model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySkipped(Event):
    """The wait before the next attempt was cut short. to: retry (the same model), next_model, message."""

    kind: Literal["retry_skipped"] = "retry_skipped"
    by: str = "user"
    to: Literal["retry", "next_model", "message"] = "retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSwitched(Event):
    """From the next request on. cause: user, fallback, policy."""

    kind: Literal["model_switched"] = "model_switched"
    old: str = ""
    new: str = ""
    cause: Literal["user", "fallback", "policy"] = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitInfo(Event):
    """What the provider says of its limits: utilization 0..1, reset_at in seconds from now."""

    kind: Literal["rate_limit_info"] = "rate_limit_info"
    utilization: float | None = None
    reset_at: float | None = None
    allowed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageUpdated(Event):
    """Totals of the run so far (they never decrease), and the context of the last request against its window, in
    tokens.
    """

    kind: Literal["usage_updated"] = "usage_updated"
    usage: Usage = field(default_factory=Usage)
    cost_usd: Decimal | None = None
    context_used: int = 0
    context_window: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionStarted(Event):
    """The older part of the history is about to be summarised; exactly one compaction_finished follows.

    cause: threshold (the context is nearly full), overflow (the provider refused it), user. tokens_before: of the
    whole context, an estimate. model: the one that is asked for the summary; input_tokens_estimate, price: of that
    request.
    """

    kind: Literal["compaction_started"] = "compaction_started"
    tokens_before: int = 0
    cause: Literal["threshold", "overflow", "user"] = "threshold"
    model: str = ""
    provider: str = ""
    price: Price | None = None
    input_tokens_estimate: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionFinished(Event):
    """The summary replaces the history before the last turns; nothing is deleted from the store.

    how: model (it wrote the summary), outline (made without a model, because asking one failed: error says how), none
    (nothing was replaced: aborted).
    prior_dropped, dropped: how many messages of the session's earlier history, as this run recalled it, and of this
    run's own history (counted from its start) the summary stands for.
    usage, cost_usd, price: of the request for the summary, paid and counted like every other; tokens_after: estimated.
    """

    kind: Literal["compaction_finished"] = "compaction_finished"
    tokens_before: int = 0
    tokens_after: int = 0
    summary: str = ""
    how: Literal["model", "outline", "none"] = "model"
    prior_dropped: int = 0
    dropped: int = 0
    error: str = ""
    model: str = ""
    provider: str = ""
    price: Price | None = None
    usage: Usage = field(default_factory=Usage)
    cost_usd: Decimal | None = None
    usage_source: UsageSource = "reported"
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingStarted(Event):
    """Somebody besides the agent (a server whose tool runs) asks the run's model; exactly one sampling_finished
    follows, before the call's tool_finished.

    who: on whose behalf. prompt: what is asked, its beginning where it is long. input_tokens_estimate, price: of that
    request.
    """

    kind: Literal["sampling_started"] = "sampling_started"
    call_id: str = ""
    who: str = ""
    prompt: str = ""
    model: str = ""
    provider: str = ""
    price: Price | None = None
    input_tokens_estimate: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingFinished(Event):
    """The answer went to who asked; the agent's history does not have it. It is paid and counted like every request.

    how: model (it answered), failed (error says how), none (closed before its end, or its call was over).
    """

    kind: Literal["sampling_finished"] = "sampling_finished"
    call_id: str = ""
    who: str = ""
    text: str = ""
    how: Literal["model", "failed", "none"] = "model"
    error: str = ""
    model: str = ""
    provider: str = ""
    price: Price | None = None
    usage: Usage = field(default_factory=Usage)
    cost_usd: Decimal | None = None
    usage_source: UsageSource = "reported"
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputRejected(Event):
    kind: Literal["output_rejected"] = "output_rejected"
    errors: tuple[str, ...] = ()
