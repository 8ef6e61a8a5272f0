"""The model picker: providers with their models, what a model costs and can do, what the switch to it comes to, and
effort and temperature beside it; also in the middle of a run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Final, Literal

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from runner.models.fitting import read_temperature
from tui.model_list import Heading, Line, ModelRow, listed
from tui.model_memory import Marked
from tui.model_switch import Switch, changed, facts, level_words, next_level
from tui.next_request import Temperature
from tui.render.clean import clean
from tui.screens.picker import Picker
from tui.widgets.model_rows import ModelRows
from tui.widgets.rows import Rows
from tui.words import about

DETAIL_LINES: Final = 3
"""Lines below the list, kept free so that the list does not move with the selection."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """name: "" where the model stays. now: give up the request that is open. effort, temperature: None = they stay."""

    name: str
    now: bool
    effort: str | None = None
    temperature: Temperature = None


class ModelPicker(Picker[ModelChoice | None]):
    """load: every model, from a thread. marked: favourites and recents. first: what to begin with."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "effort(-1)", show=False, priority=True),
        Binding("right", "effort(1)", show=False, priority=True),
    ]
    KEYS: ClassVar[Mapping[str, str]] = {
        "list.new": "now",
        "list.favourite": "favourite",
        "temperature": "temperature",
    }
    TITLE_TEXT = "Models"

    def __init__(
        self,
        load: Callable[[], Awaitable[Sequence[ModelRow]]],
        *,
        switch: Switch,
        marked: Marked,
        first: Literal["", "temperature"] = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._load = load
        self._switch = switch
        self._marked = marked
        self._first = first
        self._now = now
        self.effort = switch.asked.effort
        super().__init__()

    @property
    def _field(self) -> Input:
        return self.query_one("#models-temperature", Input)

    @property
    def line(self) -> Line | None:
        row = self._list.row
        return row if isinstance(row, Line) else None

    def hint(self) -> str:
        now, star, warm = (self.key_of(name) for name in ("list.new", "list.favourite", "temperature"))
        enter = f"enter next request · {now} now" if self._switch.live else "enter takes it"
        if self.size.width >= 100:
            return f"{enter} · ← → effort · {warm} temperature · {star} favourite · esc closes"
        if self.size.width >= 76:
            return f"{enter} · ←→ effort · {warm} temp · {star} ★ · esc"
        return f"enter{f' · {now} now' if self._switch.live else ''} · {star} ★ · esc"

    def make_rows(self) -> Rows:
        return ModelRows(id="picker-rows", switch=self._switch)

    def beside(self) -> ComposeResult:
        with Horizontal(id="models-settings"):
            yield Static("", id="models-effort", markup=False)
            yield Static(Content.styled("temperature ", "$muted"), id="models-label", markup=False)
            value = self._switch.asked.temperature
            yield Input(
                "" if value is None else f"{value:g}",
                placeholder="default",
                id="models-temperature",
                select_on_focus=False,
                max_length=7,
            )

    def on_mount(self) -> None:
        self._name_columns()
        self._show_effort()
        if self._first == "temperature":
            self._field.focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self._name_columns)

    def _name_columns(self) -> None:
        """What the columns are, over them; the screen may be closed by now."""
        if not self.query(".picker-title"):
            return
        rows = self._list
        assert isinstance(rows, ModelRows)
        width = rows.content_size.width or self.size.width - 4
        history = self._switch.history
        note = f"the history is {about(history)} tokens" if history else ""
        self.query_one(".picker-title", Static).update(rows.header(self.TITLE_TEXT, note, width), layout=False)
        self.query_one(".picker-hint", Static).update(Content.styled(self.hint(), "$key-label"), layout=False)

    async def load(self) -> Sequence[object]:
        return await self._load()

    def refilter(self, keep: int = 0) -> None:
        """The model in use is selected at first, what a search finds best while searching."""
        query = self.query_one(".picker-filter", Input).value
        rows = [row for row in self.items if isinstance(row, ModelRow)]
        lines = listed(rows, self._marked.marks, query, self._switch.current)
        self._list.selected = keep if query.strip() or keep else self._place(lines, self._switch.current)
        self._list.set_rows(lines)
        self.show_detail()

    def _place(self, lines: Sequence[Heading | Line], name: str) -> int:
        places = (at for at, line in enumerate(lines) if isinstance(line, Line) and line.row.info.name == name)
        return next(places, 0)

    def show_detail(self) -> None:
        super().show_detail()
        self._show_effort()

    def detail(self, item: object | None) -> Content:
        if not isinstance(item, Line):
            return Content("")
        told = facts(item, self._switch, self.effort, self._typed(), self._now())
        name = Content.styled(clean(item.row.info.name), "bold $foreground")
        return Content(" · ").join([name, *(Content.styled(clean(text), f"${token}") for text, token in told)])

    def _typed(self) -> float | None:
        try:
            return read_temperature(self._field.value or "default")
        except ValueError:
            return None

    def _show_effort(self) -> None:
        line = self.line
        efforts = None if line is None else line.row.info.efforts
        taken = self.effort is None or efforts is None or self.effort in efforts
        wide = self.size.width >= 76
        levels = f"  {level_words(efforts)}" if wide and line is not None else ""
        content = Content.assemble(
            ("effort ", "$muted"),
            ("< ", "$key-label"),
            (self.effort or "default", "bold $foreground" if taken else "bold $state-waiting"),
            (" >", "$key-label"),
            (levels, "$muted"),
        )
        self.query_one("#models-effort", Static).update(content, layout=False)

    def choose(self, item: object) -> None:
        self._leave(item, now=False)

    def action_now(self) -> None:
        self._leave(self._list.row, now=self._switch.live)

    def _leave(self, item: object | None, *, now: bool) -> None:
        if not isinstance(item, Line):
            return
        old = self._switch.asked
        try:
            value = read_temperature(self._field.value or "default")
        except ValueError as error:
            self._field.focus()
            self.say(str(error), "state-failed")
            return
        temperature: Temperature = None if value == old.temperature else "default" if value is None else value
        effort = changed(self.effort, old.effort)
        same = item.row.info.name == self._switch.current and (effort is not None or temperature is not None)
        self.leave(ModelChoice("" if same else item.row.info.name, now, effort, temperature))

    def action_favourite(self) -> None:
        line = self.line
        if line is None:
            return
        name = line.row.info.name
        self._marked.toggle(name)
        query = self.query_one(".picker-filter", Input).value
        rows = [row for row in self.items if isinstance(row, ModelRow)]
        self.refilter(self._place(listed(rows, self._marked.marks, query, self._switch.current), name))

    def action_effort(self, step: int) -> None:
        """Another level, of those that the selected model takes; in the field of the temperature the cursor moves."""
        if self._field.has_focus:
            field = self._field
            field.cursor_position = max(0, min(len(field.value), field.cursor_position + step))
            return
        line = self.line
        self.effort = next_level(self.effort, None if line is None else line.row.info.efforts, step)
        self.show_detail()

    def on_click(self, event: events.Click) -> None:
        """The signs beside the effort are buttons."""
        if event.widget is not None and event.widget.id == "models-effort":
            event.stop()
            self.action_effort(-1 if event.x < len("effort < ") else 1)

    def action_temperature(self) -> None:
        (self.query_one(".picker-filter", Input) if self._field.has_focus else self._field).focus()

    @on(Input.Changed, "#models-temperature")
    def _temperature_typed(self, event: Input.Changed) -> None:
        event.stop()
        event.prevent_default()
        try:
            read_temperature(event.value or "default")
        except ValueError as error:
            self.say(str(error), "state-failed")
        else:
            self.show_detail()

    @on(Input.Submitted, "#models-temperature")
    def _temperature_set(self, event: Input.Submitted) -> None:
        """Enter there keeps what was typed and goes back to the list; enter in the list chooses."""
        event.stop()
        event.prevent_default()
        self.query_one(".picker-filter", Input).focus()
