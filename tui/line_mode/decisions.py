"""`/decisions`: the ledger of every decision, with its query."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tui.decision_words import DECIDED, by_words, call_words, granted_words
from tui.ledger_query import HINT, LedgerQuery, read, rows_of
from tui.render.clean import visible
from tui.words import cut, duration, one_line

if TYPE_CHECKING:
    from runner.store.decisions import DecisionRow
    from tui.line_mode.table import Table

PAGE = 20
MORE = "more"


class Decisions:
    def __init__(self, table: Table) -> None:
        self._table = table
        self._query = LedgerQuery()
        self._last: DecisionRow | None = None

    async def obey(self, argument: str) -> None:
        """The newest that fit; "more": the ones before those that were listed last."""
        before = self._last if argument == MORE else None
        if argument == MORE and before is None:
            self._table.say(f"nothing was listed yet; /decisions alone, or with {HINT}")
            return
        query = self._query if before is not None else read(argument, datetime.now(UTC))
        if query.problem:
            self._table.say(query.problem)
            return
        rows = await self._table.stored(lambda store: rows_of(store, query, limit=PAGE, before=before))
        self._query, self._last = query, rows[-1] if len(rows) == PAGE else None
        if not rows:
            nothing = "no decision" if query == LedgerQuery() else "no decision fits"
            self._table.say("those were all" if before is not None else nothing)
            return
        self._table.tell([decision_line(row) for row in reversed(rows)])
        if self._last is not None:
            self._table.say(f"the newest {PAGE} of them; /decisions {MORE} lists those before; it takes {HINT}")


def decision_line(row: DecisionRow) -> str:
    """Clean: when, what was decided by whom, about which call, and why."""
    head = f"{row.time.astimezone():%Y-%m-%d %H:%M:%S} {DECIDED.get(row.decision, row.decision)} by {by_words(row)}"
    call = visible(cut(f"{one_line(row.tool)} {call_words(row)}".rstrip(), 300))
    why = (row.rule, granted_words(row), row.reason and f"reason: {row.reason}", f"after {duration(row.seconds)}")
    return f"{visible(head)}: {call} ({visible(one_line('; '.join(filter(None, why))))})"
