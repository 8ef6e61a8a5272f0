"""What happened, in words for people: one sentence for each event that the transcript shows."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from runner.events import (
    AbortRequested,
    AttemptDiscarded,
    ErrorInfo,
    ErrorOccurred,
    Event,
    HandoffCompleted,
    HandoffIgnored,
    LimitReached,
    LimitWarning,
    ModelSwitched,
    Notification,
    Paused,
    Resumed,
    RetryScheduled,
    RunFinished,
    StopRequested,
    UnknownEvent,
)
from runner.usage import Usage
from tui import words
from tui.render.clean import Clean, clean
from tui.render.receipt import receipt_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """glyph: one cell that says the kind without colour. colour: a theme token. details: lines below, also shown."""

    glyph: Clean
    text: Clean
    colour: str
    details: tuple[Clean, ...] = ()


REASONS: Final = {
    "complete": "Done",
    "stopped": "Stopped",
    "aborted": "Aborted",
    "max_turns_exceeded": "Ended: all allowed turns are used",
    "budget_exceeded": "Ended: the cost limit is reached",
    "token_limit_exceeded": "Ended: the token limit is reached",
    "time_exceeded": "Ended: the time limit is reached",
    "request_limit_exceeded": "Ended: the limit of model requests is reached",
    "tool_call_limit_exceeded": "Ended: the limit of tool calls is reached",
    "guardrail_tripped": "Ended by a guardrail",
    "approval_terminated": "Ended at an approval",
    "refused": "The model refused",
    "context_overflow": "Failed: the conversation does not fit the model's context window",
    "output_invalid": "Failed: the answer never had the required form",
    "error": "Failed",
    "interrupted": "Interrupted: the program ended before the run did",
}

_ERRORS: Final = {
    "authentication": "the provider does not accept the key",
    "permission": "the provider does not permit this",
    "billing": "no credit or quota is left",
    "model_not_found": "the provider does not know the model",
    "rate_limit": "the provider's rate limit is reached",
    "server_error": "the provider has a fault",
    "overloaded": "the provider is overloaded",
    "network": "the provider cannot be reached",
    "timeout": "the provider did not answer in time",
    "stream_broken": "the answer broke off",
    "stream_idle": "the answer went silent",
    "context_overflow": "the conversation is too long for the model",
    "invalid_request": "the provider rejects the request",
    "content_filter": "a content filter refused",
    "dependency": "a package is missing or broken",
    "internal": "a fault in Quarterdeck",
}

LIMITS: Final = {
    "max_turns": "turns",
    "max_time": "active time",
    "max_wall_time": "time",
    "max_model_requests": "model requests",
    "max_tool_calls": "tool calls",
    "max_input_tokens": "input tokens",
    "max_output_tokens": "output tokens",
    "max_total_tokens": "tokens",
    "max_cost_usd": "cost",
}

_WITH_UNIT: Final = frozenset({"max_time", "max_wall_time", "max_cost_usd"})
"""Limits whose amounts say themselves what they count."""

_BY: Final = {"user": "you", "program": "a program", "signal": "a signal", "parent": "the parent run"}


def notice(event: Event) -> Notice:
    """The sentence for an event, and how it looks."""
    match event:
        case RetryScheduled():
            return _retry(event)
        case AttemptDiscarded():
            return _discarded(event)
        case ModelSwitched():
            cause = {"user": "", "fallback": ", the one before failed", "policy": ", by policy"}.get(event.cause, "")
            return _notice("→", f"Model: {event.old} → {event.new}{cause}", "text.system")
        case LimitWarning() | LimitReached():
            return _limit(event)
        case StopRequested():
            return _notice(
                "■", f"Stop requested by {_by(event.by)}: the current step is finished first", "state.stopping"
            )
        case AbortRequested():
            return _notice("■", f"Abort requested by {_by(event.by)}: everything is closed now", "state.cancelled")
        case Paused():
            return _notice("∥", f"Paused by {_by(event.by)}", "state.paused")
        case Resumed():
            return _notice("▸", f"Resumed by {_by(event.by)}", "state.running")
        case ErrorOccurred():
            return _error(event)
        case RunFinished():
            return _finished(event)
        case _:
            return _other(event)


def _other(event: Event) -> Notice:
    match event:
        case Notification():
            looks = {"warning": ("!", "warning"), "error": ("✗", "text.error")}
            glyph, colour = looks.get(event.level, ("i", "text.system"))
            first, *rest = event.text.strip().split("\n") or [""]
            return _notice(glyph, first, colour, rest)
        case HandoffCompleted():
            return _notice("→", f"Handed over: {event.old} → {event.new}", "tool.agent")
        case HandoffIgnored():
            return _notice("→", f"Handover to {event.new} ignored: another one came first", "tool.agent")
        case UnknownEvent():
            return _notice("?", f"An event of a newer version: {event.kind}", "muted")
        case _:
            return _notice("·", (event.kind or "event").replace("_", " "), "muted")


def error_words(error: ErrorInfo) -> Clean:
    """What went wrong: the kind in words, the status, and what the provider or tool said."""
    known = _ERRORS.get(error.type)
    said = words.one_line(error.message)
    kind = known or (error.type.replace("_", " ") if error.type else "error")
    status = f" ({error.status_code})" if error.status_code is not None else ""
    return clean(f"{kind}{status}: {said}" if said else f"{kind}{status}")


def money(cost: Decimal | None) -> str:
    return "cost unknown" if cost is None else words.money(cost)


def _notice(glyph: str, text: str, colour: str, details: list[str] | tuple[str, ...] = ()) -> Notice:
    return Notice(
        glyph=clean(glyph),
        text=clean(words.one_line(text)),
        colour=colour,
        details=tuple(clean(line.rstrip()) for line in details if line.strip()),
    )


def _by(by: str) -> str:
    return _BY.get(by, by or "somebody")


def _retry(event: RetryScheduled) -> Notice:
    why = error_words(event.error)
    asked = ", as the provider asked" if event.retry_after is not None else ""
    match event.action:
        case "switch":
            text = f"Trying the next model: {why}"
        case "compact":
            text = f"Shortening the history: {why}"
        case "repair":
            text = f"Repairing the history: {why}"
        case _:
            when = f"in {words.duration(event.delay)}" if event.delay > 0 else "now"
            text = f"Trying again {when}{asked}: {why}"
    return _notice("↻", text, "warning", _fix(event.error))


def _fix(error: ErrorInfo) -> list[str]:
    return [f"What to do: {words.one_line(error.fix)}"] if error.fix else []


def _discarded(event: AttemptDiscarded) -> Notice:
    why = event.reason.replace("_", " ") or "not usable"
    known = _ERRORS.get(event.reason, why)
    paid = _spent(event.usage, event.cost_usd)
    return _notice("↻", f"An attempt is discarded: {known}" + (f" · still paid: {paid}" if paid else ""), "warning")


def _spent(usage: Usage, cost: Decimal | None) -> str:
    if not usage.total and not cost:
        return ""
    return f"{words.tokens(usage.total)} tokens, {money(cost)}"


def _limit(event: LimitWarning | LimitReached) -> Notice:
    name = LIMITS.get(event.limit, event.limit.replace("_", " "))
    share = f"{_quantity(event.limit, event.used)} of {_quantity(event.limit, event.value)}"
    share = f"{name} {share}" if event.limit in _WITH_UNIT else f"{share} {name}"
    if isinstance(event, LimitWarning):
        return _notice("!", f"Limit near: {share}", "meter.warn")
    return _notice("!", f"Limit reached: {share}", "meter.over")


def _quantity(limit: str, amount: Decimal) -> str:
    if limit == "max_cost_usd":
        return words.money(amount)
    if limit in ("max_time", "max_wall_time"):
        return words.duration(float(amount))
    return f"{amount.normalize():,f}" if amount else "0"


def _error(event: ErrorOccurred) -> Notice:
    text = str(error_words(event.error))
    return _notice("✗", text[:1].upper() + text[1:], "text.error", _fix(event.error))


def _finished(event: RunFinished) -> Notice:
    reason = event.reason or "error"
    facts = [REASONS.get(reason, reason.replace("_", " "))]
    if event.turns:
        facts.append(words.count(event.turns, "turn"))
    facts.append(words.duration(event.seconds))
    if event.usage.total:
        facts.append(f"{words.tokens(event.usage.total)} tokens")
    if event.usage.total or event.cost_usd:
        facts.append(money(event.cost_usd))
    looks = {"completed": ("✓", "state.ok"), "cancelled": ("■", "state.cancelled")}
    glyph, colour = looks.get(event.status, ("✗", "state.failed"))
    return _notice(glyph, " · ".join(facts), colour, receipt_words(event.receipt))
