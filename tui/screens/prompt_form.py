"""The arguments of a server's prompt, one field each. Nothing is sent: the prompt's text comes into the message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.mentions import missing
from tui.render.clean import clean, visible
from tui.screens.steady import Steady
from tui.words import one_line

if TYPE_CHECKING:
    from runner.mcp.state import PromptArgument, PromptInfo

MOST_FIELDS = 20


class PromptForm(ModalScreen["dict[str, str] | None"], Steady["dict[str, str] | None"]):
    """Gives the values by name; arguments that were left empty are not among them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False, priority=True),
        Binding("up,shift+tab", "app.focus_previous", show=False, priority=True),
        Binding("down,tab", "app.focus_next", show=False, priority=True),
    ]

    def __init__(self, prompt: PromptInfo, given: Mapping[str, str]) -> None:
        super().__init__()
        self._prompt = prompt
        self._given = dict(given)
        self._fields = prompt.arguments[:MOST_FIELDS]

    def compose(self) -> ComposeResult:
        prompt = self._prompt
        title = Content.assemble(
            (f"/{prompt.server}:{visible(prompt.name)}", "bold $primary"),
            (f"  {visible(one_line(prompt.description or prompt.title))}", "$muted"),
        )
        with Vertical(classes="picker prompt-form"):
            yield Static(title, classes="picker-title", markup=False)
            with VerticalScroll(classes="prompt-fields"):
                for number, argument in enumerate(self._fields):
                    yield Static(_label(argument), classes="prompt-label", markup=False)
                    value = self._given.get(argument.name, "")
                    yield Input(value, id=f"argument-{number}", classes="picker-filter")
            yield Static("", classes="picker-detail", markup=False)
            hint = "enter goes on, and at the last one gets the text into your message · esc closes"
            yield Static(Content.styled(hint, "$key-label"), classes="picker-hint", markup=False)

    def on_mount(self) -> None:
        lacking = missing(self._given, self._fields)
        first = next((n for n, argument in enumerate(self._fields) if argument.name in lacking), 0)
        self.query_one(f"#argument-{first}", Input).focus()

    @property
    def values(self) -> dict[str, str]:
        found = {
            argument.name: self.query_one(f"#argument-{number}", Input).value
            for number, argument in enumerate(self._fields)
        }
        return {name: value for name, value in found.items() if value.strip()}

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        number = int(str(event.input.id).rpartition("-")[2])
        if number + 1 < len(self._fields):
            self.query_one(f"#argument-{number + 1}", Input).focus()
            return
        lacking = missing(self.values, self._fields)
        if lacking:
            text = clean(f"needed: {', '.join(lacking)}")
            self.query_one(".picker-detail", Static).update(Content.styled(text, "$state-waiting"), layout=False)
            index = next(n for n, argument in enumerate(self._fields) if argument.name in lacking)
            self.query_one(f"#argument-{index}", Input).focus()
            return
        self.leave(self.values)

    def action_close(self) -> None:
        self.leave(None)


def _label(argument: PromptArgument) -> Content:
    need = "" if argument.required else "  may be left empty"
    return Content.assemble(
        (visible(one_line(argument.name)), "bold $foreground"),
        (f"  {visible(one_line(argument.description))}" if argument.description else "", "$muted"),
        (need, "$muted"),
    )
