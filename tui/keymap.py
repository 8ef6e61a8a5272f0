"""Keys of actions: a preset, the user's changes, and what is wrong with those. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Literal

from runner.errors import ConfigError
from tui.actions import ACTIONS, BY_ID, ON_SCREENS, SHARED_ESCAPE, TYPED, Action, Scope
from tui.key_presets import PRESETS
from tui.settings.values import PresetName

Origin = Literal["default", "preset", "changed", "made way"]
"""Who says what the keys of an action are; made way: a key was given to another action, and it has one left."""

_MODIFIERS = ("alt", "ctrl", "shift", "super")
"""In the order in which the library names them."""

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
    "alt+f": "ctrl+right",
    "alt+b": "ctrl+left",
}
"""Keys that most terminals, or the library for the sake of some, cannot tell from another one."""

_PUNCTUATION = {
    "\\": "backslash",
    "[": "left_square_bracket",
    "]": "right_square_bracket",
    "{": "left_curly_bracket",
    "}": "right_curly_bracket",
    "(": "left_parenthesis",
    ")": "right_parenthesis",
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
    "<": "less_than_sign",
    ">": "greater_than_sign",
    ":": "colon",
    "!": "exclamation_mark",
    "*": "asterisk",
    "#": "number_sign",
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


class Keymap:
    """The keys in force, for each action. origins: who says so, where that is not the default."""

    def __init__(
        self,
        keys: Mapping[str, tuple[str, ...]],
        *,
        preset: PresetName = "default",
        origins: Mapping[str, Origin] | None = None,
    ) -> None:
        self.keys = keys
        self.preset: PresetName = preset
        self.origins = origins or {}
        self._meanings: dict[Scope, dict[str, str]] = {}

    def of(self, action_id: str) -> tuple[str, ...]:
        return self.keys.get(action_id, ())

    def show(self, action_id: str) -> str:
        """The first key of an action as people write it, "" where it has none."""
        keys = self.of(action_id)
        return shown(keys[0]) if keys else ""

    def meanings(self, scope: Scope) -> Mapping[str, str]:
        """The id of the action that each key of a scope means."""
        if scope not in self._meanings:
            own = [action.id for action in ACTIONS if action.scope == scope]
            self._meanings[scope] = {key: action_id for action_id in own for key in self.of(action_id)}
        return self._meanings[scope]

    @property
    def rows_first(self) -> bool:
        """Whether lists open in their lines and not in their filter, because letters alone move in them."""
        return any(is_typed(key) for key in self.of("list.down"))


def is_typed(key: str) -> bool:
    """Whether a key writes something where text is written."""
    *modifiers, name = key.split("+")
    single = len(name) == 1 or name in _NAMES or name == "space"
    return single and all(modifier == "shift" for modifier in modifiers)


def shown(key: str) -> str:
    """A key as people write it: "ctrl+\\", "page up", "esc"."""
    *modifiers, name = key.split("+")
    return "+".join((*modifiers, _SHOWN.get(name, name)))


def keymap(changes: Mapping[str, str] | None = None, *, preset: PresetName = "default", where: str = "keys") -> Keymap:
    """The keys of a preset with the user's changes: `{action id: "key,key"}`, an empty text for no key.

    Raises ConfigError for an unknown action, a key that cannot work, a clash, or a reserved key.
    """
    keys = {action.id: action.keys for action in ACTIONS}
    origins: dict[str, Origin] = dict.fromkeys(PRESETS[preset], "preset")
    keys.update(PRESETS[preset])
    for action_id, text in (changes or {}).items():
        place = f"{where}.{action_id}"
        action = BY_ID.get(action_id)
        if action is None:
            close = get_close_matches(action_id, BY_ID, n=1)
            hint = f'did you mean "{close[0]}"?' if close else f"one of {', '.join(BY_ID)}"
            raise ConfigError("there is no action of this name", where=place, expected=hint)
        keys[action_id] = tuple(_parse(part, action, place) for part in _split(text))
        origins[action_id] = "changed"
        if action.reserved and not keys[action_id]:
            raise ConfigError(f"{action.name} cannot be left without a key", where=place, expected="at least one key")
    origins.update(dict.fromkeys(_make_way(keys, frozenset(changes or ())), "made way"))
    _check_clashes(keys, where)
    return Keymap(keys, preset=preset, origins=origins)


def _make_way(keys: dict[str, tuple[str, ...]], changed: frozenset[str]) -> list[str]:
    """A key that a person gave to an action is taken from a default that has another one, so that none is lost.

    Gives the actions that lost one.
    """
    lost: list[str] = []
    for action_id in changed:
        for other_id, others in keys.items():
            one, other = BY_ID[action_id], BY_ID[other_id]
            if other_id in changed or other.reserved:
                continue
            left = tuple(key for key in others if key not in keys[action_id] or not _together(one, other, key))
            if left and left != others:
                keys[other_id] = left
                lost.append(other_id)
    return lost


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
    if is_typed(key) and action.scope in TYPED:
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
                if not _together(one, other, key):
                    continue
                reserved = one if one.reserved else other if other.reserved else None
                taken = other if reserved is one else one
                if reserved is not None:
                    problem = f"{shown(key)} is reserved for {reserved.name} and cannot also mean {taken.name}"
                    raise ConfigError(problem, where=f"{where}.{taken.id}", expected="another key")
                problem = f"{shown(key)} means both {one.name} ({one.id}) and {other.name} ({other.id})"
                raise ConfigError(problem, where=f"{where}.{other.id}", expected="one action for each key")


def _together(one: Action, other: Action, key: str) -> bool:
    """Whether a key of both could mean either at the same moment."""
    scopes, others = {one.scope, *one.also}, {other.scope, *other.also}
    if scopes & others:
        return True
    if "app" not in scopes | others:
        return False
    whole, part = (one, other) if "app" in scopes else (other, one)
    if key == "escape" and part.scope in SHARED_ESCAPE:
        return False
    # Where lists are on screens of their own, most of what works in the whole cockpit does not.
    return part.scope not in ON_SCREENS or whole.elsewhere
