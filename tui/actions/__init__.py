"""The one registry of what a person can do. Footer, help, command palette, slash commands and keymaps all read it."""

from tui.actions.answering import APPROVAL, LIMIT
from tui.actions.base import (
    WRITING,
    Action,
    Choice,
    Cockpit,
    LimitChoice,
    Order,
    PaneName,
    QueueStep,
    Scope,
    ScreenName,
)
from tui.actions.program import LOOK, PROGRAM
from tui.actions.running import RUN
from tui.actions.writing import QUEUE, WRITE

__all__ = [
    "ACTIONS",
    "BY_ID",
    "FIXED_KEYS",
    "WRITING",
    "Action",
    "Choice",
    "Cockpit",
    "LimitChoice",
    "Order",
    "PaneName",
    "QueueStep",
    "Scope",
    "ScreenName",
]

ACTIONS: tuple[Action, ...] = (*RUN, *WRITE, *QUEUE, *APPROVAL, *LIMIT, *LOOK, *PROGRAM)
BY_ID: dict[str, Action] = {action.id: action for action in ACTIONS}

FIXED_KEYS: tuple[tuple[str, str, str], ...] = (
    ("Write", "up, down", "Earlier messages, at the first and last line"),
    ("Write", "@", "Complete a file of this folder; tab or enter takes it"),
    ("Write", "/", "Complete a command"),
    ("Write", "tab", "Next part: what asks, tool calls, message"),
    (
        "Waiting messages",
        "up, down",
        "Choose one; up from the first one goes on to earlier messages, esc to the message",
    ),
    ("Look", "up, down, enter", "In the tool calls: choose one, see all of it"),
    ("Program", "escape", "Close a list or a screen"),
)
"""Keys that belong to a widget and cannot be changed, for the help: group, keys, what they do."""
