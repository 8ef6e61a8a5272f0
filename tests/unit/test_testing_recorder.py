"""The recorder and the checks of the invariants: each broken rule is seen, and named."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from runner.events import (
    ApprovalRequested,
    Event,
    ModelRequested,
    ModelResponded,
    RunFinished,
    TextDelta,
    ToolProposed,
    ToolStarted,
    TurnStarted,
    UsageUpdated,
)
from runner.messages import AssistantMessage, Message, ToolCall, ToolResult, UserMessage
from runner.testing import Recorder, check_events, check_history
from runner.usage import Usage
from tests.unit.test_state_stories import Story


def run() -> list[Event]:
    """A valid run with two calls, one of them approved and one denied."""
    story = Story()
    story.begin_turn()
    story.stream(["a ", "hm", '{"x"', "b"])
    first, second = story.respond(["a ", "hm", "", "b"], 2, Decimal("0.5"))
    story.run_call(first, "ok", ["out", "put"], "allow")
    story.run_call(second, "ok", [], "deny")
    story.end_turn()
    return story.finish()


def renumbered(events: list[Event]) -> list[Event]:
    """Without gaps again, so that only the rule at hand is broken."""
    seq = 0
    found: list[Event] = []
    for event in events:
        seq += 0 if event.is_delta else 1
        found.append(replace(event, seq=seq))
    return found


def without(kind: type[Event], which: int = 0) -> Callable[[list[Event]], list[Event]]:
    def change(events: list[Event]) -> list[Event]:
        places = [index for index, event in enumerate(events) if isinstance(event, kind)]
        return renumbered(events[: places[which]] + events[places[which] + 1 :])

    return change


def twice(kind: type[Event]) -> Callable[[list[Event]], list[Event]]:
    def change(events: list[Event]) -> list[Event]:
        at = next(index for index, event in enumerate(events) if isinstance(event, kind))
        return renumbered([*events[: at + 1], *events[at:]])

    return change


def with_field(kind: type[Event], **fields: object) -> Callable[[list[Event]], list[Event]]:
    def change(events: list[Event]) -> list[Event]:
        return [replace(event, **fields) if isinstance(event, kind) else event for event in events]

    return change


def end_swapped(events: list[Event]) -> list[Event]:
    return [*events[:-2], events[-1], events[-2]]


def started_although_denied(events: list[Event]) -> list[Event]:
    return renumbered([*events[:-3], ToolStarted(run_id="run", call_id="call-1", mono=99.0), *events[-3:]])


def test_a_valid_run_has_no_violation() -> None:
    assert check_events(run()) == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (without(type(run()[0])), "1:"),
        (without(RunFinished), "1: run_finished 0 times"),
        (twice(RunFinished), "1: run_finished"),
        (end_swapped, "1: turn_finished comes after run_finished"),
        (with_field(TurnStarted, run_id="other"), "1: the events belong to more than one run"),
        (with_field(TurnStarted, seq=77), "2: turn_started has seq 77"),
        (with_field(TextDelta, seq=0), "2: a text_delta carries seq 0"),
        (with_field(RunFinished, mono=-1.0), "2: the clock"),
        (without(ModelRequested), "3: model_responded"),
        (twice(ModelRequested), "3: model_requested"),
        (without(ToolProposed), "3: call-0"),
        (twice(ToolProposed), "3: call-0 is proposed twice"),
        (twice(ToolStarted), "3: call-0 starts twice"),
        (without(ApprovalRequested), "3: approval ask-call-0 is resolved without being open"),
        (twice(ApprovalRequested), "3: approval ask-call-0 is requested twice"),
        (started_although_denied, "3: call-1 starts"),
        (with_field(UsageUpdated, usage=Usage(input=999)), "5: usage goes down"),
        (with_field(RunFinished, usage=Usage(input=999, output=999)), "5: the end says"),
        (with_field(RunFinished, cost_usd=None), "5: the end says"),
        (with_field(ModelResponded, cost_usd=None), "5: usage_updated"),
        (with_field(ModelResponded, tool_calls=()), "6: result of call-0 without an open call"),
    ],
)
def test_each_broken_rule_is_named(change: Callable[[list[Event]], list[Event]], rule: str) -> None:
    broken = check_events(change(run()))
    if rule:
        assert any(what.startswith(rule) for what in broken), broken
    else:
        assert broken == []


def test_a_call_without_an_end_is_seen() -> None:
    events = [event for event in run() if event.kind not in ("tool_finished", "approval_resolved")]
    broken = check_events(renumbered(events))
    assert "3: call-0 has no tool_finished" in broken
    assert "3: approval ask-call-0 is never resolved" in broken
    assert "3: call-0 starts while its approval is open" in broken


def test_the_start_of_a_run_that_goes_on_is_fine() -> None:
    events = run()
    for end in range(1, len(events)):
        assert check_events(events[:end], complete=False) == [], end


CALL = ToolCall(call_id="c", tool="t", arguments={})
ASKED = AssistantMessage(tool_calls=(CALL,))
RESULT = ToolResult(call_id="c", tool="t", output="o")


@pytest.mark.parametrize(
    ("messages", "fine"),
    [
        ([], True),
        ([UserMessage(text="a"), ASKED, RESULT, AssistantMessage(text="b")], True),
        ([ASKED], False),
        ([ASKED, UserMessage(text="a"), RESULT], False),
        ([ASKED, RESULT, RESULT], False),
        ([RESULT], False),
        ([ASKED, RESULT, ASKED, RESULT], False),
        ([AssistantMessage(tool_calls=(CALL, CALL)), RESULT], False),
    ],
)
def test_a_history_that_a_provider_would_refuse_is_seen(messages: list[Message], fine: bool) -> None:
    assert (check_history(messages) == []) is fine
    assert check_history([ASKED], open_end=True) == []


async def test_the_recorder_collects_and_answers() -> None:
    async def source() -> AsyncIterator[Event]:
        for event in run():
            yield event

    recorder = await Recorder().follow(source())
    recorder.assert_valid()
    assert recorder.kinds()[0] == "run_started"
    assert "text_delta" not in recorder.kinds()
    assert recorder.kinds(deltas=True).count("text_delta") == 2
    assert recorder.streamed_text == "a b"
    assert recorder.only(RunFinished).output == "done"
    assert len(recorder.of(ToolProposed)) == 2
    assert len(recorder.facts) < len(recorder.events)
    assert recorder.state().finished
    with pytest.raises(AssertionError, match="2 events"):
        recorder.only(ToolProposed)
    recorder.put(run()[0])
    with pytest.raises(AssertionError, match="1: run_started 2 times"):
        recorder.assert_valid()
