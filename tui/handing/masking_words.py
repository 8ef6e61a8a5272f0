"""What is masked, in words. Pure; nothing here is clean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from runner.store.masking import Masked, Place
from tui.words import count, one_line

NOT_COVERED: Final = (
    "Looked for are the values of your environment whose names speak of a secret (as they are, in JSON, in addresses,"
    " in base64), and tokens of known shapes as they are. One that was cut, broken over lines or encoded is not found."
)

_OF_TOOL: Final = {
    "tool_proposed": "arguments of",
    "tool_started": "process of",
    "tool_activity": "activity of",
    "tool_finished": "output of",
    "approval_requested": "question about",
    "approval_resolved": "decision about",
}
_NAMES: Final = {
    "run_queued": "your message",
    "run_started": "your message",
    "message_queued": "your message",
    "message_delivered": "your message",
    "queue_changed": "your message",
    "person_command_started": "your command",
    "person_command_finished": "your command",
    "compaction_finished": "summary of what came before",
    "run_finished": "result",
    "agent_finished": "result",
}


def shown_secret(secret: Masked) -> str:
    """What may be shown of it: its ends, and how long it is."""
    ends = f"{secret.first}…{secret.last}, " if secret.first or secret.last else ""
    return f"{ends}{count(secret.length, 'character')}"


def where(place: Place) -> str:
    """The place in the session."""
    if place.run == 0:
        return f"the session's {place.field}"
    turn = f", turn {place.turn}" if place.turn else ""
    return f"run {place.run}{turn}: {_what(place)}"


def _what(place: Place) -> str:
    if place.kind in _OF_TOOL:
        what = "change by" if place.kind == "tool_finished" and place.field.startswith("display") else None
        return f"{what or _OF_TOOL[place.kind]} {one_line(place.tool) or 'a tool'}"
    if place.kind == "model_responded":
        if place.field.startswith("tool_calls"):
            return "a call in the answer"
        return "reasoning" if place.field == "reasoning" else "the answer"
    return _NAMES.get(place.kind, place.kind.replace("_", " "))


def around(place: Place) -> str:
    """A little of what stands before and after it."""
    return one_line(f"{place.before}▒▒▒{place.after}")


def summed(found: Sequence[Masked]) -> str:
    """How many secrets in how many places; "" for none."""
    times = sum(secret.times for secret in found)
    return f"{count(len(found), 'secret')} in {count(times, 'place')}" if found else ""


def kinds(found: Sequence[Masked]) -> str:
    """What they are, each once."""
    return ", ".join(dict.fromkeys(one_line(secret.label) for secret in found))


def lines(found: Sequence[Masked]) -> Iterator[str]:
    """The whole preview as plain text."""
    if not found:
        yield "Nothing in this session looks like a secret."
    else:
        yield f"Masked: {summed(found)}."
    for secret in found:
        yield f"\n{one_line(secret.label)}  ({shown_secret(secret)}), {count(secret.times, 'time')}"
        for place in secret.places:
            yield f"  {where(place)}:  {around(place)}"
        if secret.times > len(secret.places):
            yield f"  and {secret.times - len(secret.places)} more"
    yield f"\n{NOT_COVERED}"
