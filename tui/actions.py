"""The one registry of what a person can do. Footer, help, command palette, slash commands and keymaps all read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from tui.view import View

Scope = Literal["app", "composer", "approval"]
"""Where an action's keys work: everywhere, only while writing, only while the approval card has the focus."""

PaneName = Literal["timeline", "meters"]
ScreenName = Literal["models", "sessions", "help", "palette"]
Choice = Literal["allow", "allow_run", "deny", "deny_reason", "edit", "view", "end_run"]


class Cockpit(Protocol):
    """What actions may ask of the program."""

    def press_stop(self) -> None: ...

    def abort(self) -> None: ...

    def toggle_pause(self) -> None: ...

    def new_session(self) -> None: ...

    def ask_quit(self) -> None: ...

    def open_screen(self, name: ScreenName) -> None: ...

    def toggle_pane(self, name: PaneName) -> None: ...

    def focus_card(self) -> None: ...

    def focus_composer(self) -> None: ...

    def choose(self, choice: Choice) -> None: ...

    def scroll_transcript(self, where: Literal["page_up", "page_down", "top", "end"]) -> None: ...

    def next_theme(self) -> None: ...

    def copy_last(self) -> None: ...

    def write(self, what: Literal["send", "newline"]) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """name: short, for the footer and the palette. help: one line. keys: the defaults, Textual's names.

    enabled: whether it does something now. footer: place in the footer, 0 = not there. slash: its "/command".
    reserved: no other action may take its keys, and it cannot be left without any.
    """

    id: str
    name: str
    help: str
    keys: tuple[str, ...]
    group: str
    run: Callable[[Cockpit], None]
    scope: Scope = "app"
    enabled: Callable[[View], bool] = lambda view: True
    footer: int = 0
    slash: str = ""
    reserved: bool = False


def _busy(view: View) -> bool:
    return view.busy


def _live(view: View) -> bool:
    return view.live is not None and not view.stopping


def _waits(view: View) -> bool:
    return bool(view.waiting)


RUN = (
    Action(
        id="stop",
        name="stop",
        help="Stop after the current step; pressed again while stopping, it aborts",
        keys=("ctrl+c", "escape"),
        group="Run",
        run=lambda ui: ui.press_stop(),
        enabled=_busy,
        footer=1,
        slash="stop",
        reserved=True,
    ),
    Action(
        id="abort",
        name="abort",
        help="Abort now: connections closed, processes ended, what was produced is kept",
        keys=("f9", "ctrl+backslash"),
        group="Run",
        run=lambda ui: ui.abort(),
        enabled=_busy,
        footer=2,
        slash="abort",
        reserved=True,
    ),
    Action(
        id="pause",
        name="pause",
        help="Pause at the next boundary, or continue",
        keys=("f5",),
        group="Run",
        run=lambda ui: ui.toggle_pause(),
        enabled=_live,
        footer=9,
        slash="pause",
    ),
    Action(
        id="model",
        name="model",
        help="Choose another model, also in the middle of a run",
        keys=("ctrl+o",),
        group="Run",
        run=lambda ui: ui.open_screen("models"),
        footer=6,
        slash="model",
    ),
)

WRITE = (
    Action(
        id="send",
        name="send",
        help="Send the message; while a run goes on it is queued for the next turn",
        keys=("enter",),
        group="Write",
        run=lambda ui: ui.write("send"),
        scope="composer",
    ),
    Action(
        id="newline",
        name="new line",
        help="Add a line (shift+enter too, where the terminal tells it from enter)",
        keys=("ctrl+j", "alt+enter", "shift+enter"),
        group="Write",
        run=lambda ui: ui.write("newline"),
        scope="composer",
    ),
    Action(
        id="composer.focus",
        name="write",
        help="Go to the message",
        keys=("f6",),
        group="Write",
        run=lambda ui: ui.focus_composer(),
    ),
)

LOOK = (
    Action(
        id="timeline",
        name="tools",
        help="Show or hide the tool calls",
        keys=("f3",),
        group="Look",
        run=lambda ui: ui.toggle_pane("timeline"),
        footer=8,
        slash="tools",
    ),
    Action(
        id="meters",
        name="meters",
        help="Show or hide tokens, cost and context",
        keys=("f4",),
        group="Look",
        run=lambda ui: ui.toggle_pane("meters"),
        slash="meters",
    ),
    Action(
        id="page_up",
        name="page up",
        help="Scroll the transcript back",
        keys=("pageup",),
        group="Look",
        run=lambda ui: ui.scroll_transcript("page_up"),
    ),
    Action(
        id="page_down",
        name="page down",
        help="Scroll the transcript on",
        keys=("pagedown",),
        group="Look",
        run=lambda ui: ui.scroll_transcript("page_down"),
    ),
    Action(
        id="top",
        name="beginning",
        help="Go to the beginning of the transcript",
        keys=("ctrl+home",),
        group="Look",
        run=lambda ui: ui.scroll_transcript("top"),
        slash="top",
    ),
    Action(
        id="end",
        name="newest",
        help="Go to the newest line and follow it",
        keys=("ctrl+end", "ctrl+l"),
        group="Look",
        run=lambda ui: ui.scroll_transcript("end"),
        slash="end",
    ),
    Action(
        id="copy",
        name="copy answer",
        help="Copy the last answer, or what is selected, to the clipboard",
        keys=("f8",),
        group="Look",
        run=lambda ui: ui.copy_last(),
        enabled=lambda view: bool(view.runs),
        slash="copy",
    ),
    Action(
        id="theme",
        name="theme",
        help="Next colour theme, for this session of the program",
        keys=("ctrl+t",),
        group="Look",
        run=lambda ui: ui.next_theme(),
        slash="theme",
    ),
)

APPROVAL = (
    Action(
        id="approval.focus",
        name="answer",
        help="Go to the approval card; esc goes back to the message",
        keys=("ctrl+g", "f2"),
        group="Approve",
        run=lambda ui: ui.focus_card(),
        enabled=_waits,
        footer=3,
        slash="approve",
    ),
    Action(
        id="approval.allow",
        name="allow once",
        help="Allow this one call",
        keys=("y", "a"),
        group="Approve",
        run=lambda ui: ui.choose("allow"),
        scope="approval",
        enabled=_waits,
    ),
    Action(
        id="approval.allow_run",
        name="allow for the run",
        help="Allow every call of this tool until the run ends",
        keys=("r",),
        group="Approve",
        run=lambda ui: ui.choose("allow_run"),
        scope="approval",
        enabled=_waits,
    ),
    Action(
        id="approval.deny",
        name="deny",
        help="Deny this call; the model is told and goes on",
        keys=("n",),
        group="Approve",
        run=lambda ui: ui.choose("deny"),
        scope="approval",
        enabled=_waits,
    ),
    Action(
        id="approval.deny_reason",
        name="deny, saying why",
        help="Deny with a reason that the model reads",
        keys=("d",),
        group="Approve",
        run=lambda ui: ui.choose("deny_reason"),
        scope="approval",
        enabled=_waits,
    ),
    Action(
        id="approval.edit",
        name="edit",
        help="Edit the arguments as JSON; ctrl+s then allows the edited call",
        keys=("e",),
        group="Approve",
        run=lambda ui: ui.choose("edit"),
        scope="approval",
        enabled=_waits,
    ),
    Action(
        id="approval.view",
        name="view all",
        help="See the whole call on a screen of its own",
        keys=("v",),
        group="Approve",
        run=lambda ui: ui.choose("view"),
        scope="approval",
        enabled=_waits,
    ),
    Action(
        id="approval.end_run",
        name="end run",
        help="Deny this call and end the run",
        keys=("x",),
        group="Approve",
        run=lambda ui: ui.choose("end_run"),
        scope="approval",
        enabled=_waits,
    ),
)

PROGRAM = (
    Action(
        id="sessions",
        name="sessions",
        help="Open, continue or delete a session",
        keys=("ctrl+r",),
        group="Program",
        run=lambda ui: ui.open_screen("sessions"),
        footer=7,
        slash="sessions",
    ),
    Action(
        id="new",
        name="new session",
        help="Begin a new session; the old one stays in the list",
        keys=("ctrl+n",),
        group="Program",
        run=lambda ui: ui.new_session(),
        slash="new",
    ),
    Action(
        id="palette",
        name="commands",
        help="Find a command by its name",
        keys=("ctrl+p",),
        group="Program",
        run=lambda ui: ui.open_screen("palette"),
        slash="commands",
    ),
    Action(
        id="help",
        name="help",
        help="Every key, searchable (? does the same in an empty message)",
        keys=("f1",),
        group="Program",
        run=lambda ui: ui.open_screen("help"),
        footer=4,
        slash="help",
    ),
    Action(
        id="quit",
        name="quit",
        help="Quit; runs that go on are aborted and saved, after asking",
        keys=("ctrl+q",),
        group="Program",
        run=lambda ui: ui.ask_quit(),
        footer=5,
        slash="quit",
        reserved=True,
    ),
)

ACTIONS: tuple[Action, ...] = (*RUN, *WRITE, *APPROVAL, *LOOK, *PROGRAM)
BY_ID: dict[str, Action] = {action.id: action for action in ACTIONS}

FIXED_KEYS: tuple[tuple[str, str, str], ...] = (
    ("Write", "up, down", "Earlier messages, at the first and last line"),
    ("Write", "@", "Complete a file of this folder; tab or enter takes it"),
    ("Write", "/", "Complete a command"),
    ("Write", "tab", "Next part: approval card, tool calls, message"),
    ("Look", "up, down, enter", "In the tool calls: choose one, see all of it"),
    ("Program", "escape", "Close a list or a screen"),
)
"""Keys that belong to a widget and cannot be changed, for the help: group, keys, what they do."""
