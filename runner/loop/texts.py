"""Words for the model about calls that did not run or did not end. They keep "was not executed" apart from
"was interrupted, may have had effects" (SEMANTICS section 6)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from runner.control.inbox import ScopeCause
from runner.messages import JsonObject
from runner.tools.base import ToolOutcome

CONTINUE = "Your answer was cut at the output limit. Continue exactly where it stopped, without repeating anything."

WRAP_UP = (
    "Finish now: answer with what you have, without calling any more tools. Say what is done, what is not, and what "
    "would come next."
)


def skipped(why: str) -> ToolOutcome:
    return ToolOutcome(status="skipped", output=f"This call was not executed: {why}.")


def edited(outcome: ToolOutcome, arguments: JsonObject) -> ToolOutcome:
    """The model must not believe that what it asked for is what ran."""
    note = f"The user changed the arguments before allowing this call. It ran with: {json.dumps(arguments)}"
    return replace(outcome, output=f"{note}\n{outcome.output}")


def with_files(outcome: ToolOutcome, files: Sequence[str]) -> ToolOutcome:
    """Name what a call that was cut may have changed, for the model to look at."""
    if not files:
        return outcome
    return replace(outcome, output=f"{outcome.output}\nFiles changed since it started: {', '.join(files)}")


def denied(reason: str) -> ToolOutcome:
    text = "This call was denied and was not executed."
    return ToolOutcome(status="denied", output=f"{text} Reason: {reason}" if reason else text)


def invalid(message: str) -> ToolOutcome:
    return ToolOutcome(status="invalid", output=f"This call was not executed: {message}")


def failed(message: str) -> ToolOutcome:
    return ToolOutcome(status="error", output=message)


def cut_call() -> ToolOutcome:
    return invalid("it was cut off at the output limit. Make it again, in smaller parts if it is long.")


def unknown_tool(name: str, known: Sequence[str]) -> ToolOutcome:
    names = ", ".join(known) or "none"
    return invalid(f"there is no tool called {name!r}. The tools are: {names}.")


def stopped_before_start(by_abort: bool) -> ToolOutcome:
    return skipped("the run was aborted before it started" if by_abort else "the run was stopped before it started")


INTERRUPTED: dict[ScopeCause, str] = {
    "cancel": "was cancelled by the user",
    "limit": "was interrupted because a limit of the run was reached",
    "abort": "was interrupted by an abort",
    "switch": "was interrupted",
    "message": "was interrupted, because the user sent a message instead",
}


def interrupted(*, read_only: bool) -> ToolOutcome:
    """A call that was running when the whole program cancelled the run."""
    effects = "It only reads, so it changed nothing."
    if not read_only:
        effects = "It may have had effects; check before relying on it."
    return ToolOutcome(
        status="interrupted",
        output=f"This call {INTERRUPTED['abort']} while it was running. {effects}",
        side_effects="none" if read_only else "unknown",
    )
