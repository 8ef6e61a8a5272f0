"""What each dialect accepts as a history: formats of ids, pairing and order."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from runner.models.providers import Dialect

_ID_FORMATS: Final[Mapping[Dialect, re.Pattern[str]]] = {
    # OpenAI refuses ids of more than 40 characters.
    "openai": re.compile(r"[!-~]{1,40}"),
    "anthropic": re.compile(r"[a-zA-Z0-9_-]{1,64}"),
    # Gemini has no ids of its own; litellm hides a thought signature of any length in them.
    "gemini": re.compile(r"[!-~]+"),
    "mistral": re.compile(r"[a-zA-Z0-9]{9}"),
}
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def valid_id(call_id: str, dialect: Dialect) -> bool:
    return _ID_FORMATS[dialect].fullmatch(call_id) is not None


def tool_name(name: str) -> str:
    """A name that every provider accepts; models sometimes call tools by names that no request may repeat."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64] or "unnamed_tool"


def make_id(seed: str, dialect: Dialect, taken: Callable[[str], bool]) -> str:
    """An id in the dialect's format, the same for the same seed, and not yet taken."""
    salt = 0
    while True:
        text = f"{seed}#{salt}" if salt else seed
        if dialect == "mistral":
            number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
            made = ""
            for _ in range(9):
                number, digit = divmod(number, len(_LETTERS))
                made += _LETTERS[digit]
        elif valid_id(text, "anthropic") and len(text) <= 40:
            made = text
        else:
            made = "call_" + hashlib.sha256(text.encode()).hexdigest()[:24]
        if not taken(made):
            return made
        salt += 1


def no_constant(name: str) -> object:
    """For json.loads: NaN and Infinity, which Python would read and no provider does."""
    raise ValueError(f"{name} is no JSON")


def check_request(messages: Sequence[Mapping[str, Any]], dialect: Dialect) -> list[str]:
    """What a provider of this dialect would refuse in these OpenAI messages; an empty list for a valid request."""
    return [*_check_shape(messages), *_check_calls(messages, dialect), *_check_order(messages, dialect)]


def _role(message: Mapping[str, Any]) -> str:
    return str(message.get("role"))


def _calls(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return cast("list[Mapping[str, Any]]", message.get("tool_calls") or [])


def _check_shape(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not any(_role(message) == "user" for message in messages):
        yield "there is no user message"
    for number, message in enumerate(messages):
        role, content = _role(message), message.get("content")
        if role not in {"system", "user", "assistant", "tool"}:
            yield f"message {number} has the unknown role {role!r}"
        if role == "system" and number != 0:
            yield f"message {number}: a system message is not the first"
        if role in {"user", "system"} and not (isinstance(content, str) and content.strip()):
            yield f"message {number}: the {role} message is empty"
        if role == "tool" and not isinstance(content, str):
            yield f"message {number}: the result is no text"
        if role == "assistant" and not content and not _calls(message):
            yield f"message {number}: the assistant message is empty"
        if isinstance(content, str) and not _encodable(content):
            yield f"message {number}: text that UTF-8 cannot carry"


def _check_calls(messages: Sequence[Mapping[str, Any]], dialect: Dialect) -> Iterator[str]:
    seen: set[str] = set()
    open_calls: list[str] = []
    for number, message in enumerate(messages):
        if _role(message) == "tool":
            result_of = str(message.get("tool_call_id"))
            if result_of not in open_calls:
                yield f"message {number}: a result for {result_of!r}, which is not an open call"
            else:
                open_calls.remove(result_of)
            continue
        if open_calls:
            yield f"message {number}: calls without a result before it: {', '.join(open_calls)}"
            open_calls = []
        if dialect == "gemini" and len(_calls(message)) > 1 and _has_twins(_calls(message)):
            yield f"message {number}: two equal calls, of which litellm sends one"
        for call in _calls(message):
            call_id = str(call.get("id"))
            if call_id in seen:
                yield f"message {number}: the id {call_id!r} is used twice"
            if not valid_id(call_id, dialect):
                yield f"message {number}: the id {call_id!r} is not in the format of {dialect}"
            seen.add(call_id)
            open_calls.append(call_id)
            yield from _check_function(number, cast("Mapping[str, Any]", call.get("function") or {}))
    if open_calls:
        yield f"calls without a result at the end: {', '.join(open_calls)}"


def _has_twins(calls: Sequence[Mapping[str, Any]]) -> bool:
    asked = [json.dumps(_function(call), sort_keys=True) for call in calls]
    return len(set(asked)) < len(asked)


def _function(call: Mapping[str, Any]) -> list[object]:
    """Name and arguments, however the arguments are written."""
    function = cast("Mapping[str, Any]", call.get("function") or {})
    text = str(function.get("arguments"))
    try:
        arguments: object = json.loads(text)
    except (ValueError, RecursionError):
        arguments = text
    return [function.get("name"), arguments]


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_function(number: int, function: Mapping[str, Any]) -> Iterator[str]:
    name = str(function.get("name"))
    if not _NAME.fullmatch(name):
        yield f"message {number}: a call of {name!r}, which cannot be a tool's name"
    try:
        arguments: object = json.loads(str(function.get("arguments")), parse_constant=no_constant)
    except (ValueError, RecursionError):
        yield f"message {number}: arguments that are not JSON"
        return
    if not isinstance(arguments, dict):
        yield f"message {number}: arguments that are no object"


def _check_order(messages: Sequence[Mapping[str, Any]], dialect: Dialect) -> Iterator[str]:
    turns = [message for message in messages if _role(message) != "system"]
    if turns and dialect != "openai" and _role(turns[0]) != "user":
        yield f"{dialect} wants a user message first"
    if turns and dialect != "openai" and _role(turns[-1]) == "assistant":
        yield f"{dialect} wants no assistant message last"
    for before, after in itertools.pairwise(turns):
        pair = (_role(before), _role(after))
        if dialect == "mistral" and pair == ("tool", "user"):
            yield "mistral wants an assistant message between a tool result and a user message"
        if dialect != "openai" and pair == ("assistant", "assistant"):
            yield f"{dialect} wants no two assistant messages in a row"
