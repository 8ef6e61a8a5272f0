"""The list of sessions: open one, begin a new one, delete one after asking."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Literal, TypeAlias

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Input

from runner.store.base import SessionSummary
from tui.render.clean import clean, visible
from tui.screens.picker import Picker
from tui.widgets.rows import Rows
from tui.words import ago, count, cut, cut_middle, fit, imported_from, money, one_line

SessionChoice: TypeAlias = SessionSummary | Literal["new"] | None

_ENDS = {
    "complete": ("done", "state-ok"),
    "interrupted": ("interrupted", "state-failed"),
    "stopped": ("stopped", "state-cancelled"),
    "aborted": ("aborted", "state-cancelled"),
    "error": ("failed", "state-failed"),
}


def end_of(summary: SessionSummary) -> tuple[str, str]:
    """How its newest run ended, and the theme variable."""
    if summary.live:
        return "running", "state-running"
    return _ENDS.get(summary.reason, (summary.reason.replace("_", " ") or summary.status, "state-failed"))


class SessionRows(Rows):
    def __init__(self, now: Callable[[], datetime], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._clock = now

    def draw(self, row: object, width: int, selected: bool) -> Content:
        assert isinstance(row, SessionSummary)
        word, token = end_of(row)
        when = ago(row.updated, self._clock())
        cost = "unknown" if row.cost_usd is None else money(row.cost_usd)
        model = cut_middle(clean(row.models[-1].rpartition("/")[2] if row.models else "?"), 14)
        right = f" {when:>10}"
        if width >= 70:
            right += f"  {fit(model, 14)} {cost:>8}"
        if width >= 96:
            right += f" {count(row.turns, 'turn'):>9}"
        end = f"  {cut(word, 12):<12}"
        room = width - cell_len(right) - len(end) - 1
        content = Content.assemble(
            (f" {fit(clean(one_line(row.title)) or 'untitled', room)}", "$foreground"),
            (right, "$muted"),
            (end, f"${token}"),
        )
        return content.stylize("$selection-text on $selection") if selected else content


class SessionPicker(Picker[SessionChoice]):
    KEYS: ClassVar[Mapping[str, str]] = {"list.new": "new", "list.delete": "delete"}
    TITLE_TEXT = "Sessions"
    SUBTITLE = "newest first"

    def __init__(
        self,
        load: Callable[[], Awaitable[Sequence[SessionSummary]]],
        delete: Callable[[str], Awaitable[None]],
        *,
        now: Callable[[], datetime],
        current: str | None,
    ) -> None:
        self._now = now
        super().__init__()
        self._load = load
        self._delete = delete
        self._current = current
        self._doomed = ""

    def hint(self) -> str:
        more = self.keys_of(("list.new", "new"), ("list.delete", "deletes"), ("list.close", "closes"))
        return f"enter opens, and a message continues it · {more}"

    def make_rows(self) -> Rows:
        return SessionRows(self._now, id="picker-rows")

    async def load(self) -> Sequence[object]:
        return await self._load()

    def search_text(self, item: object) -> str:
        assert isinstance(item, SessionSummary)
        origin = imported_from(item.imported) if item.imported else ""
        return f"{item.title} {' '.join(item.models)} {item.workspace} {origin}"

    def detail(self, item: object | None) -> Content:
        assert isinstance(item, SessionSummary)
        self._doomed = ""
        cost = "cost unknown" if item.cost_usd is None else money(item.cost_usd)
        parts = [
            f"{count(item.runs, 'run')}, {count(item.turns, 'turn')}, {count(item.tool_calls, 'tool call')}",
            cost,
            ", ".join(item.models),
            item.workspace,
        ]
        if item.imported:
            parts.insert(0, imported_from(item.imported))
        if item.session_id == self._current:
            parts.insert(0, "shown now")
        return Content.styled(visible(" · ".join(filter(None, parts))), "$muted")

    def choose(self, item: object) -> None:
        assert isinstance(item, SessionSummary)
        self.leave(item)

    def action_new(self) -> None:
        self.leave("new")

    def action_delete(self) -> None:
        row = self._list.row
        if not isinstance(row, SessionSummary):
            return
        if row.live:
            self.say("it is running; stop it before deleting it", "state-failed")
        elif self._doomed != row.session_id:
            self._doomed = row.session_id
            again = f"{self.key_of('list.delete')} again deletes it, any move keeps it"
            self.say(f"delete {one_line(row.title)!r} for good? {again}", "state-waiting")
        else:
            self._doomed = ""
            self.run_worker(self._delete_row(row), group="delete", exit_on_error=False)

    async def _delete_row(self, row: SessionSummary) -> None:
        from runner.errors import QuarterdeckError

        try:
            await self._delete(row.session_id)
        except QuarterdeckError as error:
            self.say(str(error), "state-failed")
            return
        self.items = [item for item in self.items if item is not row]
        self.refilter(keep=max(0, self._list.selected))
        if not self.items:
            self.query_one(Input).focus()
