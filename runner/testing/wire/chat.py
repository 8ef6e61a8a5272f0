"""The chat dialect of OpenAI, and Mistral's stricter one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from runner.models.dialects import check_request
from runner.testing.wire.reading import Fields, check_schemas, fields, is_text, items

_MESSAGE: Final[dict[str, frozenset[str]]] = {
    "system": frozenset({"role", "content", "name"}),
    "user": frozenset({"role", "content", "name"}),
    "assistant": frozenset({"role", "content", "name", "tool_calls", "refusal"}),
    "tool": frozenset({"role", "content", "name", "tool_call_id"}),
}
_PRIVATE: Final = frozenset({"reasoning_content", "reasoning_details", "reasoning"})
"""Fields of single providers (DeepSeek, OpenRouter); whether they may be there is told by what was issued."""
_CALL: Final = frozenset({"id", "type", "function"})


def check_chat(body: Fields, dialect: Literal["openai", "mistral"]) -> list[str]:
    messages = [_flat(message) for message in items(body.get("messages"))]
    return [
        *check_request(messages, dialect),
        *_check_fields(messages),
        *_check_frame(body, messages, dialect),
    ]


def _flat(message: Fields) -> Fields:
    """Content that is a list of text parts is the text of these parts."""
    parts = items(message.get("content"))
    return {**message, "content": "".join(str(part.get("text", "")) for part in parts)} if parts else message


def _check_fields(messages: list[Fields]) -> Iterator[str]:
    for number, message in enumerate(messages):
        role = str(message.get("role"))
        for name in sorted(set(message) - _MESSAGE.get(role, frozenset()) - _PRIVATE):
            yield f"message {number}: a {role} message has no field {name!r}"
        for name in sorted(set(message) & _PRIVATE):
            if role != "assistant":
                yield f"message {number}: {name} in a {role} message"
        if "tool_calls" in message and not message["tool_calls"]:
            yield f"message {number}: an empty list of calls"
        for call in items(message.get("tool_calls")):
            if call.get("type") != "function":
                yield f"message {number}: a call of type {call.get('type')!r}"
            for name in sorted(set(call) - _CALL):
                yield f"message {number}: a call has no field {name!r}"
            if not isinstance(fields(call.get("function")).get("arguments"), str):
                yield f"message {number}: arguments that are no text"


def _check_frame(body: Fields, messages: list[Fields], dialect: str) -> Iterator[str]:
    if not is_text(body.get("model")):
        yield "there is no model"
    functions = [fields(tool.get("function")) for tool in items(body.get("tools"))]
    yield from check_schemas([(function.get("name"), function.get("parameters")) for function in functions])
    if "tools" in body and not functions:
        yield "an empty list of tools"
    if not functions and body.get("tool_choice") is not None:
        yield "a choice of tools without tools"
    if not functions and body.get("parallel_tool_calls") is not None:
        yield "parallel_tool_calls without tools"
    for name in ("max_tokens", "max_completion_tokens"):
        limit = body.get(name)
        if limit is not None and (not isinstance(limit, int) or limit < 1):
            yield f"{name} is {limit!r}"
    if dialect == "mistral":
        for number, message in enumerate(messages):
            if message.get("role") == "tool" and not is_text(message.get("content")):
                yield f"message {number}: an empty result"
