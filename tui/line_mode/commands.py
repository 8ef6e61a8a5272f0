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
    | {"send_now", "queue.focus", "sessions", "new", "help", "quit", "effort", "temperature"}
    | {"grants", "decisions", "undo", "servers", "processes", "settings", "ledger", "read.find", "editor", "open"}
    | {"turns", "fork", "resume", "agent", "tag", "note"}
)
"""Actions of the registry that line mode carries out."""

INSTEAD: Final = {
    "try": "quarterdeck policy try",
    "theme": "quarterdeck config set theme NAME",
    "compare": "quarterdeck compare A B",
    "hand_on": "quarterdeck sessions export ID",
    "usage": "quarterdeck usage",
    "replay": "quarterdeck replay ID",
}
"""Commands of the shell that do what a screen would."""

AT_ONCE: Final = frozenset(
    {"stop", "abort", "pause", "cancel_tool", "retry_now", "next_model", "limit", "wrap_up", "send_now"}
    | {"status", "queue.focus", "effort", "temperature"}
)
"""About the run that goes on: from a pipe, too, they do not wait for its end."""

HELP: Final = {
    "queue.focus": "The messages that wait for delivery",
    "model": "Use another model, also in the middle of a run: /model NAME, /model NAME now",
    "effort": "How much the model reasons: /effort high, /effort default",
    "sessions": "The newest sessions of this folder; /sessions WORDS tag:slow cost>1 since:7d finds; /sessions 2 opens",
    "open": "Open a session by its link or the beginning of its id",
    "send_now": "Interrupt the run with a message: /now TEXT; alone it delivers those that wait",
    "help": "What can be typed",
    "quit": "Leave; a run that goes on is aborted and saved, after asking",
    "grants": "What is allowed or denied beyond one call; /grants revoke 2 takes one back, /grants revoke all all",
    "decisions": "Every decision about a call: /decisions tool:shell by:you since:7d; /decisions more",
    "undo": "The turns that changed files; /undo 3 shows the diff and puts back after a yes; /undo 3 FILE; /undo redo",
    "servers": "MCP servers and their state; /mcp NAME tells all, /mcp NAME restart, on, off or stderr",
    "processes": "What runs in the background; /processes 1 shows its output, /processes stop 1, /processes stop all",
    "settings": "What is set and from where; /settings KEY tells about one, /settings KEY VALUE changes it",
    "ledger": "Every request that was paid for, and the totals; /ledger 3 tells all about one",
    "read.find": "Where words stand in this session: /find WORDS",
    "turns": "The turns of this session with their numbers; what changed files goes back with /undo",
    "fork": "Go on from a turn in a session of its own: /fork 3; /fork before 3 asks that prompt anew",
    "agent": "Another agent from the next message on: /agent NAME",
    "tag": "Tag the session or one of its turns: /tag NAME, /tag 2 NAME, /tag 2 -NAME; alone it lists what is marked",
    "note": "A note on the session or one of its turns: /note TEXT, /note 2 TEXT",
    "editor": "Write the message in $VISUAL or $EDITOR; it comes back unsent",
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


def help_text(*, editable: bool, person: bool = True) -> str:
    wide = max(len(name) for name in names()) + 1
    lines = ["Write a message and press enter. While a run goes on it waits for the next turn. Commands:"]
    lines += [f"  /{name:<{wide}} {does}" for name, does in described()]
    lines += [
        "A question is answered with a word and enter. An empty line, or what was typed before it came, is no answer.",
        "Ctrl+C stops after the current step, again it aborts; where nothing runs, twice, it leaves, as Ctrl+D does.",
    ]
    if person:
        lines.append(
            "!command runs a shell command of yours, unasked and without a sandbox; !!command tells the model too."
        )
    lines.append("/SERVER:PROMPT name=value writes a prompt of a server; @SERVER:ADDRESS attaches a resource of it.")
    if editable:
        lines += [
            "Tab completes commands, and files after @. Up and down: earlier messages of this folder; Ctrl+R finds.",
            "Alt+Enter adds a line. The first key pressed while something runs opens a line and holds the output back.",
        ]
    else:
        lines.append("A line that ends with a backslash goes on in the next one.")
    return "\n".join(lines)
