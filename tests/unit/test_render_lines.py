"""Wrapping, cutting, copying, and the heights of things."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.render.clean import Clean, clean
from tui.render.heights import Heights
from tui.render.lines import MUTED, PLAIN, Span, fit, fit_middle, plain_text, spans_of, width_of, wrapped

TEXT = st.text(st.sampled_from("abc  \n漢é👍-"), max_size=60).map(Clean)


@given(TEXT, TEXT, st.integers(2, 20))
def test_wrapping_fits_and_loses_nothing(first: Clean, second: Clean, width: int) -> None:
    lines = wrapped([Span(first, PLAIN), Span(second, MUTED)], width)
    assert all(line.cells <= width for line in lines)
    copied, text = plain_text(lines).lstrip(" "), (first + second).lstrip(" ")
    assert [row.rstrip(" ") for row in copied.split("\n")] == [row.rstrip(" ") for row in text.split("\n")]


@pytest.mark.parametrize(
    ("text", "width", "rows"),
    [
        ("the quick brown fox", 10, ["the quick", "brown fox"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("a abcdefgh", 4, ["a", "abcd", "efgh"]),
        ("漢字漢字", 5, ["漢字", "漢字"]),
        ("", 5, [""]),
        ("a\n\nb", 5, ["a", "", "b"]),
        ("  indented line", 10, ["  indented", "line"]),
    ],
)
def test_where_lines_break(text: str, width: int, rows: list[str]) -> None:
    assert [line.text for line in wrapped([Span(Clean(text), PLAIN)], width)] == rows


def test_decoration_is_seen_but_not_copied() -> None:
    bar = (Span(Clean("┃ "), MUTED),)
    lines = wrapped([Span(Clean("some words to wrap"), PLAIN)], 8, first=bar)
    assert [line.text for line in lines] == ["┃ some", "┃ words", "┃ to", "┃ wrap"]
    assert plain_text(lines) == "some words to wrap"


def test_marks_of_the_sanitiser_stand_out() -> None:
    spans = spans_of(clean("a\u202eb\x07"), PLAIN)
    assert [(span.text, span.ink.colour) for span in spans] == [
        ("a", PLAIN.colour),
        ("⟦U+202E⟧", "warning"),
        ("b", PLAIN.colour),
        ("␇", "warning"),
    ]


@given(st.text(st.sampled_from("ab漢👍/"), max_size=40).map(Clean), st.integers(1, 30))
def test_cutting_fits(text: Clean, cells: int) -> None:
    for cut in (fit(text, cells), fit_middle(text, cells)):
        assert width_of(cut) <= cells
        assert (cut == text) == (width_of(text) <= cells)


def test_cutting_in_the_middle_keeps_the_name_of_a_file() -> None:
    assert fit_middle(Clean("src/a/long/way/down/to/main.py"), 20).endswith("/to/main.py")


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 5)),
        st.tuples(st.just("set"), st.integers(0, 5)),
        st.tuples(st.just("truncate"), st.integers(0, 12)),
    ),
    max_size=30,
)


@given(st.lists(st.integers(0, 5), max_size=30), STEPS)
def test_heights_are_prefix_sums(values: list[int], steps: list[tuple[str, int]]) -> None:
    heights = Heights(values)
    values = values.copy()
    for turn, (what, number) in enumerate(steps):
        if what == "append":
            values.append(number)
            heights.append(number)
        elif what == "set" and values:
            values[turn % len(values)] = number
            heights.set(turn % len(values), number)
        elif what == "truncate":
            del values[number:]
            heights.truncate(number)
        assert len(heights) == len(values)
        assert heights.total == sum(values)
        assert [heights.before(index) for index in range(len(values) + 1)] == [
            sum(values[:index]) for index in range(len(values) + 1)
        ]
    for position in range(sum(values)):
        index, offset = heights.find(position)
        assert sum(values[:index]) + offset == position
        assert offset < values[index]
    assert heights.find(sum(values) + 3) == (len(values), 3)
