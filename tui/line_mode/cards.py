"""What asks a person, as plain text: every word from outside is made visible and stands behind a bar. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells

from tui.approving import Around, behind, risk_line
from tui.limits import next_value
from tui.preview import preview
from tui.render.clean import visible
from tui.render.limits import limit_name, limit_words, quantity
from tui.words import one_line

if TYPE_CHECKING:
    from runner.events import LimitReached
    from runner.state import ApprovalView, CallItem
    from tui.widgets.question import Question

MOST_LINES = 300
MOST_CHARACTERS = 40_000
"""Of a body that is shown at once; the rest is a word away."""

GOES_ON = ": "
LEAST_WIDTH = 10

FOLLOWS = 200
"""Characters that tell who else waits."""


def call_card(approval: ApprovalView, around: Around, others: Sequence[CallItem], now: float, *, of: int) -> str:
    """What a call would do. others: calls that wait behind it. of: how many wait in all."""
    found = preview(approval)
    place = f"1 of {of}: " if of > 1 else ""
    lines = [
        f"waiting for you: {place}{visible(one_line(found.title))}",
        *bar(found.body.plain, whole=False),
        risk_line(approval, around, now).plain,
        *_facts(found.facts),
    ]
    if approval.why:
        lines.append(f"asks because {visible(one_line(approval.why))}".rstrip("."))
    lines += _behind(others, around)
    return "\n".join([*lines, call_choices(approval)])


def question_card(question: Question, around: Around, others: Sequence[CallItem], now: float, *, of: int) -> str:
    """What a running call wants to know."""
    approval = question.approval
    found = preview(approval)
    place = f"1 of {of}: " if of > 1 else ""
    lines = [f"waiting for you: {place}{visible(one_line(found.title))}", *bar(found.body.plain, whole=False)]
    lines += [f"{number}. {visible(one_line(text))}" for number, text in enumerate(question.choices, 1)]
    lines += [risk_line(approval, around, now).plain, *_facts(found.facts), *_behind(others, around)]
    return "\n".join([*lines, question_choices(question)])


def limit_card(asked: LimitReached, pace: str) -> str:
    """pace: how fast it is used, "" where nothing is known."""
    name = limit_name(asked.limit)
    ways = [f"off (no {name})", "model NAME (another model)", "wrap (one last answer)", "stop"]
    if asked.why != "unknown_price":
        ways = [f"raise (to {quantity(asked.limit, next_value(asked))})", "raise VALUE", *ways]
    lines = [f"waiting for you: {limit_words(asked)}", visible(pace), f"answer with: {', '.join(ways)}"]
    return "\n".join(line for line in lines if line)


def call_choices(approval: ApprovalView) -> str:
    tool = visible(one_line(approval.tool))
    allow, deny, edit = (not approval.options or each in approval.options for each in ("allow", "deny", "edit"))
    ways = [
        *(["allow", f"run (allow {tool} for this run)", "for (allow for…)"] if allow else []),
        *(["deny", "deny because REASON"] if deny else []),
        *(["edit (in your editor)", "edit {JSON}"] if edit else []),
        "view (all of it)",
        "end (end the run)",
    ]
    return f"answer with: {', '.join(ways)}"


def question_choices(question: Question) -> str:
    if question.schema is not None:
        ways = ["fill (field by field)"]
    elif question.several:
        ways = ["numbers such as 1 3"]
    else:
        ways = ["a number"] if question.choices else []
    if question.free and question.schema is None:
        ways.append(
            "= TEXT (an answer of your own)" if question.choices else "any text (= TEXT where it is a word below)"
        )
    return f"answer with: {', '.join([*ways, 'none (give no answer)', 'end (end the run)'])}"


def bar(text: str, *, whole: bool) -> list[str]:
    """Text from outside behind a bar, so that none of its lines can pose as one of ours; visible already."""
    shown = text if whole else text[:MOST_CHARACTERS]
    lines = shown.split("\n")
    kept = lines if whole else lines[:MOST_LINES]
    left = len(text) - len("\n".join(kept))
    more = [f"(there is more, {left:,} characters: view shows all of it)"] if left > 0 else []
    return [*(f"| {line}" for line in kept), *more]


def folded(text: str, width: int) -> str:
    """Broken where the terminal would, a sign before what goes on: nothing from outside begins a line. 0: no limit."""
    if width < LEAST_WIDTH:
        return text
    lines: list[str] = []
    for line in text.split("\n"):
        first, *rest = chop_cells(line, width) if cell_len(line) > width else [line]
        lines.append(first)
        for piece in chop_cells("".join(rest), width - len(GOES_ON)) if rest else []:
            lines.append(f"{GOES_ON}{piece}")
    return "\n".join(lines)


def whole_call(approval: ApprovalView) -> str:
    return "\n".join(bar(preview(approval).body.plain, whole=True))


def _facts(facts: Sequence[str]) -> list[str]:
    return [" · ".join(visible(one_line(fact)) for fact in facts)] if facts else []


def _behind(others: Sequence[CallItem], around: Around) -> list[str]:
    words = visible(behind(others, around.elsewhere, FOLLOWS))
    return [words] if words else []
