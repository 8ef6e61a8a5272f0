"""Reasoning effort and temperature: which levels a model takes, and what is left out of a request, with the reason."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, Final, cast

from runner.events import LeftOut, Setting, WhyLeftOut
from runner.models.base import ModelInfo, ModelSettings
from runner.models.providers import dialect_of

LEVELS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""Every level of effort that any model knows, from none to the most."""

DEFAULT: Final = "default"
"""In the place of a level or a temperature: what the agent is configured with, else the provider's own."""

HIGHEST_TEMPERATURE: Final = 2.0

_SAMPLING: Final[tuple[Setting, ...]] = ("temperature", "top_p")
_USUAL: Final = ("low", "medium", "high")
_FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "anthropic": ("none", *_USUAL),
    "gemini": ("none", "minimal", *_USUAL),
    "vertex_ai": ("none", "minimal", *_USUAL),
    "openrouter": ("none", "minimal", *_USUAL, "xhigh"),
}
_GPT_5: Final = re.compile(r"gpt-5(?![.\d])")


def levels_of(provider: str, name: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    """The levels of a model in the table: those it lists, else its family's with what the table adds and takes away."""
    if entry.get("supports_reasoning") is not True:
        return ()
    listed: object = entry.get("reasoning_effort_levels")
    if isinstance(listed, list):
        return tuple(level for level in LEVELS if level in cast("list[object]", listed))
    known = _FAMILIES.get(provider, _USUAL)
    if provider == "openai" and _GPT_5.search(name):
        known = ("minimal", *_USUAL)
    if entry.get("thinking_always_on") is True:
        known = tuple(level for level in known if level != "none")
    flags = {level: entry.get(f"supports_{level}_reasoning_effort") for level in LEVELS}
    return tuple(level for level in LEVELS if flags[level] is True or (flags[level] is not False and level in known))


def effort_problem(effort: str, info: ModelInfo | None = None) -> str:
    """What is wrong with a level of effort, "" where it can be used. info: the model that it is for."""
    if effort == DEFAULT:
        return ""
    if effort not in LEVELS:
        near = get_close_matches(effort, LEVELS, n=1)
        meant = f"; did you mean {near[0]}?" if near else f"; it is one of {', '.join(LEVELS)}, {DEFAULT}"
        return f"no effort is called {effort!r}{meant}"
    if info is None or info.efforts is None or effort in info.efforts:
        return ""
    if not info.efforts:
        return f"{info.name} takes no reasoning effort"
    return f"{info.name} takes no effort {effort!r}; it takes {', '.join(info.efforts)}"


def temperature_problem(value: float) -> str:
    """What is wrong with a temperature, "" where it can be used; a model may still leave it out."""
    return "" if 0 <= value <= HIGHEST_TEMPERATURE else f"temperature is {value:g}; it is 0 to {HIGHEST_TEMPERATURE:g}"


def read_temperature(text: str) -> float | None:
    """The temperature that a person wrote, None for "default". Raises ValueError with what is wrong."""
    if text.strip().lower() == DEFAULT:
        return None
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        raise ValueError(f"{text.strip()!r} is no temperature; it is 0 to 2, or {DEFAULT}") from None
    problem = temperature_problem(value)
    if problem:
        raise ValueError(problem)
    return value


def predicted(info: ModelInfo, settings: ModelSettings) -> tuple[LeftOut, ...]:
    """What a request to this model would leave out by what is known beforehand; the request itself may add to it."""
    effort = settings.reasoning_effort
    why_effort = level_why(info, effort)
    why_sampling: WhyLeftOut | None = None
    if info.is_demo:
        why_sampling = "model"
    elif effort not in (None, "none") and why_effort is None and dialect_of(info.provider, info.name) == "anthropic":
        why_sampling = "thinking"
    elif refuses_sampling(info) and effort != "none":
        why_sampling = "reasoning"
    dropped: list[Setting] = []
    if why_effort is not None:
        dropped.append("effort")
    if why_sampling is not None:
        dropped += _SAMPLING
    return left_out(settings, dropped, effort=why_effort or "model", sampling=why_sampling or "model")


def refuses_sampling(info: ModelInfo) -> bool:
    """Whether the provider of this reasoning model refuses a temperature while it reasons."""
    return info.provider in ("openai", "moonshot") and info.reasoning is True and info.efforts is not None


def level_why(info: ModelInfo, effort: str | None) -> WhyLeftOut | None:
    """Why a level of effort is not sent to a model, None where it is or where there is none."""
    if effort is None or info.efforts is None or effort in info.efforts:
        return None
    return "level" if info.efforts else "model"


def left_out(
    settings: ModelSettings, dropped: Sequence[Setting], *, effort: WhyLeftOut, sampling: WhyLeftOut
) -> tuple[LeftOut, ...]:
    """Those of the settings that somebody set and that are not sent."""
    values = {
        "effort": settings.reasoning_effort,
        "temperature": None if settings.temperature is None else f"{settings.temperature:g}",
        "top_p": None if settings.top_p is None else f"{settings.top_p:g}",
    }
    return tuple(
        LeftOut(setting=setting, value=value, why=effort if setting == "effort" else sampling)
        for setting in dropped
        if (value := values[setting]) is not None
    )


def merged(own: ModelSettings, over: ModelSettings) -> ModelSettings:
    """The settings of over where set, else the others."""
    changes = {name: value for name in over.__slots__ if (value := getattr(over, name)) is not None}
    return replace(own, **changes)
