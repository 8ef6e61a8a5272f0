"""One setting: its new value is chosen or written, and checked as a start would check it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.changing.book import Entry
from tui.render.clean import clean, visible
from tui.screens.steady import Steady
from tui.widgets.rows import Rows
from tui.words import fit, one_line

if TYPE_CHECKING:
    from tui.settings.rule_file import Place

Check: TypeAlias = Callable[[Entry, str], Awaitable[str]]

MOST = 4000
"""Characters of a value that is written here; longer ones are for an editor."""


class ChoiceRows(Rows):
    def __init__(self, current: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._current = current

    def draw(self, row: object, width: int, selected: bool) -> Content:
        is_current = row == self._current
        content = Content.assemble(
            (" ● " if is_current else "   ", "$primary"), (fit(visible(str(row)), width - 3), "$foreground")
        )
        return content.stylize("$selection-text on $selection") if selected else content


class SettingForm(ModalScreen["Entry | None"], Steady["Entry | None"]):
    """Gives the entry with what was saved as its field. check and save say what is wrong, "" where nothing is."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", show=False, priority=True)]
    KEYS: ClassVar[Mapping[str, str]] = {"list.up": "move(-1)", "list.down": "move(1)"}

    def __init__(self, entry: Entry, place: Place, file: str, *, check: Check, save: Check) -> None:
        super().__init__()
        self._entry = entry
        self._place: Place = place
        self._file = file
        self._check = check
        self._save = save
        self._saving = False
        self._rows = ChoiceRows(entry.field, id="setting-choices") if entry.choices else None

    def compose(self) -> ComposeResult:
        entry = self._entry
        with Vertical(classes="picker setting-form"):
            yield Static(
                Content.styled(visible(entry.setting.key), "bold $primary"), classes="picker-title", markup=False
            )
            yield Static(Content.styled(visible(entry.help), "$foreground"), classes="setting-help", markup=False)
            if self._rows is not None:
                yield self._rows
            else:
                yield Input(entry.field, max_length=MOST, id="setting-value", select_on_focus=True)
            yield Static("", classes="picker-detail", markup=False)
            yield Static("", id="setting-remarks", markup=False)
            verb = "chooses and saves" if entry.choices else "saves"
            hint = f"enter {verb} to {visible(self._file)} · esc goes back"
            yield Static(Content.styled(hint, "$key-label"), classes="picker-hint", markup=False)

    def on_mount(self) -> None:
        remarks = self._entry.remarks(self._place)
        self.query_one("#setting-remarks", Static).update(
            Content.styled(visible("; ".join(map(one_line, remarks))), "$state-waiting")
        )
        if self._rows is not None:
            choices = self._entry.choices
            self._rows.styles.height = min(12, len(choices))
            if self._entry.field in choices:
                self._rows.selected = choices.index(self._entry.field)
            self._rows.set_rows(choices)
            self._rows.focus()
        else:
            self.query_one(Input).focus()
        self._tell("")

    def _tell(self, problem: str) -> None:
        """What is wrong with the value as it is, or what may be written."""
        if problem:
            said, token = problem, "state-failed"
        elif self._entry.setting.private:
            said, token = f"{self._entry.allowed}; what is set is not shown, and is replaced", "muted"
        else:
            said, token = self._entry.allowed, "muted"
        self.query_one(".picker-detail", Static).update(Content.styled(visible(one_line(said)), f"${token}"))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self._entry.field:
            self.run_worker(self._look(event.value), exclusive=True, group="check", exit_on_error=False)

    async def _look(self, text: str) -> None:
        problem = await self._check(self._entry, text) if text.strip() else ""
        if self.query_one(Input).value == text:
            self._tell(problem)

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        event.stop()
        self._done(event.value)

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        event.stop()
        self._done(str(event.rows.row))

    def _done(self, text: str) -> None:
        if not self._saving:
            self._saving = True
            self.run_worker(self._write(text), group="save", exit_on_error=False)

    async def _write(self, text: str) -> None:
        try:
            problem = await self._save(self._entry, text)
        finally:
            self._saving = False
        if problem:
            self._tell(problem)
        else:
            self.leave(replace(self._entry, field=text.strip()))

    def action_move(self, by: int) -> None:
        if self._rows is not None:
            self._rows.move(by)

    def action_close(self) -> None:
        self.leave(None)


class NameForm(ModalScreen["str | None"], Steady["str | None"]):
    """The name of one more agent, model or server."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", show=False, priority=True)]

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what

    def compose(self) -> ComposeResult:
        with Vertical(classes="picker setting-form"):
            yield Static(
                Content.styled(f"The name of the {self._what}", "bold $primary"), classes="picker-title", markup=False
            )
            yield Input(max_length=100, id="setting-value")
            hint = "enter goes on to its settings · esc goes back"
            yield Static(Content.styled(hint, "$key-label"), classes="picker-hint", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        event.stop()
        name = clean(event.value).strip()
        if name and name == event.value.strip():
            self.leave(name)

    def action_close(self) -> None:
        self.leave(None)
