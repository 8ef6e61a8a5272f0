"""Looking back over all sessions: plots and tables of what was spent, of tools, and of approvals."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from runner.errors import QuarterdeckError
from tui.looking_back import lines, plot, views
from tui.looking_back.days import buckets, first_day
from tui.looking_back.report import By, Report, read
from tui.looking_back.spans import SPANS, Span, spans
from tui.looking_back.views import VIEWS, Line, Table, ViewName
from tui.render.clean import clean
from tui.screens.steady import Steady
from tui.screens.viewer import Viewer
from tui.widgets.rows import Rows
from tui.words import count

if TYPE_CHECKING:
    from tui.desk import Desk

LEAST_PLOT, MOST_PLOT = 6, 22
_AROUND: Final = 7
"""Lines of the screen that are neither the plot nor rows of the table."""


def open_usage(desk: Desk, argument: str) -> None:
    """argument: since when, as people write it."""
    try:
        found, chosen = spans(argument, datetime.now().astimezone())
    except ValueError as error:
        desk.deck.say(clean(str(error)), "warning")
        desk.repaint()
        return
    desk.host.show_screen(UsageScreen(desk, found, chosen))


class UsageRows(Rows):
    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._table: Table | None = None
        self._bars = True
        self._fitted: tuple[int, lines.Columns] | None = None

    def show(self, table: Table, *, bars: bool, empty: str) -> None:
        self._table, self._bars, self._fitted, self._empty = table, bars, None, empty
        self.selected = 0
        self.set_rows(table.lines)

    def draw(self, row: object, width: int, selected: bool) -> Content:
        assert isinstance(row, Line)
        assert self._table is not None
        if self._fitted is None or self._fitted[0] != width:
            self._fitted = width, lines.columns(self._table, width, bars=self._bars)
        content = lines.row(row, self._table, self._fitted[1], width)
        return content.stylize("$selection-text on $selection") if selected else content


class Tabs(Static):
    """The kinds of sums; the chosen one is marked. A click chooses."""

    def __init__(self, screen: UsageScreen) -> None:
        super().__init__("", id="usage-tabs", markup=False)
        self._usage = screen
        self._ends: list[tuple[int, ViewName]] = []

    def show(self, chosen: ViewName) -> None:
        parts: list[tuple[str, str]] = []
        self._ends = []
        at = 0
        for name in VIEWS:
            text = f" {views.TITLES[name]} "
            parts += [(text, "$selection-text on $selection" if name == chosen else "$foreground"), (" ", "$muted")]
            at += len(text) + 1
            self._ends.append((at, name))
        self.update(Content.assemble(*parts), layout=False)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        x = event.x - self.gutter.left
        for end, name in self._ends:
            if x < end:
                self._usage.look(name)
                return


class UsageScreen(Steady[None]):
    KEYS: ClassVar[Mapping[str, str]] = {
        "list.next_view": "turn(1)",
        "list.previous_view": "turn(-1)",
        "list.longer": "span(1)",
        "list.shorter": "span(-1)",
        "list.measure": "measure",
        "list.again": "again",
        "list.close": "close",
    }

    def __init__(self, desk: Desk, found: tuple[Span, ...] = SPANS, chosen: int = 1) -> None:
        super().__init__()
        self._desk = desk
        self._spans = found
        self._span = chosen
        self._view: ViewName = "day"
        self._second: dict[ViewName, bool] = dict.fromkeys(VIEWS, False)
        self._read: dict[tuple[Span, By], Report] = {}
        self._report: Report | None = None
        self._tabs = Tabs(self)
        self._rows = UsageRows(id="usage-rows")

    def compose(self) -> ComposeResult:
        yield Static("", id="usage-title", classes="viewer-title", markup=False)
        yield self._tabs
        yield Static("", id="usage-sum", markup=False)
        yield Static("", id="usage-plot", markup=False)
        yield Static("", id="usage-head", markup=False)
        yield self._rows
        yield Static("", id="usage-detail", markup=False)
        yield Static("", id="usage-hint", classes="picker-hint", markup=False)

    def on_mount(self) -> None:
        self._rows.focus()
        self._ask()

    @property
    def _tokens(self) -> bool:
        return self._second[self._view]

    # What is asked

    def look(self, name: ViewName) -> None:
        self._view = name
        self._ask()

    def action_turn(self, by: int) -> None:
        self.look(VIEWS[(VIEWS.index(self._view) + by) % len(VIEWS)])

    def action_span(self, by: int) -> None:
        self._span = max(0, min(len(self._spans) - 1, self._span + by))
        self._ask()

    def action_measure(self) -> None:
        self._second[self._view] = not self._second[self._view]
        self._ask()

    def action_again(self) -> None:
        self._read.clear()
        self._ask()

    def action_close(self) -> None:
        self.leave()

    def _ask(self) -> None:
        self._head()
        span, by = self._spans[self._span], views.asked(self._view, self._second[self._view])
        known = self._read.get((span, by))
        if known is not None:
            self._show(known)
            return
        self._say("reading")
        self.run_worker(partial(self._fetch, span, by), exclusive=True, group="usage", exit_on_error=False)

    async def _fetch(self, span: Span, by: By) -> None:
        since = span.since(datetime.now().astimezone())
        left = -1
        while left:
            try:
                report = await asyncio.wrap_future(self._desk.engine.ask(lambda store: read(store, by, since)))
            except QuarterdeckError as error:
                self._say(str(error), "state-failed")
                return
            self._read[span, by] = report
            self._show(report)
            # Many runs are counted bit by bit; what is known so far is shown meanwhile. A run that goes on is always a
            # little ahead, and not waited for.
            left = report.behind if left < 0 or report.behind < left else 0

    # What is shown

    def _head(self) -> None:
        span = self._spans[self._span]
        since = span.since(datetime.now().astimezone())
        day = f", since {since:%Y-%m-%d}" if since is not None and not span.name.startswith("since") else ""
        measure = views.MEASURES[self._view][self._second[self._view]]
        title = Content.assemble(
            ("Usage", "bold $primary"), (f"  {span.name}{day}", "$foreground"), (f" · {measure}", "$muted")
        )
        self.query_one("#usage-title", Static).update(title, layout=False)
        self._tabs.show(self._view)
        other = views.MEASURES[self._view][not self._second[self._view]]
        hints = self.keys_of(
            ("list.next_view", "next"),
            ("list.measure", other),
            ("list.shorter", f"{self.key_of('list.longer')} time".lstrip()),
            ("list.choose", "all of one"),
            ("list.close", "closes"),
        )
        self.query_one("#usage-hint", Static).update(Content.styled(hints, "$key-label"), layout=False)

    def _show(self, report: Report) -> None:
        self._report = report
        view = self._view
        shown = views.table(view, self._second[view], report)
        self._rows.show(shown, bars=view != "day", empty=f" {self._nothing()}")
        self._fit()
        self._say("" if report.empty else " · ".join(views.remarks(view, report)))

    def _nothing(self) -> str:
        text = views.NOTHING[self._view]
        if not self._spans[self._span].text:
            return f"{text} yet; what you do here is counted from the first one on"
        return f"{text} in this time; {self.key_of('list.longer')} looks further back"

    def _fit(self) -> None:
        """The plot and the names of the columns, for the room there is."""
        report, view = self._report, self._view
        if report is None or not self.size.height:
            return
        head = self.query_one("#usage-head", Static)
        drawn = self.query_one("#usage-plot", Static)
        drawn.display = view == "day" and not report.empty
        head.display = not report.empty
        if report.empty:
            self.query_one("#usage-sum", Static).update("", layout=False)
            return
        width = max(20, self.size.width - 2)
        total = clean(views.summary(view, report, width - 2))
        self.query_one("#usage-sum", Static).update(Content.styled(total, "bold $foreground"), layout=False)
        table = views.table(view, self._second[view], report)
        head.update(lines.heading(table, width, bars=view != "day"), layout=False)
        if view == "day":
            height = max(LEAST_PLOT, min(MOST_PLOT, (self.size.height - _AROUND) * 6 // 10))
            chart = self._plotted(report, width - 2, height)
            drawn.styles.height = chart.plain.count("\n") + 1
            drawn.update(chart)

    def _plotted(self, report: Report, width: int, height: int) -> Content:
        now = datetime.now().astimezone()
        since = self._spans[self._span].since(now)
        first = first_day(report.sums, None if since is None else since.date())
        if first is None:
            return Content("")
        bars, each = buckets(report.sums, first, now.date(), width - 10, lambda row: views.measured(row, self._tokens))
        chart = plot.rising(bars, width, height - 1, plot.thousands if self._tokens else plot.dollars)
        unit = "tokens, in and out" if self._tokens else "US dollars"
        said = f"{unit}, each bar a {each}"
        unknown = sum(bar.unknown for bar in bars)
        if unknown:
            said += f"; ? {count(unknown, each)} with requests of unknown price"
        return Content("\n").join([Content.styled(said, "$muted"), chart])

    def _say(self, text: str, token: str = "muted") -> None:
        self.query_one("#usage-detail", Static).update(Content.styled(clean(text), f"${token}"), layout=False)

    def on_resize(self, event: events.Resize) -> None:
        self._fit()

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        event.stop()
        row = self._rows.row
        if not isinstance(row, Line):
            return
        title = Content.assemble((row.name, "bold $foreground"), (f"  {self._spans[self._span].name}", "$muted"))
        body = [
            Content.assemble((f"{name:<11}", "$muted"), (clean(text), "$foreground"))
            for name, text in views.facts(row.source)
        ]
        self._desk.host.show_screen(Viewer(title, Content("\n").join(body)))
