"""The one field in which a turn of the session shown is tagged or given a note."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.screens.steady import Steady

_HINTS: Final = {
    "tag": "words with blanks between them · enter saves · esc goes back",
    "note": "what you want to know about it later; empty takes it away · enter saves · esc goes back",
}
_LONGEST: Final = {"tag": 400, "note": 10_000}


class AnnotateForm(ModalScreen["str | None"], Steady["str | None"]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", show=False, priority=True)]

    def __init__(self, kind: Literal["tag", "note"], where: str, before: str) -> None:
        """before: what stands there now, cleaned; where: in words."""
        super().__init__()
        self._kind: Literal["tag", "note"] = kind
        self._where = where
        self._before = before

    def compose(self) -> ComposeResult:
        title = Content.assemble(
            ("Tags" if self._kind == "tag" else "Note", "bold $primary"), (f"  of {self._where}", "$muted")
        )
        with Vertical(classes="picker setting-form"):
            yield Static(title, classes="picker-title", markup=False)
            yield Input(self._before, max_length=_LONGEST[self._kind], id="setting-value", select_on_focus=False)
            yield Static(Content.styled(_HINTS[self._kind], "$key-label"), classes="picker-hint", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        event.stop()
        self.leave(event.value.strip())

    def action_close(self) -> None:
        self.leave(None)
