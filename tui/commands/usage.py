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
from runner.usage import Cost
from tui import words
from tui.cli import UsageError, tell
from tui.commands.common import enter_folder
from tui.looking_back.report import Report, as_json, read, together
from tui.looking_back.views import took
from tui.render.clean import clean
from tui.since import since as since_of

ID_SHOWN = 13
"""Characters of an id in a table: a version 7 id differs in its first part, which is the time."""

NARROWEST = 16
"""Cells that the first column keeps on a narrow terminal."""

NAMES_SHOWN = 4
NO_KEY: Final = {"session": "(deleted sessions)", "run": "(deleted sessions)", "project": "(no folder known)"}
SLICE: Final = 1.0
"""Seconds of counting between two words about it."""

OVER_ALL: Final = ("tool", "approval")
SPANS: Final = (("today", 1), ("last 7 days", 7), ("last 30 days", 30))


def run(args: argparse.Namespace) -> int:
    enter_folder(args)
    clock = SystemClock()
    now = clock.now().astimezone()
    since = None if args.since is None else _since(args.since, now)
    if args.session is not None and args.by in OVER_ALL:
        raise UsageError(f"quarterdeck usage: --by {args.by} is over all sessions; leave --session out")
    with closing(Store.open()) as store:
        # A run whose program died is open until somebody looks; the request that it left is counted too.
        store.recover(clock)
        session_id = None if args.session is None else store.session(args.session).session_id
        while args.by in OVER_ALL and (left := store.search.catch_up(SLICE)):
            tell(f"counting what is stored: {words.count(left, 'run')} to go")
        report = read(store, args.by, since, session_id)
        if args.json:
            print(json.dumps(as_json(report)))
            return 0
        if report.empty:
            print(_nothing(args.by, bool(since), bool(session_id)), file=sys.stderr)
            return 0
        if not report.sums:
            _print_calls(report, args.limit)
            return 0
        rows = report.sums
        _print_table(args.by, rows, args.limit)
        _print_remarks(together(rows), store.usage("model", since=since, session_id=session_id))
        if since is None and session_id is None:
            print(" · ".join(_spans(store, now)))
        return 0


def _since(text: str, now: datetime) -> datetime:
    try:
        return since_of(text, now)
    except ValueError as error:
        raise UsageError(f"quarterdeck usage: --since {error}") from error


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


def _nothing(by: str, since: bool, session: bool) -> str:
    what = {"tool": "no tool calls", "approval": "no decisions"}.get(by, "no requests")
    return what + (" since then" if since else "") + (" in it" if session else "")


def _print_calls(report: Report, limit: int) -> None:
    """Tools, or decisions: what took how long, and how it ended."""
    if report.tools:
        head = ("tool", "calls", "failed", "timeouts", "denied", "half", "95 of 100", "slowest", "together")
        lines = [
            (
                *(words.one_line(clean(row.tool)), str(row.calls), str(row.failed), str(row.timeouts), str(row.denied)),
                *map(took, (row.p50, row.p95, row.slowest, row.seconds)),
            )
            for row in report.tools
        ]
    else:
        head = ("tool", "decision", "by", "count", "mean", "slowest", "together")
        lines = [
            (
                *(words.one_line(clean(text)) for text in (row.tool, row.decision, row.by)),
                str(row.count),
                *map(took, (row.seconds / max(1, row.count), row.slowest, row.seconds)),
            )
            for row in report.approvals
        ]
    shown = lines[:limit]
    left = 1 if report.tools else 3
    widths = [max(map(words.cell_len, column)) for column in zip(head, *shown, strict=True)]
    for line in (head, *shown):
        cells = [
            words.fit(cell, width) if place < left else f"{cell:>{width}}"
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
    if len(lines) > limit:
        print(f"({len(lines) - limit} more)")


def _print_table(by: str, rows: Sequence[UsageSum], limit: int) -> None:
    """What does not fit under the limit is one line, so that the lines add up to the total."""
    shown, rest = (rows[-limit:], rows[:-limit]) if by == "day" else (rows[:limit], rows[limit:])
    lines = [(_key(by, row), row) for row in shown]
    if rest:
        more = (f"({len(rest)} earlier)" if by == "day" else f"({len(rest)} more)", together(rest))
        lines = [more, *lines] if by == "day" else [*lines, more]
    lines.append(("total", together(rows)))
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
