"""The status line's sentence: what happens, and what the next key does. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from runner.state import (
    Between,
    CallItem,
    Finished,
    PausedBy,
    Queued,
    Requesting,
    Retrying,
    Running,
    RunState,
    Stopping,
    TextItem,
    WaitingApproval,
)
from tui.view import View
from tui.words import arguments, count, cut, duration

Keys = Callable[[str], str]
"""The key to show for an action's id, "" where it has none."""

_ENDS: dict[str, tuple[str, str]] = {
    "complete": ("state-ok", "done"),
    "stopped": ("state-cancelled", "stopped"),
    "aborted": ("state-cancelled", "aborted, the receipt is above"),
    "max_turns_exceeded": ("state-failed", "ended: the limit of turns is reached"),
    "budget_exceeded": ("state-failed", "ended: the cost limit is reached"),
    "token_limit_exceeded": ("state-failed", "ended: the token limit is reached"),
    "time_exceeded": ("state-failed", "ended: the time limit is reached"),
    "request_limit_exceeded": ("state-failed", "ended: the limit of requests is reached"),
    "tool_call_limit_exceeded": ("state-failed", "ended: the limit of tool calls is reached"),
    "guardrail_tripped": ("state-failed", "ended by a guardrail"),
    "approval_terminated": ("state-cancelled", "ended by you at an approval"),
    "refused": ("state-failed", "the model refused to answer"),
    "context_overflow": ("state-failed", "failed: the context window is full"),
    "output_invalid": ("state-failed", "failed: the output does not fit its type"),
    "error": ("state-failed", "failed"),
    "interrupted": ("state-failed", "interrupted: the program died in this run"),
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """token: the theme variable of its colour. state: what happens. hint: what the next key does."""

    token: str
    state: str
    hint: str = ""


def sentence(view: View, key: Keys) -> Sentence:
    if view.quitting:
        return Sentence("state-stopping", "ending the runs and saving", "a moment")
    if view.confirm:
        return Sentence("state-waiting", view.confirm)
    run = view.run
    if view.starting and view.live is None:
        return Sentence("state-queued", "starting", f"{key('stop')} stops it")
    if run is None:
        state = "ready" if view.store_open else "opening the session store"
        return Sentence("state-ok" if view.store_open else "state-queued", state, "write a message, enter sends it")
    found = _of_run(run, view, key)
    if view.waiting_elsewhere:
        waiting = count(view.waiting_elsewhere, "approval")
        return Sentence("state-waiting", f"{found.state} · {waiting} in another session", f"{key('sessions')} shows it")
    return found


def _of_run(run: RunState, view: View, key: Keys) -> Sentence:
    match run.lifecycle:
        case Queued():
            return Sentence("state-queued", "starting", f"{key('stop')} stops it")
        case Finished(reason=reason):
            return _ended(run, reason)
        case Stopping(force=force):
            return _stopping(run, force, view.now, key)
        case PausedBy():
            return Sentence("state-paused", "paused", f"{key('pause')} continues, {key('stop')} stops")
        case WaitingApproval() | Running():
            if view.waiting:
                return _waiting(run, view, key)
            return _running(run, view, key)
        case _:
            assert_never(run.lifecycle)


def _ended(run: RunState, reason: str) -> Sentence:
    token, state = _ENDS.get(reason, ("state-failed", reason))
    if reason == "complete":
        return Sentence(token, f"{state} in {duration(run.seconds)}", "enter sends the next message")
    if reason == "error" and run.error is not None:
        state = f"{state}: {run.error.fix or run.error.message}"
    return Sentence(token, state, "a message continues this session")


def _stopping(run: RunState, force: bool, now: float, key: Keys) -> Sentence:
    if force:
        return Sentence("state-stopping", "aborting: closing requests and processes", "a moment")
    running = [call for call in run.live_calls if call.phase == "running"]
    what = f" ({_call(running[0], now)})" if running else ""
    return Sentence("state-stopping", f"stopping after this step{what}", f"{key('stop')} again aborts")


def _waiting(run: RunState, view: View, key: Keys) -> Sentence:
    state = f"waiting for you: {count(len(view.waiting), 'approval')}"
    running = [call for call in run.live_calls if call.phase == "running"]
    if running:
        state += f", meanwhile {_call(running[0], view.now)}"
    match view.answering:
        case "choose":
            hint = f"{key('approval.allow')} allows, {key('approval.deny')} denies"
        case "reason":
            hint = "enter denies with this reason, esc goes back"
        case "edit":
            hint = "ctrl+s allows the edited call, esc goes back"
        case "":
            hint = f"{key('approval.focus')} to answer"
    return Sentence("state-waiting", state, hint)


def _running(run: RunState, view: View, key: Keys) -> Sentence:
    hint = f"{key('stop')} stops"
    if view.queued:
        hint = f"{count(view.queued, 'message')} queued, {hint}"
    match run.phase:
        case Retrying(error=error, until_mono=until, action=action):
            why = error.type.replace("_", " ")
            if action == "switch":
                return Sentence("state-waiting", f"trying the next model ({why})", hint)
            left = max(0.0, until - view.now)
            return Sentence("state-waiting", f"retrying in {left:.0f} s ({why})", hint)
        case Requesting(since_mono=since, first_mono=None):
            return Sentence("state-running", f"waiting for the model {duration(view.now - since)}", hint)
        case Requesting(since_mono=since):
            return Sentence("state-running", f"{_doing(run)} {duration(view.now - since)}", hint)
        case Between():
            running = [call for call in run.live_calls if call.phase == "running"]
            if running:
                what = _call(running[0], view.now)
                if len(running) > 1:
                    what = what.replace("running ", f"running {len(running)} tools, first ", 1)
                return Sentence("state-running", what, hint)
            return Sentence("state-running", "working", hint)
        case _:
            assert_never(run.phase)


def _doing(run: RunState) -> str:
    """What the open request writes now."""
    for item in reversed(run.live):
        if isinstance(item, CallItem) and item.phase == "writing":
            return f"writing a call of {item.tool or 'a tool'}"
        if isinstance(item, TextItem) and item.live:
            return "thinking" if item.what == "reasoning" else "streaming"
    return "streaming"


def _call(call: CallItem, now: float) -> str:
    what = cut(arguments(call.arguments), 60)
    since = call.mono if call.started_mono is None else call.started_mono
    return f"running {call.tool} {duration(now - since)}{': ' if what else ''}{what}"
