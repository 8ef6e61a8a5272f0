"""Landmarks of a transcript, known without looking at the rest again, and who decided about a call."""

from __future__ import annotations

from runner.events import (
    ApprovalRequested,
    ApprovalResolved,
    AttemptDiscarded,
    ErrorInfo,
    Event,
    ModelResponded,
    ModelSwitched,
    RetryScheduled,
    RunFinished,
    TextDelta,
    ToolFinished,
    ToolProposed,
    TurnFinished,
)
from runner.state import CallItem, RunState
from tests.tui.transcript_runs import Feed
from tui.actions.base import Landmark
from tui.render.decisions import decided_words, decision_words
from tui.render.document import Document
from tui.render.landmarks import KINDS, Landmarks
from tui.render.model import TranscriptModel


def worked(run_id: str, model: str = "first/model") -> Feed:
    feed = Feed(run_id)
    feed.begin()
    feed(
        AttemptDiscarded(reason="rate_limit"),
        RetryScheduled(error=ErrorInfo(type="rate_limit", message="busy")),
        ModelResponded(model=model, text="first", finish_reason="tool_calls"),
    )
    feed.call("good", "shell", {"command": "true"})
    feed(
        ToolProposed(call_id="bad", tool="shell", arguments={}),
        ApprovalRequested(call_id="bad", tool="shell", request_id="r"),
        ApprovalResolved(call_id="bad", request_id="r", decision="allow", seconds=2.0),
        ToolFinished(call_id="bad", tool="shell", status="error", output="no"),
        ModelSwitched(old=model, new="demo/pilot"),
        TurnFinished(),
    )
    return feed


def found(marks: Landmarks, kind: Landmark) -> list[int]:
    places: list[int] = []
    while (mark := marks.next(kind, places[-1] if places else -1, 1)) is not None:
        places.append(mark.section)
        assert (mark.number, mark.total) == (len(places), marks.count(kind))
    assert [mark.section for mark in [marks.next(kind, 10**9, -1)] if mark is not None] == places[-1:]
    return places


def shown(model: TranscriptModel, marks: Landmarks, runs: list[RunState]) -> dict[str, list[int]]:
    model.show(runs)
    return {kind: found(marks, kind) for kind in KINDS}


def test_the_same_is_found_while_a_run_goes_on_and_afterwards() -> None:
    model, feed = TranscriptModel(Document()), worked("run-1")
    marks = Landmarks(model)
    # message, the retry, the answer, two calls, the switch
    expected = {"prompt": [0], "call": [3, 4], "error": [1, 4], "approval": [4], "switch": [5]}
    assert shown(model, marks, [feed.state]) == expected
    feed.begin()
    feed(TextDelta(text="more"))
    assert shown(model, marks, [feed.state]) == expected
    steps: tuple[Event, ...] = (
        ModelResponded(model="demo/pilot", text="more and more", finish_reason="stop"),
        TurnFinished(),
        RunFinished(status="failed", reason="error"),
    )
    live = expected
    for step in steps:
        feed(step)
        live = shown(model, marks, [feed.state])
        fresh = TranscriptModel(Document())
        assert shown(fresh, Landmarks(fresh), [feed.state]) == live
    assert live["error"] == [1, 4, 7]
    # The model of the next run is another one without a fact that says so.
    both = [feed.state, worked("run-2", "third/model").state]
    assert shown(model, marks, both)["switch"] == [5, 10, 13]
    # Another session.
    assert shown(model, marks, [worked("run-3").state]) == expected


def decided(*events: Event) -> CallItem:
    feed = Feed()
    feed.begin()
    feed(ToolProposed(call_id="c", tool="shell", arguments={}), *events)
    call = feed.state.live_calls[0]
    assert isinstance(call, CallItem)
    return call


ASKED = ApprovalRequested(call_id="c", tool="shell", request_id="r", why="it asks")
QUESTION = ApprovalRequested(call_id="c", tool="ask", request_id="q", asks="question", preview={"text": "which?"})


def test_everybody_who_can_decide_is_named_and_how_long_it_took() -> None:
    by_you = ApprovalResolved(call_id="c", request_id="r", decision="allow", seconds=4.2)
    assert decided_words(decided(ASKED, by_you)) == ["allowed by you after 4.2 s"]
    late = ApprovalResolved(call_id="c", request_id="r", decision="deny", by="timeout", seconds=60)
    assert decided_words(decided(ASKED, late)) == ["denied by the timeout after 1 min 00 s"]
    rule = ApprovalResolved(call_id="c", decision="deny", by="rule", rule="deny shell (a.toml)", reason="not here")
    assert decided_words(decided(rule)) == ["denied by a rule (deny shell (a.toml))"]
    assert decision_words(decided(rule)) == ["denied by a rule, deny shell (a.toml): not here"]
    grant = ApprovalResolved(call_id="c", decision="allow", by="grant", rule="allow shell, every call, for this run")
    words = "allowed by an earlier decision (allow shell, every call, for this run)"
    assert decided_words(decided(grant)) == [words]
    mode = ApprovalResolved(call_id="c", decision="allow", by="rule", rule="mode bypass")
    assert decided_words(decided(mode)) == ["allowed by the mode bypass"]
    answered = ApprovalResolved(call_id="c", request_id="q", decision="answer", seconds=3, arguments={"answers": ["x"]})
    assert decided_words(decided(mode, QUESTION, answered)) == [
        "allowed by the mode bypass",
        "you answered after 3.0 s",
    ]
    # What was asked before is told too, and what is open still is not.
    twice = decided(ASKED, by_you, ApprovalRequested(call_id="c", tool="shell", request_id="s"))
    assert decided_words(twice) == ["allowed by you after 4.2 s"]
    assert decision_words(twice)[0] == "allowed by you, after 4.2 s"
