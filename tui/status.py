"""The status line's sentence: what happens, what it waits for, and what the next key does. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from runner.events import AbortRequested, ModelSwitched, RetryScheduled
from runner.state import (
    Between,
    CallItem,
    Compacting,
    EventItem,
    Finished,
    PausedBy,
    Queued,
    Requesting,
    Retrying,
    Running,
    RunState,
    Sampling,
    Stopping,
    TextItem,
    WaitingApproval,
)
from tui.pacing import near_words
from tui.render.clean import clean
from tui.render.errors import error_short
from tui.render.limits import limit_name
from tui.server_words import failed_words
from tui.view import Reviewed, View
from tui.words import about, arguments, count, cut, duration, one_line, seconds

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
    """token: the theme variable of its colour. state: what happens. hint: what the next key does.

    name: the part of the state that may be shortened, such as a command. note: what is told where there is room.
    hint: parts separated by " · ", the most important first, so that the last ones can go where there is no room.
    """

    token: str
    state: str
    hint: str = ""
    name: str = ""
    note: str = ""


def concerns(view: View) -> bool:
    """Whether something waits for the person, or was said to them: what the zen view has a status line for."""
    asks = bool(view.waiting) or view.limit_asked is not None or view.waiting_elsewhere > 0
    return asks or bool(view.confirm) or view.quitting or view.notice is not None or view.unseen > 0


def sentence(view: View, key: Keys) -> Sentence:
    if view.quitting:
        return Sentence("state-stopping", "ending the runs and saving", "a moment")
    if view.confirm:
        return Sentence("state-waiting", view.confirm)
    run = view.run
    if view.starting and view.live is None:
        return _starting(view, key)
    if run is None:
        state = "ready" if view.store_open else "opening the session store"
        token, note = "state-ok" if view.store_open else "state-queued", failed_words(view.failed_servers)
        return Sentence(token, state, "write a message, enter sends it", note=note)
    found = _of_run(run, view, key)
    found = replace(found, note=found.note or failed_words(view.failed_servers))
    if view.answering == "rewrite":
        found = replace(found, hint="enter saves the waiting message · esc leaves it as it was")
    if view.waiting_elsewhere:
        waiting = count(view.waiting_elsewhere, "approval")
        return Sentence("state-waiting", f"{found.state} · {waiting} in another session", f"{key('sessions')} shows it")
    return found


def _starting(view: View, key: Keys) -> Sentence:
    if view.stop_asked:
        return Sentence("state-stopping", "stopping before it begins", "a moment")
    return Sentence("state-queued", "starting", _keys(key, ("stop", "stops it")))


def _keys(key: Keys, *wanted: tuple[str, str]) -> str:
    """What keys do, for the actions that have one: "f10 retry now · f12 next model"."""
    return " · ".join(f"{name} {does}" for action, does in wanted if (name := key(action)))


def _of_run(run: RunState, view: View, key: Keys) -> Sentence:
    lifecycle = run.lifecycle
    if isinstance(lifecycle, Finished):
        ended = _ended(run, lifecycle.reason)
        return ended if view.reviewed is None else _reviewed(view.reviewed, ended.token, lifecycle.reason)
    if view.stop_asked == "abort" or (isinstance(lifecycle, Stopping) and lifecycle.force):
        return _aborting(run, view.now)
    if view.stop_asked or isinstance(lifecycle, Stopping):
        return _stopping(run, view.now, key)
    match lifecycle:
        case Queued():
            return Sentence("state-queued", "queued, waiting for its turn", _keys(key, ("stop", "stops it")))
        case PausedBy():
            return _paused(run, lifecycle, view, key)
        case WaitingApproval() | Running():
            if view.waiting:
                return _waiting(run, view, key)
            return _running(run, view, key)
        case _:
            assert_never(lifecycle)


def _reviewed(about: Reviewed, token: str, reason: str) -> Sentence:
    """What one looks at, and what a message would do."""
    hint = "a message continues it"
    if about.busy:
        hint = "it cannot be continued here until that ends"
    elif about.trashed:
        hint = "it is in the trash: restore it to continue"
    ended = _ENDS.get(reason, ("", reason))[1].split(":")[0]
    how = "another program runs it" if about.busy else ended
    state = " · ".join(part for part in (about.title, about.origin, about.when, how) if part)
    said = f"{hint} · {about.cost if about.cost.startswith('cost') else f'cost {about.cost}'}"
    return Sentence("state-running" if about.busy else token, state, said, name=about.title)


def _ended(run: RunState, reason: str) -> Sentence:
    token, state = _ENDS.get(reason, ("state-failed", reason))
    if reason == "complete":
        return Sentence(token, f"{state} in {duration(run.seconds)}", "enter sends the next message")
    if reason == "error" and run.error is not None:
        state = f"{state}: {run.error.fix or run.error.message}"
    return Sentence(token, state, "a message continues this session")


def _stopping(run: RunState, now: float, key: Keys) -> Sentence:
    running = _running_calls(run)
    name = _process(running[0]) if running else ""
    match run.phase:
        case _ if running:
            what = f"waiting for {_oldest(running, now)}"
        case Requesting(since_mono=since):
            then = ", then its tools" if run.config.get("stop_policy") == "turn" else ""
            what = f"the answer is being finished{then}, {seconds(now - since)}"
        case Compacting(since_mono=since):
            what = f"the summary is being finished, {seconds(now - since)}"
        case _:
            what = "saving"
    return Sentence("state-stopping", f"stopping: {what}", _keys(key, ("stop", "again aborts")), name)


def _aborting(run: RunState, now: float) -> Sentence:
    running = _running_calls(run)
    processes = [call for call in running if call.pid is not None]
    took = seconds(now - _abort_since(run, now))
    hint = "a moment"
    if len(processes) == 1:
        state = f"ending 1 process: {_process(processes[0])}, {took}"
    elif processes:
        state = f"ending {len(processes)} processes, {took}"
    elif running:
        state = f"waiting for {_oldest(running, now)}"
    elif isinstance(run.phase, Requesting | Compacting | Sampling):
        state = f"closing the request, {took}"
    else:
        state = "saving"
    if processes:
        grace = run.config.get("abort_grace")
        hint = f"killed after {grace:g} s" if isinstance(grace, int | float) else "what does not end is killed"
    return Sentence("state-stopping", f"aborting: {state}", hint, _process(running[0]) if running else "")


def _abort_since(run: RunState, now: float) -> float:
    """When the abort was asked for; it belongs to what happened last."""
    for item in reversed(run.live):
        if isinstance(item, EventItem) and isinstance(item.event, AbortRequested):
            return item.event.mono
    return now


def _paused(run: RunState, paused: PausedBy, view: View, key: Keys) -> Sentence:
    if not paused.limit:
        by = {"user": "by you", "program": "by a program"}.get(paused.by, f"by {paused.by}")
        return Sentence("state-paused", f"paused {by}", _keys(key, ("pause", "continues"), ("stop", "stops")))
    name = limit_name(paused.limit)
    asked = run.limit_asked
    state = f"paused at the {name}"
    if asked is not None and asked.why == "next_request":
        state = f"paused before the {name}"
    elif asked is not None and asked.why == "unknown_price":
        state = f"paused: price unknown, {name} at risk"
    if view.answering == "limit":
        hint = _keys(key, ("limit.raise", "raises it"), ("limit.wrap_up", "a last answer"), ("limit.stop", "stops"))
    elif view.answering == "limit_value":
        hint = "enter sets it · esc goes back"
    else:
        hint = _keys(key, ("approval.focus", "to answer"), ("stop", "stops"))
    return Sentence("state-waiting", state, hint)


def _waiting(run: RunState, view: View, key: Keys) -> Sentence:
    state = f"waiting for you: {_asked(view)}"
    running = _running_calls(run)
    if running:
        state += f", meanwhile {_oldest(running, view.now)}"
    match view.answering:
        case "choose":
            hint = f"{key('approval.allow')} allows, {key('approval.deny')} denies"
        case "question":
            hint = "a number answers" if _has_choices(view) else f"{key('question.write')} writes an answer"
        case "reason":
            hint = "enter denies with this reason, esc goes back"
        case "answer":
            hint = "enter sends this answer, esc goes back"
        case "edit":
            hint = f"{key('form.save')} allows the edited call, esc goes back"
        case "allow_for":
            hint = f"{key('form.save')} or enter allows all that, esc goes back"
        case "form":
            hint = f"{key('form.save')} sends it, esc goes back"
        case _:
            hint = f"{key('approval.focus')} to answer"
    return Sentence("state-waiting", state, hint, _process(running[0]) if running else "")


def _asked(view: View) -> str:
    """What waits: approvals and questions."""
    questions = sum(call.asked is not None and call.asked.asks == "question" for call in view.waiting)
    approvals = len(view.waiting) - questions
    found = [count(approvals, "approval")] if approvals else []
    return ", ".join([*found, count(questions, "question")] if questions else found)


def _has_choices(view: View) -> bool:
    return any(call.asked is not None and call.asked.preview.get("choices") for call in view.waiting)


def _running(run: RunState, view: View, key: Keys) -> Sentence:
    now = view.now
    hint = _keys(key, ("stop", "stops"))
    waiting = len(view.messages)
    if waiting:
        hint = f"{hint} · {count(waiting, 'message')} queued" if hint else f"{count(waiting, 'message')} queued"
    name = ""
    match run.phase:
        case Retrying():
            return _retrying(run, run.phase, now, key)
        case Compacting(since_mono=since, tokens=size):
            state = f"summarising the history: {about(size)} tokens, {seconds(now - since)}"
        case Requesting(since_mono=since, first_mono=None):
            state = f"requesting: first token awaited {seconds(now - since)}"
        case Requesting(since_mono=since):
            state = f"{_doing(run)} {seconds(now - since)}"
        case Sampling(who=who, since_mono=since):
            state = f"{one_line(clean(who))} asks the model: {seconds(now - since)}"
        case Between():
            running = _running_calls(run)
            state, name = f"running {_oldest(running, now)}" if running else "working", ""
            if running:
                name = _process(running[0])
            elif run.live_commands:
                name = cut(one_line(clean(run.live_commands[0].command)), 60)
                state = f"running your command {name}, {seconds(now - run.live_commands[0].mono)}"
        case _:
            assert_never(run.phase)
    return Sentence("state-running", state, hint, name, near_words(run, now))


def _retrying(run: RunState, phase: Retrying, now: float, key: Keys) -> Sentence:
    why = error_short(phase.error.type)
    match phase.action:
        case "switch":
            return Sentence("state-waiting", f"{why}; trying the next model", _keys(key, ("stop", "stops")))
        case "compact":
            return Sentence("state-waiting", f"{why}; summarising the history", _keys(key, ("stop", "stops")))
        case "repair":
            return Sentence("state-waiting", f"{why}; repairing the history", _keys(key, ("stop", "stops")))
        case _:
            pass
    left = phase.until_mono - now
    when = f"again in {seconds(left + 0.999)}" if left > 0 else "trying again"
    number, most = _retries(run), run.config.get("max_retries")
    which = f" ({number} of {most})" if isinstance(most, int) and 0 < number <= most else ""
    other = [("next_model", "next model")] if phase.next_model else []
    hint = _keys(key, ("retry_now", "retry now"), *other, ("stop", "stop"))
    return Sentence("state-waiting", f"{why}; {when}{which}", hint)


def _retries(run: RunState) -> int:
    """How many times the model in use was tried again in this turn."""
    found = 0
    for item in reversed(run.live):
        if isinstance(item, EventItem):
            if isinstance(item.event, ModelSwitched):
                break
            found += isinstance(item.event, RetryScheduled) and item.event.action == "retry"
    return found


def _doing(run: RunState) -> str:
    """What the open request writes."""
    for item in reversed(run.live):
        if isinstance(item, CallItem) and item.phase == "writing":
            return f"writing a call of {item.tool or 'a tool'}"
        if isinstance(item, TextItem) and item.live:
            return "thinking" if item.what == "reasoning" else "streaming"
    return "streaming"


def _running_calls(run: RunState) -> list[CallItem]:
    """Oldest first."""
    running = [call for call in run.live_calls if call.phase == "running"]
    return sorted(running, key=lambda call: call.mono if call.started_mono is None else call.started_mono)


def _oldest(running: Sequence[CallItem], now: float) -> str:
    """The call that runs longest, and how many others there are: "shell: pytest -q, 12 s, +1"."""
    call = running[0]
    what = _process(call)
    since = call.mono if call.started_mono is None else call.started_mono
    more = f", +{len(running) - 1}" if len(running) > 1 else ""
    return f"{call.tool}{': ' if what else ''}{what}, {seconds(now - since)}{more}"


def _process(call: CallItem) -> str:
    return cut(one_line(call.process) or arguments(call.arguments), 60)
