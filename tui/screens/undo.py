"""Review and undo: the turns that changed files, their files, and what putting them back would change in each."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from runner.errors import QuarterdeckError
from runner.undo.history import TurnChanges
from runner.undo.plan import FilePlan, Selection
from tui.render.clean import clean
from tui.screens.steady import Steady
from tui.undo_words import diff_body, file_line, outcome_words, remarks, shown_path, turn_line
from tui.undoing import Shown, Undoing
from tui.widgets.rows import Rows
from tui.words import count

if TYPE_CHECKING:
    from runner.undo.log import Restored
    from tui.desk import Desk

MOST_FILES = 200
"""Files listed of one turn; those beyond are put back with their turn."""


def open_undo(desk: Desk, argument: str) -> None:
    """argument: a file to begin with."""
    session_id = desk.deck.view().session_id
    if session_id is not None:
        screen = UndoScreen(Undoing(desk, session_id), desk.deck.view().workspace, argument)
        desk.host.show_screen(screen, lambda said: _said(desk, said, changes=screen.to_changes))


def _said(desk: Desk, said: str | None, *, changes: bool) -> None:
    if said:
        desk.deck.say(said)
        desk.repaint()
    if changes:
        desk.do("changes")


@dataclass(frozen=True, slots=True)
class TurnRow:
    turn: TurnChanges


@dataclass(frozen=True, slots=True)
class FileRow:
    turn: TurnChanges
    path: str


class UndoRows(Rows):
    def __init__(self, folder: str, state: Callable[[FileRow], FilePlan | None], *, id: str | None = None) -> None:
        super().__init__(id=id, empty="")
        self._folder = folder
        self._state = state

    def draw(self, row: object, width: int, selected: bool) -> Content:
        if isinstance(row, TurnRow):
            content = turn_line(row.turn, width, datetime.now().astimezone())
        else:
            assert isinstance(row, FileRow)
            content = file_line(row.path, self._folder, self._state(row), width)
        content = content.truncate(width, pad=True)
        return content.stylize("$selection-text on $selection") if selected else content


class UndoScreen(Steady[str | None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "close", show=False, priority=True),
        Binding("u", "undo", show=False, priority=True),
        Binding("f", "force", show=False),
        Binding("a", "since", show=False),
        Binding("r", "redo", show=False),
        Binding("c", "changes", show=False),
        Binding("space", "page(1)", show=False, priority=True),
    ]
    KEYS: ClassVar[Mapping[str, str]] = {
        "list.page_down": "page(1)",
        "list.page_up": "page(-1)",
        "list.choose": "undo",
        "list.close": "close",
    }

    def __init__(self, undoing: Undoing, folder: str, wanted: str = "") -> None:
        super().__init__()
        self._undoing = undoing
        self._folder = folder
        self._wanted = wanted
        self._since = False
        self._shown: Shown | None = None
        self._states: dict[tuple[object, str], FilePlan] = {}
        self._doubted: Selection | None = None
        self._said = ""
        self._busy = False
        self.to_changes = False
        """Whether a person goes on to all that the session changed."""
        self._rows = UndoRows(folder, self._state_of, id="undo-rows")

    def compose(self) -> ComposeResult:
        yield Static("", id="undo-title", classes="viewer-title", markup=False)
        with Container(classes="undo-main"):
            yield self._rows
            with VerticalScroll(id="undo-diff"):
                yield Static("", id="undo-body", markup=False)
        yield Static("", id="undo-detail", markup=False)
        yield Static("", classes="picker-hint", id="undo-hint", markup=False)

    def on_mount(self) -> None:
        self._rows.focus()
        self._work(self._load)

    def _work(self, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Look at something; what was looked at before is not waited for. Nothing ever cuts what changes files."""
        self.run_worker(job, group="undo", exclusive=True, exit_on_error=False)

    def _change(self, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._busy = True
        self.run_worker(job, group="undo change", exit_on_error=False)

    def _state_of(self, row: FileRow) -> FilePlan | None:
        return self._states.get((row.turn.key, row.path))

    async def _load(self) -> None:
        self._say("loading")
        try:
            history = await self._undoing.load()
            rows: list[object] = []
            for turn in reversed(history.turns):
                rows.append(TurnRow(turn))
                rows += [FileRow(turn, path) for path in sorted(turn.paths)[:MOST_FILES]]
            self._rows.set_rows(rows)
            self._head(len(history.turns), len({path for turn in history.turns for path in turn.paths}))
            if not rows:
                self._say("nothing was changed in this session yet, or nothing that was kept")
                return
            for turn in reversed(history.turns[-8:]):
                await self._look(Selection(turns=frozenset({turn.key})), turn)
            self._begin_with_wanted(rows)
            await self._show()
        except QuarterdeckError as error:
            self._say(str(error), "state-failed")

    def _head(self, turns: int, files: int) -> None:
        title = Content.assemble(
            ("Undo", "bold $primary"),
            (f"  {count(turns, 'turn')} changed {count(files, 'file')}", "$foreground"),
            (f" in {clean(self._folder)}", "$muted"),
        )
        self.query_one("#undo-title", Static).update(title)

    def _begin_with_wanted(self, rows: list[object]) -> None:
        wanted, self._wanted = self._wanted, ""
        for index, row in enumerate(rows):
            if wanted and isinstance(row, FileRow) and shown_path(row.path, self._folder).endswith(wanted):
                self._rows.select(index)
                return

    async def _look(self, selection: Selection, turn: TurnChanges) -> Shown:
        shown = await self._undoing.plan(selection)
        for file in shown.plan.files:
            self._states[turn.key, file.path] = file
        self._rows.redraw()
        return shown

    def _selection(self) -> Selection | None:
        row = self._rows.row
        if not isinstance(row, TurnRow | FileRow):
            return None
        turns = self._undoing.history.since(row.turn.key) if self._since else frozenset({row.turn.key})
        return Selection(turns=turns, paths=frozenset({row.path}) if isinstance(row, FileRow) else None)

    async def _show(self) -> None:
        """The diff of what the selected row would change."""
        selection = self._selection()
        row = self._rows.row
        if selection is None or not isinstance(row, TurnRow | FileRow):
            return
        self._shown = shown = await self._undoing.plan(selection)
        if not self._since:
            for file in shown.plan.files:
                self._states[row.turn.key, file.path] = file
            self._rows.redraw()
        width = max(20, self.query_one("#undo-diff").content_size.width)
        parts = [diff_body(file, diff, self._folder, width) for file, diff in shown.diffs]
        if len(shown.plan.files) > len(shown.diffs):
            parts.append(Content.styled(f"and {len(shown.plan.files) - len(shown.diffs)} more files", "$muted"))
        parts += [Content.styled(remark, "$state-waiting") for remark in remarks(shown.plan.turns)]
        self.query_one("#undo-body", Static).update(Content("\n\n").join(parts))
        self.query_one("#undo-diff").scroll_home(animate=False)
        self._doubted = None
        self._say_what(shown)

    def _say_what(self, shown: Shown) -> None:
        files, ready, conflicts = shown.plan.files, len(shown.plan.ready), len(shown.plan.conflicts)
        what = "this turn and every later one" if self._since else "this turn"
        scope = what if shown.plan.selection.paths is None else f"this file, of {what}"
        if ready or conflicts:
            parts = (
                [f"enter puts back {count(ready, 'file')}: {scope}"] if ready else [f"nothing to put back of {scope}"]
            )
            if conflicts:
                parts.append(f"{count(conflicts, 'conflict')}: f puts back these too, over what is there now")
            text, token = "; ".join(parts), "state-waiting" if conflicts else "foreground"
        elif any(file.state in ("lost", "blocked") for file in files):
            text, token = "this cannot be put back", "state-failed"
        else:
            text, token = ("everything of it is as it was" if files else "nothing of it was kept"), "muted"
        self._say(f"{self._said}; {text}" if self._said else text, token)
        self._hint()

    def _hint(self) -> None:
        keys = ["↑↓ choose", "enter put back", "a only this turn" if self._since else "a later turns too"]
        if self._undoing.history.redoable is not None:
            keys.append("r do again")
        keys += ["c all changes", "space scrolls", "esc closes"]
        self.query_one("#undo-hint", Static).update(Content.styled(" · ".join(keys), "$key-label"))

    def _say(self, text: str, token: str = "muted") -> None:
        self.query_one("#undo-detail", Static).update(Content.styled(clean(text), f"${token}"))

    @on(Rows.Selected)
    def _selected(self, event: Rows.Selected) -> None:
        event.stop()
        self._said = ""
        self._work(self._show)

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        """A click on the selected row only selects: files are put back by a key."""
        event.stop()

    def on_resize(self, event: events.Resize) -> None:
        if self._shown is not None:
            self._work(self._show)

    def action_undo(self) -> None:
        shown = self._shown
        if shown is None or not self._allowed():
            return
        if shown.plan.ready:
            self._change(partial(self._restore, shown, frozenset()))
        elif shown.plan.conflicts:
            self._say("somebody else changed it since; f puts it back all the same, over that", "state-waiting")

    def action_force(self) -> None:
        """The first press asks, a second one on the same files means it."""
        shown = self._shown
        if shown is None or not shown.plan.conflicts or not self._allowed():
            return
        if self._doubted != shown.plan.selection:
            self._doubted = shown.plan.selection
            names = ", ".join(shown_path(file.path, self._folder) for file in shown.plan.conflicts[:3])
            more = " and others" if len(shown.plan.conflicts) > 3 else ""
            self._say(f"f again overwrites what others wrote to {names}{more}; r can bring it back", "state-failed")
            return
        force = frozenset(file.path for file in shown.plan.conflicts)
        self._change(partial(self._restore, shown, force))

    def action_since(self) -> None:
        self._since = not self._since
        self._said = ""
        self._work(self._show)

    def action_redo(self) -> None:
        last = self._undoing.history.redoable
        if last is None:
            self._say("nothing was put back that could be done again")
        elif self._allowed():
            self._change(partial(self._redo, last))

    def _allowed(self) -> bool:
        why = self._undoing.busy()
        if self._busy:
            return False
        if why:
            self._say(why, "state-failed")
        return not why

    async def _redo(self, last: Restored) -> None:
        try:
            shown = await self._undoing.plan(Selection(restore=last.id))
        except QuarterdeckError as error:
            self._busy = False
            self._say(str(error), "state-failed")
            return
        await self._restore(shown, frozenset(), redo=True)

    async def _restore(self, shown: Shown, force: frozenset[str], *, redo: bool = False) -> None:
        try:
            outcome = await self._undoing.restore(shown.plan, force)
        except QuarterdeckError as error:
            self._say(str(error), "state-failed")
            return
        finally:
            self._busy = False
        self._said = outcome_words(outcome, self._folder, redo=redo)
        self._states.clear()
        self._shown = None
        self._work(self._load)

    def action_changes(self) -> None:
        if not self._busy:
            self.to_changes = True
            self.leave(self._said)

    def action_page(self, by: int) -> None:
        body = self.query_one("#undo-diff")
        body.scroll_relative(y=by * max(1, body.size.height - 1), animate=False)

    def action_close(self) -> None:
        if not self._busy:
            self.leave(self._said)
