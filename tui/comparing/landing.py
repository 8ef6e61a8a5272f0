"""Which stored fact a compared step comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.events import Event, MessageDelivered, ModelResponded, RunStarted, ToolProposed
from runner.messages import UserMessage

if TYPE_CHECKING:
    from runner.review.compare import Step
    from runner.store import Store


def place_of(store: Store, session_id: str, step: Step) -> int:
    """Its number in the step's run; 0 where there is none. Blocks for the disk; raises NotFoundError."""
    events = store.events(session_id, step.run_id)
    return next((event.seq for event in events if not event.is_delta and _made(event, step)), 0)


def _made(event: Event, step: Step) -> bool:
    match event:
        case ToolProposed():
            return step.kind == "call" and event.call_id == step.call_id
        case ModelResponded():
            return step.kind == "answer" and event.text == step.text
        case RunStarted():
            said = (message.text for message in event.input if isinstance(message, UserMessage))
            return step.kind == "prompt" and step.text in said
        case MessageDelivered():
            return step.kind == "prompt" and event.text == step.text
        case _:
            return False
