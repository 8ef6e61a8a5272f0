"""Unified diffs in one column and in two: nothing is lost, and what a line is goes by the hunk's counts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.tools.preview import diff_preview
from tests.e2e.hostile import HOSTILE
from tui.side_by_side import Half, Row, beside, parsed, unified

LINES = st.lists(st.sampled_from(["", "a", "b", "-- c", "++ d", "@@ e @@", "\\ f", "x" * 50]), max_size=12)


def sides(rows: list[Row]) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """The numbered lines of the old and of the new text, without notes."""
    old = [(row.old.number, row.old.text) for row in rows if row.old and row.old.number]
    new = [(row.new.number, row.new.text) for row in rows if row.new and row.new.number]
    return old, new


@given(LINES, LINES)
def test_both_sides_are_what_the_texts_have_at_those_places(old: list[str], new: list[str]) -> None:
    diff = str(diff_preview("a", "".join(f"{line}\n" for line in old), "".join(f"{line}\n" for line in new))["diff"])
    left, right = sides(parsed(diff))
    assert left == [(number, old[number - 1]) for number, _ in left]
    assert right == [(number, new[number - 1]) for number, _ in right]
    if old != new:
        assert len(left) >= sum(line not in new for line in old)
        assert len(right) >= sum(line not in old for line in new)


def test_removed_lines_stand_beside_the_added_ones() -> None:
    rows = parsed("--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n same\n-one\n-two\n+ONE\n+TWO\n")
    assert rows[2:] == [
        Row(old=Half(2, "-", "one"), new=Half(2, "+", "ONE")),
        Row(old=Half(3, "-", "two"), new=Half(3, "+", "TWO")),
    ]


def test_a_long_line_is_wrapped_in_its_column_and_nothing_is_cut() -> None:
    text = "".join(chr(97 + number % 26) for number in range(300))
    content = beside(f"@@ -1 +1 @@\n-{text}\n+short\n", 80)
    assert max(len(line) for line in content.plain.split("\n")) <= 80
    left = "".join(line[4:38].strip() for line in content.plain.split("\n")[1:])
    assert left == text


def test_hostile_lines_are_marked_in_both_views() -> None:
    diff = f"@@ -1 +1 @@\n-{HOSTILE}\n+{HOSTILE}\n"
    for content in (unified(diff), beside(diff, 4000)):
        assert not [sign for sign in "\x1b\x07\x9b\u202e\u200b\u2028" if sign in content.plain]
        assert "⟦U+202E⟧" in content.plain


def test_what_is_no_diff_is_shown_as_it_is() -> None:
    assert unified("not a diff\n-at all").plain == "not a diff\n-at all"
    assert beside("", 100).plain == ""
