"""The texts of two steps as one diff: whole, or only where they differ. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby

from runner.review.aligning import common
from runner.review.compare import Row, Step

MOST_CHARACTERS = 200_000
"""Characters of a step's text that are compared and shown."""

CONTEXT = 3
"""Lines that are the same around what differs, where only that is shown."""


def step_text(step: Step | None) -> str:
    """All of a step as lines; "" for none."""
    if step is None:
        return ""
    if step.kind != "call":
        return _cut(step.text)
    result = "no result" if step.status is None else step.status
    return "\n".join((step.tool, _pretty(step.text), "", f"[{result}]", _cut(step.output).rstrip("\n")))


def diff_of(row: Row, *, whole: bool) -> str:
    """A unified diff of both sides, in one hunk with everything in it, or in hunks of what differs."""
    a, b = (step_text(step).split("\n") if step is not None else [] for step in (row.a, row.b))
    marked = list(_marked(a, b))
    if whole:
        return _hunk(marked, 1, 1)
    return "".join(_hunks(marked))


def _marked(a: list[str], b: list[str]) -> Iterator[tuple[str, str]]:
    """Every line with its sign: what was removed comes before what took its place."""
    left = right = 0
    for here, there in [*common(a, b), (len(a), len(b))]:
        yield from (("-", line) for line in a[left:here])
        yield from (("+", line) for line in b[right:there])
        if here < len(a):
            yield " ", a[here]
        left, right = here + 1, there + 1


def _hunks(lines: list[tuple[str, str]]) -> Iterator[str]:
    near = [False] * len(lines)
    for place, (sign, _) in enumerate(lines):
        if sign != " ":
            first = max(0, place - CONTEXT)
            near[first : place + CONTEXT + 1] = [True] * len(near[first : place + CONTEXT + 1])
    old = new = 1
    place = 0
    for wanted, group in groupby(near):
        part = lines[place : place + len(list(group))]
        place += len(part)
        if wanted:
            yield _hunk(part, old, new)
        old += sum(sign != "+" for sign, _ in part)
        new += sum(sign != "-" for sign, _ in part)


def _hunk(lines: list[tuple[str, str]], old: int, new: int) -> str:
    olds, news = (sum(sign != other for sign, _ in lines) for other in "+-")
    head = f"@@ -{old if olds else old - 1},{olds} +{new if news else new - 1},{news} @@\n"
    return head + "".join(f"{sign}{text}\n" for sign, text in lines)


def _pretty(arguments: str) -> str:
    try:
        return json.dumps(json.loads(arguments), ensure_ascii=False, indent=2)
    except ValueError:
        return _cut(arguments)


def _cut(text: str) -> str:
    left_out = len(text) - MOST_CHARACTERS
    return text if left_out <= 0 else f"{text[:MOST_CHARACTERS]}\n[{left_out} more characters are not compared]"
