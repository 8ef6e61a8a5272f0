"""Anthropic's messages."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Final

from runner.testing.wire.reading import TOOL_NAME, Fields, check_schemas, fields, is_text, items

_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_THOUGHTS: Final = frozenset({"thinking", "redacted_thinking"})
_BLOCKS: Final[dict[str, frozenset[str]]] = {
    "user": frozenset({"text", "image", "document", "tool_result"}),
    "assistant": frozenset({"text", "tool_use"}) | _THOUGHTS,
}
_MOST_MARKS: Final = 4


def check_anthropic(body: Fields) -> list[str]:
    messages = items(body.get("messages"))
    return [
        *_check_frame(body),
        *_check_turns(messages),
        *_check_blocks(messages),
        *_check_pairs(messages),
        *_check_thinking(body, messages),
    ]


def _blocks(message: Fields) -> list[Fields]:
    content = message.get("content")
    return [{"type": "text", "text": content}] if isinstance(content, str) else items(content)


def _of(message: Fields, kind: str) -> list[Fields]:
    return [block for block in _blocks(message) if block.get("type") == kind]


def _check_frame(body: Fields) -> Iterator[str]:
    if not is_text(body.get("model")):
        yield "there is no model"
    limit = body.get("max_tokens")
    if not isinstance(limit, int) or limit < 1:
        yield f"max_tokens is {limit!r}"
    system = body.get("system")
    if system is not None:
        parts = [{"text": system}] if isinstance(system, str) else items(system)
        if not parts or not all(is_text(part.get("text")) for part in parts):
            yield "the system prompt is empty"
    tools = items(body.get("tools"))
    yield from check_schemas([(tool.get("name"), tool.get("input_schema")) for tool in tools])
    messages = items(body.get("messages"))
    if not tools and any(_of(message, "tool_use") or _of(message, "tool_result") for message in messages):
        yield "calls or results in a request that defines no tools"
    if not tools and body.get("tool_choice") is not None:
        yield "a choice of tools without tools"
    marked = [*items(system), *tools, *(block for message in messages for block in _blocks(message))]
    if sum("cache_control" in block for block in marked) > _MOST_MARKS:
        yield f"more than {_MOST_MARKS} marks for the cache"


def _check_turns(messages: list[Fields]) -> Iterator[str]:
    if not messages:
        yield "there is no message"
        return
    roles = [message.get("role") for message in messages]
    for number, role in enumerate(roles):
        if role not in _BLOCKS:
            yield f"message {number} has the role {role!r}"
    if roles[0] != "user":
        yield "the first message is not the user's"
    if roles[-1] != "user":
        yield "the last message is not the user's"
    for number, (before, after) in enumerate(itertools.pairwise(roles)):
        if before == after:
            yield f"messages {number} and {number + 1} have the same role"


def _check_blocks(messages: list[Fields]) -> Iterator[str]:
    for number, message in enumerate(messages):
        blocks = _blocks(message)
        if not blocks:
            yield f"message {number} is empty"
        for block in blocks:
            kind = str(block.get("type"))
            if kind not in _BLOCKS.get(str(message.get("role")), frozenset()):
                yield f"message {number}: a {kind} block in a message of the {message.get('role')}"
            if kind == "text" and not is_text(block.get("text")):
                yield f"message {number}: an empty text"
            if kind == "thinking" and not (is_text(block.get("signature")) and isinstance(block.get("thinking"), str)):
                yield f"message {number}: a thought without a signature"
            if kind == "redacted_thinking" and not is_text(block.get("data")):
                yield f"message {number}: a redacted thought without its data"
        if blocks and blocks[-1].get("type") in _THOUGHTS:
            yield f"message {number} ends with a thought"


def _check_pairs(messages: list[Fields]) -> Iterator[str]:
    seen: set[str] = set()
    open_calls: list[str] = []
    for number, message in enumerate(messages):
        results = [str(block.get("tool_use_id")) for block in _of(message, "tool_result")]
        if sorted(results) != sorted(open_calls):
            yield f"message {number} answers {results} where {open_calls} are open"
        kinds = [block.get("type") == "tool_result" for block in _blocks(message)]
        if kinds != sorted(kinds, reverse=True):
            yield f"message {number}: something comes before the results"
        open_calls = []
        for block in _of(message, "tool_use"):
            call_id = str(block.get("id"))
            if not _ID.fullmatch(call_id):
                yield f"message {number}: the id {call_id!r} is not in Anthropic's format"
            if call_id in seen:
                yield f"message {number}: the id {call_id!r} is used twice"
            seen.add(call_id)
            open_calls.append(call_id)
            if not TOOL_NAME.fullmatch(str(block.get("name"))):
                yield f"message {number}: a call of {block.get('name')!r}"
            if not isinstance(block.get("input"), dict):
                yield f"message {number}: arguments that are no object"
    if open_calls:
        yield f"calls without a result at the end: {', '.join(open_calls)}"


def _check_thinking(body: Fields, messages: list[Fields]) -> Iterator[str]:
    thinking = fields(body.get("thinking"))
    if thinking.get("type") not in ("enabled", "adaptive"):
        return
    budget, limit = thinking.get("budget_tokens"), body.get("max_tokens")
    if isinstance(budget, int) and isinstance(limit, int) and not 1024 <= budget < limit:
        yield f"thinking with {budget} tokens of {limit}"
    if body.get("temperature") not in (None, 1):
        yield "thinking with a temperature"
    if fields(body.get("tool_choice")).get("type") in ("any", "tool"):
        yield "thinking with a forced call"
    last = _last_call_of_turn(messages)
    if last is not None and _blocks(messages[last])[0].get("type") not in _THOUGHTS:
        yield f"message {last}: no thought before the call, with thinking enabled"


def _last_call_of_turn(messages: list[Fields]) -> int | None:
    """The last message with calls of the turn that goes on; words of the user's beside results do not end it."""
    for number in range(len(messages) - 1, -1, -1):
        if _of(messages[number], "tool_use"):
            return number
        if messages[number].get("role") == "user" and not _of(messages[number], "tool_result"):
            return None
    return None
