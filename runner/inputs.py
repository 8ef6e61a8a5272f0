"""The input of a run, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from runner.errors import InputError
from runner.messages import AssistantMessage, Message, ToolResult, UserMessage


def read_input(value: object) -> tuple[Message, ...]:
    """The typed messages of a text or a list. Raises InputError, saying what is wrong and where."""
    if value is None:
        raise InputError("the input is None; give a text or a list of messages")
    if isinstance(value, str):
        if not value.strip():
            raise InputError("the input is an empty text; give the model something to answer")
        return (UserMessage(text=value),)
    if not isinstance(value, Sequence) or isinstance(value, bytes | bytearray):
        raise InputError(f"the input is {type(value).__name__}; give a text or a list of messages")
    items = cast("Sequence[object]", value)
    if not items:
        raise InputError("the input is an empty list; give at least one message")
    messages = tuple(_message(item, index) for index, item in enumerate(items))
    _check_order(messages)
    return messages


def _message(item: object, index: int) -> Message:
    if isinstance(item, UserMessage | AssistantMessage | ToolResult):
        return item
    if not isinstance(item, Mapping):
        raise InputError(f"message {index} is {type(item).__name__}; give a message or an object with role and content")
    fields = cast("Mapping[str, object]", item)
    role, content = fields.get("role"), fields.get("content")
    if not isinstance(content, str):
        raise InputError(f"message {index}: content is {type(content).__name__}, not a text")
    match role:
        case "user":
            return UserMessage(text=content)
        case "assistant":
            return AssistantMessage(text=content, finish_reason="stop")
        case _:
            raise InputError(f"message {index}: role is {role!r}; give user or assistant")


def _check_order(messages: tuple[Message, ...]) -> None:
    last = messages[-1]
    if not isinstance(last, UserMessage) or not last.text.strip():
        raise InputError("the last message must be the user's, and not empty")
    open_calls: dict[str, str] = {}
    for index, message in enumerate(messages):
        if isinstance(message, ToolResult):
            if open_calls.pop(message.call_id, None) is None:
                raise InputError(f"message {index}: a result for {message.call_id!r}, which no open call has")
            continue
        if open_calls:
            name = next(iter(open_calls.values()))
            raise InputError(f"message {index}: the call of {name!r} before it has no result")
        if isinstance(message, AssistantMessage):
            open_calls = {call.call_id: call.tool for call in message.tool_calls}
