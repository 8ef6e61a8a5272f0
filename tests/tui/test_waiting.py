"""The changes to waiting messages that are on their way: what is seen, and what comes too late."""

from __future__ import annotations

from runner.events import Event, MessageDelivered, MessageQueued, QueueChanged, QueuedText, RunStarted
from runner.state import RunState, fold
from tui.waiting import Waiting


def run(*events: Event) -> RunState:
    return fold((RunStarted(run_id="run", seq=1), *events))


def queued(*texts: str) -> list[Event]:
    return [MessageQueued(message_id=text, text=text) for text in texts]


def changed(**texts: str) -> QueueChanged:
    """The waiting messages by their ids, in order."""
    return QueueChanged(messages=tuple(QueuedText(message_id=key, text=text) for key, text in texts.items()))


def shown(waiting: Waiting, state: RunState) -> list[str]:
    return [item.text for item in waiting.shown(state)]


def test_changes_are_seen_before_the_run_answers() -> None:
    state, waiting = run(*queued("a", "b", "c")), Waiting()
    assert waiting.move(state, "c", -1) == 1
    assert waiting.move(state, "c", -1) == 0
    assert waiting.move(state, "c", -1) is None
    waiting.edit("a", "A")
    waiting.delete("b")
    assert shown(waiting, state) == ["A", "c"]


def test_an_answer_to_an_earlier_change_does_not_undo_a_later_one() -> None:
    state, waiting = run(*queued("a", "b", "c")), Waiting()
    waiting.move(state, "c", -1)
    waiting.move(state, "c", -1)
    after_one = run(*queued("a", "b", "c"), changed(a="a", c="c", b="b"))
    assert waiting.heard(after_one) == []
    assert shown(waiting, after_one) == ["c", "a", "b"]
    after_both = run(*queued("a", "b", "c"), changed(c="c", a="a", b="b"))
    waiting.heard(after_both)
    assert shown(waiting, after_both) == ["c", "a", "b"]
    by_another_program = run(*queued("a", "b", "c"))
    assert shown(waiting, by_another_program) == ["a", "b", "c"]


def test_a_change_that_arrived_is_forgotten() -> None:
    waiting = Waiting()
    waiting.edit("a", "A")
    assert waiting.heard(run(*queued("a"), changed(a="A"))) == []
    assert shown(waiting, run(*queued("a"))) == ["a"]


def test_a_change_of_a_delivered_message_comes_too_late_once() -> None:
    waiting = Waiting()
    waiting.edit("a", "A")
    delivered = run(*queued("a"), MessageDelivered(message_id="a", text="a"))
    assert waiting.heard(delivered) == ["A"]
    assert waiting.heard(delivered) == []


def test_a_change_that_was_delivered_is_not_sent_again() -> None:
    waiting = Waiting()
    waiting.edit("a", "A")
    assert waiting.heard(run(*queued("a"), MessageDelivered(message_id="a", text="A"))) == []


def test_a_deleted_message_that_was_edited_before_is_not_sent() -> None:
    waiting = Waiting()
    waiting.edit("a", "A")
    waiting.delete("a")
    assert waiting.heard(run(*queued("a"), QueueChanged())) == []
