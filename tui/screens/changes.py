"""All files that a session changed: by turn, or all of it together, with the diffs. It changes nothing itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from runner.errors import QuarterdeckError
from runner.undo.blobs import Blobs
from runner.undo.history import KINDS as HISTORY_KINDS
from runner.undo.history import TurnChanges, load
from tui import copying
from tui.change_words import all_row, body, file_row, plain
from tui.changes import KINDS, ChangedFile, Changes, FileText, TurnFiles, changes_of, diff_of, patch_of
from tui.render.clean import clean, clean_output
from tui.screens.outside import open_outside
from tui.screens.steady import Steady
from tui.undo_words import remarks, shown_path, turn_line
from tui.widgets.rows import Rows
from tui.words import count, one_line

if TYPE_CHECKING:
    from pathlib import Path

    from runner.store import Store
    from tui.desk import Desk

MOST_SHOWN: Final = 100
"""Files whose diffs stand below each other; each of the others can be chosen."""

AT_ONCE: Final = 40
"""Files whose lines are counted between two looks at the list."""

IMPORTED = "It was brought in from another program: what its commands changed is not known."


def open_changes(desk: Desk, argument: str) -> None:
    """argument: a file to begin with."""
    session_id = desk.deck.session_id
    if session_id is not None:
        desk.host.show_screen(ChangesScreen(desk, session_id, argument), lambda then: _then(desk, then))


def _then(desk: Desk, action_id: str | None) -> None:
    if action_id:
        desk.do(action_id)


@dataclass(frozen=True, slots=True)
class AllRow:
    files: tuple[ChangedFile, ...]


@dataclass(frozen=True, slots=True)
class TurnRow:
    turn: TurnFiles


@dataclass(frozen=True, slots=True)
class FileRow:
    file: ChangedFile
    turn: TurnChanges | None


class ChangesRows(Rows):
    def __init__(self, text_of: Callable[[ChangedFile], FileText | None], *, id: str | None = None) -> None:
        super().__init__(id=id, empty="")
        self._text_of = text_of

    def draw(self, row: object, width: int, selected: bool) -> Content:
        if isinstance(row, TurnRow):
            content = turn_line(row.turn.turn, width, datetime.now().astimezone())
        elif isinstance(row, AllRow):
            texts = [text for file in row.files if (text := self._text_of(file)) is not None]
            sums = (sum(text.added or 0 for text in texts), sum(text.removed or 0 for text in texts))
            content = all_row(len(row.files), sums, sum(text.added is None for text in texts), width)
        else:
            assert isinstance(row, FileRow)
            content = file_row(row.file, self._text_of(row.file), width, indent=1 if row.turn is None else 5)
        content = content.truncate(width, pad=True)
        return content.stylize("$selection-text on $selection") if selected else content


class DiffPane(VerticalScroll):
    """Says when its width may have changed: what is in it is laid out for that."""

    def __init__(self, resized: Callable[[], None], body: Static) -> None:
        super().__init__(body, id="changes-diff")
        self._resized = resized

    def on_resize(self) -> None:
        self._resized()


class ChangesScreen(Steady[str | None]):
    """Closes with the id of an action to go on with."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "close", show=False, priority=True),
        Binding("w,tab", "together", show=False, priority=True),
        Binding("y", "copy", show=False),
        Binding("o", "open", show=False),
        Binding("u", "undo", show=False),
        Binding("space", "page(1)", show=False, priority=True),
    ]
    KEYS: ClassVar[Mapping[str, str]] = {
        "list.page_down": "page(1)",
        "list.page_up": "page(-1)",
        "list.choose": "page(1)",
        "list.close": "close",
    }

    def __init__(self, desk: Desk, session_id: str, wanted: str = "") -> None:
        super().__init__()
        self._desk = desk
        self._session = session_id
        self._wanted = wanted
        self._together = False
        self._changes = Changes()
        self._imported = False
        self._blobs: Blobs | None = None
        self._texts: dict[ChangedFile, FileText] = {}
        self._shown: tuple[FileText, ...] = ()
        self._drawn = 0
        self._rows = ChangesRows(lambda file: self._texts.get(file), id="changes-rows")

    def compose(self) -> ComposeResult:
        yield Static("", id="changes-title", classes="viewer-title", markup=False)
        with Container(classes="undo-main"):
            yield self._rows
            yield DiffPane(self._pane_resized, Static("", id="changes-body", markup=False))
        yield Static("", id="changes-detail", markup=False)
        yield Static("", classes="picker-hint", id="changes-hint", markup=False)

    def on_mount(self) -> None:
        self._rows.focus()
        self.run_worker(self._load, group="load", exit_on_error=False)

    # Loading

    async def _load(self) -> None:
        self._say("loading")

        def read(store: Store) -> tuple[Path, Changes, bool]:
            from runner.store.paths import data_dir

            folder = data_dir()
            found = store.facts(self._session, (*HISTORY_KINDS, *KINDS))
            imported = bool(store.session(self._session).imported)
            return folder, changes_of(found, load(found, folder, self._session)), imported

        try:
            folder, self._changes, self._imported = await asyncio.wrap_future(self._desk.engine.ask(read))
        except QuarterdeckError as error:
            self._say(str(error), "state-failed")
            return
        self._blobs = Blobs(folder)
        self._set_rows()
        if not self._changes.files:
            self._say(f"no file was changed in this session, or none that is known of. {self._remark()}".rstrip())
            return
        self._begin_with_wanted()
        self._select()
        await self._count()

    async def _count(self) -> None:
        """The lines of each file, for the list; those that are seen first."""
        files = [*(file for turn in reversed(self._changes.turns) for file in turn.files), *self._changes.files]
        for at in range(0, len(files), AT_ONCE):
            await self._make(files[at : at + AT_ONCE])
            self._rows.redraw()
            self._head()

    async def _make(self, files: Sequence[ChangedFile]) -> list[FileText]:
        blobs, missing = self._blobs, [file for file in files if file not in self._texts]
        if missing and blobs is not None:
            made = await asyncio.wrap_future(
                self._desk.engine.background(lambda: [diff_of(file, blobs) for file in missing])
            )
            self._texts.update(zip(missing, made, strict=True))
        return [self._texts[file] for file in files if file in self._texts]

    # Showing

    def _set_rows(self) -> None:
        changes = self._changes
        rows: list[object] = []
        if self._together and changes.files:
            rows = [AllRow(changes.files), *(FileRow(file, None) for file in changes.files)]
        else:
            for turn in reversed(changes.turns):
                rows.append(TurnRow(turn))
                rows += [FileRow(file, turn.turn) for file in turn.files]
        self._rows.set_rows(rows)
        self._head()

    def _head(self) -> None:
        changes = self._changes
        files = [text for file in changes.files if (text := self._texts.get(file)) is not None]
        sums = (
            f" +{sum(text.added or 0 for text in files)} -{sum(text.removed or 0 for text in files)}" if files else ""
        )
        title = Content.assemble(
            ("Changes", "bold $primary"),
            (
                f"  {count(len(changes.files), 'file')} in {count(len(changes.turns), 'turn')}{sums if files else ''}",
                "$foreground",
            ),
            (", all of the session together" if self._together else ", turn by turn", "$muted"),
        )
        self.query_one("#changes-title", Static).update(title)
        keys = [
            "↑↓ choose",
            "w turn by turn" if self._together else "w all together",
            "y copy as a patch",
            "o open",
            "u undo",
            "space scrolls",
            "esc closes",
        ]
        self.query_one("#changes-hint", Static).update(Content.styled(" · ".join(keys), "$key-label"))

    def _begin_with_wanted(self) -> None:
        wanted, self._wanted = self._wanted, ""
        rows = self._rows.rows if wanted else ()
        for index, row in enumerate(rows):
            if isinstance(row, FileRow) and shown_path(row.file.path, row.file.folder).endswith(wanted):
                self._rows.select(index)
                return
        if wanted:
            self._say(f"no file of this name was changed: {wanted}", "state-waiting")

    def _chosen_files(self) -> tuple[ChangedFile, ...]:
        match self._rows.row:
            case AllRow(files=files):
                return files
            case TurnRow(turn=turn):
                return turn.files
            case FileRow(file=file):
                return (file,)
            case _:
                return ()

    def _select(self) -> None:
        self.run_worker(self._show, group="show", exclusive=True, exit_on_error=False)

    async def _show(self) -> None:
        files = self._chosen_files()
        texts = await self._make(files[:MOST_SHOWN])
        self._rows.redraw()
        self._shown = tuple(texts)
        self._drawn = width = self._room
        notes = [note for note in (*self._notes(), self._remark()) if note]
        self.query_one("#changes-body", Static).update(body(texts, len(files) - len(texts), notes, width))
        self.query_one("#changes-diff").scroll_home(animate=False)
        self._say(f"{count(len(files), 'file')} of {self._scope()}")

    def _scope(self) -> str:
        row = self._rows.row
        turn = row.turn.turn if isinstance(row, TurnRow) else row.turn if isinstance(row, FileRow) else None
        if turn is None:
            return "the whole session"
        return f"change {turn.number}, by {one_line(', '.join(turn.tools)) or 'a tool'}"

    def _notes(self) -> list[str]:
        row = self._rows.row
        if isinstance(row, TurnRow):
            return remarks([row.turn.turn])
        return remarks([each.turn for each in self._changes.turns]) if isinstance(row, AllRow) else []

    def _remark(self) -> str:
        return IMPORTED if self._imported else ""

    def _say(self, text: str, token: str = "muted") -> None:
        self.query_one("#changes-detail", Static).update(Content.styled(clean(text), f"${token}"))

    @on(Rows.Selected)
    def _selected(self, event: Rows.Selected) -> None:
        event.stop()
        self._select()

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        event.stop()

    @property
    def _room(self) -> int:
        """Cells that a line of a diff has."""
        return max(20, self.query_one("#changes-diff").content_size.width)

    def _pane_resized(self) -> None:
        if self._shown and self._room != self._drawn:
            self._select()

    # Keys

    def action_together(self) -> None:
        path = next(iter(self._chosen_files()), None)
        self._together = not self._together
        self._rows.selected = 0
        self._set_rows()
        rows = self._rows.rows
        here = [at for at, row in enumerate(rows) if isinstance(row, FileRow) and path and row.file.path == path.path]
        if here and not isinstance(self._rows.row, AllRow):
            self._rows.select(here[0])
        self._select()

    def action_copy(self) -> None:
        self._work(self._copy)

    def action_open(self) -> None:
        if self._shown:
            open_outside(self._desk, clean_output(plain(self._shown)), "the changes", "pager", self._say)

    def action_undo(self) -> None:
        self.leave("undo")

    def _work(self, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.run_worker(job, group="copy", exclusive=True, exit_on_error=False)

    async def _copy(self) -> None:
        files, blobs = self._chosen_files(), self._blobs
        if not files or blobs is None:
            self._say("there is nothing to copy")
            return
        patch = await asyncio.wrap_future(self._desk.engine.background(lambda: patch_of(files, blobs)))
        if not patch.text:
            self._say("no patch can be made: what these files were, or became, is not kept", "state-waiting")
            return
        self._desk.host.copy(patch.text)
        left = f"; without {count(len(patch.left_out), 'file')} that is no text or not kept" if patch.left_out else ""
        note = f"; {patch.note}" if patch.note else ""
        said = f"the patch of {count(patch.files, 'file')} copied: {copying.amount(patch.text)}{left}{note}"
        self._say(said, "foreground")

    def action_page(self, by: int) -> None:
        pane = self.query_one("#changes-diff")
        pane.scroll_relative(y=by * max(1, pane.size.height - 1), animate=False)

    def action_close(self) -> None:
        self.leave(None)
