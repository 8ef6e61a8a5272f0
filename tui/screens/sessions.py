"""Every session: found by filters and by what was said in it, seen before it is opened, and kept in order."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any, ClassVar, Literal, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Static
from textual.worker import Worker, WorkerState

from runner.errors import QuarterdeckError
from tui.actions import PanelName
from tui.landing import Landing
from tui.render.clean import clean
from tui.screens.steady import Steady
from tui.sessions.choice import Beyond, Opening, SessionChoice
from tui.sessions.editing import HINTS, LABELS, Edit, EditKind
from tui.sessions.fields import FieldSuggester, field_line
from tui.sessions.finder import Finder
from tui.sessions.keeping import Keeping
from tui.sessions.lines import GROUPINGS, HitLine, Line, MoreLine, SessionLine
from tui.sessions.memory import SessionMemory
from tui.sessions.rows import SessionRows
from tui.sessions.search import Search
from tui.sessions.telling import Mode, detail, empty_words, hint_line, title_line
from tui.widgets.list_keys import keymap_of
from tui.widgets.rows import Rows


class SessionsScreen(Steady[SessionChoice]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", show=False, priority=True)]
    KEYS: ClassVar[Mapping[str, str]] = {
        "list.up": "move('up')",
        "list.down": "move('down')",
        "list.page_up": "move('page_up')",
        "list.page_down": "move('page_down')",
        "list.first": "move('first')",
        "list.last": "move('last')",
        "list.filter": "filter",
        "list.close": "close",
        "list.new": "new",
        "list.delete": "delete",
        "list.favourite": "pin",
        "list.preview": "preview",
        "list.rename": "edit('rename')",
        "list.tag": "edit('tag')",
        "list.note": "edit('note')",
        "list.mark": "mark",
        "list.compare": "compare",
        "list.fork": "beyond('turns')",
        "list.replay": "beyond('replay')",
        "list.export": "beyond('hand_on')",
        "list.group": "group",
        "list.trash": "trash",
        "list.restore": "restore",
    }

    def __init__(
        self,
        finder: Finder,
        *,
        memory: SessionMemory,
        current: str | None,
        home: str = "",
    ) -> None:
        super().__init__()
        self._finder = finder
        self._memory = memory
        self._current = current
        self._home = home
        self.rows = SessionRows(finder.now, current=current, id="sessions-rows")
        self.rows.grouping = memory.grouping
        self._search = Search(self, finder)
        self._keeping = Keeping(self, finder)
        self._edit: Edit | None = None
        self._said = ""
        self._previewed: Line | None = None

    def compose(self) -> ComposeResult:
        yield Static("", id="sessions-title", classes="viewer-title", markup=False)
        yield Input(
            placeholder="type to filter", id="sessions-filter", suggester=FieldSuggester(), select_on_focus=False
        )
        yield Static("", id="sessions-fields", markup=False)
        with Container(classes="sessions-main"):
            with Vertical(id="sessions-list"):
                yield Static("", id="sessions-head", markup=False)
                yield self.rows
            with VerticalScroll(id="sessions-preview"):
                yield Static("", id="sessions-body", markup=False)
        with Horizontal(id="sessions-edit"):
            yield Static("", id="sessions-label", markup=False)
            yield Input(id="sessions-value", select_on_focus=False)
        yield Static("", id="sessions-detail", markup=False)
        yield Static("", id="sessions-hint", classes="picker-hint", markup=False)

    def on_mount(self) -> None:
        (self.rows if keymap_of(self).rows_first else self._filter).focus()
        self.say("loading")
        self._search.look()

    def on_screen_resume(self) -> None:
        """Back from another screen, on which sessions may have been made or changed."""
        if self._search.found is not None:
            self.rows.forget()
            self._search.look()

    @property
    def _filter(self) -> Input:
        return self.query_one("#sessions-filter", Input)

    @property
    def _value(self) -> Input:
        return self.query_one("#sessions-value", Input)

    @property
    def _preview(self) -> VerticalScroll:
        return self.query_one("#sessions-preview", VerticalScroll)

    @property
    def text(self) -> str:
        return self._filter.value

    # What is found, and chosen.

    @on(Input.Changed, "#sessions-filter")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._search.typed()
        self._show_fields()

    @on(Input.Submitted, "#sessions-filter")
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._search.submit()

    @on(SessionRows.Missing)
    def _missing(self, event: SessionRows.Missing) -> None:
        event.stop()
        self._search.missing(event.sessions, event.hits)

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        event.stop()
        self.choose()

    def choose(self) -> None:
        row = self.rows.row
        match row:
            case SessionLine():
                self.leave(Opening(row.session_id))
            case HitLine():
                self.start(partial(self._open_hit, row), "open")
            case MoreLine():
                self._search.open(row.session_id)
            case _:
                pass

    async def _open_hit(self, row: HitLine) -> None:
        hit = await self._search.hit(row)
        if hit is not None:
            self.leave(Opening(row.session_id, Landing(hit.run_id, hit.seq, self._search.words)))

    @on(Rows.Selected)
    def _selected(self, event: Rows.Selected) -> None:
        event.stop()
        self._keeping.moved()
        self.say("")
        self.show_read()
        self._load_preview()

    # What is told.

    def show_all(self) -> None:
        found = self._search.found
        if found is not None:
            self._put("title", title_line(found, self.rows.grouping, self._search.left))
            self.rows.set_class(not found.lines, "-empty")
            self.rows.explain(empty_words(found, settled=self._search.settled))
        self._put("head", self.rows.head() if found is None or found.lines else Content(""))
        self._show_fields()
        self.show_read()
        self._show_hint()
        self._load_preview()

    def _show_fields(self) -> None:
        field = self._filter
        width = max(20, self.size.width - 4)
        found = self._search.found
        problems = found.problems if found is not None and not self._search.waits else ()
        self.query_one("#sessions-fields").set_class(bool(problems), "-wrong")
        self._put("fields", field_line(field.value, field.cursor_position, problems, width))

    def show_read(self) -> None:
        if not self._said:
            hit, now, width = self.rows.hit, self._finder.now(), self.size.width - 4
            self._put("detail", detail(self.rows.summary, hit, now, self._home, self._current, width))

    def _show_hint(self) -> None:
        found = self._search.found
        mode = Mode(
            writing=self._filter.has_focus or self._preview.has_focus,
            editing=self._edit is not None,
            restorable=self._keeping.restorable or (found is not None and found.deleted),
            lines=1 if self.has_class("-short") else 2,
        )
        self._put("hint", hint_line(keymap_of(self), self.size.width - 4, found, mode))

    def _put(self, part: str, text: Content, *, layout: bool = False) -> None:
        self.query_one(f"#sessions-{part}", Static).update(text, layout=layout)

    def say(self, text: str, token: str = "muted") -> None:
        """Until something else is selected; "" tells of the selected one again."""
        before, self._said = self._said, text
        if text:
            # It may take two lines; what is told of a session never does.
            self._put("detail", Content.styled(clean(text), f"${token}"), layout=True)
        elif before:
            self._put("detail", Content(""), layout=True)
            self.show_read()

    def on_descendant_focus(self) -> None:
        self._show_hint()

    def on_resize(self) -> None:
        if self._search.found is not None:
            self.call_after_refresh(self._resized)

    def _resized(self) -> None:
        """What was told for another width took another number of lines."""
        self.show_all()
        self.query_one("#sessions-detail").refresh(layout=True)

    # A session before it is opened.

    def action_preview(self) -> None:
        shown = not self._preview.has_class("-shown")
        if not shown and self._preview.has_focus:
            self.rows.focus()
        self._preview.set_class(shown, "-shown")
        self._previewed = None
        self._load_preview()
        self.call_after_refresh(self.show_all)

    def _load_preview(self) -> None:
        row = self.rows.row
        of_session = isinstance(row, SessionLine | HitLine | MoreLine)
        if of_session and self._preview.has_class("-shown") and row != self._previewed:
            self._previewed = row
            self.start(partial(self._fill_preview, row), "preview")

    async def _fill_preview(self, row: SessionLine | HitLine | MoreLine) -> None:
        """All of a session, with what stands around the place that is selected in it before that."""
        from tui.sessions.preview import body

        preview = await self._finder.preview(row.session_id)
        hit = await self._search.hit(row) if isinstance(row, HitLine) else None
        around = None if hit is None else await self._finder.around(hit, self._search.words)
        self.query_one("#sessions-body", Static).update(body(preview, self._finder.now(), self._home, around))
        self._preview.scroll_home(animate=False)

    # What is done with sessions.

    def action_edit(self, kind: EditKind) -> None:
        summary = self.rows.summary
        if summary is None:
            return
        self._edit = Edit(kind, summary)
        self.query_one("#sessions-label", Static).update(Content.styled(f"{LABELS[kind]} ", "$key-label"))
        self._value.value = self._edit.text
        self._value.cursor_position = len(self._edit.text)
        self.query_one("#sessions-edit").add_class("-shown")
        self._value.focus()
        self.say(HINTS[kind])

    @on(Input.Changed, "#sessions-value")
    def _edited(self, event: Input.Changed) -> None:
        event.stop()

    @on(Input.Submitted, "#sessions-value")
    def _edit_done(self, event: Input.Submitted) -> None:
        event.stop()
        if self._edit is not None:
            self._keeping.save(self._edit, event.value)

    def end_edit(self) -> None:
        self._edit = None
        self.query_one("#sessions-edit").remove_class("-shown")
        self.rows.focus()

    def action_pin(self) -> None:
        if (summary := self.rows.summary) is not None:
            self._keeping.pin(summary)

    def action_delete(self) -> None:
        if (summary := self.rows.summary) is not None:
            self._keeping.delete(summary)

    def action_restore(self) -> None:
        self._keeping.restore(self.rows.summary)

    def action_mark(self) -> None:
        if session_id := self.rows.session_id:
            self._keeping.mark(session_id)

    def action_compare(self) -> None:
        if pair := self._keeping.pair(self.rows.session_id):
            self.leave(Beyond("compare", pair))

    def action_beyond(self, panel: PanelName) -> None:
        """A screen that may lead to a session itself, so that this one must not lie below it."""
        if session_id := self.rows.session_id:
            self.leave(Beyond(panel, session_id))

    def changed(self) -> None:
        self._previewed = None
        self._search.look()

    # Keys that move, and the rest.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While something is written, the field has the keys that mean something in it."""
        if self._edit is not None:
            return action == "close" or action.startswith("app.")
        if action == "delete" and self._filter.has_focus:
            return self._filter.cursor_position >= len(self._filter.value)
        return True

    def action_move(self, step: Literal["up", "down", "page_up", "page_down", "first", "last"]) -> None:
        if not self._preview.has_focus:
            self.rows.take(step)
            return
        page = max(1, self._preview.size.height - 1)
        match step:
            case "first":
                self._preview.scroll_home(animate=False)
            case "last":
                self._preview.scroll_end(animate=False)
            case _:
                by = {"up": -1, "down": 1, "page_up": -page, "page_down": page}[step]
                self._preview.scroll_relative(y=by, animate=False)

    def action_filter(self) -> None:
        self._filter.focus()

    def action_group(self) -> None:
        rows = self.rows
        rows.grouping = GROUPINGS[(GROUPINGS.index(rows.grouping) + 1) % len(GROUPINGS)]
        self._memory.group_by(rows.grouping)
        self._search.look()

    def action_trash(self) -> None:
        """What was deleted, in the place of all else, and back; the rest of the filter stays."""
        words = [word for word in self._filter.value.split() if word != "is:deleted"]
        if self._search.found is None or not self._search.found.deleted:
            words.insert(0, "is:deleted")
        self._filter.value = " ".join(words)
        self._filter.cursor_position = len(self._filter.value)
        self._search.look()

    def action_new(self) -> None:
        self.leave("new")

    def action_close(self) -> None:
        """Leave the field that is written in, then the filter where the lines were first, then the screen."""
        if self._edit is not None:
            self.end_edit()
            self.say("")
        elif keymap_of(self).rows_first and self._filter.has_focus:
            self.rows.focus()
        else:
            self.leave()

    def later(self, seconds: float, what: Callable[[], None]) -> Timer:
        return self.set_timer(seconds, what)

    def start(self, job: Callable[[], Coroutine[Any, Any, None]], group: str, *, exclusive: bool = True) -> None:
        self.run_worker(job, group=group, exclusive=exclusive, exit_on_error=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A fault is said here instead of leaving the list as it is."""
        event.stop()
        if event.state is WorkerState.ERROR:
            error = cast("Worker[object]", event.worker).error  # pyright: ignore[reportUnknownMemberType]
            fault = "" if isinstance(error, QuarterdeckError) else "a fault of the program: "
            self.say(f"{fault}{error}", "state-failed")
