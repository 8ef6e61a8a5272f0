"""Commands written in the composer. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui.actions import ACTIONS, Action

_COMMAND = re.compile(r"/([a-z]+)(?:[ \t]+(\S+))?\s*\Z")
BY_SLASH: dict[str, Action] = {action.slash: action for action in ACTIONS if action.slash}
TAKES_ARGUMENT = frozenset({"model"})


@dataclass(frozen=True, slots=True)
class Slash:
    """action_id None = there is no such command."""

    name: str
    action_id: str | None
    argument: str = ""


def read_slash(text: str) -> Slash | None:
    """The command that a whole message is, None where it is an ordinary message such as "/etc/hosts says what?"."""
    found = _COMMAND.match(text)
    if found is None:
        return None
    name, argument = found[1], found[2] or ""
    action = BY_SLASH.get(name)
    if argument and (action is None or action.id not in TAKES_ARGUMENT):
        return None
    return Slash(name, action.id if action else None, argument)
