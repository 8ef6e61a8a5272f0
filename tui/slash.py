"""Commands written in the composer. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui.actions import ACTIONS, Action

_COMMAND = re.compile(r"/([a-z][a-z-]*)(?:[ \t]+(\S.*))?\s*\Z")
BY_SLASH: dict[str, Action] = {action.slash: action for action in ACTIONS if action.listed}
ONE_WORD = frozenset({"model", "effort", "temperature", "agent"})
TAKES_ARGUMENT = ONE_WORD | {
    *("limit", "send_now", "grants", "decisions", "try", "servers", "undo", "ledger", "read.find", "theme", "settings"),
    *("compare", "hand_on", "open", "replay", "turns", "changes"),
    *("usage", "tag", "note"),
}
"""Actions whose command may be followed by something; by one word only in ONE_WORD."""


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
    name, argument = found[1], (found[2] or "").rstrip()
    action = BY_SLASH.get(name)
    if argument and (action is None or action.id not in TAKES_ARGUMENT):
        return None
    if action is not None and action.id in ONE_WORD and len(argument.split()) > 1:
        return None
    return Slash(name, action.id if action else None, argument)
