"""The ledger: one row for each request that was closed, written with the fact that closed it.

Every total of tokens and money that the store gives is a sum over these rows and over nothing else.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any, TypeAlias

from runner.events import AttemptDiscarded, CompactionFinished, Event, ModelResponded, SamplingFinished
from runner.state import RunState, reduce
from runner.state.ledger import ledger_entry
from runner.store.rows import RawRow, decode
from runner.store.units import bounded, clean, from_pico, micros, pico
from runner.usage import Cost, Price, Usage

RequestRow: TypeAlias = tuple[Any, ...]

_COLUMNS = (
    "run_id, session_id, seq, time, turn, attempt, provider, model, agent, purpose, input, cached_input, cache_write,"
    " output, reasoning, price, cost, source, discarded, reason"
)
TOKENS = ("input", "cached_input", "cache_write", "output", "reasoning")

INSERT_SQL = f"INSERT INTO requests({_COLUMNS}) VALUES ({', '.join(['?'] * 20)})"

SUMS_SQL = ", ".join(f"sum({name})" for name in (*TOKENS, "cost")) + ", count(*) - count(cost)"
"""The tokens, the known cost, and the number of requests without one."""

_CLOSING = ("model_responded", "attempt_discarded", "compaction_finished", "sampling_finished")
_ROWS_AT_ONCE = 500


def request_row(event: Event) -> RequestRow | None:
    """The row of the request that the fact closes; None where it closes none."""
    match event:
        case ModelResponded() | AttemptDiscarded():
            entry = ledger_entry(event)
        case CompactionFinished() | SamplingFinished():
            # Not every one of these cost something: the fold says which, so that its totals and the rows cannot differ.
            entry = next(iter(reduce(RunState(), event).ledger), None)
        case _:
            return None
    if entry is None:
        return None
    return (
        event.run_id,
        event.session_id,
        event.seq,
        micros(event.time),
        entry.turn,
        entry.attempt,
        clean(entry.provider or _provider_in(entry.model)),
        clean(entry.model),
        clean(entry.agent),
        entry.purpose,
        *(bounded(getattr(entry.usage, name)) for name in TOKENS),
        price_text(entry.price),
        pico(entry.cost_usd),
        entry.source,
        int(entry.discarded),
        clean(entry.reason),
    )


def _provider_in(model: str) -> str:
    """A fact that does not say the provider, as old ones do not, has a model whose name begins with it."""
    provider, slash, _ = model.partition("/")
    return provider if slash else ""


def sums(values: Iterable[Any]) -> tuple[Usage, Cost]:
    """What SUMS_SQL selected; a sum over nothing is 0."""
    *tokens, known, unknown = (value or 0 for value in values)
    return Usage(**dict(zip(TOKENS, tokens, strict=True))), Cost(known=from_pico(known), unknown=unknown)


def price_text(price: Price | None) -> str | None:
    """A price as the text of its column: the exact numbers of its kinds."""
    if price is None:
        return None
    named = ("input", "output", "cached_input", "cache_write")
    return json.dumps({name: str(value) for name in named if (value := getattr(price, name)) is not None})


def fill(connection: sqlite3.Connection) -> None:
    """Make the rows of the runs that were stored before there was a ledger; a damaged fact is passed over."""
    marks = ", ".join("?" * len(_CLOSING))
    found = connection.execute(
        "SELECT r.run_id, r.session_id, e.seq, CAST(e.json AS BLOB) FROM runs r JOIN events e ON e.run_id = r.run_id"
        f" WHERE e.kind IN ({marks}) ORDER BY r.n, e.seq",
        _CLOSING,
    )
    while rows := found.fetchmany(_ROWS_AT_ONCE):
        made = (_old_row(*row) for row in rows)
        connection.executemany(INSERT_SQL, [row for row in made if row is not None])


def _old_row(run_id: str, session_id: str, seq: int, data: bytes) -> RequestRow | None:
    try:
        row = request_row(decode(RawRow(run_id=run_id, seq=seq, data=data, is_delta=False)))
    except (ValueError, TypeError):
        return None
    return None if row is None else (run_id, session_id, *row[2:])
