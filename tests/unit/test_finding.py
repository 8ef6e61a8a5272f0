"""The search in a transcript: what it finds is what a person reads, also while the text is still coming."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.events import ModelResponded, ReasoningDelta, ToolOutputDelta, TurnFinished
from runner.log import AppendLog
from runner.state import RunState
from tests.tui.transcript_runs import Feed
from tui.render.clean import Clean
from tui.render.document import Document
from tui.render.finding import Finder, Hit, Needle, matches
from tui.render.lines import MUTED, Line, Span, plain_text, wrapped
from tui.render.model import TranscriptModel


def at_once() -> bool:
    return False


def model_of(*runs: RunState) -> TranscriptModel:
    model = TranscriptModel(Document(60))
    model.show(runs)
    return model


def found(feed: Feed, words: str) -> int:
    finder = Finder(model_of(feed.state), words)
    assert not finder.step(at_once)
    return finder.total


def test_capitals_count_only_where_one_is_written() -> None:
    feed = Feed(text="Sea level, sea LEVEL")
    assert (found(feed, "sea"), found(feed, "Sea"), found(feed, "LEVEL"), found(feed, "lake")) == (2, 1, 1, 0)


def test_what_is_folded_cut_or_marked_up_is_found() -> None:
    feed = Feed(text="begin")
    feed.begin()
    feed(
        ModelResponded(
            model="m",
            reasoning="a hidden thought",
            text="Some **bold words** and a [link](https://example.org/tides).\n\n```py\nneedle_in_code = 1\n```",
            seconds=1.0,
        )
    )
    rows = "\n".join(f"row {number}" for number in range(1000))
    feed.call("c1", "shell", {"command": "make\nmany"}, f"{rows}\nthe end")
    assert found(feed, "hidden thought") == 1
    assert found(feed, "some bold words and") == 1
    assert found(feed, "example.org/tides") == 1
    assert found(feed, "needle_in_code") == 1
    # In the middle of an output that is shown shortened, and in the arguments.
    assert found(feed, "row 500") == 1
    assert found(feed, "many") == 1
    assert found(feed, "**bold") == 0


def test_a_hit_over_the_end_of_a_wrapped_line_is_one_hit_in_two_parts() -> None:
    lines = wrapped([Span(Clean("one two three four"), MUTED)], 9, first=(Span(Clean("> "), MUTED),))
    assert [line.text for line in lines] == ["> one two", "> three", "> four"]
    (hit,) = matches(lines, Needle("two three"))
    assert [line[2:] for line in [lines[piece.row].text[: piece.end] for piece in hit]] == ["one two", "three"]
    assert [(piece.row, piece.start, piece.end) for piece in hit] == [(0, 6, 9), (1, 2, 7)]
    assert matches(lines, Needle(">")) == []


@given(st.text("ab \n", max_size=60), st.text("ab ", min_size=1, max_size=4), st.integers(3, 20))
def test_wrapping_changes_neither_the_number_nor_the_text_of_hits(text: str, words: str, width: int) -> None:
    lines: list[Line] = wrapped([Span(Clean(text), MUTED)], width)
    whole = plain_text(lines)
    needle = Needle(words)
    hits = matches(lines, needle)
    assert len(hits) == needle.count(whole)
    for hit in hits:
        shown = "".join(lines[row].text[start:end] for row, start, end in hit)
        assert shown.replace(" ", "") == words.replace(" ", "")


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(["tide", "- item", "x = 1", "e"]))
def test_a_search_while_text_streams_ends_as_one_afterwards(chance: random.Random, words: str) -> None:
    parts = ["The tide ", "**ti", "de** and\n\n", "- item\n", "```py\n", "x = 1\n", "```\n", "tide\n\n", "plain words "]
    feed = Feed(text="tide?")
    feed.begin()
    model = model_of(feed.state)
    finder = Finder(model, words)
    text = ""
    for _ in range(chance.randint(1, 25)):
        piece = chance.choice(parts)
        text += piece
        feed.stream(piece)
        if chance.random() < 0.5:
            model.show([feed.state])
            steps = chance.randint(1, 6)
            finder.step(stop_after(steps))
    model.show([feed.state])
    finder.step(at_once)
    streaming = finder.total
    fresh = Finder(model_of(feed.state), words)
    fresh.step(at_once)
    assert streaming == fresh.total
    feed(ModelResponded(model="m", text=text, seconds=1.0), TurnFinished())
    feed.answer("a tide more")
    model.show([feed.state])
    finder.step(at_once)
    assert finder.total == found(feed, words)


def stop_after(steps: int) -> Callable[[], bool]:
    left = steps

    def enough() -> bool:
        nonlocal left
        left -= 1
        return left <= 0

    return enough


def test_hits_are_gone_through_in_order_and_around() -> None:
    feed = Feed(text="tide one, tide two")
    feed.answer("a tide\n\nno\n\na tide and a tide")
    feed.answer("nothing")
    finder = Finder(model_of(feed.state), "tide")
    finder.step(at_once)
    assert finder.near(1, 1, all_known=True) == Hit(1, 2, 0)
    numbers: list[int] = []
    for by in (1, 1, 1, 1, -1, -1):
        hit = finder.move(by)
        assert hit is not None
        numbers.append(finder.number(hit))
    assert (numbers, finder.total) == ([5, 1, 2, 3, 2, 1], 5)
    # Below all of them, the last one is the nearest.
    assert finder.near(2, 0, all_known=False) is None
    assert finder.near(2, 0, all_known=True) == Hit(1, 2, 1)


def test_a_hit_that_was_gone_to_keeps_its_place_while_items_come_and_settle() -> None:
    feed = Feed(text="tide")
    feed.begin()
    feed(ReasoningDelta(text="a tide thought"))
    model = model_of(feed.state)
    finder = Finder(model, "tide")
    finder.step(at_once)
    assert finder.near(1, 0, all_known=True) == Hit(1, 1, 0)
    feed(ModelResponded(model="m", reasoning="a tide thought", text="tide", seconds=1.0), TurnFinished())
    feed.call("c1", "shell", {"command": "tide"}, ended=False)
    feed(ToolOutputDelta(call_id="c1", text="tide\n"))
    model.show([feed.state])
    finder.step(at_once)
    assert (finder.current, finder.total) == (Hit(1, 1, 0), 5)
    # Another session: nothing of the old one is left.
    other = Feed("run-2", text="tide")
    model.show([other.state])
    finder.step(at_once)
    assert (finder.current, finder.total) == (None, 1)


@pytest.mark.parametrize("words", ["", "␛"])
def test_odd_needles_do_no_harm(words: str) -> None:
    feed = Feed(text="a\x1b[31mb")
    needle = Needle(words)
    assert needle.may_be_in("a\x1b[31mb")
    assert found(feed, "␛") == 1


def test_pieces_of_a_settled_text_are_one_text() -> None:
    assert Needle("tide").may_be_in("".join(AppendLog(("ti", "de"))))
