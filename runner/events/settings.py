"""Events about the settings of requests: reasoning effort and temperature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from runner.events.base import Event

Setting = Literal["effort", "temperature", "top_p"]
WhyLeftOut = Literal["model", "level", "reasoning", "thinking", "forced_call", "unsigned", "output_limit", "repair"]
"""Why a setting is not sent: the model does not take it; not this level of effort; it reasons and takes no sampling
settings; they do not go with thinking; thinking does not go with a forced call, with a turn that began without signed
thoughts, with so small a limit of output; the request is repaired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A setting that was asked for and is not sent. value: as a person writes it."""

    setting: Setting
    value: str
    why: WhyLeftOut


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChanged(Event):
    """From the next request on. effort, temperature: what is asked for from here on, None = the provider's default."""

    kind: Literal["settings_changed"] = "settings_changed"
    old_effort: str | None = None
    effort: str | None = None
    old_temperature: float | None = None
    temperature: float | None = None
    by: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsLeftOut(Event):
    """The open request, and those like it, are sent without these settings; said once for a model and its settings."""

    kind: Literal["settings_left_out"] = "settings_left_out"
    model: str = ""
    left_out: tuple[LeftOut, ...] = ()
