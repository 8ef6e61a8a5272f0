"""`/ledger`: every request that was paid for, and what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.ledger_words import (
    LEGEND,
    LedgerRow,
    cost_of,
    facts,
    ledger_rows,
    new_tokens,
    number,
    sums,
    sums_words,
    why,
)
from tui.render.clean import visible
from tui.words import count, one_line

if TYPE_CHECKING:
    from tui.line_mode.table import Table

MOST = 30
"""Requests that are listed, the newest ones."""


class Costs:
    def __init__(self, table: Table) -> None:
        self._table = table

    async def obey(self, argument: str) -> None:
        rows = ledger_rows(self._table.deck.view().runs)
        if not rows:
            self._table.say("no request was paid for in this session yet")
        elif argument.isascii() and argument.isdecimal():
            place = int(argument)
            known = 0 < place <= len(rows)
            self._table.tell(request_lines(rows[place - 1]) if known else ["there is no such request; see /ledger"])
        else:
            self._table.tell(ledger_lines(rows, argument))


def ledger_lines(rows: Sequence[LedgerRow], words: str) -> list[str]:
    """Clean: a line for each request that has the words, and what they come to together."""
    wanted = words.lower().split()
    numbered = [(place, row, visible(one_line(_line(row)))) for place, row in enumerate(rows, 1)]
    found = [each for each in numbered if all(word in each[2].lower() for word in wanted)]
    if not found:
        return ["no request has that"]
    left = len(found) - MOST
    lines = [f"({count(left, 'earlier request')} left out)"] if left > 0 else []
    lines += [f"{place}. {text}" for place, _, text in found[-MOST:]]
    fitting = [row for _, row, _ in found]
    total = visible(sums_words(sums(fitting)).replace(" · ", ", "))
    marks = [LEGEND] if any(row.estimated for row in fitting) else []
    return [*lines, f"together: {total}", *marks, "/ledger and a number tells all about one"]


def _line(row: LedgerRow) -> str:
    entry, usage = row.entry, row.entry.usage
    parts = [
        f"run {row.run} turn {entry.turn}",
        entry.model,
        f"new {number(row, new_tokens(usage))}",
        f"cached {number(row, usage.cached_input)}",
        f"out {number(row, usage.output)}",
        f"cost {cost_of(row)}",
        why(entry).replace(" · ", ", "),
    ]
    return ", ".join(part for part in parts if part)


def request_lines(row: LedgerRow) -> list[str]:
    """All of one request, clean."""
    return [visible(one_line(f"{name.strip()}: {value}" if name else value)) for name, value in facts(row)]
