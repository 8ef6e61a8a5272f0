"""The input of a run, checked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import cast, get_args

from runner.errors import InputError
from runner.messages import AssistantMessage, Message, ToolCall, ToolResult, ToolStatus, UserMessage

_STATUSES: frozenset[str] = frozenset(get_args(ToolStatus))


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
            calls = _calls(fields.get("tool_calls"), f"message {index}")
            return AssistantMessage(text=content, tool_calls=calls, finish_reason="tool_calls" if calls else "stop")
        case "tool":
            return _result(fields, content, f"message {index}")
        case _:
            raise InputError(f"message {index}: role is {role!r}; give user, assistant or tool")


def _calls(value: object, where: str) -> tuple[ToolCall, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise InputError(f"{where}: tool_calls is {type(value).__name__}, not a list")
    return tuple(_call(each, where) for each in cast("Sequence[object]", value))


def _call(value: object, where: str) -> ToolCall:
    if not isinstance(value, Mapping):
        raise InputError(f"{where}: a tool call is {type(value).__name__}, not an object")
    fields = cast("Mapping[str, object]", value)
    arguments = fields.get("arguments", {})
    if not isinstance(arguments, dict):
        raise InputError(f"{where}: a tool call's arguments are {type(arguments).__name__}, not an object")
    try:
        written = json.dumps(cast("object", arguments))
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: a tool call's arguments are no JSON: {error}") from error
    return ToolCall(
        call_id=_text(fields, "call_id", where),
        tool=_text(fields, "tool", where),
        arguments=cast("dict[str, object]", arguments),
        arguments_json=written,
    )


def _result(fields: Mapping[str, object], output: str, where: str) -> ToolResult:
    status = fields.get("status", "ok")
    if status not in _STATUSES:
        raise InputError(f"{where}: status is {status!r}; give one of {', '.join(sorted(_STATUSES))}")
    return ToolResult(
        call_id=_text(fields, "call_id", where),
        tool=_text(fields, "tool", where),
        output=output,
        status=cast("ToolStatus", status),
    )


def _text(fields: Mapping[str, object], name: str, where: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise InputError(f"{where}: {name} is {value!r}, not a text")
    return value


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
