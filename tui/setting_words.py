"""Reasoning effort and temperature in words: what is asked for, what changed, and what is not sent."""

from __future__ import annotations

from runner.events import LeftOut, SettingsChanged, SettingsLeftOut
from runner.state.settings import Asked

_WHY = {
    "model": "the model does not take {it}",
    "level": "the model does not take that level",
    "reasoning": "a model that reasons takes none",
    "thinking": "not possible beside thinking",
    "forced_call": "thinking does not go with a forced call",
    "unsigned": "this turn began without signed thoughts",
    "output_limit": "the limit of output is too small for it",
    "repair": "the request is being repaired",
}


def left_out_words(missing: tuple[LeftOut, ...]) -> str:
    """Which settings are not sent, and why: "temperature 0.7 is not sent: it does not go with thinking"."""
    by_reason: dict[str, list[str]] = {}
    for each in missing:
        by_reason.setdefault(each.why, []).append(f"{each.setting.replace('_', ' ')} {each.value}")
    parts = [
        f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} not sent: "
        + _WHY.get(why, why).format(it="it" if len(names) == 1 else "them")
        for why, names in by_reason.items()
    ]
    return "; ".join(parts)


def setting_words(asked: Asked) -> str:
    """Effort and temperature where they are not the default: "effort high · temp 0.7 (not sent)"; "" where both are."""
    parts: dict[str, str] = {}
    if asked.effort is not None:
        parts["effort"] = f"effort {asked.effort}"
    if asked.temperature is not None:
        parts["temperature"] = f"temp {asked.temperature:g}"
    missing = parts.keys() & {each.setting for each in asked.left_out}
    if missing == parts.keys():
        return f"{' · '.join(parts.values())} (not sent)" if parts else ""
    return " · ".join(f"{words} (not sent)" if name in missing else words for name, words in parts.items())


def settings_words(event: SettingsChanged | SettingsLeftOut) -> tuple[str, str, str]:
    """Sign, sentence and colour of what happened to the settings."""
    if isinstance(event, SettingsLeftOut):
        said = left_out_words(event.left_out)
        return "!", f"{said[:1].upper()}{said[1:]} · {event.model}", "text.system"
    parts: list[str] = []
    if event.effort != event.old_effort:
        parts.append(f"Effort: {event.old_effort or 'default'} → {event.effort or 'default'}")
    if event.temperature != event.old_temperature:
        parts.append(f"Temperature: {_number(event.old_temperature)} → {_number(event.temperature)}")
    return "→", " · ".join(parts) or "Settings unchanged", "text.system"


def _number(value: float | None) -> str:
    return "default" if value is None else f"{value:g}"
