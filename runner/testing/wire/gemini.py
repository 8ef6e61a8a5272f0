"""Gemini's generateContent. Field names may come in either spelling, as protocol buffers in JSON allow."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Iterator
from typing import Any, Final

from runner.testing.wire.reading import Fields, check_schemas, fields, is_text, items

PLACEHOLDER: Final = base64.b64encode(b"skip_thought_signature_validator").decode()
"""The documented stand-in for a signature, for calls that another model made."""

_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")
_WITH_SIGNATURES: Final = 3
"""Models from this generation on refuse a call without a signature, and earlier ones a call with an id."""


def field(part: Fields, name: str) -> Any:
    """A field by its camel-case name, however it is written."""
    if name in part:
        return part[name]
    return part.get(re.sub(r"[A-Z]", lambda found: "_" + found[0].lower(), name))


def calls_of(content: Fields) -> list[tuple[Fields, str]]:
    """(call, signature) of each part of a message that is a call; "" without a signature."""
    parts = [part for part in items(content.get("parts")) if field(part, "functionCall") is not None]
    return [(fields(field(part, "functionCall")), str(field(part, "thoughtSignature") or "")) for part in parts]


def _results_of(content: Fields) -> list[Fields]:
    parts = items(content.get("parts"))
    return [fields(field(part, "functionResponse")) for part in parts if field(part, "functionResponse") is not None]


def check_gemini(body: Fields, model: str = "") -> list[str]:
    contents = items(body.get("contents"))
    generation = _generation(model)
    return [
        *_check_frame(body, model),
        *_check_turns(contents),
        *_check_parts(contents),
        *_check_pairs(contents),
        *(_check_signatures(contents) if generation >= _WITH_SIGNATURES else _check_no_ids(contents)),
    ]


def _generation(model: str) -> int:
    found = re.search(r"gemini-(\d+)", model)
    return int(found[1]) if found else 0


def _check_frame(body: Fields, model: str) -> Iterator[str]:
    if not model:
        yield "there is no model"
    system = field(body, "systemInstruction")
    if system is not None and not all(is_text(part.get("text")) for part in items(fields(system).get("parts"))):
        yield "the system prompt is empty"
    declared = [
        (tool.get("name"), tool.get("parameters"))
        for group in items(body.get("tools"))
        for tool in items(field(group, "functionDeclarations"))
    ]
    yield from check_schemas(declared)
    if not declared and field(body, "toolConfig") is not None:
        yield "a choice of tools without tools"


def _check_turns(contents: list[Fields]) -> Iterator[str]:
    if not contents:
        yield "there is no message"
        return
    roles = [content.get("role") for content in contents]
    for number, role in enumerate(roles):
        if role not in ("user", "model"):
            yield f"message {number} has the role {role!r}"
    if roles[0] != "user":
        yield "the first message is not the user's"
    if roles[-1] != "user":
        yield "the last message is not the user's"
    for number, (before, after) in enumerate(itertools.pairwise(roles)):
        if before == after == "model":
            yield f"messages {number} and {number + 1} are both the model's"


def _check_parts(contents: list[Fields]) -> Iterator[str]:
    for number, content in enumerate(contents):
        parts = items(content.get("parts"))
        if not parts:
            yield f"message {number} is empty"
        for part in parts:
            if "text" in part and not part["text"]:
                yield f"message {number}: an empty text"
        for call, _ in calls_of(content):
            if content.get("role") != "model":
                yield f"message {number}: a call that is not the model's"
            if not _NAME.fullmatch(str(call.get("name"))):
                yield f"message {number}: a call of {call.get('name')!r}"
            if not isinstance(call.get("args", {}), dict):
                yield f"message {number}: arguments that are no object"
        for result in _results_of(content):
            if content.get("role") == "model":
                yield f"message {number}: a result that the model gives"
            if not isinstance(result.get("response"), dict):
                yield f"message {number}: a result that is no object"


def _check_pairs(contents: list[Fields]) -> Iterator[str]:
    """As many results as calls, in the very next message, with the same names, and the same ids where there are any."""
    waiting: list[Fields] = []
    for number, content in enumerate(contents):
        results = _results_of(content)
        wanted = sorted(str(call.get("name")) for call in waiting)
        given = sorted(str(result.get("name")) for result in results)
        if wanted != given:
            yield f"message {number} answers {given} where {wanted} are open"
        elif sorted(str(call.get("id")) for call in waiting) != sorted(str(result.get("id")) for result in results):
            yield f"message {number}: the ids of the results are not those of the calls"
        waiting = [call for call, _ in calls_of(content)]
        ids = [call["id"] for call in waiting if call.get("id")]
        if len(set(ids)) < len(ids):
            yield f"message {number}: two calls with one id"
    if waiting:
        yield f"calls without a result at the end: {', '.join(str(call.get('name')) for call in waiting)}"


def _check_signatures(contents: list[Fields]) -> Iterator[str]:
    """The first call of each step since the user's last words carries a signature."""
    start = max((n for n, content in enumerate(contents) if _is_words(content)), default=0)
    for number in range(start, len(contents)):
        calls = calls_of(contents[number])
        if calls and not calls[0][1]:
            yield f"message {number}: the first call has no signature"


def _check_no_ids(contents: list[Fields]) -> Iterator[str]:
    for number, content in enumerate(contents):
        if any("id" in one for one in (*(call for call, _ in calls_of(content)), *_results_of(content))):
            yield f"message {number}: an id, which this model does not know"


def _is_words(content: Fields) -> bool:
    return content.get("role") == "user" and any("text" in part for part in items(content.get("parts")))
