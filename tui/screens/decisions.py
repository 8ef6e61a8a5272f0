"""Every decision that was ever made about a call, the newest first; searched by words and filters."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Input

from runner.errors import QuarterdeckError
from runner.store.decisions import DecisionRow
from tui.decision_words import DECIDED, by_words, call_words, granted_words
from tui.ledger_query import HINT, LedgerQuery, read, rows_of
from tui.preview import marked, pretty
from tui.render.clean import clean, visible
from tui.rule_line import Draft
from tui.screens.picker import Picker
from tui.screens.trial import open_trial_of
from tui.screens.viewer import Viewer
from tui.widgets.rows import Rows
from tui.words import duration, fit, one_line

if TYPE_CHECKING:
    from tui.desk import Desk

PAGE = 200
"""Rows read at once."""

AHEAD = 60
"""The next rows are read when so few are left below the selected one."""

_PAUSE = 0.2
"""Seconds without typing after which the ledger is asked."""

_LOOKS: Mapping[str, tuple[str, str]] = {
    "allow": ("✓", "state-ok"),
    "edit": ("✎", "state-waiting"),
    "answer": ("✓", "state-ok"),
    "deny": ("✗", "state-failed"),
    "end_run": ("✗", "state-failed"),
}


def open_decisions(desk: Desk, argument: str) -> None:
    """argument: what to look for."""
    desk.host.show_screen(DecisionsScreen(desk, argument))


def _look(row: DecisionRow) -> tuple[str, str]:
    """The decision with its sign, and the theme variable."""
    sign, token = _LOOKS.get(row.decision, ("·", "muted"))
    return f"{sign} {DECIDED.get(row.decision, row.decision)}", token


class DecisionRows(Rows):
    def draw(self, row: object, width: int, selected: bool) -> Content:
        assert isinstance(row, DecisionRow)
        word, token = _look(row)
        when = f" {row.time.astimezone():%m-%d %H:%M} "
        wide = width >= 96
        right = f" {duration(row.seconds):>11}" if wide else ""
        who = fit(by_words(row), 11 if wide else 9)
        tool = fit(clean(one_line(row.tool)), 12 if wide else 10)
        room = width - len(when) - 11 - len(who) - cell_len(tool) - 2 - len(right)
        content = Content.assemble(
            (when, "$muted"),
            (fit(word, 11), f"${token}"),
            (f"{who} ", "$muted"),
            (f"{tool} ", "$foreground"),
            (fit(visible(call_words(row)), room), "$foreground"),
            (right, "$muted"),
        ).truncate(width, pad=True)
        return content.stylize("$selection-text on $selection") if selected else content


class DecisionsScreen(Picker[None]):
    KEYS: ClassVar[Mapping[str, str]] = {"list.again": "propose"}
    TITLE_TEXT = "Decisions"
    SUBTITLE = HINT

    def __init__(self, desk: Desk, text: str = "") -> None:
        super().__init__()
        self._desk = desk
        self._text = text
        self.found: list[DecisionRow] = []
        """What was read so far, the newest first."""
        self._query = LedgerQuery()
        self._whole = False

    def make_rows(self) -> Rows:
        return DecisionRows(id="picker-rows")

    def hint(self) -> str:
        more = self.keys_of(("list.again", "makes a rule of it and tries it"), ("list.close", "closes"))
        return f"enter shows all of it · {more}"

    def start(self) -> None:
        self.query_one(Input).value = self._text
        self._ask(0.0)

    def refilter(self, keep: int = 0) -> None:
        """What is looked for changed."""
        self._ask(_PAUSE)

    def _ask(self, pause: float) -> None:
        self.run_worker(partial(self._fill_page, pause), exclusive=True, group="load", exit_on_error=False)

    async def _fill_page(self, pause: float) -> None:
        """The first page of what is looked for; what was found before stays until it is there."""
        await asyncio.sleep(pause)
        query = read(self.query_one(Input).value, datetime.now(UTC))
        if query.problem:
            self.say(query.problem, "state-waiting")
            return
        if not self.found:
            self.say("loading")
        rows = await self._page(query, None)
        if rows is not None:
            self._query, self.found = query, rows
            self._list.selected = 0
            self._show()

    async def _more(self) -> None:
        last = self.found[-1]
        rows = await self._page(self._query, last)
        if rows is not None and self.found and self.found[-1] is last:
            self.found = [*self.found, *rows]
            self._show()

    async def _page(self, query: LedgerQuery, before: DecisionRow | None) -> list[DecisionRow] | None:
        engine = self._desk.engine
        try:
            rows = await asyncio.wrap_future(engine.ask(lambda store: rows_of(store, query, before=before, limit=PAGE)))
        except QuarterdeckError as error:
            self.say(str(error), "state-failed")
            return None
        self._whole = len(rows) < PAGE
        return rows

    def _show(self) -> None:
        self.items = self.found
        self._list.set_rows(self.found)
        self.show_detail()

    def show_detail(self) -> None:
        if self._list.row is None:
            self.say("nothing matches" if self.query_one(Input).value else "nothing was decided yet")
            return
        super().show_detail()
        if not self._whole and self._list.selected >= len(self.found) - AHEAD:
            self.run_worker(self._more, exclusive=True, group="load", exit_on_error=False)

    def detail(self, item: object | None) -> Content:
        assert isinstance(item, DecisionRow)
        more = "" if self._whole else "+"
        parts = [
            f"{self._list.selected + 1} of {len(self.found)}{more}",
            item.title,
            item.rule,
            granted_words(item),
            item.reason,
        ]
        return Content.styled(clean(one_line(" · ".join(filter(None, parts)))), "$muted")

    def choose(self, item: object) -> None:
        assert isinstance(item, DecisionRow)
        self._desk.host.show_screen(Viewer(*whole(item)))

    def action_propose(self) -> None:
        """A rule that would have decided this one, tried before anything is saved."""
        row = self._list.row
        if not isinstance(row, DecisionRow):
            return
        arguments = row.arguments if row.proposed is None else row.proposed
        effect = "deny" if row.decision in ("deny", "end_run") and row.by == "user" else "allow"
        draft = Draft(effect=effect, patterns=(), tool=row.tool, arguments=arguments)
        open_trial_of(self._desk, draft)


def whole(row: DecisionRow) -> tuple[Content, Content]:
    """All of one decision, for a screen of its own."""
    word, token = _look(row)
    title = Content.assemble((clean(one_line(row.tool)), "bold $foreground"), (f"  {word}", f"${token}"))
    asked = row.time - timedelta(seconds=row.seconds)
    facts: Sequence[tuple[str, str]] = (
        ("decided", f"{row.time.astimezone():%Y-%m-%d %H:%M:%S} by {by_words(row)}, after {duration(row.seconds)}"),
        ("asked", f"{asked.astimezone():%Y-%m-%d %H:%M:%S}{f', because: {row.why}' if row.why else ''}"),
        ("rule", row.rule),
        ("granted", granted_words(row)),
        ("reason", row.reason),
        ("risk", ", ".join(filter(None, (row.risk or "", *row.risks)))),
        ("session", f"{row.title or 'untitled'}, in {row.workspace or 'a folder that is not known'}"),
        ("ids", f"session {row.session_id}, run {row.run_id}, call {row.call_id}"),
        ("agent", row.agent),
    )
    parts = [
        Content.assemble((f"{name:<9}", "$muted"), marked(one_line(text), "$foreground"))
        for name, text in facts
        if text
    ]
    if row.asks == "question":
        parts += [_heading("Question"), marked(row.question, "$foreground"), _heading("Answer"), pretty(row.arguments)]
        return title, Content("\n").join(parts)
    edited = row.proposed is not None and row.proposed != row.arguments
    if edited:
        parts += [_heading("Asked for"), _call(row.proposed or {}), _heading("Allowed instead"), _call(row.arguments)]
    else:
        parts += [_heading("Call"), _call(row.arguments)]
    return title, Content("\n").join(parts)


def _call(arguments: Mapping[str, object]) -> Content:
    command = arguments.get("command")
    shown = pretty(arguments)
    if isinstance(command, str):
        return Content("\n").join([marked(command, "$foreground"), Content(""), shown])
    return shown


def _heading(text: str) -> Content:
    return Content.styled(f"\n{text}", "bold $primary")
