"""Which commands a line may be. Pure: the registry's own, and a few that the screen shows without being asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from tui.actions import ACTIONS, Action

_COMMAND = re.compile(r"/([a-z][a-z-]*)(?:[ \t]+(\S.*))?\s*\Z", re.DOTALL)

OWN: Final = {
    "cost": "What this run and this session used and cost",
    "status": "What happens now",
    "show": "All of the last tool call: its arguments and what came of it (/show 2: of the one before)",
    "send": "Send the text that waits to be sent",
}
"""Commands that only line mode has."""

HERE: Final = frozenset(
    {"stop", "abort", "pause", "cancel_tool", "retry_now", "next_model", "model", "limit", "wrap_up", "compact"}
    | {"send_now", "queue.focus", "sessions", "new", "help", "quit"}
)
"""Actions of the registry that line mode carries out."""

INSTEAD: Final = {
    "grants": "quarterdeck policy grants",
    "decisions": "quarterdeck policy ledger",
    "try": "quarterdeck policy try",
    "servers": "quarterdeck mcp list",
    "undo": "quarterdeck undo",
}
"""Commands of the shell that do what a screen would."""

AT_ONCE: Final = frozenset(
    {"stop", "abort", "pause", "cancel_tool", "retry_now", "next_model", "limit", "wrap_up", "send_now"}
    | {"status", "queue.focus"}
)
"""About the run that goes on: from a pipe, too, they do not wait for its end."""

HELP: Final = {
    "queue.focus": "The messages that wait for delivery",
    "model": "Use another model, also in the middle of a run: /model NAME, /model NAME now",
    "sessions": "The newest sessions of this folder; /sessions 2 or /sessions ID opens one, /sessions TEXT searches",
    "send_now": "Interrupt the run with a message: /now TEXT; alone it delivers those that wait",
    "help": "What can be typed",
    "quit": "Leave; a run that goes on is aborted and saved, after asking",
    "cancel_tool": "End a running tool call and let the run go on: /cancel, /cancel 2",
}
"""Where the registry's words are about keys and lists."""

_BY_SLASH: Final[dict[str, Action]] = {action.slash: action for action in ACTIONS if action.slash}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A command: the id of its action or its own name. problem: why it is none after all."""

    command: str = ""
    argument: str = ""
    problem: str = ""


def read_line(text: str) -> Line | None:
    """The command that a line is; None where it is a message, such as "/etc/hosts says what?"."""
    found = _COMMAND.match(text)
    if found is None:
        return None
    name, argument = found[1], (found[2] or "").rstrip()
    if name in OWN:
        return Line(command=name, argument=argument)
    action = _BY_SLASH.get(name)
    if action is None:
        near = get_close_matches(name, names(), n=1, cutoff=0.75)
        if argument and not near:
            return None
        hint = f"; did you mean /{near[0]}?" if near else ""
        return Line(
            problem=f"there is no command /{name}{hint} Begin with a space to send it as a message, or see /help"
        )
    if action.id not in HERE:
        instead = INSTEAD.get(action.id, "")
        return Line(problem=f"/{name} needs the screen{f'; in a shell: {instead}' if instead else ''}")
    return Line(command=action.id, argument=argument)


def names() -> list[str]:
    return [*(action.slash for action in ACTIONS if action.id in HERE), *OWN]


def described() -> list[tuple[str, str]]:
    """Every command with what it does."""
    listed = [(action.slash, HELP.get(action.id, action.help)) for action in ACTIONS if action.id in HERE]
    return [*listed, *OWN.items()]


def help_text(*, editable: bool) -> str:
    wide = max(len(name) for name in names()) + 1
    lines = ["Write a message and press enter. While a run goes on it waits for the next turn. Commands:"]
    lines += [f"  /{name:<{wide}} {does}" for name, does in described()]
    lines += [
        "A question is answered with a word and enter. An empty line, or what was typed before it came, is no answer.",
        "Ctrl+C stops after the current step, again it aborts; where nothing runs, twice, it leaves, as Ctrl+D does.",
    ]
    if editable:
        lines += [
            "Tab completes commands, and files after @. Up and down: earlier messages of this folder; Ctrl+R finds.",
            "Alt+Enter adds a line. The first key pressed while something runs opens a line and holds the output back.",
        ]
    else:
        lines.append("A line that ends with a backslash goes on in the next one.")
    return "\n".join(lines)
