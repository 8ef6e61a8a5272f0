"""`quarterdeck usage`: what requests came to, as sums over the ledger."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import datetime
from typing import Final

from runner.clock import SystemClock
from runner.store import Store, UsageSum
from runner.usage import Cost, Usage
from tui import words
from tui.cli import UsageError
from tui.commands.common import enter_folder
from tui.render.clean import clean
from tui.since import since as since_of

ID_SHOWN = 13
"""Characters of an id in a table: a version 7 id differs in its first part, which is the time."""

NARROWEST = 16
"""Cells that the first column keeps on a narrow terminal."""

NAMES_SHOWN = 4
NO_KEY: Final = {"session": "(deleted sessions)", "run": "(deleted sessions)"}
SPANS: Final = (("today", 1), ("last 7 days", 7), ("last 30 days", 30))


def run(args: argparse.Namespace) -> int:
    enter_folder(args)
    clock = SystemClock()
    now = clock.now().astimezone()
    since = None if args.since is None else _since(args.since, now)
    with closing(Store.open()) as store:
        # A run whose program died is open until somebody looks; the request that it left is counted too.
        store.recover(clock)
        session_id = None if args.session is None else store.session(args.session).session_id
        rows = _sorted(args.by, store.usage(args.by, since=since, session_id=session_id))
        if args.json:
            print(json.dumps(_as_json(args.by, since, session_id, rows)))
            return 0
        if not rows:
            print("no requests" + (" since then" if since else "") + (" in it" if session_id else ""), file=sys.stderr)
            return 0
        _print_table(args.by, rows, args.limit)
        _print_remarks(_together(rows), store.usage("model", since=since, session_id=session_id))
        if since is None and session_id is None:
            print(" · ".join(_spans(store, now)))
        return 0


def _since(text: str, now: datetime) -> datetime:
    try:
        return since_of(text, now)
    except ValueError as error:
        raise UsageError(f"quarterdeck usage: --since {error}") from error


def _sorted(by: str, rows: Sequence[UsageSum]) -> list[UsageSum]:
    """The dearest first; days as they came."""
    if by == "day":
        return sorted(rows, key=lambda row: row.key)
    return sorted(rows, key=lambda row: (-row.cost.known, -row.usage.total, row.key))


def _together(rows: Sequence[UsageSum]) -> UsageSum:
    return UsageSum(
        key="",
        title="",
        requests=sum(row.requests for row in rows),
        retries=sum(row.retries for row in rows),
        first=min(row.first for row in rows),
        last=max(row.last for row in rows),
        usage=sum((row.usage for row in rows), Usage()),
        cost=sum((row.cost for row in rows), Cost()),
        estimated=sum(row.estimated for row in rows),
        estimated_cost=sum((row.estimated_cost for row in rows), Cost()),
        discarded=sum(row.discarded for row in rows),
        discarded_cost=sum((row.discarded_cost for row in rows), Cost()),
    )


def _as_json(by: str, since: datetime | None, session_id: str | None, rows: Sequence[UsageSum]) -> dict[str, object]:
    return {
        "by": by,
        "since": None if since is None else since.isoformat(),
        "session_id": session_id,
        "rows": [{by: row.key, **({"title": row.title} if row.title else {}), **_sums(row)} for row in rows],
        "total": _sums(_together(rows)) if rows else None,
    }


def _sums(row: UsageSum) -> dict[str, object]:
    """Money as an exact text; null where a part of it is unknown."""
    return {
        "requests": row.requests,
        "retries": row.retries,
        "input_tokens": row.usage.input,
        "cached_input_tokens": row.usage.cached_input,
        "cache_write_tokens": row.usage.cache_write,
        "output_tokens": row.usage.output,
        "reasoning_tokens": row.usage.reasoning,
        "cost_usd": _exact(row.cost),
        "known_cost_usd": f"{row.cost.known.normalize():f}",
        "cost_unknown_requests": row.cost.unknown,
        "estimated_requests": row.estimated,
        "estimated_cost_usd": _exact(row.estimated_cost),
        "discarded_requests": row.discarded,
        "discarded_cost_usd": _exact(row.discarded_cost),
        "first": row.first.isoformat(),
        "last": row.last.isoformat(),
    }


def _exact(cost: Cost) -> str | None:
    return None if cost.total is None else f"{cost.total.normalize():f}"


def _cost(cost: Cost, *, estimated: bool = False) -> str:
    if cost.unknown and not cost.known:
        return "unknown"
    text = ("~" if estimated else "") + words.money(cost.known)
    return f"{text} + unknown" if cost.unknown else text


Column = tuple[str, Callable[[UsageSum], str], Callable[[UsageSum], object]]

# A column is left out where its last function gives 0 for every row.
_COLUMNS: Final[tuple[Column, ...]] = (
    ("requests", lambda row: str(row.requests), lambda row: 1),
    ("input", lambda row: words.tokens(row.usage.input), lambda row: 1),
    ("cached", lambda row: words.tokens(row.usage.cached_input), lambda row: row.usage.cached_input),
    ("cache write", lambda row: words.tokens(row.usage.cache_write), lambda row: row.usage.cache_write),
    ("output", lambda row: words.tokens(row.usage.output), lambda row: 1),
    ("reasoning", lambda row: words.tokens(row.usage.reasoning), lambda row: row.usage.reasoning),
    ("cost", lambda row: _cost(row.cost, estimated=row.estimated_cost.known > 0), lambda row: 1),
    ("discarded", lambda row: _cost(row.discarded_cost), lambda row: _any(row.discarded_cost)),
)


def _any(cost: Cost) -> bool:
    return bool(cost.known or cost.unknown)


def _print_table(by: str, rows: Sequence[UsageSum], limit: int) -> None:
    """What does not fit under the limit is one line, so that the lines add up to the total."""
    shown, rest = (rows[-limit:], rows[:-limit]) if by == "day" else (rows[:limit], rows[limit:])
    lines = [(_key(by, row), row) for row in shown]
    if rest:
        more = (f"({len(rest)} earlier)" if by == "day" else f"({len(rest)} more)", _together(rest))
        lines = [more, *lines] if by == "day" else [*lines, more]
    lines.append(("total", _together(rows)))
    columns = [column for column in _COLUMNS if any(column[2](row) for row in rows)]
    cells = [[column[0] for column in columns], *([column[1](row) for column in columns] for _, row in lines)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    keys = [by, *(key for key, _ in lines)]
    first = max(map(words.cell_len, keys))
    if sys.stdout.isatty():
        room = shutil.get_terminal_size().columns - sum(width + 2 for width in widths)
        first = max(min(first, NARROWEST), min(first, room))
    for key, line in zip(keys, cells, strict=True):
        numbers = (f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True))
        print("  ".join([words.fit(key, first), *numbers]))


def _key(by: str, row: UsageSum) -> str:
    key = words.one_line(clean(row.key))
    if not key:
        return NO_KEY.get(by, "(unknown)")
    if by not in ("session", "run"):
        return key
    return f"{key[:ID_SHOWN]}  {words.cut(words.one_line(clean(row.title)), 40)}".rstrip()


def _print_remarks(total: UsageSum, models: Iterable[UsageSum]) -> None:
    """What the marks and words of the table mean, where they occur in it."""
    remarks: list[str] = []
    if total.discarded:
        count, cost = words.count(total.discarded, "request"), _cost(total.discarded_cost)
        remarks.append(
            f"discarded: {count} whose answer was not used (an error, a retry, a switch), {cost} of the cost"
        )
    if total.estimated:
        count, cost = words.count(total.estimated, "request"), _cost(total.estimated_cost)
        remarks.append(
            f"~ estimated: {count} that the provider did not report or that were cut off, {cost} of the cost"
        )
    if total.cost.unknown:
        names = [clean(row.key) or "(unknown)" for row in models if row.cost.unknown]
        listed = ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")
        count = words.count(total.cost.unknown, "request")
        remarks.append(f"unknown: {count} whose price nobody knew, to {listed}; not in any sum of money")
    print("\n".join(["", *remarks]))


def _spans(store: Store, now: datetime) -> Iterable[str]:
    for name, days in SPANS:
        for row in store.usage("all", since=_since(f"{days}d", now)):
            yield f"{name} {_cost(row.cost, estimated=row.estimated_cost.known > 0)}"
