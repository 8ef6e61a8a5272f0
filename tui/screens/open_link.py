"""A link to a session, written or pasted, is opened at its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from runner.errors import ConfigError
from tui.landing import Landing
from tui.render.clean import clean
from tui.screens.steady import Steady
from tui.session_link import SessionLink, session_of

if TYPE_CHECKING:
    from tui.desk import Desk

MOST_CHARACTERS = 600


def open_by_link(desk: Desk, argument: str) -> None:
    """argument: a link, an id or its beginning; "" asks for one."""
    if not argument.strip():
        desk.host.show_screen(OpenLink(), lambda link: None if link is None else go(desk, link))
        return
    try:
        go(desk, session_of(argument.strip()))
    except ConfigError as error:
        desk.deck.say(clean(str(error)), "warning")
        desk.repaint()


def go(desk: Desk, link: SessionLink) -> None:
    desk.go(link.session_id, Landing(link.run_id, link.seq) if link.run_id else None)


class OpenLink(ModalScreen["SessionLink | None"], Steady["SessionLink | None"]):
    """Gives what was written, once it can be a link or an id."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", show=False, priority=True)]

    def compose(self) -> ComposeResult:
        with Vertical(classes="picker save-rule"):
            yield Static(Content.styled("Open a session by its link", "bold $primary"), markup=False)
            yield Input(
                placeholder="quarterdeck://session/…, or an id", max_length=MOST_CHARACTERS, classes="picker-filter"
            )
            yield Static("", classes="picker-detail", markup=False)
            hint = "enter opens it, at its place · esc goes back"
            yield Static(Content.styled(hint, "$key-label"), classes="picker-hint", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if not event.value.strip():
            return
        try:
            link = session_of(event.value.strip())
        except ConfigError as error:
            self.query_one(".picker-detail", Static).update(Content.styled(clean(str(error)), "$state-failed"))
            return
        self.leave(link)

    def action_close(self) -> None:
        self.leave()
