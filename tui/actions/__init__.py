"""The one registry of what a person can do. Footer, help, command palette, slash commands and keymaps all read it."""

from tui.actions.answering import APPROVAL, FORM, LIMIT, QUESTION
from tui.actions.axis import AXIS
from tui.actions.base import (
    ON_SCREENS,
    SHARED_ESCAPE,
    TYPED,
    WRITING,
    Action,
    AxisStep,
    Choice,
    Cockpit,
    FormStep,
    LimitChoice,
    Order,
    PanelName,
    PaneName,
    QueueStep,
    Scope,
    ScreenName,
)
from tui.actions.beside import BESIDE
from tui.actions.branching import BRANCH
from tui.actions.handing import HANDING
from tui.actions.lists import LISTS
from tui.actions.looking_back import LOOK_BACK
from tui.actions.policy import POLICY
from tui.actions.program import LOOK, PROGRAM
from tui.actions.reading import READ
from tui.actions.replay import REPLAY
from tui.actions.reviewing import CHANGES, REVIEW
from tui.actions.running import RUN
from tui.actions.servers import SERVERS
from tui.actions.undo import UNDO
from tui.actions.writing import QUEUE, WRITE

__all__ = [
    "ACTIONS",
    "BY_ID",
    "FIXED_KEYS",
    "ON_SCREENS",
    "SHARED_ESCAPE",
    "TYPED",
    "WRITING",
    "Action",
    "AxisStep",
    "Choice",
    "Cockpit",
    "FormStep",
    "LimitChoice",
    "Order",
    "PaneName",
    "PanelName",
    "QueueStep",
    "Scope",
    "ScreenName",
]

ACTIONS: tuple[Action, ...] = (
    *RUN,
    *WRITE,
    *QUEUE,
    *APPROVAL,
    *QUESTION,
    *FORM,
    *LIMIT,
    *POLICY,
    *BESIDE,
    *SERVERS,
    *UNDO,
    *CHANGES,
    *BRANCH,
    *LOOK,
    *READ,
    *REVIEW,
    *AXIS,
    *HANDING,
    *REPLAY,
    *LOOK_BACK,
    *LISTS,
    *PROGRAM,
)
BY_ID: dict[str, Action] = {action.id: action for action in ACTIONS}

FIXED_KEYS: tuple[tuple[str, str, str], ...] = (
    ("Write", "up, down", "Earlier messages, at the first and last line"),
    ("Write", "@", "Complete a file of this folder; tab or enter takes it"),
    ("Write", "/", "Complete a command, and what may follow it"),
    ("Write", "!", "A shell command run by you, not by the model; !! also gives it to the model"),
    ("Write", "tab", "Next part: what asks, tool calls, message"),
    (
        "Waiting messages",
        "up, down",
        "Choose one; up from the first one goes on to earlier messages, esc to the message",
    ),
    ("Questions", "1 to 9", "Choose an answer"),
    ("Questions", "up, down, space", "Mark an answer; space takes it, or leaves it where several may be chosen"),
    ("Forms on a card", "tab, up, down", "The next field, the one before"),
    ("Forms on a card", "left, right, space", "Choose in a field with choices"),
    ("Forms on a card", "enter", "Save, from a field of one line"),
    ("Forms on a card", "escape", "Go back; what was written stays until the call is decided"),
    ("Transcript", "up, down, page up, page down", "Scroll by lines, by pages"),
    ("Transcript", "1 to 9", "After copying code: another one of the message's blocks"),
    ("Transcript", "enter, shift+enter, up, down", "In the search: the next hit, the one before"),
    ("Transcript", "tab, escape", "In the search: stay at the hit; back to where you were"),
    ("Replay", "up, down, page up, page down", "Scroll the transcript"),
    ("Look", "up, down, enter", "In the tool calls: choose one, see all of it"),
    ("Lists", "left, right", "Models: less or more reasoning effort"),
    ("Lists", "tab, right", "Sessions: filter, lines, preview; take what the filter offers"),
    ("Lists", "q, v, space, j, k, g, G", "On a screen with one text: close; a page on; as in lists of vim"),
    ("Time axis", "keys of lists", "The row above or below, the first bar, the newest, all of the selected one"),
)
"""Keys that belong to a widget and cannot be changed, for the help: group, keys, what they do."""
