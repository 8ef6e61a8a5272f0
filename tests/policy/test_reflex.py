"""The hint that approving has become a reflex: rarely, only where it is true, and never for what may do harm."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.events import Asks, Pattern, Risk, Suggested, ToolPattern
from runner.policy.reflex import LEAST, reflex

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


def suggested(*words: str) -> Suggested:
    pattern = ToolPattern(tool="shell", pattern=Pattern(prefix=words))
    return Suggested(words=f"shell, commands that begin with: {' '.join(words)}", patterns=(pattern,))


WHOLE = Suggested(words="every call of shell", patterns=(ToolPattern(tool="shell", pattern=Pattern()),))


@dataclass(frozen=True)
class Row:
    time: datetime = NOW
    tool: str = "shell"
    decision: str = "allow"
    by: str = "user"
    scope: str = "call"
    asks: Asks = "call"
    seconds: float = 0.9
    risk: Risk | None = "medium"
    suggestions: tuple[Suggested, ...] = (suggested("pytest", "-q", "tests"), suggested("pytest", "-q"), WHOLE)


def rows(count: int, **changes: Any) -> list[Row]:
    """The newest first."""
    return [replace(Row(), time=NOW - timedelta(minutes=n), **changes) for n in range(count)]


def test_fast_and_all_allowed_and_alike() -> None:
    hint = reflex(rows(LEAST))
    assert hint is not None
    assert hint.suggested == suggested("pytest", "-q", "tests")
    assert (hint.covered, hint.of, hint.scope, hint.again_after) == (LEAST, LEAST, "session", NOW)
    assert hint.words == (
        "You allowed the last 8 calls in about 0.9 s each. 8 of them are shell, commands that begin with:"
        " pytest -q tests: allow these for the session?"
    )


def test_the_narrowest_that_covers_most_of_them() -> None:
    other = replace(Row(), suggestions=(suggested("pytest", "-q", "other"), suggested("pytest", "-q"), WHOLE))
    hint = reflex([*rows(5), *[other] * 5])
    assert hint is not None
    assert (hint.suggested, hint.covered, hint.of) == (suggested("pytest", "-q"), 10, 10)
    stranger = replace(Row(), suggestions=(suggested("make"), WHOLE))
    hint = reflex([*rows(8), stranger, stranger])
    assert hint is not None
    assert hint.covered == 8
    assert reflex([*rows(5), *[stranger] * 5]) is None, "nothing but the whole tool covers most of them"


@pytest.mark.parametrize(
    "changes",
    [
        {"seconds": 4.0},
        {"decision": "deny"},
        {"decision": "edit"},
        {"by": "grant"},
        {"scope": "run"},
        {"asks": "question"},
        {"risk": "high"},
        {"suggestions": (WHOLE,)},
        {"suggestions": ()},
    ],
)
def test_nothing_to_say(changes: dict[str, object]) -> None:
    assert reflex(rows(LEAST, **changes)) is None


def test_one_that_was_looked_at_starts_the_count_anew() -> None:
    for odd in (replace(Row(), decision="deny"), replace(Row(), risk="high"), replace(Row(), scope="session")):
        assert reflex([*rows(LEAST - 1), odd, *rows(LEAST)]) is None
        assert reflex([odd, *rows(2 * LEAST)]) is None
    assert reflex(rows(LEAST - 1)) is None
    assert reflex([]) is None


def test_old_answers_are_no_habit_of_today() -> None:
    old = [replace(row, time=row.time - timedelta(days=2)) for row in rows(LEAST)]
    assert reflex([*rows(2), *old]) is None


def test_it_is_said_once_until_there_are_as_many_new_answers() -> None:
    first = reflex(rows(LEAST))
    assert first is not None
    assert reflex(rows(LEAST), shown=first.again_after) is None
    later = [replace(row, time=NOW + timedelta(minutes=n + 1)) for n, row in enumerate(rows(LEAST))]
    assert reflex([*reversed(later[:-1]), *rows(LEAST)], shown=first.again_after) is None
    assert reflex([*reversed(later), *rows(LEAST)], shown=first.again_after) is not None


some_rows = st.lists(
    st.builds(
        Row,
        decision=st.sampled_from(["allow", "allow", "allow", "deny"]),
        scope=st.sampled_from(["call", "call", "call", "run"]),
        seconds=st.floats(0, 5),
        risk=st.sampled_from(["low", "medium", "medium", "high"]),
        suggestions=st.lists(st.sampled_from([suggested("a"), suggested("a", "b"), WHOLE]), unique=True).map(tuple),
    ),
    max_size=24,
)


@given(some_rows)
def test_what_is_proposed_is_never_a_whole_tool_nor_from_dangerous_calls(found: list[Row]) -> None:
    hint = reflex(found)
    if hint is None:
        return
    habit = found[: hint.of]
    assert all((row.decision, row.scope) == ("allow", "call") and row.risk != "high" for row in habit)
    assert not any(each.pattern.whole for each in hint.suggested.patterns)
    assert sum(hint.suggested in row.suggestions for row in habit) == hint.covered >= 0.75 * hint.of
