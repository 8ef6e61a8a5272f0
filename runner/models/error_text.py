"""What providers write into errors, made fit for a person: one line, their own words, no wrapping, no secrets."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from typing import Any, cast

LONGEST = 500
LONGEST_READ = 8_000
"""Characters of a text that are looked at: whole pages come as errors, and the patterns below are not for those."""

_WRAPPERS = re.compile(
    r"^(?:litellm\.\w+:\s*|\w+(?:Error|Exception)(?:\s+\w+)?\s*(?:-|:)\s*|Error code:\s*\d+\s*-\s*|Message:\s*)"
)
_TAILS = re.compile(
    r"\s*(?:Traceback \(most recent call last\)|Handle with `litellm|Original exception:|Received Model Group"
    r"|For more information check:|, Metadata: \{|LiteLLM Retried:).*",
    re.DOTALL,
)
_SECRETS = re.compile(
    r"(?:sk|pk|rk|gsk|xai|key|ghp|AIza)[-_][\w*.-]{6,}|AIza[\w-]{10,}|(?i:bearer)\s+[\w.~+/-]{8,}=*"
    r"|(?i:(?:api[-_]?key|access_token|token)=)[^\s&\"']+"
)
_OBJECT_ADDRESS = re.compile(r"\b\w+:<[\w.]+ object at 0x[0-9a-f]+>")
_BYTES = re.compile(r"""b(?P<quote>['"])(?P<inside>.*)(?P=quote)""", re.DOTALL)


def clean(text: str, secrets: Iterable[str] = ()) -> str:
    """One line without vendors' prefixes, bytes reprs, markup, tracebacks, object addresses and keys."""
    secrets = [secret for secret in secrets if len(secret) >= 4]
    for secret in secrets:
        text = text.replace(secret, "***")
    text = _unquote_bytes(text.strip()[:LONGEST_READ])
    text = _TAILS.sub("", text)
    while (shorter := _WRAPPERS.sub("", text, count=1)) != text:
        text = shorter
    if re.match(r"\s*<(?:!doctype|html|head|body)", text, re.IGNORECASE):
        text = _html_text(text)
    text = _OBJECT_ADDRESS.sub("", text)
    for secret in secrets:
        text = text.replace(secret, "***")
    text = _SECRETS.sub("***", text)
    text = "".join(mark if mark.isprintable() else " " for mark in text)
    text = re.sub(r"\s+", " ", text).strip()
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _html_text(text: str) -> str:
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    return unescape(title[1] if title else re.sub(r"<[^>]*>", " ", text))


def _unquote_bytes(text: str) -> str:
    """The text behind a bytes repr that somebody formatted into a message."""
    found = _BYTES.search(text)
    if found is None:
        return text
    try:
        value: object = ast.literal_eval(found[0])
    except (ValueError, SyntaxError):
        return text
    inside = value.decode("utf-8", errors="replace") if isinstance(value, bytes) else found["inside"]
    return text[: found.start()] + inside + text[found.end() :]


def fields_of(bodies: Iterable[Mapping[str, Any]]) -> tuple[frozenset[str], str, float | None]:
    """(codes in lower case, the provider's own words, seconds to wait) out of the bodies of errors, innermost first."""
    codes: set[str] = set()
    message, delay = "", None
    for body in bodies:
        for found in _layers(_flatten(body)):
            codes.update(_codes(found))
            message = message or _message(found)
            delay = delay or _google_delay(found)
    return frozenset(codes), message, delay


def bodies_of(error: BaseException) -> Iterator[Mapping[str, Any]]:
    """The JSON objects an error carries, as an attribute or inside its text."""
    carried: object = getattr(error, "body", None)
    if isinstance(carried, Mapping):
        yield cast("Mapping[str, Any]", carried)
    for name in ("body", "message", ""):
        source: object = getattr(error, name, None) if name else str(error)
        if isinstance(source, str) and (found := json_inside(source)) is not None:
            yield found


def json_inside(text: str) -> Mapping[str, Any] | None:
    """The first JSON object in a text; None where there is none."""
    text = _unquote_bytes(text)
    start = text.find("{")
    if start < 0:
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(text[start:])
    except ValueError:
        return None
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else None


def _flatten(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object that describes the error: most providers put it under "error"."""
    inner: object = body.get("error")
    if isinstance(inner, Mapping):
        return cast("Mapping[str, Any]", inner)
    return body


def _codes(found: Mapping[str, Any]) -> Iterator[str]:
    for name in ("code", "type", "status"):
        value: object = found.get(name)
        if isinstance(value, str) and value:
            yield value.lower()
    for detail in _details(found):
        violations: object = detail.get("violations")
        if isinstance(detail.get("reason"), str):
            yield str(detail["reason"]).lower()
        if isinstance(violations, list):
            for item in cast("list[Any]", violations):
                if isinstance(item, Mapping):
                    yield str(cast("Mapping[str, Any]", item).get("quotaId", "")).lower()


def _details(found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Google's list of details: https://google.aip.dev/193."""
    details: object = found.get("details")
    if isinstance(details, list):
        for detail in cast("list[Any]", details):
            if isinstance(detail, Mapping):
                yield cast("Mapping[str, Any]", detail)


def _google_delay(found: Mapping[str, Any]) -> float | None:
    for detail in _details(found):
        value: object = detail.get("retryDelay")
        if isinstance(value, str) and value.endswith("s"):
            try:
                return max(0.0, float(value[:-1]))
            except ValueError:
                return None
    return None


def _layers(found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The description, after the one it hides: OpenRouter quotes the provider behind it under metadata.raw."""
    metadata: object = found.get("metadata")
    raw: object = cast("Mapping[str, Any]", metadata).get("raw") if isinstance(metadata, Mapping) else None
    if isinstance(raw, str) and raw.strip():
        inner = json_inside(raw)
        yield _flatten(inner) if inner is not None else {"message": raw}
    yield found


def _message(found: Mapping[str, Any]) -> str:
    for name in ("message", "detail", "error"):
        value: object = found.get(name)
        if isinstance(value, str) and value.strip():
            return value
    return ""
