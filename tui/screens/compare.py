"""Two sessions side by side: where they part, what only one did, what each answered and came to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from runner.errors import QuarterdeckError
from runner.review.compare import Comparison, Row, Step, Totals, compare
from runner.store.base import SessionSummary
from tui.comparing.landing import place_of
from tui.comparing.lines import Folded, Pair, Parted, drawn, lines_of, only_words, parted_words, totals_lines
from tui.landing import Landing
from tui.render.clean import clean
from tui.screens.compared_step import ComparedStep, step_content
from tui.screens.steady import Steady
from tui.widgets.rows import Rows
from tui.words import count, one_line

if TYPE_CHECKING:
    from runner.store import Store
    from tui.desk import Desk

WIDE = 100
"""Cells from which the texts of both sides stand beside each other below the list."""

MOST_LINES = 60
"""Lines of the selected step below the list; enter shows all of them."""

BEFORE = 4
"""Lines that are seen before the one at which it begins."""

Place = tuple[str, "Landing | None"]


def open_compare(desk: Desk, argument: str) -> None:
    """argument: one session, which is compared with the one that is shown, or two; "" asks which."""
    from tui.session_link import session_of

    try:
        wanted = [session_of(word).session_id for word in argument.split()]
    except QuarterdeckError as error:
        _say(desk, str(error))
        return
    shown = desk.deck.session_id if desk.deck.view().runs else None
    if len(wanted) > 2:
        _say(desk, "two sessions are compared: /compare ID, or /compare ID ID")
    elif len(wanted) == 2:
        _show(desk, wanted[0], wanted[1])
    elif wanted and shown is not None:
        _show(desk, shown, wanted[0])
    else:
        _choose(desk, wanted[0] if wanted else shown)


def _say(desk: Desk, text: str) -> None:
    desk.deck.say(clean(one_line(text)), "warning")
    desk.repaint()


def _show(desk: Desk, a: str, b: str) -> None:
    def then(place: Place | None) -> None:
        if place is not None:
            desk.go(*place)

    desk.host.show_screen(CompareScreen(desk, a, b), then)


def _choose(desk: Desk, first: str | None) -> None:
    from tui.screens.compare_with import CompareWith

    def chosen(session_id: str | None) -> None:
        if session_id is None:
            return
        if first is None:
            _choose(desk, session_id)
        else:
            _show(desk, first, session_id)

    desk.host.show_screen(CompareWith(desk, first), chosen)


@dataclass(frozen=True, slots=True)
class Compared:
    a: SessionSummary
    b: SessionSummary
    found: Comparison


def load(store: Store, a: str, b: str) -> Compared:
    """Blocks for the disk, and for as long as it takes to compare. Raises NotFoundError."""
    one, other = store.session(a), store.session(b)
    return Compared(one, other, compare(store.runs(one.session_id), store.runs(other.session_id)))


class ComparedRows(Rows):
    def draw(self, row: object, width: int, selected: bool) -> Content:
        assert isinstance(row, Pair | Folded | Parted)
        content = drawn(row, width)
        return content.stylize("$selection-text on $selection") if selected else content

    def selectable(self, row: object) -> bool:
        return isinstance(row, Pair)

    def begin_at(self, rows: Sequence[object], index: int) -> None:
        """Show them with this one selected, and a little of what stands before it."""
        self.selected, self._first = index, max(0, index - BEFORE)
        self.set_rows(rows)


class CompareScreen(Steady["Place | None"]):
    """Left with a session and a place in it, where one is to be opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "close", show=False, priority=True),
        Binding("n", "difference(1)", show=False),
        Binding("N,p", "difference(-1)", show=False),
        Binding("d", "only", show=False),
        Binding("a", "go('a')", show=False),
        Binding("b", "go('b')", show=False),
        Binding("space", "page(1)", show=False, priority=True),
    ]
    KEYS: ClassVar[Mapping[str, str]] = {"list.close": "close"}

    def __init__(self, desk: Desk, a: str, b: str) -> None:
        super().__init__()
        self._desk = desk
        self._ids = (a, b)
        self._compared: Compared | None = None
        self._only = False
        self._rows = ComparedRows(id="compare-rows")
        self._said = ""

    def compose(self) -> ComposeResult:
        yield Static("", id="compare-title", classes="viewer-title", markup=False)
        yield Static("", id="compare-totals", markup=False)
        yield self._rows
        with VerticalScroll(id="compare-text", can_focus=False):
            yield Static("", markup=False)
        yield Static("", id="compare-hint", classes="picker-hint", markup=False)

    def on_mount(self) -> None:
        self._rows.focus()
        self._head("reading both sessions …")
        self.run_worker(self._load(), group="compare", exclusive=True, exit_on_error=False)

    async def _load(self) -> None:
        a, b = self._ids
        try:
            compared = await asyncio.wrap_future(self._desk.engine.ask(lambda store: load(store, a, b)))
        except QuarterdeckError as error:
            self._head(str(error), "state-failed")
            return
        self._compared = compared
        self._list(compared.found.parted or 0)

    def _head(self, words: str, token: str = "muted") -> None:
        title = Content.assemble(("Compare", "bold $primary"), (f"  {clean(one_line(words))}", f"${token}"))
        self.query_one("#compare-title", Static).update(title)

    def _list(self, at: int) -> None:
        """The lines, with this row of the comparison selected, or the next one that is listed."""
        compared = self._compared
        if compared is None:
            return
        lines = lines_of(compared.found, only_differences=self._only)
        places = [(line.index, place) for place, line in enumerate(lines) if isinstance(line, Pair)]
        wanted = next((place for index, place in places if index >= at), places[-1][1] if places else 0)
        self._rows.begin_at(lines, wanted)
        self._draw_totals()
        self._show_row()

    def _draw_totals(self) -> None:
        if self._compared is not None:
            found = self._compared.found
            differing = sum(not row.same_outcome for row in found.rows)
            words = count(differing, "difference") if differing else parted_words(found)
            room = self.query_one("#compare-title", Static).content_size.width - len(f"Compare  {words}; ")
            self._head(words + (f"; {only}" if (only := only_words(found, room)) else ""))
            names = (name_of(self._compared.a, found.a), name_of(self._compared.b, found.b))
            place = self.query_one("#compare-totals", Static)
            place.update(totals_lines(self._compared.found, names, place.content_size.width))

    @property
    def _row(self) -> Row | None:
        line = self._rows.row
        return line.row if isinstance(line, Pair) else None

    def _show_row(self) -> None:
        """Both texts of the selected row."""
        box = self.query_one("#compare-text", VerticalScroll)
        row, width = self._row, max(20, box.content_size.width)
        body = self.query_one("#compare-text Static", Static)
        box.scroll_home(animate=False)
        if row is None:
            body.update("")
        else:
            body.update(_first(step_content(row, width, whole=row.same_outcome, wide=width >= WIDE)))
        self._hint()

    def _hint(self) -> None:
        keys = "n, N next and previous difference", "enter both texts", "a, b opens that session here"
        shown = "d everything" if self._only else "d only differences"
        text = " · ".join((*keys, shown, "esc closes"))
        hint = Content.styled(text, "$key-label")
        if self._said:
            hint = Content.assemble((f"{clean(self._said)}  ", "$state-waiting"), hint)
        self.query_one("#compare-hint", Static).update(hint)
        self._said = ""

    @on(Rows.Selected)
    def _selected(self, event: Rows.Selected) -> None:
        event.stop()
        self._show_row()

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        event.stop()
        row = self._row
        if row is not None and self._compared is not None:
            self._desk.host.show_screen(ComparedStep(row))

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._resized)

    def _resized(self) -> None:
        self._draw_totals()
        self._show_row()

    def action_difference(self, by: int) -> None:
        """The next row that differs, or the one before."""
        compared, line = self._compared, self._rows.row
        if compared is None or not isinstance(line, Pair):
            return
        rows = compared.found.rows
        places = range(line.index + 1, len(rows)) if by > 0 else range(line.index - 1, -1, -1)
        wanted = next((place for place in places if not rows[place].same_outcome), None)
        if wanted is None:
            self._said = "no difference after this one" if by > 0 else "no difference before this one"
            self._hint()
            return
        lines = lines_of(compared.found, only_differences=self._only)
        self._rows.select(next(at for at, each in enumerate(lines) if isinstance(each, Pair) and each.index == wanted))

    def action_only(self) -> None:
        line = self._rows.row
        self._only = not self._only
        self._list(line.index if isinstance(line, Pair) else 0)

    def action_page(self, by: int) -> None:
        body = self.query_one("#compare-text", VerticalScroll)
        body.scroll_relative(y=by * max(1, body.size.height - 1), animate=False)

    def action_go(self, side: str) -> None:
        """Open one of both sessions where the selected step is."""
        compared, row = self._compared, self._row
        if compared is None or row is None:
            return
        session, step = (compared.a, row.a) if side == "a" else (compared.b, row.b)
        if step is None:
            self._said = f"{side.upper()} has no such step"
            self._hint()
            return
        self.run_worker(self._go(session.session_id, step), group="go", exclusive=True, exit_on_error=False)

    async def _go(self, session_id: str, step: Step) -> None:
        try:
            seq = await asyncio.wrap_future(self._desk.engine.ask(lambda store: place_of(store, session_id, step)))
        except QuarterdeckError as error:
            self._said = str(error)
            self._hint()
            return
        self.leave((session_id, Landing(step.run_id, seq) if seq else None))

    def action_close(self) -> None:
        self.leave()


def name_of(summary: SessionSummary, total: Totals) -> str:
    """A session's title, and what tells it from another one with the same."""
    copied = f"{count(total.inherited, 'turn')} paid by another session" if total.inherited else ""
    model = summary.models[-1].rpartition("/")[2] if summary.models else ""
    return " · ".join(filter(None, (summary.title or "untitled", copied, model, summary.session_id[:13])))


def _first(content: Content) -> Content:
    lines = content.split("\n")
    if len(lines) <= MOST_LINES:
        return content
    more = Content.styled(f"… {count(len(lines) - MOST_LINES, 'more line')}: enter shows all", "$muted")
    return Content("\n").join([*lines[:MOST_LINES], more])
