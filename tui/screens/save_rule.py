"""Where a rule is to be saved, with what note; shows the text that the file gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from runner.errors import ConfigError
from tui.preview import marked
from tui.render.clean import clean
from tui.rule_line import Draft, as_rules
from tui.screens.steady import Steady
from tui.settings.rule_file import Place, rule_path
from tui.settings.rule_text import rule_lines
from tui.widgets.rows import Rows
from tui.words import cut_middle, fit

MOST_NOTE = 200

_PLACES: tuple[tuple[Place, str], ...] = (("user", "every project"), ("project", "this project"))


@dataclass(frozen=True, slots=True)
class _Target:
    place: Place
    words: str
    path: Path


class PlaceRows(Rows):
    def draw(self, row: object, width: int, selected: bool) -> Content:
        assert isinstance(row, _Target)
        content = Content.assemble(
            (f" {fit(row.words, 15)}", "bold $foreground"), (cut_middle(clean(str(row.path)), width - 17), "$muted")
        ).truncate(width, pad=True)
        return content.stylize("$selection-text on $selection") if selected else content


class SaveRule(ModalScreen["tuple[Place, str] | None"], Steady["tuple[Place, str] | None"]):
    """Gives the place and the note. Enter saves; nothing else does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False, priority=True),
        Binding("shift+tab", "move(-1)", show=False, priority=True),
        Binding("tab", "move(1)", show=False, priority=True),
    ]
    KEYS: ClassVar[Mapping[str, str]] = {"list.up": "move(-1)", "list.down": "move(1)", "list.close": "close"}

    def __init__(self, draft: Draft, summary: str, *, cwd: Path, environ: Mapping[str, str]) -> None:
        super().__init__()
        self._draft = draft
        self._trial = summary
        self._places = [_Target(place, words, rule_path(place, cwd, environ)) for place, words in _PLACES]
        self._rows = PlaceRows(id="save-places")

    def compose(self) -> ComposeResult:
        with Vertical(classes="picker save-rule"):
            yield Static(Content.styled("Save the rule for", "bold $primary"), classes="picker-title", markup=False)
            yield self._rows
            yield Input(placeholder="a note, why (it stands beside the rule)", max_length=MOST_NOTE, id="save-note")
            yield Static("", id="save-text", markup=False)
            yield Static(Content.styled(clean(self._trial), "$muted"), classes="picker-detail", markup=False)
            hint = "up, down choose · enter saves · esc goes back"
            yield Static(Content.styled(hint, "$key-label"), classes="picker-hint", markup=False)

    def on_mount(self) -> None:
        self._rows.set_rows(self._places)
        self.query_one(Input).focus()
        self._show()

    def _note(self) -> str:
        return self.query_one(Input).value.strip()

    def _show(self) -> None:
        """The text as the file will have it."""
        try:
            lines = [line for rule in as_rules(self._draft, note=self._note()) for line in [*rule_lines(rule), ""]]
        except ConfigError as error:
            self.query_one("#save-text", Static).update(Content.styled(clean(str(error)), "$state-failed"))
            return
        self.query_one("#save-text", Static).update(marked("\n".join(lines).rstrip(), "$foreground"))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._show()

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        event.stop()
        self._done()

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        event.stop()
        self._done()

    def _done(self) -> None:
        self.leave((self._places[max(0, self._rows.selected)].place, self._note()))

    def action_move(self, by: int) -> None:
        self._rows.move(by)

    def action_close(self) -> None:
        self.leave()
