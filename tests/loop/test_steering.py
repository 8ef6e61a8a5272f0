"""Messages that wait, messages that interrupt, waits that are skipped, and wrapping up."""

from __future__ import annotations

from typing import Any

import pytest

from runner import CommandError, RunConfig
from runner.errors import RateLimitError, ServerError
from runner.events import (
    ApprovalRequested,
    ApprovalResolved,
    AttemptDiscarded,
    MessageDelivered,
    ModelResponded,
    ModelSwitched,
    Paused,
    QueueChanged,
    RetryScheduled,
    RetrySkipped,
    ToolFinished,
    ToolStarted,
)
from runner.messages import UserMessage
from runner.testing import ScriptedModel, calls, hold, reply, text
from tests.loop.harness import Workshop, live

LONG_WAIT = RunConfig(backoff_initial=900.0, backoff_max=900.0)


def delivered(running: Any) -> list[str]:
    return [event.text for event in running.recorder.of(MessageDelivered)]


async def test_waiting_messages_can_be_edited_moved_and_deleted_until_they_are_delivered() -> None:
    gate = hold()
    model = ScriptedModel([[gate, *reply(text("first"))], "second"])
    async with live(model) as running:
        await gate.reached()
        handle = running.handle
        one, two, three = handle.send("one"), handle.send("two"), handle.send("three")
        handle.edit_message(two, "two, better")
        handle.move_message(three, 0)
        handle.delete_message(one)
        assert [item.text for item in handle.state.queued] == ["three", "two, better"]
        gate.release()
        result = await running.result()
        with pytest.raises(CommandError, match="ended"):
            handle.edit_message(two, "too late")
    assert delivered(running) == ["three", "two, better"]
    assert result.final_output == "second"
    assert [message.text for message in model.requests[1].messages if isinstance(message, UserMessage)] == [
        "go",
        "three",
        "two, better",
    ]
    assert len(running.recorder.of(QueueChanged)) == 3


async def test_a_message_that_does_not_wait_any_more_cannot_be_changed() -> None:
    gate = hold()
    model = ScriptedModel([[gate, *reply(text("first"))]])
    async with live(model) as running:
        handle = running.handle
        sent = handle.send("delivered before the first request")
        await gate.reached()
        for change in (
            lambda: handle.edit_message(sent, "x"),
            lambda: handle.delete_message(sent),
            lambda: handle.move_message(sent, 1),
        ):
            with pytest.raises(CommandError, match="waits for delivery"):
                change()
        with pytest.raises(CommandError, match="empty"):
            handle.send(" ")
        with pytest.raises(CommandError, match="no message waits"):
            handle.deliver_now()
        gate.release()
        await running.result()


async def test_a_message_sent_now_closes_the_open_request_and_keeps_what_came() -> None:
    gate = hold()
    model = ScriptedModel([[*text("I will begin with"), gate, *reply(text("never"))], "instead"])
    async with live(model) as running:
        await gate.reached()
        running.handle.send("no, do it so", now=True)
        result = await running.result()
    assert model.streams[0].ending == "cancelled"
    cut = running.recorder.of(ModelResponded)[0]
    assert (cut.text, cut.finish_reason) == ("I will begin with", "interrupted")
    assert cut.usage_source == "estimated"
    assert result.final_output == "instead"
    assert (result.reason, result.turn_count) == ("complete", 1)
    sent = [(message.role, getattr(message, "text", "")) for message in model.requests[1].messages]
    assert sent == [("user", "go"), ("assistant", "I will begin with"), ("user", "no, do it so")]


async def test_a_message_sent_now_interrupts_running_tools_and_skips_the_rest() -> None:
    workshop = Workshop()
    wanted = calls(("slow", {"text": "a"}), ("slow", {"text": "b"}))
    model = ScriptedModel([reply(wanted), "instead"])
    config = RunConfig(tool_concurrency=1)
    async with live(model, workshop.tools(), config=config) as running:
        await workshop.started.wait()
        running.handle.send("stop that")
        running.handle.deliver_now()
        result = await running.result()
    ends = {event.status: event.output for event in running.recorder.of(ToolFinished)}
    assert set(ends) == {"interrupted", "skipped"}
    assert all("the user sent a message instead" in output for output in ends.values())
    assert workshop.done == []
    assert result.final_output == "instead"


async def test_a_message_sent_now_answers_a_waiting_approval_with_no() -> None:
    workshop = Workshop()
    model = ScriptedModel([reply(calls(("write", {"text": "a"}))), "instead"])
    async with live(model, workshop.tools()) as running:
        await running.until(ApprovalRequested)
        running.handle.send("rather not", now=True)
        await running.result()
    resolved = running.recorder.only(ApprovalResolved)
    assert (resolved.decision, resolved.reason) == ("deny", "the user sent a message instead")
    assert workshop.done == []
    assert delivered(running) == ["rather not"]


async def test_a_stop_goes_before_a_message_sent_now() -> None:
    gate = hold()
    model = ScriptedModel([[*text("all "), gate, *reply(text("of it"))], "never"])
    async with live(model) as running:
        await gate.reached()
        running.handle.stop()
        running.handle.send("and this", now=True)
        gate.release()
        result = await running.result()
    assert (result.reason, result.final_output) == ("stopped", "all of it")
    assert len(model.requests) == 1


async def test_the_wait_for_a_retry_can_be_skipped() -> None:
    model = ScriptedModel([RateLimitError("busy", retry_after=100.0), "ok"])
    async with live(model, config=LONG_WAIT) as running:
        await running.until(RetryScheduled)
        running.handle.retry_now()
        running.handle.retry_now()
        with pytest.raises(CommandError, match="no other model"):
            running.handle.next_model()
        result = await running.result()
    assert result.final_output == "ok"
    assert running.recorder.only(RetrySkipped).to == "retry"
    assert result.elapsed_seconds < 50


async def test_the_next_model_can_be_used_instead_of_waiting() -> None:
    first = ScriptedModel([ServerError("500")] * 9, name="test/first")
    second = ScriptedModel(["saved"], name="test/second")
    async with live(first, fallback_models=(second,), config=LONG_WAIT) as running:
        await running.until(RetryScheduled)
        running.handle.next_model()
        result = await running.result()
    assert result.final_output == "saved"
    assert len(first.requests) == 1
    switched = running.recorder.only(ModelSwitched)
    assert (switched.old, switched.new, switched.cause) == ("test/first", "test/second", "fallback")
    assert running.recorder.only(RetrySkipped).to == "next_model"


async def test_nothing_can_be_skipped_where_nothing_waits() -> None:
    gate = hold()
    model = ScriptedModel([[gate, *reply(text("ok"))]])
    async with live(model) as running:
        await gate.reached()
        for command in (running.handle.retry_now, running.handle.next_model):
            with pytest.raises(CommandError, match="nothing waits to be tried again"):
                command()
        gate.release()
        await running.result()


async def test_a_message_sent_now_ends_the_wait_for_a_retry() -> None:
    model = ScriptedModel([RateLimitError("busy", retry_after=100.0), "ok"])
    async with live(model, config=LONG_WAIT) as running:
        await running.until(RetryScheduled)
        running.handle.send("are you there?", now=True)
        result = await running.result()
    assert result.final_output == "ok"
    assert running.recorder.only(RetrySkipped).to == "message"
    assert isinstance(model.requests[1].messages[-1], UserMessage)
    assert delivered(running) == ["are you there?"]
    assert len(running.recorder.of(AttemptDiscarded)) == 1


async def test_wrapping_up_gives_one_last_answer_without_tools() -> None:
    workshop = Workshop()
    model = ScriptedModel(
        [reply(calls(("slow", {"text": "a"}), ("slow", {"text": "b"}))), reply(text("so far"))], loop_last=True
    )
    config = RunConfig(tool_concurrency=1)
    async with live(model, workshop.tools(), config=config) as running:
        await workshop.started.wait()
        running.handle.wrap_up()
        workshop.release.set()
        result = await running.result()
    assert (result.reason, result.final_output) == ("complete", "so far")
    assert len(workshop.done) == 1, "what ran may finish, nothing new starts"
    assert model.requests[1].settings.tool_choice == "none"
    asked = running.recorder.only(MessageDelivered)
    assert asked.by == "runner"
    assert sorted(event.status for event in running.recorder.of(ToolFinished)) == ["ok", "skipped"]


async def test_a_model_that_calls_tools_while_wrapping_up_runs_none() -> None:
    gate, workshop = hold(), Workshop()
    model = ScriptedModel(
        [[gate, *reply(calls(("note", {"text": "a"})))], reply(text("done, nearly"), calls(("note", {"text": "b"})))]
    )
    async with live(model, workshop.tools()) as running:
        await gate.reached()
        running.handle.wrap_up()
        gate.release()
        result = await running.result()
    assert workshop.done == []
    assert (result.reason, result.final_output) == ("complete", "done, nearly")
    assert [event.status for event in running.recorder.of(ToolFinished)] == ["skipped", "skipped"]


async def test_a_pause_holds_before_a_tool_starts() -> None:
    gate, workshop = hold(), Workshop()
    model = ScriptedModel([[gate, *reply(calls(("note", {"text": "a"})))], "end"])
    async with live(model, workshop.tools()) as running:
        await gate.reached()
        running.handle.pause()
        gate.release()
        await running.until(Paused)
        assert running.handle.state.status == "paused"
        assert not running.recorder.of(ToolStarted)
        running.handle.resume()
        result = await running.result()
    assert result.final_output == "end"
    assert workshop.done == ["note a"]
    assert running.handle.state.status == "completed"


async def test_wrapping_up_answers_what_waits_for_a_person_with_no() -> None:
    workshop = Workshop()
    model = ScriptedModel([reply(calls(("write", {"text": "a"}))), "that is all"])
    async with live(model, workshop.tools()) as running:
        await running.until(ApprovalRequested)
        running.handle.wrap_up()
        result = await running.result()
    assert running.recorder.only(ApprovalResolved).reason == "the run is wrapping up"
    assert workshop.done == []
    assert (result.reason, result.final_output) == ("complete", "that is all")
