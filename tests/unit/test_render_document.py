"""The document: positions, places that stay, and the difference from one state of the runs to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.events import (
    AttemptDiscarded,
    CompactionFinished,
    ErrorInfo,
    LimitChanged,
    LimitReached,
    MessageDelivered,
    MessageQueued,
    ModelResponded,
    ModelSwitched,
    Paused,
    ReasoningDelta,
    Resumed,
    RetryScheduled,
    RetrySkipped,
    RunFinished,
    StopRequested,
    ToolArgumentsDelta,
    ToolOutputDelta,
    TurnFinished,
)
from tests.tui.transcript_runs import Feed
from tui.render.document import Document, Place
from tui.render.item_view import ViewKind
from tui.render.model import TranscriptModel


def model_of(*feeds: Feed, width: int = 40) -> TranscriptModel:
    model = TranscriptModel(Document(width))
    model.show([feed.state for feed in feeds])
    return model


def rows(model: TranscriptModel) -> list[str]:
    document = model.document
    return [line.text for _, line in document.window(Place(0, 0, 0), 1_000_000)]


def exact(model: TranscriptModel) -> int:
    """The length of the document once everything was seen."""
    model.document.settle_down(Place(0, 0, 0), 1_000_000)
    return model.document.total


EVENTS: dict[str, Callable[[Feed, int], None]] = {
    "text": lambda feed, step: feed.stream(f"word{step} **bold** "),
    "paragraph": lambda feed, step: feed.stream(f"\n\nparagraph {step}\n- item\n"),
    "reasoning": lambda feed, step: feed(ReasoningDelta(text="I think so. ")),
    "responded": lambda feed, step: feed(ModelResponded(model="m", text=f"answer {step}", reasoning="r", seconds=1.0)),
    "discarded": lambda feed, step: feed(AttemptDiscarded(model="m", reason="stream_broken")),
    "writing": lambda feed, step: feed(ToolArgumentsDelta(call_id=f"w{step // 4}", tool="shell", text="{")),
    "call": lambda feed, step: feed.call(f"c{step}", "shell", {"command": "ls"}, "a\nb", ended=step % 2 == 0),
    "output": lambda feed, step: feed(
        *(ToolOutputDelta(call_id=call.call_id, text="line\n") for call in feed.state.live_calls)
    ),
    "queue": lambda feed, step: feed(MessageQueued(message_id=f"m{step}", text="later")),
    "deliver": lambda feed, step: feed(MessageDelivered(message_id=f"m{step - 1}", text="later")),
    "turn": lambda feed, step: (feed(TurnFinished()), feed.begin())[1],
    "stop": lambda feed, step: feed(StopRequested()),
    "retry": lambda feed, step: feed(RetryScheduled(error=ErrorInfo(type="rate_limit", message="wait"), delay=1.0)),
    "skip": lambda feed, step: feed(RetrySkipped()),
    "switch": lambda feed, step: feed(ModelSwitched(old="a", new="b")),
    "limit": lambda feed, step: feed(LimitReached(limit="max_turns", asks=True)),
    "pause": lambda feed, step: feed(Paused(by="limit", limit="max_turns")),
    "raise": lambda feed, step: feed(LimitChanged(limit="max_turns", value=Decimal(step))),
    "resume": lambda feed, step: feed(Resumed()),
    "compacted": lambda feed, step: feed(CompactionFinished(summary="a\n\nb", tokens_before=step)),
    "runner": lambda feed, step: feed(MessageDelivered(message_id=f"r{step}", text="Go on.", by="runner")),
    "settle": lambda feed, step: feed(TurnFinished()),
}


def fold_all(model: TranscriptModel, step: int) -> None:
    for index in range(len(model.document.sections)):
        model.fold(index, step % 2 == 0)


def look(model: TranscriptModel, step: int) -> None:
    model.document.at(model.document.total // 2)
    model.document.settle_up(model.document.end(), step)


REASONING: frozenset[ViewKind] = frozenset({"reasoning"})
PERSON: dict[str, Callable[[TranscriptModel, int], None]] = {
    "fold": fold_all,
    "all reasoning": lambda model, step: model.fold_all(REASONING, step % 2 == 0),
    "look": look,
    "times": lambda model, step: model.document.set_stamps(model.stamp if step % 2 else None),
    "width": lambda model, step: model.document.set_width(20 + step),
}
ACTIONS = st.lists(st.sampled_from([*EVENTS, *PERSON, "text", "text"]), max_size=40)


@settings(max_examples=150, deadline=None)
@given(ACTIONS)
def test_what_is_shown_step_by_step_is_what_is_shown_at_once(actions: list[str]) -> None:
    feed = Feed()
    feed.begin()
    model = model_of(feed)
    for step, what in enumerate(actions):
        if what in EVENTS:
            EVENTS[what](feed, step)
        else:
            PERSON[what](model, step)
        model.show([feed.state])
        document = model.document
        assert document.total == (document.span(len(document.sections) - 1)[1] if document.sections else 0)
    feed(RunFinished(status="completed", reason="complete"))
    model.show([feed.state])

    again = TranscriptModel(Document(model.document.width))
    if model.document.stamp_of is not None:
        again.document.set_stamps(again.stamp)
    again.show([feed.state])
    for index, section in enumerate(model.document.sections):
        again.fold(index, section.view.expanded)
    assert rows(model) == rows(again)
    assert exact(model) == exact(again) == len(rows(again))
    for position in range(exact(model)):
        place = model.document.at(position)
        assert place is not None
        assert model.document.top(place) == position


def test_the_same_states_change_nothing() -> None:
    feed = Feed()
    feed.answer("text")
    model = model_of(feed)
    assert not model.show([feed.state])
    feed.begin()
    assert not model.show([feed.state])
    feed.stream("more")
    assert model.show([feed.state])


def test_what_was_streamed_is_kept_when_the_fact_arrives() -> None:
    feed = Feed()
    feed.begin()
    for word in ("First ", "paragraph.\n\n", "Second ", "one."):
        feed.stream(word)
    model = model_of(feed)
    rows(model)
    before = model.view(1).blocks[0]
    feed(ModelResponded(model="m", text="First paragraph.\n\nSecond one.", seconds=1.0), TurnFinished())
    model.show([feed.state])
    assert model.view(1).blocks[0] is before
    assert rows(model) == ["┃ hello", "", "First paragraph.", "", "Second one."]


def test_a_fact_corrects_what_the_deltas_missed() -> None:
    feed = Feed()
    feed.begin()
    feed.stream("Only a pa")
    model = model_of(feed)
    feed(ModelResponded(model="m", text="The whole answer.", seconds=1.0), TurnFinished())
    model.show([feed.state])
    assert rows(model)[-1] == "The whole answer."


def test_a_discarded_attempt_vanishes() -> None:
    feed = Feed()
    feed.begin()
    feed.stream("half an ans")
    model = model_of(feed, width=60)
    feed(AttemptDiscarded(model="m", reason="stream_broken"))
    model.show([feed.state])
    assert rows(model)[-1] == "↻ Attempt 1: answer broke off. It is discarded"
    assert not any("half" in row for row in rows(model))


def test_a_queued_message_comes_when_it_is_delivered() -> None:
    feed = Feed()
    feed.begin()
    feed(MessageQueued(message_id="m1", text="and then"))
    feed.stream("working")
    feed(StopRequested())
    model = model_of(feed, width=80)
    assert not any("and then" in row for row in rows(model))
    feed(ModelResponded(model="m", text="working", seconds=1.0), TurnFinished())
    feed(MessageDelivered(message_id="m1", text="and then"))
    model.show([feed.state])
    assert rows(model)[-1] == "┃ and then"
    assert sum("and then" in row for row in rows(model)) == 1


def test_reasoning_is_one_line_until_it_is_unfolded() -> None:
    feed = Feed()
    feed.begin()
    feed(ReasoningDelta(text="I should loo"), ReasoningDelta(text="k first.\n\nThen act."))
    model = model_of(feed)
    assert rows(model)[-1] == "▸ thinking · 6 words"
    feed(
        ModelResponded(model="m", reasoning="I should look first.\n\nThen act.", seconds=9.0, reasoning_seconds=3.0),
        TurnFinished(),
    )
    model.show([feed.state])
    assert rows(model)[-1] == "▸ thought for 3.0 s · 6 words"
    assert model.fold(1, True)
    assert rows(model)[2:] == ["▾ thought for 3.0 s · 6 words", "  I should look first.", "", "  Then act."]
    model.fold_all(REASONING, False)
    assert rows(model)[-1] == "▸ thought for 3.0 s · 6 words"


def test_an_interrupted_answer_says_so() -> None:
    feed = Feed()
    feed.begin()
    feed.stream("half")
    feed(ModelResponded(model="m", text="half", finish_reason="interrupted"), TurnFinished())
    assert rows(model_of(feed))[-2:] == ["half", "■ interrupted here"]


def test_other_runs_take_the_place_of_the_old_ones() -> None:
    first, second, third = Feed("run-1", "one"), Feed("run-2", "two"), Feed("run-3", "three")
    model = model_of(first, second)
    assert rows(model) == ["┃ one", "", "┃ two"]
    model.show([first.state, third.state])
    assert rows(model) == ["┃ one", "", "┃ three"]
    model.show([third.state])
    assert rows(model) == ["┃ three"]
    model.show([])
    assert rows(model) == []


def test_an_earlier_run_that_still_grows_moves_the_later_ones() -> None:
    first, second = Feed("run-1", "one"), Feed("run-2", "two")
    model = model_of(first, second)
    first.begin()
    first.stream("late answer")
    model.show([first.state, second.state])
    assert rows(model) == ["┃ one", "", "late answer", "", "┃ two"]
    second.begin()
    second.stream("another")
    model.show([first.state, second.state])
    assert rows(model)[-1] == "another"


def test_history_that_was_replaced_is_shown_anew() -> None:
    feed = Feed()
    feed.answer("old")
    model = model_of(feed)
    other = Feed()
    other.answer("new")
    model.show([replace(other.state, run_id=feed.state.run_id)])
    assert rows(model)[-1] == "new"


def test_scrolling_up_into_unseen_text_keeps_to_its_end() -> None:
    feed = Feed()
    for number in range(20):
        feed.answer("A line that is much longer than the estimate thinks, because of *its* words. " * (number % 4 + 1))
    document = model_of(feed, width=30).document
    document.settle_up(document.end(), 10)
    top = document.total - 10
    place = document.at(top)
    assert place is not None
    document.settle_up(place, 25)
    above = document.at(document.top(place) - 1)
    assert above is not None
    assert document.window(above, 2)[1][0] == place


def test_a_place_survives_a_new_width() -> None:
    feed = Feed()
    for number in range(30):
        feed.answer(f"answer {number} " + "with many words in it " * 10)
    document = model_of(feed, width=30).document
    document.settle_down(Place(0, 0, 0), 200)
    place = document.at(100)
    assert place is not None
    height = document.height(place)
    document.set_width(90)
    moved = document.scaled(place, height)
    assert (moved.section, moved.block) == (place.section, place.block)
    assert document.window(moved, 1)[0][0] == moved


def test_few_rendered_lines_are_kept() -> None:
    feed = Feed()
    for number in range(400):
        feed.answer(f"answer {number}\n\n" + "- item\n" * 20)
    model = model_of(feed)
    model.document.settle_down(Place(0, 0, 0), 10)
    first = model.view(1).blocks[0]
    rendered = model.document.lines_of(first)
    assert model.document.lines_of(first) is rendered
    assert exact(model) > 8000
    assert model.document.lines_of(first) is not rendered
