"""Where to go in a session: to what one stored fact made. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from runner.events import (
    AbortRequested,
    AttemptDiscarded,
    CompactionFinished,
    ErrorOccurred,
    Event,
    HandoffCompleted,
    HandoffIgnored,
    LimitChanged,
    LimitReached,
    LimitWarning,
    MessageDelivered,
    MessageQueued,
    ModelResponded,
    ModelSwitched,
    Notification,
    Paused,
    PersonCommandFinished,
    PersonCommandStarted,
    QueueChanged,
    Resumed,
    RetryScheduled,
    RetrySkipped,
    RunFinished,
    RunStarted,
    SamplingFinished,
    SettingsChanged,
    SettingsLeftOut,
    StopRequested,
    UnknownEvent,
)
from runner.messages import UserMessage

MOST_NEEDLES: Final = 12
_QUOTED = re.compile(r'"([^"]+)"')

_SHOWN = (
    AbortRequested
    | AttemptDiscarded
    | CompactionFinished
    | ErrorOccurred
    | HandoffCompleted
    | HandoffIgnored
    | LimitChanged
    | LimitReached
    | LimitWarning
    | ModelSwitched
    | Notification
    | Paused
    | Resumed
    | RetryScheduled
    | RetrySkipped
    | RunFinished
    | SamplingFinished
    | SettingsChanged
    | SettingsLeftOut
    | StopRequested
    | UnknownEvent
)
"""Facts that are items of their own."""


@dataclass(frozen=True, slots=True)
class Landing:
    """Fact `seq` of a run, and words to look for in what it made; they may be a query as it was written."""

    run_id: str
    seq: int
    words: str = ""


def made_by(event: Event) -> tuple[str, ...]:
    """The ids of the items that a fact makes or changes, the one that tells most of it first."""
    match event:
        case RunStarted():
            said = [index for index, message in enumerate(event.input) if isinstance(message, UserMessage)]
            return tuple(f"{event.run_id}:{event.seq}.{index}" for index in reversed(said))
        case MessageQueued() | MessageDelivered():
            return (event.message_id,)
        case QueueChanged():
            return tuple(message.message_id for message in event.messages)
        case ModelResponded():
            place = f"{event.run_id}:t{event.turn}.{event.attempt}"
            return tuple(
                f"{place}:{what}" for what, text in (("text", event.text), ("reasoning", event.reasoning)) if text
            )
        case PersonCommandStarted() | PersonCommandFinished():
            return (event.command_id,)
        case _ if isinstance(event, _SHOWN):
            return (f"{event.run_id}:{event.seq}",)
        case _:
            call_id = getattr(event, "call_id", "")
            return (call_id,) if isinstance(call_id, str) and call_id else ()


def needles(words: str) -> list[str]:
    """What to highlight for a query, the best first: all of it, what it has in quotes, its words, long ones first.

    A full text search finds words apart from each other, and only what stands in one piece can be highlighted.
    """
    whole = " ".join(words.replace('"', " ").split())
    single = sorted(dict.fromkeys(whole.split()), key=len, reverse=True)
    found = [whole, *sorted(_QUOTED.findall(words), key=len, reverse=True), *single]
    return [each for each in dict.fromkeys(each.strip() for each in found) if each][:MOST_NEEDLES]
