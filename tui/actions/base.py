"""What an action is, and what it may ask of the program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from tui.view import View

Scope = Literal[
    "app", "composer", "approval", "question", "form", "limit", "queue", "axis", "list", "transcript", "replay",
]  # fmt: skip
"""Where an action's keys work: everywhere, only while writing, or only while that card or list has the focus; form: in
every field of a form on a card; list: in every list; replay: on the screen that plays a session again."""

SHARED_ESCAPE: frozenset[Scope] = frozenset({"list", "transcript", "queue", "axis", "replay"})
"""Scopes whose escape comes before that of the whole program."""

ON_SCREENS: frozenset[Scope] = frozenset({"list", "replay"})
"""Scopes of other screens than the cockpit, where most of what works everywhere in that does not."""

WRITING: frozenset[Scope] = frozenset({"app", "composer", "transcript"})
"""Scopes whose actions can be carried out from a list of commands too."""

TYPED: frozenset[Scope] = frozenset({"app", "composer", "form"})
"""Scopes in which a letter alone cannot be a key."""

PaneName = Literal["timeline", "output", "meters", "axis"]
PanelName = Literal[
    "grants", "decisions", "processes", "try", "servers", "undo", "ledger", "settings", "compare", "hand_on", "open",
    "replay", "turns", "changes", "usage", "tag", "note",
]  # fmt: skip
"""Screens that `tui/panels.py` opens; the action that opens one has its name as id."""

ScreenName = Literal["models", "sessions", "help", "palette", PanelName]
CallChoice = Literal["allow", "allow_for", "allow_run", "deny", "deny_reason", "edit", "edit_outside"]
QuestionChoice = Literal["write", "submit", "decline"]
CardChoice = Literal["view", "end_run", "next", "previous"]
Choice = Literal[CallChoice, QuestionChoice, CardChoice]
FormStep = Literal["save", "raw", "editor", "history"]
LimitChoice = Literal["raise", "value", "off", "model", "wrap_up", "stop"]
QueueStep = Literal["edit", "earlier", "later", "delete", "undo", "now"]
AxisStep = Literal["in", "out", "fit", "earlier", "later", "before", "after"]
ItemStep = Literal["unfold", "copy", "code", "command", "diff", "pager", "editor"]
"""What needs a current item in the transcript."""

ReadStep = Literal[
    ItemStep, "focus", "find", "next", "previous", "pager_all", "times", "unfold_all", "down", "up", "first", "last",
    "page_down", "page_up", "leave",
]  # fmt: skip
Landmark = Literal["prompt", "call", "error", "approval", "switch"]
"""What one can go to in the transcript, from one to the next."""

Order = Literal["retry_now", "next_model", "wrap_up", "compact"]

Refusal: TypeAlias = "Callable[[View], str]"
"""Why an action can do nothing now, in words for the person; "" where it can."""


class Answers(Protocol):
    """What a person may answer."""

    def focus(self) -> None: ...

    def choose(self, choice: Choice) -> None: ...

    def form(self, step: FormStep) -> None: ...

    def choose_limit(self, choice: LimitChoice) -> None: ...

    def cancel_tool(self) -> None: ...


class Axis(Protocol):
    """What a person may do with the time axis."""

    def step(self, step: AxisStep) -> None: ...


class Reading(Protocol):
    """What a person may do in the transcript."""

    def step(self, step: ReadStep) -> None: ...


class Review(Protocol):
    """Where a person may go in a session."""

    def land(self, run_id: str, seq: int, words: str = "") -> None: ...

    def go(self, kind: Landmark, by: int) -> None: ...


class Links(Protocol):
    """Links to sessions."""

    def copy(self) -> None: ...


class Branching(Protocol):
    """How a person may take a session up again."""

    def resume(self) -> None: ...

    def use_agent(self, name: str = "") -> None: ...


class Queue(Protocol):
    """What a person may do with the messages that wait."""

    def focus(self) -> None: ...

    def step(self, step: QueueStep) -> None: ...


class Quitting(Protocol):
    def ask(self) -> None: ...

    def suspend(self) -> None: ...


class Composing(Protocol):
    """What a person may do with the message besides sending it."""

    def search_history(self) -> None: ...

    def edit_outside(self) -> None: ...

    def fold(self) -> None: ...


class Looks(Protocol):
    """What a person may do with the theme."""

    def next(self) -> None: ...


class Panes(Protocol):
    """What a person may do with the parts of the screen."""

    def toggle(self, pane: PaneName) -> None: ...

    def widen(self, by: int) -> None: ...

    def zen(self) -> None: ...


class FirstRun(Protocol):
    """What a person may try who begins."""

    def tour(self) -> None: ...

    def probe(self) -> None: ...


class Cockpit(Protocol):
    """What actions may ask of the program: mostly of its parts, each with a protocol above."""

    @property
    def looks(self) -> Looks: ...

    @property
    def first_run(self) -> FirstRun: ...

    @property
    def composing(self) -> Composing: ...

    @property
    def answers(self) -> Answers: ...

    @property
    def axis(self) -> Axis: ...

    @property
    def queue(self) -> Queue: ...

    @property
    def panes(self) -> Panes: ...

    @property
    def reading(self) -> Reading: ...

    @property
    def review(self) -> Review: ...

    @property
    def links(self) -> Links: ...

    @property
    def branching(self) -> Branching: ...

    @property
    def quitting(self) -> Quitting: ...

    def press_stop(self) -> None: ...

    def abort(self) -> None: ...

    def toggle_pause(self) -> None: ...

    def order(self, what: Order) -> None: ...

    def ask_limit(self) -> None: ...

    def new_session(self) -> None: ...

    def open_screen(self, name: ScreenName, argument: str = "") -> None: ...

    def focus_composer(self) -> None: ...

    def scroll_transcript(self, where: Literal["page_up", "page_down", "top", "end"]) -> None: ...

    def copy_last(self) -> None: ...

    def write(self, what: Literal["send", "send_now", "newline"]) -> None: ...


def always(view: View) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """name: short, for the footer and the palette. help: one line. keys: the defaults, Textual's names.

    refusal: why it can do nothing now. footer: place in the footer, 0 = not there. slash: its "/command".
    reserved: no other action may take its keys, and it cannot be left without any. also: other scopes it works in.
    elsewhere: it works on other screens than the cockpit, too.
    """

    id: str
    name: str
    help: str
    keys: tuple[str, ...]
    group: str
    run: Callable[[Cockpit], None]
    scope: Scope = "app"
    refusal: Refusal = always
    footer: int = 0
    slash: str = ""
    reserved: bool = False
    also: frozenset[Scope] = frozenset()
    elsewhere: bool = False

    def enabled(self, view: View) -> bool:
        """Whether it does something now."""
        return not self.refusal(view)

    @property
    def listed(self) -> bool:
        """Whether it can be done from the palette and by a "/command"."""
        return bool(self.slash) and self.scope in WRITING
