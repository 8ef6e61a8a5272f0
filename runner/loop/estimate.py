"""Token estimates for what no provider has counted yet; wherever one is shown it is called an estimate."""

from __future__ import annotations

import json
import math

from runner.loop.core import RunCore
from runner.messages import AssistantMessage, Message, ToolResult, UserMessage
from runner.models.base import ModelRequest

CHARACTERS_PER_TOKEN = 4
TOKENS_PER_MESSAGE = 4


def estimate_text(text: str) -> int:
    return estimate_output(len(text))


def estimate_output(characters: int) -> int:
    return math.ceil(characters / CHARACTERS_PER_TOKEN)


def estimate_input(core: RunCore, request: ModelRequest) -> int:
    """Tokens of the whole prompt: what the same model last reported plus what came since, else by length."""
    state = core.emitter.state
    fresh = 0 if state.compacted is None else state.compacted.at_ledger
    entries = (state.ledger[index] for index in range(len(state.ledger) - 1, fresh - 1, -1))
    last = next((entry for entry in entries if not entry.discarded and entry.purpose == "turn"), None)
    if last is not None and last.source == "reported" and last.model == request.model:
        since = _since_last_answer(request)
        return last.usage.total + estimate_messages(since)
    specs = sum(len(tool.name) + len(tool.description) + len(json.dumps(tool.parameters)) for tool in request.tools)
    return estimate_output(len(request.instructions) + specs) + estimate_messages(list(request.messages))


def _since_last_answer(request: ModelRequest) -> list[Message]:
    found: list[Message] = []
    for message in reversed(request.messages):
        if isinstance(message, AssistantMessage):
            break
        found.append(message)
    return found


def estimate_messages(messages: list[Message]) -> int:
    return sum(TOKENS_PER_MESSAGE + estimate_output(_length(message)) for message in messages)


def _length(message: Message) -> int:
    match message:
        case UserMessage(text=text):
            return len(text)
        case AssistantMessage(text=text, tool_calls=calls):
            return len(text) + sum(len(call.tool) + len(call.arguments_json) for call in calls)
        case ToolResult(output=output):
            return len(output)
