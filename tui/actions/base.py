"""What an action is, and what it may ask of the program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from tui.view import View

Scope = Literal["app", "composer", "approval", "limit", "queue"]
"""Where an action's keys work: everywhere, only while writing, or only while that card or list has the focus."""

WRITING: frozenset[Scope] = frozenset({"app", "composer"})
"""Scopes in which letters are for writing."""

PaneName = Literal["timeline", "meters"]
ScreenName = Literal["models", "sessions", "help", "palette"]
Choice = Literal["allow", "allow_run", "deny", "deny_reason", "edit", "view", "end_run"]
LimitChoice = Literal["raise", "value", "off", "model", "wrap_up", "stop"]
QueueStep = Literal["edit", "earlier", "later", "delete", "undo", "now"]
Order = Literal["retry_now", "next_model", "wrap_up", "compact"]

Refusal: TypeAlias = "Callable[[View], str]"
"""Why an action can do nothing now, in words for the person; "" where it can."""


class Cockpit(Protocol):
    """What actions may ask of the program."""

    def press_stop(self) -> None: ...

    def abort(self) -> None: ...

    def toggle_pause(self) -> None: ...

    def order(self, what: Order) -> None: ...

    def cancel_tool(self) -> None: ...

    def ask_limit(self) -> None: ...

    def new_session(self) -> None: ...

    def ask_quit(self) -> None: ...

    def open_screen(self, name: ScreenName) -> None: ...

    def toggle_pane(self, name: PaneName) -> None: ...

    def focus_card(self) -> None: ...

    def focus_queue(self) -> None: ...

    def focus_composer(self) -> None: ...

    def choose(self, choice: Choice) -> None: ...

    def choose_limit(self, choice: LimitChoice) -> None: ...

    def queue(self, step: QueueStep) -> None: ...

    def scroll_transcript(self, where: Literal["page_up", "page_down", "top", "end"]) -> None: ...

    def next_theme(self) -> None: ...

    def copy_last(self) -> None: ...

    def write(self, what: Literal["send", "send_now", "newline"]) -> None: ...


def always(view: View) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """name: short, for the footer and the palette. help: one line. keys: the defaults, Textual's names.

    refusal: why it can do nothing now. footer: place in the footer, 0 = not there. slash: its "/command".
    reserved: no other action may take its keys, and it cannot be left without any.
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

    def enabled(self, view: View) -> bool:
        """Whether it does something now."""
        return not self.refusal(view)

    @property
    def listed(self) -> bool:
        """Whether it can be done from the palette and by a "/command"."""
        return bool(self.slash) and self.scope in WRITING
