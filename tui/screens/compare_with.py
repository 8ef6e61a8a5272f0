"""Which session to compare with: forks of the same one first, then the newest."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual.content import Content

from runner.store.base import SessionSummary
from tui.render.clean import clean, visible
from tui.screens.picker import Picker
from tui.widgets.rows import Rows
from tui.words import ago, count, fit, imported_from, money, one_line

if TYPE_CHECKING:
    from runner.store import Store
    from tui.desk import Desk

MOST_SESSIONS = 500


def family(found: Sequence[SessionSummary], first: SessionSummary | None) -> list[SessionSummary]:
    """Without the first one itself; those of its family before all others, each in the order that they came in."""
    if first is None:
        return list(found)
    others = [each for each in found if each.session_id != first.session_id]
    return sorted(others, key=lambda each: not related(each, first))


def related(one: SessionSummary, other: SessionSummary) -> bool:
    return bool(one.root_id) and (one.root_id or one.session_id) == (other.root_id or other.session_id)


class _SessionRows(Rows):
    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.first: SessionSummary | None = None

    def draw(self, row: object, width: int, selected: bool) -> Content:
        assert isinstance(row, SessionSummary)
        cost = "unknown" if row.cost_usd is None else money(row.cost_usd)
        right = f" {count(row.turns, 'turn'):>10} {cost:>10} {ago(row.updated, datetime.now(UTC)):>11} "
        kin = "⑂ " if self.first is not None and related(row, self.first) else "  "
        content = Content.assemble(
            (f" {kin}", "$primary"),
            (fit(clean(one_line(row.title)) or "untitled", max(0, width - len(right) - 3)), "$foreground"),
            (right, "$muted"),
        ).truncate(width, pad=True)
        return content.stylize("$selection-text on $selection") if selected else content


class CompareWith(Picker["str | None"]):
    """Gives a session's id."""

    TITLE_TEXT: ClassVar[str] = "Compare"

    def __init__(self, desk: Desk, first: str | None) -> None:
        self._first = first
        super().__init__()
        self._desk = desk

    def subtitle(self) -> str:
        return "choose the first of two sessions" if self._first is None else "with which session?"

    def hint(self) -> str:
        return "enter chooses · ⑂ comes from the same session · esc closes"

    def make_rows(self) -> Rows:
        self._sessions = _SessionRows(id="picker-rows")
        return self._sessions

    async def load(self) -> Sequence[object]:
        first = self._first

        def read(store: Store) -> tuple[SessionSummary | None, list[SessionSummary]]:
            known = None if first is None else store.session(first)
            return known, family(store.sessions(limit=MOST_SESSIONS), known)

        self._sessions.first, found = await asyncio.wrap_future(self._desk.engine.ask(read))
        return found

    def search_text(self, item: object) -> str:
        assert isinstance(item, SessionSummary)
        return f"{item.title} {' '.join(item.models)} {item.workspace}"

    def detail(self, item: object | None) -> Content:
        if not isinstance(item, SessionSummary):
            return Content.styled("there is no other session yet", "$muted")
        parts = [imported_from(item.imported) if item.imported else "", ", ".join(item.models), item.workspace]
        return Content.styled(visible(" · ".join(filter(None, parts))), "$muted")

    def choose(self, item: object) -> None:
        assert isinstance(item, SessionSummary)
        self.leave(item.session_id)
