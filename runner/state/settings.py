"""Reasoning effort and temperature of a run, folded from its events."""

from __future__ import annotations

from dataclasses import dataclass

from runner.changed import changed
from runner.events import LeftOut, SettingsChanged, SettingsLeftOut
from runner.messages import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the next request asks for, None = the provider's default; left_out: what the last ones were sent without."""

    effort: str | None = None
    temperature: float | None = None
    left_out: tuple[LeftOut, ...] = ()


def asked_in(config: JsonObject) -> Asked:
    """What a run began with, by its run_started."""
    effort, temperature = config.get("effort"), config.get("temperature")
    known = isinstance(temperature, int | float) and not isinstance(temperature, bool)
    return Asked(effort=effort if isinstance(effort, str) else None, temperature=temperature if known else None)


def asked_after(asked: Asked, event: SettingsChanged | SettingsLeftOut) -> Asked:
    if isinstance(event, SettingsLeftOut):
        return changed(asked, left_out=event.left_out)
    return Asked(effort=event.effort, temperature=event.temperature)
