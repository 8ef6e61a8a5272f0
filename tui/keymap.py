"""Keys of actions: the defaults, the user's changes, and what is wrong with those. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from runner.errors import ConfigError
from tui.actions import ACTIONS, BY_ID, TYPED, Action

_MODIFIERS = ("ctrl", "alt", "shift", "super")
_NAMED = frozenset(
    [
        *("up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete"),
        *("backspace", "enter", "escape", "tab", "space"),
        *(f"f{number}" for number in range(1, 25)),
    ]
)
_SAME_BYTE = {
    "ctrl+i": "tab",
    "ctrl+m": "enter",
    "ctrl+h": "backspace",
    "ctrl+left_square_bracket": "escape",
}
"""Keys that most terminals cannot tell from another one."""

_PUNCTUATION = {
    "\\": "backslash",
    "[": "left_square_bracket",
    "]": "right_square_bracket",
    "?": "question_mark",
    "/": "slash",
    "@": "at",
    ".": "full_stop",
    ",": "comma",
    "-": "minus",
    "_": "underscore",
    "=": "equals_sign",
    ";": "semicolon",
    "'": "apostrophe",
    "`": "grave_accent",
    "^": "circumflex_accent",
}
_NAMES = frozenset((*_PUNCTUATION.values(), "plus"))
"""The sign of plus joins the parts of a key, so that key is written by its name."""
_SHOWN = {name: sign for sign, name in _PUNCTUATION.items()} | {
    "pageup": "page up",
    "pagedown": "page down",
    "escape": "esc",
    "plus": "+",
}
_WORD = re.compile(r"[a-zA-Z0-9]")


@dataclass(frozen=True, slots=True)
class Keymap:
    """The keys in force, for each action."""

    keys: Mapping[str, tuple[str, ...]]

    def of(self, action_id: str) -> tuple[str, ...]:
        return self.keys.get(action_id, ())

    def show(self, action_id: str) -> str:
        """The first key of an action as people write it, "" where it has none."""
        keys = self.of(action_id)
        return shown(keys[0]) if keys else ""


def shown(key: str) -> str:
    """A key as people write it: "ctrl+\\", "page up", "esc"."""
    *modifiers, name = key.split("+")
    return "+".join((*modifiers, _SHOWN.get(name, name)))


def keymap(changes: Mapping[str, str] | None = None, *, where: str = "keys") -> Keymap:
    """The default keys with the user's changes: `{action id: "key,key"}`, an empty text for no key.

    Raises ConfigError for an unknown action, a key that cannot work, a clash, or a reserved key.
    """
    keys = {action.id: action.keys for action in ACTIONS}
    for action_id, text in (changes or {}).items():
        place = f"{where}.{action_id}"
        action = BY_ID.get(action_id)
        if action is None:
            close = get_close_matches(action_id, BY_ID, n=1)
            hint = f'did you mean "{close[0]}"?' if close else f"one of {', '.join(BY_ID)}"
            raise ConfigError("there is no action of this name", where=place, expected=hint)
        keys[action_id] = tuple(_parse(part, action, place) for part in _split(text))
        if action.reserved and not keys[action_id]:
            raise ConfigError(f"{action.name} cannot be left without a key", where=place, expected="at least one key")
    _make_way(keys, frozenset(changes or ()))
    _check_clashes(keys, where)
    return Keymap(keys)


def _make_way(keys: dict[str, tuple[str, ...]], changed: frozenset[str]) -> None:
    """A key that a person gave to an action is taken from a default that has another one, so that none is lost."""
    for action_id in changed:
        for other_id, others in keys.items():
            one, other = BY_ID[action_id], BY_ID[other_id]
            if other_id in changed or other.reserved or not _together(one, other):
                continue
            left = tuple(key for key in others if key not in keys[action_id])
            if left:
                keys[other_id] = left


def _split(text: str) -> Iterable[str]:
    # A comma separates keys, so the comma key itself is written by its name.
    return (part.strip() for part in text.split(",") if part.strip())


def _parse(text: str, action: Action, place: str) -> str:
    # A capital letter alone is a key of its own: terminals send it instead of shift with the letter.
    *modifiers, name = text.lower().split("+") if len(text) > 1 else [text]
    name = _PUNCTUATION.get(name, name)
    known = name in _NAMED or name in _NAMES or (len(name) == 1 and _WORD.match(name) is not None)
    if not known or any(modifier not in _MODIFIERS for modifier in modifiers):
        raise ConfigError(f"{text!r} is not a key", where=place, expected='a key such as "ctrl+o", "f5" or "alt+up"')
    key = "+".join((*sorted(modifiers, key=_MODIFIERS.index), name))
    if key in _SAME_BYTE:
        raise ConfigError(f"terminals send {shown(key)} as {_SAME_BYTE[key]}", where=place, expected="another key")
    printable = not [modifier for modifier in modifiers if modifier != "shift"] and (
        len(name) == 1 or name in _NAMES or name == "space"
    )
    if printable and action.scope in TYPED:
        raise ConfigError(
            f"{text!r} is needed for writing", where=place, expected="a key with ctrl or alt, or f1 to f24"
        )
    return key


def _check_clashes(keys: Mapping[str, tuple[str, ...]], where: str) -> None:
    owners: dict[str, list[Action]] = {}
    for action_id, own in keys.items():
        for key in own:
            owners.setdefault(key, []).append(BY_ID[action_id])
    for key, actions in owners.items():
        for index, one in enumerate(actions):
            for other in actions[index + 1 :]:
                if not _together(one, other):
                    continue
                reserved = one if one.reserved else other if other.reserved else None
                taken = other if reserved is one else one
                if reserved is not None:
                    problem = f"{shown(key)} is reserved for {reserved.name} and cannot also mean {taken.name}"
                    raise ConfigError(problem, where=f"{where}.{taken.id}", expected="another key")
                problem = f"{shown(key)} means both {one.name} ({one.id}) and {other.name} ({other.id})"
                raise ConfigError(problem, where=f"{where}.{other.id}", expected="one action for each key")


def _together(one: Action, other: Action) -> bool:
    """Whether the keys of both can be meant at the same moment."""
    scopes, others = {one.scope, *one.also}, {other.scope, *other.also}
    return bool(scopes & others) or "app" in scopes | others
