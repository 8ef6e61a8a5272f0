"""The reducer, event by event: lifecycle, phases, the live tail, calls and approvals; and what a delta costs."""

from __future__ import annotations

import statistics
import tracemalloc
from decimal import Decimal

import pytest

from runner.events import (
    AbortRequested,
    ApprovalRequested,
    ApprovalResolved,
    AttemptDiscarded,
    ErrorInfo,
    ErrorOccurred,
    Event,
    MessageDelivered,
    MessageQueued,
    ModelRequested,
    ModelResponded,
    ModelSwitched,
    Paused,
    ReasoningDelta,
    RefusalDelta,
    Resumed,
    RetryScheduled,
    RunFinished,
    RunQueued,
    RunStarted,
    StatusChanged,
    StopRequested,
    TextDelta,
    ToolArgumentsDelta,
    ToolFinished,
    ToolOutputDelta,
    ToolProposed,
    ToolStarted,
    TurnFinished,
    TurnStarted,
    UnknownEvent,
    UsageUpdated,
)
from runner.messages import AssistantMessage, ToolCall, ToolResult, UserMessage
from runner.state import (
    Between,
    CallItem,
    EventItem,
    PausedBy,
    Requesting,
    Retrying,
    RunState,
    Stopping,
    TextItem,
    UserItem,
    fold,
    reduce,
    status_of,
)
from runner.state.items import LIVE_OUTPUT_KEPT
from runner.usage import Usage

STARTED = RunStarted(run_id="r", seq=1, input=(UserMessage(text="hi"),), model="a/b", mono=1.0)


def after(*events: Event) -> RunState:
    return fold([STARTED, *events])


def test_a_run_starts_with_its_input_settled() -> None:
    state = fold([RunQueued(run_id="r", model="a/b"), STARTED])
    assert (state.status, state.model, state.started_mono) == ("running", "a/b", 1.0)
    assert [item.text for item in state.settled if isinstance(item, UserItem)] == ["hi"]
    assert list(state.history) == [UserMessage(text="hi")]
    assert RunState().status == "queued"


@pytest.mark.parametrize(
    ("event", "status", "lifecycle"),
    [
        (StatusChanged(new="waiting_approval"), "waiting_approval", None),
        (StopRequested(by="signal"), "stopping", Stopping(by="signal", force=False)),
        (AbortRequested(by="user"), "stopping", Stopping(by="user", force=True)),
        (Paused(by="program"), "paused", PausedBy(by="program")),
        (Resumed(), "running", None),
        (RunFinished(reason="complete"), "completed", None),
        (RunFinished(reason="stopped"), "cancelled", None),
        (RunFinished(reason="aborted"), "cancelled", None),
        (RunFinished(reason="budget_exceeded"), "failed", None),
        (RunFinished(), "failed", None),
    ],
)
def test_lifecycle(event: Event, status: str, lifecycle: object) -> None:
    state = after(event)
    assert state.status == status
    assert lifecycle is None or state.lifecycle == lifecycle


def test_a_status_does_not_forget_who_stopped_or_paused() -> None:
    assert after(AbortRequested(by="signal"), StatusChanged(new="stopping")).lifecycle == Stopping(
        by="signal", force=True
    )
    assert after(Paused(by="program"), StatusChanged(new="paused")).lifecycle == PausedBy(by="program")


def test_every_reason_has_its_status() -> None:
    assert (status_of("complete"), status_of("stopped"), status_of("interrupted")) == (
        "completed",
        "cancelled",
        "failed",
    )


def test_text_grows_live_and_is_settled_by_the_response() -> None:
    requested = ModelRequested(run_id="r", turn=1, attempt=1, model="a/b", mono=2.0)
    first = TextDelta(run_id="r", turn=1, attempt=1, text="he", mono=3.0)
    second = TextDelta(run_id="r", turn=1, attempt=1, text="llo", mono=4.0)
    state = after(requested, first, second)
    (item,) = state.live
    assert isinstance(item, TextItem)
    assert (item.text, item.live) == ("hello", True)
    assert state.phase == Requesting(model="a/b", since_mono=2.0, first_mono=3.0, last_mono=4.0, characters=5)
    state = reduce(state, ModelResponded(run_id="r", turn=1, attempt=1, text="hello", seconds=2.0))
    (settled,) = state.live
    assert isinstance(settled, TextItem)
    assert (settled.item_id, settled.live, settled.seconds) == (item.item_id, False, 2.0)
    assert isinstance(state.phase, Between)
    state = reduce(state, TurnFinished(run_id="r"))
    assert (state.live, state.settled[-1]) == ((), settled)


def test_reasoning_text_and_refusal_are_kept_apart() -> None:
    state = after(ReasoningDelta(text="a"), TextDelta(text="b"), ReasoningDelta(text="c"), RefusalDelta(text="d"))
    assert [(item.what, item.text) for item in state.live if isinstance(item, TextItem)] == [
        ("reasoning", "ac"),
        ("text", "b"),
        ("refusal", "d"),
    ]


def test_a_discarded_attempt_leaves_only_its_cost() -> None:
    state = after(
        ModelRequested(model="a/b"),
        TextDelta(text="half"),
        ToolArgumentsDelta(call_id="c", tool="shell", text="{"),
        AttemptDiscarded(model="a/b", usage=Usage(input=5), cost_usd=None),
    )
    assert [type(item) for item in state.live] == [EventItem]
    assert (state.usage, state.cost.total, state.ledger[0].discarded) == (Usage(input=5), None, True)
    assert len(state.history) == 1


def test_retry_switch_usage_and_errors_are_shown() -> None:
    error = ErrorInfo(type="rate_limit", message="slow down")
    state = after(
        RetryScheduled(error=error, delay=2.0, mono=10.0),
        ModelSwitched(old="a/b", new="c/d", cause="fallback"),
        UsageUpdated(context_used=5, context_window=100),
        ErrorOccurred(error=error),
    )
    assert isinstance(state.phase, Retrying)
    assert state.phase.until_mono == 12.0
    assert (state.model, state.context_used, state.context_window, state.error) == ("c/d", 5, 100, None)
    assert reduce(state, ErrorOccurred(error=error, fatal=True)).error == error


def test_an_interrupted_response_is_no_accepted_turn() -> None:
    state = after(ModelResponded(text="half", finish_reason="interrupted"), ModelResponded(text="x"))
    first, second = state.history[1:]
    assert isinstance(first, AssistantMessage)
    assert isinstance(second, AssistantMessage)
    assert (first.interrupted, second.interrupted, state.turns_accepted) == (True, False, 1)


def test_a_call_from_its_first_piece_to_its_result() -> None:
    calls = (ToolCall(call_id="c", tool="shell", arguments={"command": "ls"}),)
    state = after(ToolArgumentsDelta(call_id="c", tool="shell", text="{"), ToolArgumentsDelta(call_id="c", text="}"))
    (call,) = state.live_calls
    assert (call.phase, call.tool, "".join(call.written)) == ("writing", "shell", "{}")
    state = reduce(state, ModelResponded(tool_calls=calls))
    assert state.live_calls == ()
    state = reduce(state, ToolProposed(call_id="c", tool="shell", arguments={"command": "ls"}))
    state = reduce(state, ApprovalRequested(request_id="q", call_id="c", tool="shell", why="asks"))
    assert [call.call_id for call in state.waiting_calls] == ["c"]
    edit = ApprovalResolved(request_id="q", call_id="c", decision="edit", arguments={"command": "pwd"}, by="user")
    state = reduce(state, edit)
    (call,) = state.live_calls
    assert (call.phase, call.arguments) == ("proposed", {"command": "pwd"})
    assert call.approval is not None
    assert (call.approval.decision, call.approval.why) == ("edit", "asks")
    state = fold(
        [
            ToolStarted(call_id="c", tool="shell", mono=5.0),
            ToolStarted(call_id="c", tool="shell", mono=6.0, pid=1, pgid=1),
            ToolOutputDelta(call_id="c", text="/home"),
        ],
        state,
    )
    (call,) = state.live_calls
    assert (call.phase, call.started_mono, call.pid, "".join(call.live_output)) == ("running", 5.0, 1, "/home")
    state = reduce(state, ToolFinished(call_id="c", tool="shell", output="/home", seconds=1.5, side_effects="done"))
    (call,) = state.live_calls
    assert (call.phase, call.status, call.output, call.seconds) == ("finished", "ok", "/home", 1.5)
    assert state.history[-1] == ToolResult(call_id="c", tool="shell", output="/home")
    assert reduce(state, TurnFinished()).live == ()


def test_a_denied_call_keeps_the_arguments_that_were_asked_for() -> None:
    state = after(
        ToolProposed(call_id="c", tool="shell", arguments={"command": "rm"}),
        ApprovalRequested(request_id="q", call_id="c"),
        ApprovalResolved(request_id="q", call_id="c", decision="deny", arguments={}),
    )
    assert state.live_calls[0].arguments == {"command": "rm"}


def test_live_output_is_bounded_and_says_what_it_dropped() -> None:
    piece = "0123456789" * 1000
    events: list[Event] = [ToolOutputDelta(call_id="c", text=piece) for _ in range(100)]
    state = after(ToolProposed(call_id="c", tool="shell"), *events)
    (call,) = state.live_calls
    kept = "".join(call.live_output)
    assert LIVE_OUTPUT_KEPT <= len(kept) <= 2 * LIVE_OUTPUT_KEPT
    assert len(kept) == call.live_characters
    assert len(kept) + call.dropped_characters == 100 * len(piece)
    assert (piece * 100).endswith(kept)


def test_queued_messages_stay_behind_what_is_said_until_they_are_delivered() -> None:
    state = after(
        TurnStarted(),
        MessageQueued(message_id="m", text="also"),
        TextDelta(text="a"),
        ToolArgumentsDelta(call_id="c", tool="shell", text="{}"),
    )
    assert [type(item) for item in state.live] == [TextItem, CallItem, UserItem]
    state = fold([ModelResponded(text="a"), TurnFinished()], state)
    assert [type(item) for item in state.live] == [UserItem]
    state = reduce(state, MessageDelivered(message_id="m", text="also"))
    assert state.live == ()
    delivered = state.settled[-1]
    assert isinstance(delivered, UserItem)
    assert not delivered.queued
    assert state.history[-1] == UserMessage(text="also", message_id="m")


def test_unknown_events_and_events_of_unknown_calls_change_nothing_else() -> None:
    state = after()
    unknown = reduce(state, UnknownEvent(kind="hologram", seq=2, data={"kind": "hologram"}))
    assert (unknown.seq, [type(item) for item in unknown.live]) == (2, [EventItem])
    assert reduce(state, ToolOutputDelta(call_id="nobody", text="x")) == state


def test_the_end_keeps_everything() -> None:
    state = after(
        RunFinished(
            reason="aborted",
            output="so far",
            usage=Usage(input=1),
            seconds=9.0,
            active_seconds=4.0,
            receipt={"tools": []},
        )
    )
    assert state.finished
    assert (state.reason, state.final_output, state.seconds, state.active_seconds) == ("aborted", "so far", 9.0, 4.0)
    assert state.receipt == {"tools": []}
    assert state.live == ()


def allocated_by(state: RunState, event: Event) -> tuple[RunState, int]:
    """The next state, and the bytes that making it needed at its peak."""
    tracemalloc.start()
    try:
        following = reduce(state, event)
        return following, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def cost_of_deltas(state: RunState, event: Event, already: int) -> tuple[RunState, float]:
    """The median over 51 deltas, because the shared list grows in steps."""
    for _ in range(already):
        state = reduce(state, event)
    costs: list[int] = []
    for _ in range(51):
        state, cost = allocated_by(state, event)
        costs.append(cost)
    return state, statistics.median(costs)


@pytest.mark.parametrize(
    "event",
    [TextDelta(text="word "), ReasoningDelta(text="x"), ToolArgumentsDelta(call_id="c", text="x")],
    ids=lambda event: event.kind,
)
def test_a_delta_costs_the_same_however_long_the_text_is(event: Event) -> None:
    state, early = cost_of_deltas(after(ModelRequested()), event, 100)
    _, late = cost_of_deltas(state, event, 20_000)
    assert late < 2 * early


def test_a_delta_costs_the_same_however_long_the_run_is() -> None:
    short, long = after(), after()
    for number in range(3000):
        long = fold(
            [
                TurnStarted(turn=number),
                ModelResponded(turn=number, text="x", cost_usd=Decimal(1)),
                TurnFinished(turn=number),
            ],
            long,
        )
    assert len(long.settled) > 3000
    _, early = cost_of_deltas(short, TextDelta(text="word "), 10)
    _, late = cost_of_deltas(long, TextDelta(text="word "), 10)
    assert late < 2 * early
