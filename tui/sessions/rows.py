"""The list of sessions: a line is read when it is seen, and whoever holds the list is told what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from textual.content import Content
from textual.message import Message

from tui.render.clean import visible
from tui.sessions.columns import Column, Look, columns, heading, session_line, unknown_line
from tui.sessions.hits import hit_line, more_line
from tui.sessions.lines import Grouping, Heading, HitLine, MoreLine, SessionLine
from tui.widgets.rows import Rows
from tui.words import cut_middle, fit, one_line

if TYPE_CHECKING:
    from runner.store.base import SessionSummary
    from runner.store.search import Hit

AHEAD: Final = 20
"""Lines below and above what is seen that are read with it."""

MOST_KEPT: Final = 2000
"""Sessions that stay read; the list of all of them never is."""


class SessionRows(Rows):
    class Missing(Message):
        """Sessions, or places in some, that are seen and were not read."""

        def __init__(self, sessions: Sequence[str], hits: Mapping[str, int]) -> None:
            super().__init__()
            self.sessions = sessions
            self.hits = hits

    def __init__(self, now: Callable[[], datetime], *, current: str | None, id: str | None = None) -> None:
        super().__init__(id=id)
        self._clock = now
        self._current = current
        self.grouping: Grouping = "day"
        self.marked: list[str] = []
        self.summaries: dict[str, SessionSummary] = {}
        self.hits: dict[str, list[Hit]] = {}
        self._asked: dict[str, int] = {}
        self._gone: set[str] = set()
        self._shown: tuple[Column, ...] = ()
        self._width = 0

    @property
    def session_id(self) -> str:
        """Of the selected line, "" where nothing is selected."""
        row = self.row
        return row.session_id if isinstance(row, SessionLine | HitLine | MoreLine) else ""

    @property
    def summary(self) -> SessionSummary | None:
        """Of the selected line, where it was read already."""
        return self.summaries.get(self.session_id)

    @property
    def hit(self) -> Hit | None:
        """What is selected, where it is a place."""
        row = self.row
        known = self.hits.get(row.session_id, []) if isinstance(row, HitLine) else []
        return known[row.number] if isinstance(row, HitLine) and row.number < len(known) else None

    def head(self) -> Content:
        """The names of the columns."""
        return heading(columns(self.content_size.width))

    def explain(self, text: str) -> None:
        """What stands where there are no lines."""
        self._empty = text
        self.redraw()

    def learn(self, asked: Sequence[str], summaries: Sequence[SessionSummary]) -> None:
        """They were read; those that are missing among them are not there any more."""
        self._gone |= set(asked) - {summary.session_id for summary in summaries}
        for summary in summaries:
            self.summaries.pop(summary.session_id, None)
            self.summaries[summary.session_id] = summary
        while len(self.summaries) > MOST_KEPT:
            self.summaries.pop(next(iter(self.summaries)))

    def learn_hits(self, asked: Mapping[str, int], hits: Mapping[str, list[Hit]]) -> None:
        self._asked.update(asked)
        self.hits.update(hits)

    def forget_hits(self) -> None:
        """Something else is looked for."""
        self._asked.clear()
        self.hits.clear()

    def forget(self, session_id: str = "") -> None:
        """What is known of a session, or of all of them, may not be so any more."""
        self._gone.clear()
        if session_id:
            self.summaries.pop(session_id, None)
        else:
            self.summaries.clear()

    def selectable(self, row: object) -> bool:
        return not isinstance(row, Heading)

    def redraw(self) -> None:
        width = self.content_size.width
        if width != self._width:
            self._width, self._shown = width, columns(width)
        super().redraw()
        self._ask()

    def draw(self, row: object, width: int, selected: bool) -> Content:
        match row:
            case Heading():
                text = f" {visible(one_line(cut_middle(row.text, max(5, width - 12))))}"
                number = f"  {row.count:,}"
                return Content.assemble((text, "bold $primary"), (fit(number, max(0, width - len(text))), "$muted"))
            case SessionLine():
                summary = self.summaries.get(row.session_id)
                if summary is None:
                    return unknown_line(row, width, selected, gone=row.session_id in self._gone)
                return session_line(summary, row, self._shown, self._look(row.session_id, selected))
            case HitLine():
                known = self.hits.get(row.session_id, [])
                hit = known[row.number] if row.number < len(known) else None
                return hit_line(hit, width, self._clock(), selected)
            case MoreLine():
                return more_line(row, width, selected)
            case _:
                raise TypeError(f"no line of this list: {row!r}")

    def _look(self, session_id: str, selected: bool) -> Look:
        mark = "AB"[self.marked.index(session_id)] if session_id in self.marked else ""
        return Look(
            now=self._clock(),
            grouping=self.grouping,
            mark=mark,
            selected=selected,
            current=session_id == self._current,
        )

    def _ask(self) -> None:
        """Ask for what is seen and not known, and with it for what is around it."""
        height = self.content_size.height
        if height <= 0:
            return
        seen = self._rows[self._first : self._first + height]
        sessions = [row.session_id for row in seen if isinstance(row, SessionLine) and self._unread(row)]
        hits: dict[str, int] = {}
        for row in seen:
            if isinstance(row, HitLine) and row.number >= self._asked.get(row.session_id, 0):
                hits[row.session_id] = row.number + 1
        if sessions:
            around = self._rows[max(0, self._first - AHEAD) : self._first + height + AHEAD]
            sessions = [row.session_id for row in around if isinstance(row, SessionLine) and self._unread(row)]
        if sessions or hits:
            self.post_message(self.Missing(sessions, hits))

    def _unread(self, row: SessionLine) -> bool:
        return row.session_id not in self.summaries and row.session_id not in self._gone
