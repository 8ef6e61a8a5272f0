"""Limits as a person writes them: their short names, values with units, and the next sensible value. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from difflib import get_close_matches
from typing import Literal

from runner.control.commands import LimitName
from runner.events import LimitReached

Kind = Literal["count", "tokens", "seconds", "dollars"]
OFF = "off"
LARGEST = Decimal(10) ** 15
"""A higher limit says nothing that "off" does not say better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """word: what a person writes for it. what: what it bounds. first: a value to begin with where there is none."""

    name: LimitName
    word: str
    what: str
    kind: Kind
    first: Decimal
    zero: bool = True


LIMITS: tuple[Limit, ...] = (
    Limit(name="max_turns", word="turns", what="turns of the run", kind="count", first=Decimal(20)),
    Limit(name="max_cost_usd", word="cost", what="US dollars", kind="dollars", first=Decimal("0.50")),
    Limit(name="max_time", word="time", what="active time", kind="seconds", first=Decimal(300), zero=False),
    Limit(name="max_wall_time", word="wall-time", what="time", kind="seconds", first=Decimal(300), zero=False),
    Limit(name="max_total_tokens", word="tokens", what="tokens", kind="tokens", first=Decimal(100_000)),
    Limit(name="max_input_tokens", word="input", what="input tokens", kind="tokens", first=Decimal(100_000)),
    Limit(name="max_output_tokens", word="output", what="output tokens", kind="tokens", first=Decimal(20_000)),
    Limit(name="max_model_requests", word="requests", what="requests to models", kind="count", first=Decimal(50)),
    Limit(name="max_tool_calls", word="tool-calls", what="tool calls", kind="count", first=Decimal(50)),
    Limit(
        name="timeout_per_turn", word="turn-time", what="one response", kind="seconds", first=Decimal(600), zero=False
    ),
    Limit(
        name="first_token_timeout",
        word="first-token",
        what="the wait for a response to begin",
        kind="seconds",
        first=Decimal(30),
        zero=False,
    ),
    Limit(
        name="stream_idle_timeout",
        word="idle",
        what="a silence within a response",
        kind="seconds",
        first=Decimal(30),
        zero=False,
    ),
    Limit(name="tool_timeout", word="tool-time", what="one tool call", kind="seconds", first=Decimal(60), zero=False),
)
BY_NAME: dict[str, Limit] = {limit.name: limit for limit in LIMITS} | {limit.word: limit for limit in LIMITS}

_NUMBER = re.compile(r"(\d+(?:\.\d+)?|\.\d+)([km]?)")
_TIMES = re.compile(r"(?:(\d+(?:\.\d+)?) ?h)? ?(?:(\d+(?:\.\d+)?) ?m(?:in)?)? ?(?:(\d+(?:\.\d+)?) ?s?)?")
_SHARE = re.compile(r"\+(\d+)%")
_EXAMPLES: dict[Kind, str] = {
    "count": "a whole number such as 80",
    "tokens": "a whole number such as 200000 or 200k",
    "seconds": "a time such as 90, 10m or 1h30m",
    "dollars": "US dollars such as 2.50",
}


def find_limit(text: str) -> Limit:
    """Raises ValueError, in words for the person, where there is no such limit."""
    wanted = text.lower()
    found = BY_NAME.get(wanted) or BY_NAME.get(wanted.replace("_", "-"))
    if found is not None:
        return found
    close = get_close_matches(wanted, BY_NAME, n=1)
    hint = f'did you mean "{BY_NAME[close[0]].word}"?' if close else f"one of {', '.join(each.word for each in LIMITS)}"
    raise ValueError(f'there is no limit "{text}": {hint}')


def read_value(limit: Limit, text: str, current: Decimal | None = None) -> Decimal | None:
    """The value that was written, in the limit's own unit; None is off.

    Raises ValueError, in words for the person, where it is none.
    """
    written = text.strip().lower()
    if written == OFF:
        return None
    expected = f'{_EXAMPLES[limit.kind]}, or "{OFF}"'
    value = _raised(limit, written, current) or _plain(limit, written)
    if value is None:
        raise ValueError(f'"{text.strip()}" is no value for {limit.word}: write {expected}')
    if value > LARGEST:
        raise ValueError(f"{limit.word} cannot be that high: write {expected}")
    if value == 0 and not limit.zero:
        raise ValueError(f"{limit.word} cannot be 0: write {expected}")
    return value


def _raised(limit: Limit, written: str, current: Decimal | None) -> Decimal | None:
    found = _SHARE.fullmatch(written)
    if found is None or current is None:
        return None
    return _rounded(limit, current * (100 + Decimal(found[1])) / 100)


def _plain(limit: Limit, written: str) -> Decimal | None:
    if limit.kind == "seconds":
        return _seconds(written)
    bare = written.replace(",", "").replace("_", "")
    found = _NUMBER.fullmatch(bare.removeprefix("$") if limit.kind == "dollars" else bare)
    if found is None or (found[2] and limit.kind != "tokens"):
        return None
    value = Decimal(found[1]) * {"": 1, "k": 1_000, "m": 1_000_000}[found[2]]
    if limit.kind == "dollars":
        return value
    return value.to_integral_value() if value == value.to_integral_value() else None


def _seconds(written: str) -> Decimal | None:
    found = _TIMES.fullmatch(written)
    if found is None or not any(found.groups()):
        return None
    hours, minutes, seconds = (Decimal(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def next_value(asked: LimitReached) -> Decimal:
    """A sensible higher value: the double, and as often the double as the next request needs."""
    limit = BY_NAME[asked.limit]
    value = asked.value * 2 or limit.first
    while value <= asked.used or value < asked.used + (asked.needed or 0):
        value *= 2
    return _rounded(limit, value)


def as_written(limit: Limit, value: Decimal) -> str:
    """A value as it can be written, for a field: "2.50", "80"."""
    if limit.kind == "dollars":
        return f"{value:.2f}" if value == value.quantize(Decimal("0.01")) else f"{value.normalize():f}"
    return f"{value.normalize():f}"


def _rounded(limit: Limit, value: Decimal) -> Decimal:
    step = Decimal("0.01") if limit.kind == "dollars" and value >= Decimal("0.1") else Decimal(1)
    if limit.kind == "dollars" and value < Decimal("0.1"):
        return value
    return value.quantize(step, ROUND_CEILING)


def for_config(limits: Mapping[LimitName, Decimal | None]) -> dict[str, object]:
    """The limits with the types that RunConfig has."""
    found: dict[str, object] = {}
    for name, value in limits.items():
        kind = BY_NAME[name].kind
        if value is None or kind == "dollars":
            found[name] = value
        else:
            found[name] = float(value) if kind == "seconds" else int(value)
    return found
