"""What a run's facts say of money and limits."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from runner.changed import changed
from runner.events import (
    AttemptDiscarded,
    CompactionFinished,
    LimitChanged,
    ModelResponded,
    SamplingFinished,
    SettingsChanged,
    SettingsLeftOut,
)
from runner.messages import JsonObject
from runner.state.run import LedgerEntry, Purpose, Requesting, RunState
from runner.state.settings import asked_after
from runner.state.spans import Closing

LIMITS = (
    "max_turns",
    "max_time",
    "max_wall_time",
    "max_model_requests",
    "max_tool_calls",
    "max_input_tokens",
    "max_output_tokens",
    "max_total_tokens",
    "max_cost_usd",
    "timeout_per_turn",
    "first_token_timeout",
    "stream_idle_timeout",
    "tool_timeout",
)


def ledger_entry(event: Closing) -> LedgerEntry:
    """The request that this fact closes."""
    reason = ""
    purpose: Purpose = "turn"
    match event:
        case ModelResponded():
            reason = "interrupted" if event.finish_reason == "interrupted" else ""
        case AttemptDiscarded():
            reason = event.reason
        case CompactionFinished():
            purpose, reason = "compaction", "" if event.how == "model" else "failed"
        case SamplingFinished():
            purpose, reason = "sampling", "" if event.how == "model" else "failed"
    return LedgerEntry(
        turn=event.turn,
        attempt=event.attempt,
        model=event.model,
        agent=event.agent,
        usage=event.usage,
        cost_usd=event.cost_usd,
        source=event.usage_source,
        discarded=isinstance(event, AttemptDiscarded) or (purpose != "turn" and bool(reason)),
        time=event.time,
        mono=event.mono,
        seconds=0.0 if isinstance(event, AttemptDiscarded) else event.seconds,
        first_token_seconds=event.first_token_seconds if isinstance(event, ModelResponded) else None,
        provider=event.provider,
        price=event.price,
        purpose=purpose,
        reason=reason,
    )


def limits_in(config: JsonObject) -> dict[str, Decimal]:
    """The limits that a recorded configuration sets."""
    found: dict[str, Decimal] = {}
    for name in LIMITS:
        value = config.get(name)
        if value is None or isinstance(value, bool):
            continue
        try:
            found[name] = Decimal(str(value))
        except InvalidOperation:
            continue
    return found


def with_settings(state: RunState, event: LimitChanged | SettingsChanged | SettingsLeftOut) -> RunState:
    """After a limit, the effort or the temperature was changed, or a request was sent without these."""
    if not isinstance(event, LimitChanged):
        phase = state.phase
        if isinstance(phase, Requesting) and not phase.characters:
            # What is told of a request before its answer stands before it.
            phase = changed(phase, position=phase.position + 1)
        return changed(state, asked=asked_after(state.asked, event), phase=phase)
    rest = {name: value for name, value in state.limits.items() if name != event.limit}
    return changed(state, limits=rest if event.value is None else {**rest, event.limit: event.value})
