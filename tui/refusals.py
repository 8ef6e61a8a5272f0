"""Commands that a run refused, in words for the person. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from runner.events import ErrorInfo, ErrorOccurred
from runner.state import EventItem, RunState

LOOK_BACK = 50
"""Settled items in which a refusal of a moment ago is looked for."""

LATE_EDIT = "it was delivered before your change, which follows as a new message"
_TOO_LATE = "that message was delivered already"
_KNOWN = {
    "DeleteMessage": _TOO_LATE,
    "MoveMessage": _TOO_LATE,
    "EditMessage": LATE_EDIT,
    "CancelTool": "that call is over already",
}
"""What a person is told where the run's own words speak of ids."""


@dataclass(frozen=True, slots=True)
class Refusal:
    item_id: str
    words: str


def refusal(run: RunState) -> Refusal | None:
    """The newest command that the run refused."""
    items = (*run.settled[max(0, len(run.settled) - LOOK_BACK) :], *run.live)
    for item in reversed(items):
        if isinstance(item, EventItem) and isinstance(item.event, ErrorOccurred) and item.event.error.type == "command":
            return Refusal(item.item_id, _words(item.event.error))
    return None


def _words(error: ErrorInfo) -> str:
    command, _, why = error.message.partition(": ")
    if command == "Decide":
        # It names a request by its id only where that request is over.
        over = why.endswith(("is answered already", "does not exist"))
        return "that was answered already" if over else f"that answer was refused: {why}"
    return _KNOWN.get(command, f"not done: {why or error.message}")
