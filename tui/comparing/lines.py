"""The lines of a comparison: one for each pair of steps, and for what both have where that is folded. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

from rich.cells import cell_len
from textual.content import Content

from runner.review.compare import Comparison, Row, Step, Totals
from tui.render.clean import visible
from tui.words import arguments, cost, count, duration, fit, money, one_line, tokens

SIGNS: Final = {"prompt": "▸", "call": "●", "answer": " "}
_STYLES: Final = {"prompt": "$text-user", "call": "$tool-other", "answer": "$foreground"}
_TURN: Final = 5
"""Cells of a turn's number."""

_NUMBERS: Final = (6, 7, 8, 8, 11, 13)
_NAMES: Final = ("turns", "calls", "in", "out", "cost", "time")


@dataclass(frozen=True, slots=True)
class Pair:
    """index: of the row in the comparison."""

    index: int
    row: Row

    @property
    def differs(self) -> bool:
        return not self.row.same_outcome


@dataclass(frozen=True, slots=True)
class Folded:
    """Steps that are the same and are left out."""

    number: int


@dataclass(frozen=True, slots=True)
class Parted:
    """The place from which they differ."""

    words: str


ComparedLine: TypeAlias = Pair | Folded | Parted


def lines_of(found: Comparison, *, only_differences: bool) -> list[ComparedLine]:
    lines: list[ComparedLine] = []
    same, parted = 0, found.parted
    for index, row in enumerate(found.rows):
        if only_differences and row.same_outcome:
            same += 1
            continue
        if same:
            lines.append(Folded(same))
            same = 0
        if index == parted:
            lines.append(Parted(parted_words(found)))
        lines.append(Pair(index, row))
    if same:
        lines.append(Folded(same))
    return lines


def parted_words(found: Comparison) -> str:
    """Where they part, in a few words."""
    at = found.parted
    if at is None:
        return "they say and ask for the same from beginning to end"
    row = found.rows[at]
    turn = max(step.turn for step in (row.a, row.b) if step is not None)
    where = f"in turn {turn}" if turn else "at the first message"
    return f"they part here, {where}" + (f", after {count(at, 'step')} in common" if at else "")


def drawn(line: ComparedLine, width: int) -> Content:
    match line:
        case Folded(number):
            return Content.styled(f"{'':{_TURN}}… {count(number, 'step')} the same", "$muted").truncate(width, pad=True)
        case Parted(words):
            text = f" {words} "
            left = "──"
            rule = f"{left}{text}{'─' * max(0, width - len(left) - len(text))}"
            return Content.styled(rule, "bold $state-waiting").truncate(width, pad=True)
        case Pair(_, row):
            return _pair(row, width)


def mark_of(row: Row) -> tuple[str, str]:
    """The sign between both sides, and its colour: what only one has, what differs, another result of the same."""
    if row.a is None or row.b is None:
        return ("<", "$diff-removed") if row.b is None else (">", "$diff-added")
    if not row.same:
        return "≠", "$state-waiting"
    return ("│", "$border") if row.same_outcome else ("~", "$state-waiting")


def _pair(row: Row, width: int) -> Content:
    half = (width - 3) // 2
    sign, style = mark_of(row)
    same = row.same_outcome
    left = _side(row.a, half, "$diff-removed" if row.b is None else "", same=same)
    right = _side(row.b, width - half - 3, "$diff-added" if row.a is None else "", same=same)
    return Content.assemble(left, (f" {sign} ", f"bold {style}"), right)


def _side(step: Step | None, width: int, alone: str, *, same: bool) -> Content:
    if step is None:
        return Content(" " * width)
    turn = f"{step.turn or '':>{_TURN - 2}}  "
    style = alone or ("$muted" if same else _STYLES[step.kind])
    text = visible(one_line(step_words(step)))
    end = "" if step.kind != "call" or step.status == "ok" else f" [{step.status or 'no result'}]"
    room = max(0, width - len(turn) - 2 - len(end))
    return Content.assemble(
        (turn, "$muted"),
        (f"{SIGNS[step.kind]} ", style),
        (fit(text, room), style),
        (end, "$state-failed"),
    ).truncate(width, pad=True)


def step_words(step: Step) -> str:
    """A step on one line, neither cleaned nor cut."""
    if step.kind != "call":
        return step.text
    return f"{step.tool} {arguments(_given(step.text))}"


def _given(text: str) -> dict[str, object] | str:
    try:
        found: object = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, dict) else text  # pyright: ignore[reportUnknownVariableType]


def totals_lines(found: Comparison, names: tuple[str, str], width: int) -> Content:
    """What each one came to, and by how much the second one is more or less."""
    numbers = sum(_NUMBERS)
    room = max(8, width - numbers)
    head = Content.styled(
        " " * room + "".join(f"{name:>{cells}}" for name, cells in zip(_NAMES, _NUMBERS, strict=True)), "$muted"
    )
    rows = [head]
    for sign, name, total in (("A", names[0], found.a), ("B", names[1], found.b)):
        figures = "".join(f"{text:>{cells}}" for text, cells in zip(_figures(total), _NUMBERS, strict=True))
        rows.append(
            Content.assemble(
                (f"{sign} ", "bold $primary"), (fit(visible(one_line(name)), room - 2), "$foreground"), figures
            )
        )
    figures = "".join(f"{text:>{cells}}" for text, cells in zip(_less(found.a, found.b), _NUMBERS, strict=True))
    rows.append(Content.assemble((fit("B against A", room), "$muted"), (figures, "$muted")))
    return Content("\n").join(row.truncate(width, pad=True) for row in rows)


def _figures(total: Totals) -> Iterator[str]:
    yield str(total.turns)
    yield str(total.calls)
    yield tokens(total.usage.input)
    yield tokens(total.usage.output)
    yield cost(total.cost)
    yield duration(total.seconds)


def _less(a: Totals, b: Totals) -> Iterator[str]:
    yield _signed(b.turns - a.turns)
    yield _signed(b.calls - a.calls)
    yield _signed(b.usage.input - a.usage.input)
    yield _signed(b.usage.output - a.usage.output)
    if a.cost.total is None or b.cost.total is None:
        yield "?"
    else:
        yield _signed_money(b.cost.total - a.cost.total)
    more = b.seconds - a.seconds
    yield "=" if abs(more) < 0.05 else f"{'+' if more > 0 else '-'}{duration(abs(more))}"


def _signed(more: int) -> str:
    return "=" if more == 0 else f"{'+' if more > 0 else '-'}{tokens(abs(more))}"


def _signed_money(more: Decimal) -> str:
    return "=" if more == 0 else f"{'+' if more > 0 else '-'}{money(abs(more))}"


def only_words(found: Comparison, room: int = 1000) -> str:
    """The calls that only one of them made, in the longest words that have room in so many cells; "" for none."""
    sides = [(name, calls) for name, calls in (("A", found.only("a")), ("B", found.only("b"))) if calls]
    ways = (
        [f"only {name} made {count(len(calls), 'call')}: {_tools(calls)}" for name, calls in sides],
        [f"only {name}: {_tools(calls)}" for name, calls in sides],
        [f"only {name}: {count(len(calls), 'call')}" for name, calls in sides],
    )
    said = ["; ".join(parts) for parts in ways]
    return next((each for each in said if cell_len(each) <= room), said[-1])


def _tools(calls: list[Step]) -> str:
    counts: dict[str, int] = {}
    for call in calls:
        counts[call.tool] = counts.get(call.tool, 0) + 1
    named = sorted(counts.items(), key=lambda each: -each[1])
    shown = [f"{visible(one_line(tool))}{f' ({number})' if number > 1 else ''}" for tool, number in named[:6]]
    return ", ".join(shown) + (" …" if len(named) > 6 else "")
