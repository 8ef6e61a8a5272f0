"""The pace of a run in words: what it spends a minute, and which limit comes first. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from runner.state import RunState
from runner.state.pace import Ahead, Pace, pace
from tui.render.limits import limit_name
from tui.words import about, about_money, span

SOON: Final = 300.0
"""Seconds: a limit that is reached sooner is told on the status line."""

NEAR: Final = 0.8
"""The used part of a limit from which it is told there, however far away its end is."""

_TOKENS: Final = frozenset({"max_total_tokens", "max_input_tokens", "max_output_tokens"})
_PER_MINUTE: Final = {"max_turns": "turns", "max_model_requests": "requests", "max_tool_calls": "tool calls"}


def near_words(run: RunState, now: float) -> str:
    """The limit of a run that is told on the status line; "" where none is near."""
    return near_limit(pace(run, now))


def near_limit(found: Pace) -> str:
    """The limit that is reached within minutes, or nearly used up; "" where there is none."""
    nearest = found.nearest
    if nearest is not None and nearest.seconds is not None and nearest.seconds < SOON:
        return ahead_words(nearest)
    fullest = max(found.ahead, key=lambda ahead: ahead.share, default=None)
    return ahead_words(fullest) if fullest is not None and fullest.share > NEAR else ""


def ahead_words(ahead: Ahead) -> str:
    """A limit and when it comes: "cost limit in ~4 min", "time limit in 40 s", "84 % of the turn limit"."""
    name = limit_name(ahead.limit)
    if ahead.seconds is None:
        return f"{_percent(ahead)} of the {name}"
    if ahead.seconds <= 0:
        return f"{name} reached"
    if ahead.exact:
        return f"{name} in {span(ahead.seconds)}"
    # What nobody knows to the second does not count down by seconds.
    return f"{name} in ~{span(max(10, round(ahead.seconds, -1)) if ahead.seconds < 90 else ahead.seconds)}"


def nearest_words(found: Pace) -> str:
    """The limit that comes first, for the meters: when, and how much of it is used."""
    if not found.ahead:
        return "—"
    first = found.nearest or max(found.ahead, key=lambda ahead: ahead.share)
    said = ahead_words(first)
    return said if not first.seconds or first.exact else f"{said} · {_percent(first)}"


def _percent(ahead: Ahead) -> str:
    """Never 100 % before it is reached."""
    return f"{min(int(ahead.share * 100), 100 if ahead.share >= 1 else 99)} %"


def rate_words(found: Pace) -> str:
    """What a minute of work costs, "—" where it is too early to say."""
    if found.tokens_per_min is None:
        return "—"
    money = "cost unknown" if found.usd_per_min is None else f"{about_money(found.usd_per_min)}/min"
    return f"{money} · {about(int(found.tokens_per_min))} tokens/min"


def limit_rate(found: Pace, limit: str) -> str:
    """What of a limit a minute of work uses, in one sentence; "" where nothing is known."""
    ahead = found.of(limit)
    if ahead is None or not ahead.per_minute:
        return ""
    return f"this run uses {_amount(limit, ahead.per_minute)} a minute"


def _amount(limit: str, amount: Decimal) -> str:
    if limit == "max_cost_usd":
        return about_money(amount)
    if limit in _TOKENS:
        return f"{about(int(amount))} tokens"
    return f"~{float(amount):.2g} {_PER_MINUTE.get(limit, '')}".rstrip()
