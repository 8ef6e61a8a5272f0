"""What the lists have in common: a filter that keeps the focus, rows that arrive from a thread, a line of keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Generic, TypeVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from textual.worker import Worker, WorkerState

from tui.fuzzy import best
from tui.screens.steady import Steady
from tui.widgets.list_keys import keymap_of
from tui.widgets.rows import Rows

R = TypeVar("R")

MOST_ROWS = 200


class Picker(ModalScreen[R], Steady[R], Generic[R]):
    """Subclasses give the rows, how one is drawn and searched, and what choosing it means."""

    # At once, before the filter sees it: keys typed right after it belong to the screen below.
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", show=False, priority=True)]
    KEYS: ClassVar[Mapping[str, str]] = {
        "list.up": "move(-1)",
        "list.down": "move(1)",
        "list.page_up": "page(-1)",
        "list.page_down": "page(1)",
        "list.first": "edge(False)",
        "list.last": "edge(True)",
        "list.filter": "filter",
        "list.close": "close",
    }
    WRITES: ClassVar[bool] = False
    """Whether its field is written first, also where letters move in lists."""

    TITLE_TEXT: ClassVar[str] = ""
    SUBTITLE: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self.items: Sequence[object] = ()
        self._list = self.make_rows()

    def make_rows(self) -> Rows:
        raise NotImplementedError

    def search_text(self, item: object) -> str:
        raise NotImplementedError

    def choose(self, item: object) -> None:
        raise NotImplementedError

    def subtitle(self) -> str:
        return self.SUBTITLE

    def hint(self) -> str:
        return "enter chooses · esc closes"

    def beside(self) -> ComposeResult:
        """Widgets between the detail and the line of keys."""
        yield from ()

    def detail(self, item: object | None) -> Content:
        """The line below the list, about the selected row."""
        return Content("")

    async def load(self) -> Sequence[object]:
        """The rows, from a thread; the list is usable at once and fills when they arrive."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        with Vertical(classes="picker"):
            title = Content.assemble((self.TITLE_TEXT, "bold $primary"), (f"  {self.subtitle()}", "$muted"))
            yield Static(title, classes="picker-title", markup=False)
            yield Input(placeholder=self._filter_words, classes="picker-filter", select_on_focus=False)
            yield self._list
            yield Static("", classes="picker-detail", markup=False)
            yield from self.beside()
            yield Static(Content.styled(self.hint(), "$key-label"), classes="picker-hint", markup=False)

    def on_mount(self) -> None:
        (self._list if self._rows_first else self.query_one(Input)).focus()
        self.start()

    def start(self) -> None:
        """Get the rows. A subclass overrides this and not `on_mount`, which Textual calls in every class."""
        self.run_worker(self._fill(), exclusive=True, group="load", exit_on_error=False)

    async def _fill(self) -> None:
        from runner.errors import QuarterdeckError

        self.say("loading")
        try:
            self.items = await self.load()
        except QuarterdeckError as error:
            self.say(str(error), "state-failed")
            return
        self.refilter()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A fault while loading is said here instead of leaving the list empty."""
        event.stop()
        if event.state is WorkerState.ERROR:
            worker = cast("Worker[object]", event.worker)  # pyright: ignore[reportUnknownMemberType]
            self.say(f"a fault of the program: {worker.error}", "state-failed")

    def refilter(self, keep: int = 0) -> None:
        found = best(self.query_one(Input).value, self.items, self.search_text, MOST_ROWS)
        self._list.selected = min(keep, len(found) - 1)
        self._list.set_rows(found)
        self.show_detail()

    def show_detail(self) -> None:
        if self._list.row is None:
            self.say("nothing matches" if self.items else "nothing here yet")
        else:
            self.query_one(".picker-detail", Static).update(self.detail(self._list.row), layout=False)

    def say(self, text: str, token: str = "muted") -> None:
        from tui.render.clean import clean

        self.query_one(".picker-detail", Static).update(Content.styled(clean(text), f"${token}"), layout=False)

    @on(Input.Changed)
    def _filter(self, event: Input.Changed) -> None:
        event.stop()
        self.refilter()

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        event.stop()
        self._choose_selected()

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        event.stop()
        self._choose_selected()

    @on(Rows.Selected)
    def _selected(self, event: Rows.Selected) -> None:
        event.stop()
        self.show_detail()

    def _choose_selected(self) -> None:
        if self._list.row is not None:
            self.choose(self._list.row)

    def action_move(self, by: int) -> None:
        self._list.move(by)

    def action_page(self, by: int) -> None:
        self._list.take("page_up" if by < 0 else "page_down")

    def action_edge(self, end: bool) -> None:
        self._list.take("last" if end else "first")

    def action_filter(self) -> None:
        self.query_one(Input).focus()

    def action_close(self) -> None:
        """Close; from the filter first back to the lines, where those were there first."""
        if self._rows_first and self.query_one(Input).has_focus:
            self._list.focus()
        else:
            self.leave()

    @property
    def _filter_words(self) -> str:
        return f"{self.key_of('list.filter')} filters" if self._rows_first else "type to filter"

    @property
    def _rows_first(self) -> bool:
        return keymap_of(self).rows_first and not self.WRITES
