"""A filter typed as text is read as it is meant, is written down again, and what is wrong with it is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runner.store.query import ENDS, FIELDS, STATES, Limit, SessionFilter, Term, completions, parse

NOW = datetime(2026, 3, 15, 12, 30, tzinfo=UTC)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("model:opus", Term(field="model", values=("opus",))),
        ("MODEL:opus,sonnet", Term(field="model", values=("opus", "sonnet"))),
        ('tag:"two words","a,b",', Term(field="tag", values=("two words", "a,b"))),
        ("-agent:reviewer", Term(field="agent", values=("reviewer",), excluded=True)),
        ("tool=shell", Term(field="tool", values=("shell",))),
        ("file:/src/main.py", Term(field="file", values=("/src/main.py",))),
        ("status:FAILED", Term(field="ended", values=("failed",))),
        ("ended:crashed", Term(field="ended", values=("interrupted",))),
        ('ended:"max turns"', Term(field="ended", values=("max_turns",))),
        ("is:pinned,forks", Term(field="is", values=("pinned", "fork"))),
        ("cost>1", Limit(field="cost", sign=">", value=Decimal(1))),
        ("cost:>=$0.5", Limit(field="cost", sign=">=", value=Decimal("0.5"))),
        ("-cost<=.25", Limit(field="cost", sign="<=", value=Decimal("0.25"), excluded=True)),
        ("tokens>10k", Limit(field="tokens", sign=">", value=Decimal(10_000))),
        ("tokens<1.5M", Limit(field="tokens", sign="<", value=Decimal(1_500_000))),
        ("turns:3", Limit(field="turns", sign="=", value=Decimal(3))),
    ],
)
def test_each_filter(text: str, condition: Term | Limit) -> None:
    found = parse(f"before {text} after", NOW)
    assert found == SessionFilter(words="before after", conditions=(condition,))
    assert parse(found.text, NOW) == found


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("since:7d", day("2026-03-09"), None),
        ("since:today", day("2026-03-15"), None),
        ("since:2w", day("2026-03-02"), None),
        ("since:2h", NOW - timedelta(hours=2), None),
        ("until:2026-01-31", None, day("2026-02-01")),
        ("until:yesterday", None, day("2026-03-15")),
        ("until:2026-01-31T10:00", None, day("2026-01-31T10:00")),
        ("since:2026-01-02 until:2026-01-02", day("2026-01-02"), day("2026-01-03")),
        ("-since:7d", None, day("2026-03-09")),
        ("after:7d since:2h before:2026-03-15", NOW - timedelta(hours=2), day("2026-03-16")),
    ],
)
def test_days_and_ages(text: str, since: datetime | None, until: datetime | None) -> None:
    found = parse(text, NOW)
    assert found == SessionFilter(since=since, until=until)
    assert parse(found.text, NOW) == found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("modle:opus", "there is no filter modle; did you mean model? (at character 1)"),
        ("a b  colour:red", "there is no filter colour; in quotes it is searched for as it stands (at character 6)"),
        ("cots>1", "there is no filter cots; did you mean cost? (at character 1)"),
        ("cost>", "cost needs a number, such as 1 or 0.5 (at character 1)"),
        ("tokens:many", "tokens needs a number, not 'many', such as 20 or 10k (at character 1)"),
        ("cost>1e999", "cost needs a number, not '1e999', such as 1 or 0.5 (at character 1)"),
        ("model>3", "model is not a number; write model: and what you look for (at character 1)"),
        ("tag:,", "tag needs a value: a tag: tag:release (at character 1)"),
        ("since:soon", "since needs a day or an age, not 'soon': 2026-01-31, today, 7d, 2h, 4w (at character 1)"),
        ("since:999999d", "since needs a day or an age, not '999999d': 2026-01-31, today, 7d, 2h, 4w (at character 1)"),
        ("is:pined", "is cannot be 'pined'; did you mean pinned? (at character 1)"),
        ("ended:fialed", "ended cannot be 'fialed'; did you mean failed? (at character 1)"),
        ("is:deleted,pinned", "is:deleted stands alone: what is in the trash is in no other list (at character 1)"),
    ],
)
def test_what_is_wrong_is_said_and_filters_nothing(text: str, problem: str) -> None:
    found = parse(f"{text} turns>2", NOW)
    assert found.problems == (problem,)
    assert found.conditions == (Limit(field="turns", sign=">", value=Decimal(2)),)
    (place,) = found.places
    assert f"{text} turns>2"[place.start : place.end] == text.split()[-1]


@pytest.mark.parametrize(
    "text",
    [
        "plain words",
        '"model:opus" in quotes',
        "12:30 main.py:33",
        "https://example.org a::b C:\\temp",
        "TypeError:oops a->b x=1 mode=fast if x>3",
        '"a phrase',
        "late_fee ",
        "-v --help",
    ],
)
def test_what_is_no_filter_is_words(text: str) -> None:
    assert parse(text, NOW) == SessionFilter(words=text)


def test_what_a_filter_needs() -> None:
    assert parse("  ", NOW).everything
    assert parse("modle:x", NOW).everything
    assert not parse("is:deleted", NOW).everything
    assert parse("is:deleted", NOW).deleted
    assert not parse("-is:deleted", NOW).deleted
    assert not parse("model:x since:2h", NOW).reads_index
    assert all(parse(text, NOW).reads_index for text in ("tool:x", "file:x", "words"))


_VALUES = st.one_of(
    st.text(max_size=8),
    st.sampled_from([*STATES, *ENDS, "7d", "2026-01-31", "10k", "1.5M", '"a b",c', ">3", "0001-01-01", "9999-12-31"]),
)
_PIECES = st.tuples(
    st.sampled_from(["", "-"]),
    st.sampled_from([*FIELDS, "modle", "x", "Cost", ""]),
    st.sampled_from([":", ">", ">=", "<", "=", "", " "]),
    _VALUES,
).map("".join)


@given(text=st.one_of(st.text(), st.lists(_PIECES, max_size=5).map(" ".join)))
@example(text='tag:"a b",c"d words" "half')
@example(text="until:9999-12-31 since:0001-01-01")
@example(text="turns>000000000000001.50")
def test_it_never_raises_and_reads_what_it_writes(text: str) -> None:
    found = parse(text, NOW)
    assert len(found.problems) == len(found.places)
    again = parse(found.text, NOW)
    assert again.problems == ()
    assert (again.words, again.conditions) == (found.words, found.conditions)
    assert (again.since, again.until, again.deleted) == (found.since, found.until, found.deleted)
    for cursor in {0, len(text) // 2, len(text)}:
        offered = completions(text, cursor)
        assert offered is None or 0 <= offered.start <= offered.end == cursor


def test_completions_are_names_and_known_values() -> None:
    def names(text: str) -> tuple[int, list[str]]:
        found = completions(text, len(text))
        return (-1, []) if found is None else (found.start, [option for option, _ in found.options])

    assert names("foo mo") == (4, ["model:"])
    assert names("-to") == (1, ["tool:", "tokens>"])
    assert names("is:pinned,f") == (10, ["fork"])
    assert names("ended:inter") == (6, ["interrupted"])
    assert names("status:inter") == (7, ["interrupted"])
    assert names("model:o") == (-1, [])
    assert names('"mo') == (-1, [])
    assert names("zzz") == (-1, [])
    assert len(names("")[1]) == len(FIELDS)
