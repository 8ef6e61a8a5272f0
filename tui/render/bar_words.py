"""What a bar of the time axis is and was, in words. Pure."""

from __future__ import annotations

from typing import NamedTuple

from runner.state import ApprovalView, CallItem
from tui.render.calls import short_arguments
from tui.render.clean import clean
from tui.render.errors import error_short
from tui.render.lanes import Bar, Lanes
from tui.render.limits import limit_name
from tui.words import about, duration, money, one_line, tokens
from tui.words import seconds as whole_seconds


class Look(NamedTuple):
    """The sign and the word tell the state without the colour, which is a theme variable."""

    sign: str
    word: str
    token: str


_CALLS: dict[str, Look] = {
    "ok": Look("✓", "ok", "state-ok"),
    "error": Look("✗", "failed", "state-failed"),
    "denied": Look("✗", "denied", "state-cancelled"),
    "timeout": Look("✗", "timed out", "state-failed"),
    "cancelled": Look("■", "stopped", "state-cancelled"),
    "interrupted": Look("■", "aborted", "state-failed"),
    "skipped": Look("-", "skipped", "state-cancelled"),
    "invalid": Look("✗", "invalid", "state-failed"),
}
_ANSWERS: dict[str, str] = {
    "allow": "allowed",
    "edit": "allowed with changes",
    "answer": "answered",
    "deny": "denied",
    "end_run": "ended the run",
}


def look(bar: Bar, call: CallItem | None) -> Look:
    """How a bar stands."""
    span = bar.span
    over = bar.end is not None
    match span.kind:
        case "request" | "compaction" | "sampling":
            return _request(bar)
        case "retry":
            return Look("↻", "waited to retry" if over else "waits to retry", "state-paused")
        case "tool":
            if over:
                return _CALLS.get(span.outcome, _CALLS["error"])
            waits = call is not None and call.phase == "waiting"
            return Look("?", "waits for you", "state-waiting") if waits else Look("●", "running", "state-running")
        case "pause":
            return Look("‖", "paused" if not over else "was paused", "state-paused")
        case "limit":
            return Look("‖" if over else "?", "asked about a limit" if over else "asks about a limit", "state-waiting")
        case "approval" | "question":
            if not over:
                return Look("?", "waits for you", "state-waiting")
            denied = span.outcome not in ("allow", "edit", "answer")
            return Look("✗" if denied else "✓", _ANSWERS.get(span.outcome, "not answered"), "state-waiting")


def _request(bar: Bar) -> Look:
    outcome = bar.span.outcome
    if bar.end is None:
        begun = bar.first is not None or bar.span.kind != "request"
        return (
            Look("●", "answers", "state-running") if begun else Look("…", "waits for the first token", "state-queued")
        )
    if not outcome:
        return Look("✓", "answered", "state-ok")
    if outcome == "interrupted":
        return Look("■", "cut off", "state-cancelled")
    if outcome in ("model_switched", "settings_changed"):
        return Look("✗", f"discarded: {error_short(outcome)}", "state-cancelled")
    return Look("✗", f"discarded: {outcome}", "state-failed")


def title(bar: Bar, call: CallItem | None) -> str:
    """What stands in the bar, clean and in one line; its beginning says the most."""
    span = bar.span
    match span.kind:
        case "request":
            text = span.key.rpartition("/")[2]
        case "compaction":
            text = "summary"
        case "sampling":
            text = "for a server"
        case "retry":
            text = "retry"
        case "tool":
            text = span.key if call is None else f"{call.tool} {short_arguments(call)}"
        case "pause":
            text = "paused"
        case "limit":
            text = limit_name(span.key)
        case "approval" | "question":
            text = _ANSWERS.get(span.outcome, span.kind)
    return one_line(clean(text))


_WHAT = {
    "request": "request to",
    "compaction": "summary by",
    "sampling": "asked for a server:",
    "retry": "after",
    "pause": "by",
    "limit": "",
}


def head(bar: Bar, lanes: Lanes) -> str:
    """The selected bar in a line: how it stands, what it is, how long, when."""
    call, span = lanes.call(bar), bar.span
    match span.kind:
        case "tool":
            what = title(bar, call)
        case "approval" | "question":
            tool = "a call" if call is None else f"{call.tool} {short_arguments(call)}"
            what = f"{span.kind} for {tool}"
        case "limit":
            what = limit_name(span.key)
        case _:
            what = f"{_WHAT[span.kind]} {span.key}"
    sign, word, _ = look(bar, call)
    long = whole_seconds(lanes.now - bar.start) if bar.end is None else duration(bar.end - bar.start)
    parts = [f"{sign} {word}", what, long, f"from {lanes.clock(bar.start).astimezone():%H:%M:%S}", f"turn {span.turn}"]
    return one_line(clean(" · ".join(parts)))


def more(bar: Bar, lanes: Lanes) -> str:
    """The line below it: what a request cost, who decided, what a call printed last."""
    call, span = lanes.call(bar), bar.span
    if span.kind in ("request", "compaction", "sampling"):
        text = _paid(bar)
    elif span.kind in ("approval", "question"):
        text = _decided(call, span.key)
    elif span.kind == "tool":
        text = _printed(call)
    elif span.kind in ("limit", "pause"):
        text = "the run stands still; such time is not active time"
    else:
        text = "the next attempt begins at the end of this"
    return one_line(clean(text))


def _paid(bar: Bar) -> str:
    entry = bar.entry
    if entry is None:
        return "its tokens and cost come with its end" if bar.end is None else "nothing was paid for it"
    usage, guess = entry.usage, entry.source == "estimated" and entry.usage.total > 0
    number = about if guess else tokens
    said = "unknown" if entry.cost_usd is None else f"{'~' if guess else ''}{money(entry.cost_usd)}"
    parts = [f"attempt {entry.attempt}"] if entry.attempt > 1 else []
    parts += [f"in {number(usage.input)} (cached {number(usage.cached_input)}) out {number(usage.output)}"]
    parts += [f"cost {said}, {entry.source}"]
    if entry.first_token_seconds is not None:
        parts.append(f"first token after {duration(entry.first_token_seconds)}")
    return " · ".join(parts)


def _decided(call: CallItem | None, request_id: str) -> str:
    views = [] if call is None else [*call.earlier, call.approval, call.question]
    view = next((view for view in views if view is not None and view.request_id == request_id), None)
    if view is None:
        return ""
    return _view_words(view)


def _view_words(view: ApprovalView) -> str:
    if not view.decision:
        return view.why
    parts = [f"by {'you' if view.by == 'user' else view.by}", f"for this {view.scope}" if view.scope else ""]
    return " · ".join(filter(None, (*parts, view.rule, view.reason)))


def _printed(call: CallItem | None) -> str:
    if call is None:
        return ""
    text = (call.output if call.phase == "finished" else "".join(call.live_output[-8:]))[-2000:]
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "nothing printed yet" if call.phase == "running" else ""
