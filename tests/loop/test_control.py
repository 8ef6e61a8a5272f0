"""Stop, abort, pause, messages, model switch and tool cancellation in every state of SEMANTICS section 6."""

from __future__ import annotations

import asyncio

import pytest

from runner import CommandError, RunConfig
from runner.control.handle import RunHandle
from runner.errors import RateLimitError
from runner.events import (
    AbortRequested,
    ApprovalRequested,
    ApprovalResolved,
    AttemptDiscarded,
    ErrorOccurred,
    MessageDelivered,
    MessageQueued,
    ModelResponded,
    ModelSwitched,
    Paused,
    Resumed,
    RetryScheduled,
    StopRequested,
    TextDelta,
    ToolFinished,
    ToolStarted,
)
from runner.testing import ScriptedModel, calls, hold, pause, reply, text
from tests.loop.harness import BOUND, Workshop, live


async def test_stop_before_the_first_request_makes_none() -> None:
    model = ScriptedModel(["never"])
    async with live(model) as running:
        running.handle.stop()
        result = await running.result()
    assert (result.status, result.reason) == ("cancelled", "stopped")
    assert model.requests == []


async def test_stop_while_streaming_lets_the_response_finish_and_skips_its_tools() -> None:
    gate, workshop = hold(), Workshop()
    model = ScriptedModel([[*text("I will note. "), gate, *reply(calls(("note", {"text": "x"})))], "never"])
    async with live(model, workshop.tools()) as running:
        await gate.reached()
        running.handle.stop()
        await running.until(StopRequested)
        assert running.handle.state.status == "stopping"
        gate.release()
        result = await running.result()
    assert (result.reason, result.final_output) == ("stopped", "I will note. ")
    assert workshop.done == []
    assert running.recorder.only(ToolFinished).status == "skipped"
    assert "not executed" in running.recorder.only(ToolFinished).output
    assert model.streams[0].ending == "finished"


async def test_stop_policy_turn_also_runs_the_tools_of_the_streaming_response() -> None:
    gate, workshop = hold(), Workshop()
    model = ScriptedModel([[gate, *reply(calls(("note", {"text": "x"})))], "never"])
    async with live(model, workshop.tools(), config=RunConfig(stop_policy="turn")) as running:
        await gate.reached()
        running.handle.stop()
        gate.release()
        result = await running.result()
    assert result.reason == "stopped"
    assert workshop.done == ["note x"]
    assert len(model.requests) == 1


async def test_abort_while_streaming_closes_keeps_and_estimates() -> None:
    gate = hold()
    model = ScriptedModel([[*text("half of it"), gate, *reply(text("the rest"))]])
    async with live(model) as running:
        await gate.reached()
        running.handle.abort()
        result = await running.result()
    assert (result.status, result.reason) == ("cancelled", "aborted")
    assert model.streams[0].ending == "cancelled"
    responded = running.recorder.only(ModelResponded)
    assert (responded.finish_reason, responded.text) == ("interrupted", "half of it")
    assert responded.usage_source == "estimated"
    assert result.final_output == "half of it"
    assert result.receipt is not None
    assert result.receipt["requests"][0]["closed"] is True
    assert result.history[-1].role == "assistant"


async def test_stop_while_tools_run_lets_them_finish_and_asks_nothing_more() -> None:
    workshop = Workshop()
    model = ScriptedModel([reply(calls(("slow", {"text": "a"}))), "never"])
    async with live(model, workshop.tools()) as running:
        await workshop.started.wait()
        running.handle.stop()
        workshop.release.set()
        result = await running.result()
    assert result.reason == "stopped"
    assert workshop.done == ["slow a"]
    assert running.recorder.only(ToolFinished).status == "ok"
    assert len(model.requests) == 1


async def test_abort_while_tools_run_cancels_them_and_says_what_may_have_happened() -> None:
    workshop = Workshop()
    model = ScriptedModel([reply(calls(("effect", {"text": "a"}), ("slow", {"text": "b"}))), "never"])
    async with live(model, workshop.tools()) as running:
        await running.until(ToolStarted, lambda event: event.tool == "slow")
        running.handle.abort()
        result = await running.result()
    assert result.reason == "aborted"
    assert workshop.done == []
    ends = {event.tool: event for event in running.recorder.of(ToolFinished)}
    assert (ends["effect"].status, ends["effect"].side_effects) == ("interrupted", "unknown")
    assert (ends["slow"].status, ends["slow"].side_effects) == ("interrupted", "none")
    assert "may have had effects" in ends["effect"].output
    assert result.receipt is not None
    assert {tool["tool"] for tool in result.receipt["tools"]} == {"effect", "slow"}


@pytest.mark.parametrize("force", [False, True])
async def test_stop_and_abort_end_a_wait_for_approval(force: bool) -> None:
    workshop = Workshop()
    model = ScriptedModel([reply(calls(("write", {"text": "a"}), ("write", {"text": "b"}))), "never"])
    async with live(model, workshop.tools()) as running:
        await running.until(ApprovalRequested)
        end = running.handle.abort if force else running.handle.stop
        end()
        result = await running.result()
    assert result.reason == ("aborted" if force else "stopped")
    assert {event.by for event in running.recorder.of(ApprovalResolved)} == {"stop"}
    assert {event.status for event in running.recorder.of(ToolFinished)} == {"skipped"}
    assert workshop.done == []


@pytest.mark.parametrize("force", [False, True])
async def test_stop_and_abort_end_a_wait_for_a_retry(force: bool) -> None:
    model = ScriptedModel([RateLimitError("busy", retry_after=60.0), "never"])
    async with live(model) as running:
        await running.until(RetryScheduled)
        end = running.handle.abort if force else running.handle.stop
        end()
        result = await running.result()
    assert result.reason == ("aborted" if force else "stopped")
    assert result.elapsed_seconds < 30
    assert len(model.requests) == 1


async def test_stop_escalates_to_abort_and_both_are_idempotent() -> None:
    gate = hold()
    model = ScriptedModel([[*text("text"), gate]])
    async with live(model) as running:
        await gate.reached()
        for _ in range(3):
            running.handle.stop()
        for _ in range(3):
            running.handle.abort()
        result = await running.result()
        running.handle.stop()
        running.handle.abort()
    assert result.reason == "aborted"
    assert len(running.recorder.of(StopRequested)) == 1
    assert len(running.recorder.of(AbortRequested)) == 1


async def test_a_tool_that_ignores_cancellation_does_not_hold_the_abort() -> None:
    from runner.tools import tool

    stubborn_started = asyncio.Event()
    let_go = asyncio.Event()

    @tool(requires_approval=False)
    async def stubborn() -> str:
        """Refuse to die."""
        stubborn_started.set()
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue
        return "finally"

    model = ScriptedModel([reply(calls(("stubborn", {}))), "never"])
    async with live(model, [stubborn], config=RunConfig(abort_grace=0.0)) as running:
        await stubborn_started.wait()
        running.handle.abort()
        result = await running.result()
        let_go.set()
    assert result.reason == "aborted"
    assert running.recorder.only(ToolFinished).side_effects == "unknown"


async def test_pause_takes_effect_at_the_next_boundary_and_resume_goes_on() -> None:
    gate = hold()
    model = ScriptedModel([[gate, *reply(calls(("note", {"text": "x"})))], "done"])
    async with live(model, Workshop().tools()) as running:
        await gate.reached()
        running.handle.pause()
        gate.release()
        await running.until(Paused)
        assert running.handle.state.status == "paused"
        assert len(model.requests) == 1
        running.handle.resume()
        result = await running.result()
    assert result.reason == "complete"
    assert len(running.recorder.of(Resumed)) == 1


@pytest.mark.parametrize("force", [False, True])
async def test_stop_and_abort_end_a_pause(force: bool) -> None:
    model = ScriptedModel(["never"])
    async with live(model) as running:
        running.handle.pause()
        await running.until(Paused)
        end = running.handle.abort if force else running.handle.stop
        end()
        result = await running.result()
    assert result.reason == ("aborted" if force else "stopped")
    assert model.requests == []


async def test_messages_are_queued_visible_and_delivered_at_the_next_turn() -> None:
    gate = hold()
    model = ScriptedModel([[gate, *reply(calls(("note", {"text": "x"})))], "answered"])
    async with live(model, Workshop().tools()) as running:
        await gate.reached()
        message_id = running.handle.send("also look at this")
        queued = await running.until(MessageQueued)
        assert queued.message_id == message_id
        gate.release()
        result = await running.result()
    delivered = running.recorder.only(MessageDelivered)
    assert (delivered.message_id, delivered.text) == (message_id, "also look at this")
    assert delivered.seq > running.recorder.of(ToolFinished)[0].seq
    assert [message.role for message in model.requests[1].messages][-2:] == ["tool", "user"]
    assert result.final_output == "answered"


async def test_a_message_sent_during_the_last_answer_gets_its_own_turn() -> None:
    gate = hold()
    model = ScriptedModel([[*text("first answer"), gate, *reply()], "second answer"])
    async with live(model) as running:
        await gate.reached()
        running.handle.send("one more thing")
        gate.release()
        result = await running.result()
    assert result.final_output == "second answer"
    assert result.turn_count == 2


async def test_a_switch_takes_effect_at_the_next_request() -> None:
    gate = hold()
    model = ScriptedModel([[gate, *reply(calls(("note", {"text": "x"})))]], name="test/old")
    other = ScriptedModel(["from the new one"], name="test/new")
    async with live(model, Workshop().tools(), others=[other]) as running:
        await gate.reached()
        running.handle.set_model("test/new")
        gate.release()
        result = await running.result()
    assert result.final_output == "from the new one"
    switched = running.recorder.only(ModelSwitched)
    assert (switched.old, switched.new, switched.cause) == ("test/old", "test/new", "user")
    assert set(result.usage_by_model) == {"test/old", "test/new"}


async def test_a_switch_now_discards_the_open_request_and_pays_for_it() -> None:
    gate = hold()
    model = ScriptedModel([[*text("too slow"), gate]], name="test/old")
    other = ScriptedModel(["quick"], name="test/new")
    async with live(model, others=[other]) as running:
        await running.until(TextDelta)
        running.handle.set_model("test/new", now=True)
        result = await running.result()
    assert result.final_output == "quick"
    discarded = running.recorder.only(AttemptDiscarded)
    assert (discarded.reason, discarded.usage_source) == ("model_switched", "estimated")
    assert discarded.usage.input > 0
    assert model.streams[0].ending == "cancelled"
    assert result.ledger[0].discarded


async def test_a_switch_while_waiting_to_retry_is_taken_at_once() -> None:
    model = ScriptedModel([RateLimitError("busy", retry_after=60.0)], name="test/old")
    other = ScriptedModel(["quick"], name="test/new")
    async with live(model, others=[other]) as running:
        await running.until(RetryScheduled)
        running.handle.set_model("test/new")
        result = await running.result()
    assert result.final_output == "quick"
    assert result.elapsed_seconds < 30


async def test_an_unknown_model_is_refused_and_changes_nothing() -> None:
    gate = hold()
    model = ScriptedModel([[gate, *reply(text("ok"))]])
    async with live(model) as running:
        await gate.reached()
        with pytest.raises(CommandError, match="no model is called"):
            running.handle.set_model("test/nowhere")
        gate.release()
        result = await running.result()
    assert result.final_output == "ok"
    assert running.recorder.of(ModelSwitched) == []


async def test_one_tool_can_be_cancelled_and_the_run_goes_on() -> None:
    workshop = Workshop()
    model = ScriptedModel([reply(calls(("effect", {"text": "x"}), ("note", {"text": "y"}))), "went on"])
    async with live(model, workshop.tools()) as running:
        started = await running.until(ToolStarted, lambda event: event.tool == "effect")
        await running.until(ToolFinished, lambda event: event.tool == "note")
        running.handle.cancel_tool(started.call_id)
        result = await running.result()
    assert result.final_output == "went on"
    ends = {event.tool: event.status for event in running.recorder.of(ToolFinished)}
    assert ends == {"effect": "cancelled", "note": "ok"}


async def test_commands_that_cannot_be_carried_out_say_so() -> None:
    gate = hold()
    model = ScriptedModel([[gate, *reply(text("ok"))]])
    async with live(model) as running:
        await gate.reached()
        handle = running.handle
        with pytest.raises(CommandError, match="empty"):
            handle.send("   ")
        with pytest.raises(CommandError, match="no tool call"):
            handle.cancel_tool("call_99")
        with pytest.raises(CommandError, match="does not exist"):
            handle.decide("approval_99", "allow")
        with pytest.raises(CommandError, match="negative"):
            handle.set_limit("max_turns", -1)
        gate.release()
        await running.result()
        with pytest.raises(CommandError, match="ended"):
            handle.send("too late")


async def test_commands_from_another_thread_arrive_and_refusals_become_events() -> None:
    gate = hold()
    model = ScriptedModel([[*text("text"), gate]])

    def from_outside(handle: RunHandle) -> None:
        handle.cancel_tool("call_99")
        handle.stop()
        handle.abort()

    async with live(model) as running:
        await gate.reached()
        await asyncio.to_thread(from_outside, running.handle)
        result = await running.result()
    assert result.reason == "aborted"
    refusal = running.recorder.only(ErrorOccurred)
    assert "call_99" in refusal.error.message
    assert not refusal.fatal


async def test_the_loop_never_waits_for_a_reader() -> None:
    model = ScriptedModel([reply(text("word " * 5000))])
    async with live(model) as running:
        subscription = running.handle.subscribe()
        async with asyncio.timeout(BOUND):
            await running.handle.result()
        events = subscription.drain()
    assert events[-1].kind == "run_finished"
    deltas = [event for event in events if event.is_delta]
    assert len(deltas) < 10, "what waits together is merged"


async def test_time_between_deltas_is_kept_small() -> None:
    model = ScriptedModel([reply(text("one "), pause(0.1), text("two "), pause(0.1), text("three"))])
    async with live(model) as running:
        await running.result()
    assert running.recorder.streamed_text == "one two three"
    assert len(running.recorder.of(TextDelta)) == 3
