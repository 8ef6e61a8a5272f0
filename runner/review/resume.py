"""Taking up a run that did not come to its end: what the model is told of what was cut off. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from runner.messages import AssistantMessage
from runner.state import RunState
from runner.state.items import CallItem

MOST_CALLS = 20
ARGUMENTS_SHOWN = 200

ENDS = {
    "interrupted": "the program that ran you ended in the middle of it",
    "stopped": "the user stopped it",
    "aborted": "the user broke it off",
    "error": "an error ended it",
    "refused": "the model refused to go on",
    "context_overflow": "the conversation did not fit into the model's context any more",
    "output_invalid": "the answer did not have the form that was asked for",
    "guardrail_tripped": "a guardrail ended it",
    "approval_terminated": "the user ended it when they were asked for an approval",
}
"""Why a run ended, in words for a model; every other reason is a limit."""


def cut_off(runs: Sequence[RunState]) -> RunState | None:
    """The run to take up: the last one, unless it came to its end by itself. None where there is nothing to resume."""
    for run in reversed(runs):
        if run.parent_run_id is not None or (run.reason == "complete" and not run.turn):
            # Sub-agents end with their calls; a run of the person's commands alone is no work of the model's.
            continue
        return run if run.finished and run.reason != "complete" else None
    return None


def resume_message(runs: Sequence[RunState]) -> str:
    """What to say to the model to go on; "" where nothing was cut off."""
    run = cut_off(runs)
    if run is None:
        return ""
    reason = run.reason or "error"
    why = ENDS.get(reason, f"a limit was reached ({reason.replace('_', ' ')})")
    if run.error is not None and reason == "error":
        why = f"{why}: {' '.join(run.error.message.split())[:ARGUMENTS_SHOWN]}"
    parts = [f"Your work was cut off: {why}."]
    if _answer_was_cut(run):
        parts.append("Your last answer is incomplete.")
    calls = [call for call in _last_calls(run) if call.status in ("interrupted", "cancelled")]
    if calls:
        lines = [f"- {call.tool} {_arguments(call)}: {_effects(call)}" for call in calls[:MOST_CALLS]]
        more = [f"- and {len(calls) - MOST_CALLS} more"] if len(calls) > MOST_CALLS else []
        parts.append("\n".join(["These calls had not come to their end:", *lines, *more]))
        if any(call.side_effects != "none" for call in calls):
            parts.append("Look at how things are before you rely on them or repeat them.")
    parts.append("Go on with the task from there.")
    return "\n\n".join(parts)


def _answer_was_cut(run: RunState) -> bool:
    last = next((message for message in reversed(run.history) if isinstance(message, AssistantMessage)), None)
    return last is not None and last.interrupted


def _last_calls(run: RunState) -> list[CallItem]:
    """The calls of the last turn: those of earlier turns have been answered."""
    last = next((message for message in reversed(run.history) if isinstance(message, AssistantMessage)), None)
    wanted = {call.call_id for call in last.tool_calls} if last is not None else set[str]()
    items = (*run.settled, *run.live)
    return [item for item in items if isinstance(item, CallItem) and item.call_id in wanted]


def _arguments(call: CallItem) -> str:
    given = call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments, ensure_ascii=False)
    return given if len(given) <= ARGUMENTS_SHOWN else f"{given[:ARGUMENTS_SHOWN]}…"


def _effects(call: CallItem) -> str:
    match call.side_effects:
        case "none" if call.started_mono is None:
            return "it was not executed"
        case "none":
            return "it was interrupted while it ran; it changed nothing"
        case "done":
            return "it was interrupted while it ran, and had effects"
        case _:
            return "it was interrupted while it ran; whether it had effects is not known"


def left_from_later(paths: Sequence[str]) -> str:
    """What the model of a fork is told of files that were changed after the fork's last turn."""
    listed = "\n".join(f"- {path}" for path in paths[:MOST_CALLS])
    more = f"\n- and {len(paths) - MOST_CALLS} more" if len(paths) > MOST_CALLS else ""
    return (
        "This conversation goes on from an earlier point. These files may have been changed after it, so what you"
        f" remember of them may be out of date; read them again before you rely on it:\n{listed}{more}"
    )
