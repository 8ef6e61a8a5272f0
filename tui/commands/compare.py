"""`quarterdeck compare`: two sessions side by side, as text or as JSON."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict

from rich.cells import cell_len

from runner.clock import SystemClock
from runner.review.compare import Comparison, Row, Step, Totals, compare
from runner.store import Store
from runner.store.base import SessionSummary
from tui import words
from tui.commands.common import enter_folder
from tui.render.clean import clean

NARROWEST, WIDEST = 60, 200
_SIGNS = {"prompt": ">", "call": "*", "answer": " "}


def run(args: argparse.Namespace) -> int:
    """Exit code 0 also where they differ: a difference is no error."""
    enter_folder(args)
    with closing(Store.open()) as store:
        store.recover(SystemClock())
        a, b = store.session(args.a), store.session(args.b)
        found = compare(store.runs(a.session_id), store.runs(b.session_id))
    if args.json:
        print(json.dumps(_as_json(a, b, found)))
        return 0
    width = min(WIDEST, max(NARROWEST, shutil.get_terminal_size((120, 24)).columns))
    for line in _lines(a, b, found, width, everything=args.all):
        print(line)
    if not sys.stdout.isatty():
        sys.stdout.flush()
    return 0


def _lines(a: SessionSummary, b: SessionSummary, found: Comparison, width: int, *, everything: bool) -> Iterator[str]:
    half = (width - 3) // 2
    yield from _pair(_title(a), _title(b), half)
    yield from _pair(_totals(found.a), _totals(found.b), half)
    yield ""
    parted = found.parted
    if parted is None:
        yield "They say and ask for the same from beginning to end."
    else:
        row = found.rows[parted]
        yield f"They part at {_place(row)}, after {words.count(parted, 'step')} in common."
    for side, name in (("a", "left"), ("b", "right")):
        calls = found.only("a" if side == "a" else "b")
        if calls:
            yield f"Only the {name} one made {words.count(len(calls), 'call')}: {_tools(calls)}."
    yield ""
    hidden = 0
    for row in found.rows:
        if row.same_outcome and not everything:
            hidden += 1
            continue
        if hidden:
            yield f"  … {words.count(hidden, 'step')} the same"
            hidden = 0
        yield from _row(row, half)
    if hidden:
        yield f"  … {words.count(hidden, 'step')} the same"


def _place(row: Row) -> str:
    turn = max(step.turn for step in (row.a, row.b) if step is not None)
    return f"turn {turn}" if turn else "the first message"


def _tools(calls: list[Step]) -> str:
    counts: dict[str, int] = {}
    for call in calls:
        counts[call.tool] = counts.get(call.tool, 0) + 1
    return ", ".join(f"{clean(tool)}{f' ({number})' if number > 1 else ''}" for tool, number in counts.items())


def _title(summary: SessionSummary) -> str:
    models = ", ".join(summary.models)
    return f"{summary.session_id[:13]}  {words.one_line(summary.title) or 'untitled'}  ({models})"


def _totals(total: Totals) -> str:
    cost = "cost unknown" if total.cost.total is None else words.money(total.cost.total)
    tokens = f"{words.tokens(total.usage.input)} tokens in, {words.tokens(total.usage.output)} out"
    calls = words.count(total.calls, "call")
    copied = f" ({total.inherited} of them paid by another session)" if total.inherited else ""
    return f"{words.count(total.turns, 'turn')}{copied}, {calls}, {tokens}, {cost}, {words.duration(total.seconds)}"


def _row(row: Row, half: int) -> Iterator[str]:
    """What differs is marked in the middle: ≠ they differ, ~ the same call with another result, < > only one."""
    yield from _pair(_step(row.a), _step(row.b), half, mark=_mark(row))


def _mark(row: Row) -> str:
    if row.a is None or row.b is None:
        return "<" if row.b is None else ">"
    if not row.same:
        return "≠"
    return "│" if row.same_outcome else "~"


def _step(step: Step | None) -> str:
    if step is None:
        return ""
    text = f"{step.tool} {step.text}" if step.kind == "call" else step.text
    end = f"\n  [{step.status or 'no result'}] {words.one_line(step.output)[:200]}" if step.kind == "call" else ""
    return f"{_SIGNS[step.kind]} {text.strip()}{end}"


def _pair(left: str, right: str, half: int, mark: str = "│") -> Iterator[str]:
    lefts, rights = _wrapped(left, half), _wrapped(right, half)
    for number in range(max(len(lefts), len(rights))):
        one = lefts[number] if number < len(lefts) else ""
        other = rights[number] if number < len(rights) else ""
        yield f"{one}{' ' * (half - cell_len(one))} {mark} {other}".rstrip()


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of at most so many cells, cut at a blank where one is near."""
    lines: list[str] = []
    for line in clean(text).split("\n"):
        rest = line
        while cell_len(rest) > width:
            end = width
            while cell_len(rest[:end]) > width:
                end -= 1
            blank = rest.rfind(" ", end * 2 // 3, end + 1)
            lines.append(rest[: blank if blank > 0 else end])
            rest = rest[blank + 1 if blank > 0 else end :]
        lines.append(rest)
    return lines


def _as_json(a: SessionSummary, b: SessionSummary, found: Comparison) -> dict[str, object]:
    def side(summary: SessionSummary, total: Totals) -> dict[str, object]:
        return {
            "session_id": summary.session_id,
            "title": summary.title,
            "models": list(summary.models),
            "runs": total.runs,
            "turns": total.turns,
            "inherited_turns": total.inherited,
            "tool_calls": total.calls,
            "seconds": round(total.seconds, 3),
            "usage": asdict(total.usage),
            "cost_usd": None if total.cost.total is None else str(total.cost.total),
        }

    def step(one: Step | None) -> dict[str, object] | None:
        return None if one is None else asdict(one)

    return {
        "a": side(a, found.a),
        "b": side(b, found.b),
        "parted": found.parted,
        "rows": [
            {"same": row.same, "same_outcome": row.same_outcome, "a": step(row.a), "b": step(row.b)}
            for row in found.rows
        ],
    }
