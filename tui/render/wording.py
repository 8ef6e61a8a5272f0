"""What happened, in words for people: one sentence for each event, or for the few that belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from runner.events import (
    AbortRequested,
    AttemptDiscarded,
    CompactionFinished,
    CompactionStarted,
    ErrorInfo,
    ErrorOccurred,
    Event,
    HandoffCompleted,
    HandoffIgnored,
    LimitChanged,
    LimitReached,
    LimitWarning,
    ModelSwitched,
    Notification,
    Paused,
    Resumed,
    RetryScheduled,
    RetrySkipped,
    RunFinished,
    SamplingFinished,
    SettingsChanged,
    SettingsLeftOut,
    StopRequested,
    UnknownEvent,
)
from runner.usage import Usage, UsageSource
from tui import words
from tui.render.clean import Clean, clean
from tui.render.errors import error_short, error_words
from tui.render.limits import changed_words, limit_name, limit_words, warning_words
from tui.render.lines import NOTHING
from tui.render.receipt import receipt_advice, receipt_rest, receipt_words
from tui.setting_words import settings_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """glyph: one cell that says the kind without colour. colour: a theme token. details: lines below, also shown.

    listed: the details are things of one kind. advice: what a person can do, below them.
    folded: shown only when unfolded, Markdown where markdown says so.
    one_line: cut where the line ends instead of being wrapped; then folded holds what was cut.
    """

    glyph: Clean
    text: Clean
    colour: str
    details: tuple[Clean, ...] = ()
    listed: bool = False
    advice: Clean = NOTHING
    folded: Clean = NOTHING
    markdown: bool = False
    one_line: bool = False


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

_BY: Final = {
    "user": "you",
    "program": "a program",
    "signal": "a signal",
    "parent": "the parent run",
    "policy": "the policy",
    "runner": "Quarterdeck",
}
_CAUSES: Final = {
    "threshold": ", because the context window is nearly full",
    "overflow": ", because it is too long for the model",
    "user": ", as you asked",
}


def notice(event: Event, *more: Event) -> Notice:
    """The sentence for an event, and how it looks. more: the facts that came with it and are told in the same line."""
    match event:
        case AttemptDiscarded() | RetryScheduled() | RetrySkipped():
            return _trouble((event, *more))
        case ModelSwitched():
            cause = {"user": "", "fallback": ", the one before failed", "policy": ", by policy"}.get(event.cause, "")
            return _notice("→", f"Model: {event.old} → {event.new}{cause}{_goes_on(more)}", "text.system")
        case SettingsChanged() | SettingsLeftOut():
            return _notice(*settings_words(event))
        case LimitWarning():
            return _notice("!", warning_words(event), "meter.warn")
        case LimitReached():
            waits = " · paused until you decide" if event.asks else ""
            return _notice("!", f"{limit_words(event)}{waits}", "meter.over")
        case LimitChanged():
            return _notice("!", f"{changed_words(event, _by(event.by))}{_goes_on(more)}", "text.system")
        case CompactionStarted() | CompactionFinished():
            return _compaction(event)
        case SamplingFinished():
            return _sampling(event)
        case ErrorOccurred():
            return _error(event)
        case RunFinished():
            return _finished(event)
        case _:
            return _control(event)


def _control(event: Event) -> Notice:
    match event:
        case StopRequested():
            return _notice(
                "■", f"Stop requested by {_by(event.by)}: the current step is finished first", "state.stopping"
            )
        case AbortRequested():
            return _notice("■", f"Abort requested by {_by(event.by)}: everything is closed now", "state.cancelled")
        case Paused():
            why = f"the {limit_name(event.limit)} is reached" if event.limit else f"by {_by(event.by)}"
            return _notice("‖", f"Paused{':' if event.limit else ''} {why}", "state.paused")
        case Resumed():
            by = f" by {_by(event.by)}" if event.by not in ("", "limit") else ""
            return _notice("▸", f"Resumed{by}", "state.running")
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


def _notice(glyph: str, text: str, colour: str, details: Sequence[str] = ()) -> Notice:
    return Notice(
        glyph=clean(glyph),
        text=clean(words.one_line(text)),
        colour=colour,
        details=tuple(clean(line.rstrip()) for line in details if line.strip()),
    )


def _by(by: str) -> str:
    return _BY.get(by, by or "somebody")


def _goes_on(more: Sequence[Event]) -> str:
    return " · goes on" if any(isinstance(event, Resumed) for event in more) else ""


def _trouble(events: Sequence[Event]) -> Notice:
    """An attempt that came to nothing, and what is done about it, in one line; the provider's words may be cut."""
    found = _facts(events)
    if found.fatal is not None:
        shown = _error(found.fatal)
        unused = clean(_unused(found.discarded))
        return replace(shown, text=clean(shown.text + _spent(found.discarded)), folded=shown.folded or unused)
    attempt, kind, remedy = events[0].attempt, _kind(found), _remedy(found)
    failed = f"{f'Attempt {attempt}' if attempt else 'An attempt'}: {kind}" if kind else ""
    text = ". ".join(part for part in (failed, remedy) if part) + _spent(found.discarded)
    if found.retry is None:
        return replace(_notice("↻", text, "warning"), folded=clean(_unused(found.discarded)))
    said = words.one_line(found.retry.error.message)
    shown = _notice("↻", f"{text} · {said}" if said else text, "warning", _fix(found.retry.error))
    paid = _spent(found.discarded).removeprefix(" · ")
    whole = "\n".join(
        part for part in (str(error_words(found.retry.error)) if said else "", paid, _unused(found.discarded)) if part
    )
    return replace(shown, one_line=True, folded=clean(whole))


@dataclass(slots=True)
class _Facts:
    """What a row of events about a failed attempt says."""

    discarded: AttemptDiscarded | None = None
    retry: RetryScheduled | None = None
    skipped: RetrySkipped | None = None
    switched: ModelSwitched | None = None
    fatal: ErrorOccurred | None = None


def _facts(events: Sequence[Event]) -> _Facts:
    found = _Facts()
    for event in events:
        match event:
            case AttemptDiscarded():
                found.discarded = event
            case RetryScheduled():
                found.retry = event
            case RetrySkipped():
                found.skipped = event
            case ModelSwitched():
                found.switched = event
            case ErrorOccurred():
                found.fatal = event
            case _:
                pass
    return found


def _kind(found: _Facts) -> str:
    """Why an attempt failed, in a few words; "" where it was given up for another model."""
    if found.retry is not None:
        error = found.retry.error
        return error_short(error.type) + (f" ({error.status_code})" if error.status_code is not None else "")
    if found.discarded is None or found.discarded.reason == "settings_changed":
        return ""
    if found.switched is not None and found.discarded.reason == "model_switched":
        return ""
    return error_short(found.discarded.reason or "not usable")


def _remedy(found: _Facts) -> str:
    """What is done after an attempt failed."""
    by = "" if found.skipped is None else f", by {_by(found.skipped.by)}"
    if found.switched is not None and _kind(found):
        return f"Going on with {found.switched.new}{by}"
    if found.switched is not None:
        given_up = " · the open request is given up" if found.discarded is not None else ""
        return f"Model: {found.switched.old} → {found.switched.new}{by}{given_up}"
    if found.skipped is not None:
        to = {"retry": "Trying again at once", "next_model": "Trying the next model at once"}
        return f"{to.get(found.skipped.to, 'Not waiting any longer, a message goes first')}{by}"
    if found.discarded is not None and found.discarded.reason == "settings_changed":
        return "The open request is given up"
    if found.retry is None:
        return "It is given up" if found.discarded and found.discarded.reason == "model_switched" else "It is discarded"
    match found.retry.action:
        case "switch":
            return "Trying the next model"
        case "compact":
            return "Summarising the history first"
        case "repair":
            return "Repairing the history"
        case _:
            asked = ", as the provider asked" if found.retry.retry_after is not None else ""
            when = f"in {words.duration(found.retry.delay)}" if found.retry.delay > 0 else "now"
            return f"Trying again {when}{asked}"


def _fix(error: ErrorInfo) -> list[str]:
    return [f"What to do: {words.one_line(error.fix)}"] if error.fix else []


def _spent(event: AttemptDiscarded | None) -> str:
    """What a discarded attempt cost all the same."""
    if event is None or (not event.usage.total and not event.cost_usd):
        return ""
    return f" · still paid: {_amount(event.usage, event.cost_usd, event.usage_source)}"


def _unused(event: AttemptDiscarded | None) -> str:
    """What a discarded attempt had written, marked as such; of older recordings only that it did."""
    if event is None:
        return ""
    by = f" by {event.model}" if event.model else ""
    parts = [
        f"{what}{by}, discarded, no part of the conversation:\n{text.strip()}"
        for what, text in (("Reasoning", event.reasoning), ("Answer", event.text))
        if text.strip()
    ]
    if not parts and event.usage.output:
        parts = [f"What had been written{by} is discarded and not kept."]
    return "\n\n".join(parts)


def _amount(usage: Usage, cost: Decimal | None, source: UsageSource) -> str:
    estimated = source == "estimated"
    counted = words.about(usage.total) if estimated else words.tokens(usage.total)
    return f"{counted} tokens, {money(cost, estimated=estimated)}"


def money(cost: Decimal | None, *, estimated: bool = False) -> str:
    if cost is None:
        return "cost unknown"
    return words.about_money(cost) if estimated else words.money(cost)


def _compaction(event: CompactionStarted | CompactionFinished) -> Notice:
    before = words.about(event.tokens_before)
    if isinstance(event, CompactionStarted):
        return _notice("≡", f"Summarising the history: {before} tokens{_CAUSES.get(event.cause, '')}", "text.system")
    sizes = f"{before} → {words.about(event.tokens_after)} tokens"
    paid = ""
    if event.usage.total or event.cost_usd:
        paid = f", {money(event.cost_usd, estimated=event.usage_source == 'estimated')}"
    why = f": {words.one_line(event.error)}" if event.error else ""
    match event.how:
        case "model":
            text = f"History summarised: {sizes}{paid}"
        case "outline":
            text = f"History cut down to an outline: {sizes}{paid} · no model summarised it{why}"
        case "none":
            text = f"History left as it is: {before} tokens{paid} · the summary was not made{why}"
    summary = clean(event.summary.strip("\n"), tab=4)
    return replace(_notice("≡", text, "text.system"), folded=summary, markdown=True)


def _sampling(event: SamplingFinished) -> Notice:
    """What somebody besides the agent had of the model."""
    some = event.usage.total or event.cost_usd
    paid = f": {_amount(event.usage, event.cost_usd, event.usage_source)}" if some else ""
    who = words.one_line(event.who)
    match event.how:
        case "model":
            text = f"{who} asked the model{paid}"
        case "failed":
            text = f"{who} asked the model in vain{paid} · {words.one_line(event.error)}"
        case "none":
            text = f"{who} asked the model, and the request was closed{paid}"
    return replace(_notice("≡", text, "text.system"), folded=clean(event.text.strip("\n"), tab=4))


def _error(event: ErrorOccurred) -> Notice:
    text = str(error_words(event.error))
    return _notice("✗", text[:1].upper() + text[1:], "text.error", _fix(event.error))


def _finished(event: RunFinished) -> Notice:
    reason = event.reason or "error"
    facts = [REASONS.get(reason, reason.replace("_", " "))]
    if event.turns:
        facts.append(words.count(event.turns, "turn"))
    facts.append(words.duration(event.seconds))
    estimated = bool(event.receipt and event.receipt.get("estimated"))
    if event.usage.total:
        total = event.usage.total
        facts.append(f"{words.about(total) if estimated else words.tokens(total)} tokens")
    if event.usage.total or event.cost_usd:
        facts.append(f"{'~' if estimated and event.cost_usd else ''}{money(event.cost_usd)}")
    looks = {"completed": ("✓", "state.ok"), "cancelled": ("■", "state.cancelled")}
    glyph, colour = looks.get(event.status, ("✗", "state.failed"))
    shown = _notice(glyph, " · ".join(facts), colour, receipt_words(event.receipt))
    rest = "\n".join(receipt_rest(event.receipt))
    return replace(shown, listed=True, advice=clean(receipt_advice(event.receipt)), folded=clean(rest))
