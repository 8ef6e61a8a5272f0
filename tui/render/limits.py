"""Limits and what is used of them, in words for people. Amounts are in a limit's own unit."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from runner.events import LimitChanged, LimitReached, LimitWarning
from tui import words
from tui.render.clean import Clean, clean

LIMITS: Final = {
    "max_turns": "turns",
    "max_time": "active time",
    "max_wall_time": "time",
    "max_model_requests": "model requests",
    "max_tool_calls": "tool calls",
    "max_input_tokens": "input tokens",
    "max_output_tokens": "output tokens",
    "max_total_tokens": "tokens",
    "max_cost_usd": "cost",
    "timeout_per_turn": "time for an answer",
    "first_token_timeout": "wait for a first token",
    "stream_idle_timeout": "silence in an answer",
    "tool_timeout": "time for a tool call",
}
"""What each limit counts."""

_NAMES: Final = {
    "max_turns": "turn limit",
    "max_time": "time limit",
    "max_wall_time": "total time limit",
    "max_model_requests": "request limit",
    "max_tool_calls": "tool call limit",
    "max_input_tokens": "input token limit",
    "max_output_tokens": "output token limit",
    "max_total_tokens": "token limit",
    "max_cost_usd": "cost limit",
    "timeout_per_turn": "timeout for an answer",
    "first_token_timeout": "timeout for a first token",
    "stream_idle_timeout": "timeout for silence",
    "tool_timeout": "timeout for a tool call",
}

SECONDS: Final = frozenset(
    {"max_time", "max_wall_time", "timeout_per_turn", "first_token_timeout", "stream_idle_timeout", "tool_timeout"}
)
_TOKENS: Final = frozenset({"max_input_tokens", "max_output_tokens", "max_total_tokens"})


def limit_name(limit: str) -> str:
    """A limit as people call it: "cost limit"."""
    return _NAMES.get(limit, limit.replace("_", " "))


def quantity(limit: str, amount: Decimal) -> str:
    """An amount with its unit where it has one: "$2.50", "5 min 00 s", "80,000"."""
    if limit == "max_cost_usd":
        return words.money(amount)
    if limit in SECONDS:
        return words.duration(float(amount))
    return f"{amount.normalize():,f}" if amount else "0"


def estimate(limit: str, amount: Decimal) -> str:
    """The same of an estimate, marked as one."""
    if limit == "max_cost_usd":
        return words.about_money(amount)
    return words.about(int(amount)) if limit in _TOKENS else f"~{quantity(limit, amount)}"


def used_of(limit: str, used: Decimal, value: Decimal) -> str:
    """How much of a limit is used: "$1.20 of $1.00", "8 of 10 turns"."""
    return f"{quantity(limit, used)} of {quantity(limit, value)}{_unit(limit)}"


def _unit(limit: str) -> str:
    return "" if limit == "max_cost_usd" or limit in SECONDS else f" {LIMITS.get(limit, '')}".rstrip()


def limit_words(event: LimitReached) -> Clean:
    """One sentence: which limit, how much of it is used, and why nothing new starts."""
    name = limit_name(event.limit)
    used = used_of(event.limit, event.used, event.value)
    match event.why:
        case "next_request":
            needed = "" if event.needed is None else f" (its input: {estimate(event.limit, event.needed)})"
            text = f"The next request could pass the {name}{needed}: {used} used"
        case "unknown_price":
            value = quantity(event.limit, event.value)
            text = f"The {name} of {value} cannot be kept: the price of {event.model or 'the model'} is not known"
        case _:
            text = f"The {name} is reached: {used}"
    return clean(words.one_line(text))


def warning_words(event: LimitWarning) -> str:
    return f"The {limit_name(event.limit)} is near: {used_of(event.limit, event.used, event.value)}"


def changed_words(event: LimitChanged, by: str) -> str:
    """by: who changed it, for people."""
    old, value = ("off" if amount is None else quantity(event.limit, amount) for amount in (event.old, event.value))
    name = limit_name(event.limit)
    unit = "" if event.value is None else _unit(event.limit)
    return f"{name[:1].upper()}{name[1:]} changed by {by}: {old} → {value}{unit}"
