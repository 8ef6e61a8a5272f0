"""A run at a limit that asks: raised, switched, wrapped up, stopped, or nobody there any more."""

from __future__ import annotations

from decimal import Decimal

import pytest

from runner import CommandError, RunConfig
from runner.config import OnLimit
from runner.control.commands import LimitName
from runner.events import (
    LimitChanged,
    LimitReached,
    ModelSwitched,
    Paused,
    Resumed,
    ToolFinished,
    ToolStarted,
)
from runner.state import PausedBy
from runner.testing import ScriptedModel, calls, hold, reply, text, usage
from runner.usage import Price
from tests.loop.harness import Workshop, live

ASK = RunConfig(on_limit="ask", max_turns=1)
CHEAP = Price(input=Decimal(1), output=Decimal(2))
DEAR = Price(input=Decimal(1000), output=Decimal(2000))


def notes(*ending: str) -> ScriptedModel:
    return ScriptedModel([reply(calls(("note", {"text": "a"}))), *(ending or ("end",))])


async def test_a_raised_limit_lets_the_run_go_on() -> None:
    workshop = Workshop()
    async with live(notes(), workshop.tools(), config=ASK) as running:
        paused = await running.until(Paused)
        assert (paused.by, paused.limit) == ("limit", "max_turns")
        state = running.handle.state
        assert state.status == "paused"
        assert state.lifecycle == PausedBy(by="limit", limit="max_turns")
        assert state.limit_asked is not None
        assert (state.limit_asked.used, state.limit_asked.value, state.limit_asked.asks) == (1, 1, True)
        running.handle.set_limit("max_turns", 5)
        result = await running.result()
    assert (result.reason, result.final_output) == ("complete", "end")
    changed = running.recorder.only(LimitChanged)
    assert (changed.old, changed.value) == (1, 5)
    assert len(running.recorder.of(Resumed)) == 1
    assert running.handle.state.limits["max_turns"] == 5
    assert running.handle.state.limit_asked is None


async def test_a_raise_that_does_not_reach_asks_again() -> None:
    model = ScriptedModel([reply(text("a"), calls(("note", {"text": "a"})), usage(50, 50)), "end"])
    config = RunConfig(on_limit="ask", max_total_tokens=60)
    async with live(model, Workshop().tools(), config=config) as running:
        await running.until(Paused)
        running.handle.set_limit("max_total_tokens", 80)
        again = await running.until(LimitReached, lambda event: event.value == 80)
        assert again.asks
        assert running.handle.state.status == "paused"
        running.handle.set_limit("max_total_tokens", None)
        result = await running.result()
    assert result.reason == "complete"
    assert len(running.recorder.of(Paused)) == 1


async def test_wrapping_up_at_a_limit_grants_one_request_and_ends_with_the_reason() -> None:
    model = notes("what I have")
    async with live(model, Workshop().tools(), config=ASK) as running:
        await running.until(Paused)
        running.handle.wrap_up()
        result = await running.result()
    assert (result.status, result.reason) == ("failed", "max_turns_exceeded")
    assert result.final_output == "what I have"
    assert model.requests[1].settings.tool_choice == "none"


@pytest.mark.parametrize("how", ["stop", "abort"])
async def test_stop_and_abort_end_a_run_that_asks(how: str) -> None:
    model = notes()
    async with live(model, Workshop().tools(), config=ASK) as running:
        await running.until(Paused)
        getattr(running.handle, how)()
        result = await running.result()
    assert result.reason == ("stopped" if how == "stop" else "aborted")
    assert len(model.requests) == 1


async def test_where_nobody_is_left_to_ask_the_run_ends_with_the_reason() -> None:
    async with live(notes(), Workshop().tools(), config=ASK) as running:
        await running.until(Paused)
        running.handle.approver_gone()
        result = await running.result()
    assert result.reason == "max_turns_exceeded"


async def test_resume_alone_does_not_pass_a_limit() -> None:
    async with live(notes(), Workshop().tools(), config=ASK) as running:
        await running.until(Paused)
        running.handle.resume()
        running.handle.set_limit("max_tool_calls", 9)
        await running.until(LimitChanged)
        assert running.handle.state.status == "paused"
        running.handle.stop()
        await running.result()


async def test_a_request_that_could_pass_the_cost_limit_by_its_input_alone_does_not_start() -> None:
    model = ScriptedModel(["never"], price=DEAR)
    config = RunConfig(max_cost_usd=Decimal("0.01"))
    async with live(model, input="word " * 200, config=config) as running:
        result = await running.result()
    assert (result.reason, result.cost_usd) == ("budget_exceeded", 0)
    assert model.requests == []
    reached = running.recorder.only(LimitReached)
    assert (reached.why, reached.asks, reached.used) == ("next_request", False, 0)
    assert reached.needed is not None
    assert reached.needed > Decimal("0.01")


async def test_a_cheaper_model_passes_where_the_dear_one_was_asked_about() -> None:
    dear = ScriptedModel(["never"], name="test/dear", price=DEAR)
    cheap = ScriptedModel(["cheaply"], name="test/cheap", price=CHEAP)
    config = RunConfig(max_cost_usd=Decimal("0.01"), on_limit="ask")
    async with live(dear, input="word " * 200, others=(cheap,), config=config) as running:
        await running.until(Paused)
        running.handle.set_model("test/cheap")
        result = await running.result()
    assert (result.reason, result.final_output) == ("complete", "cheaply")
    assert running.recorder.only(ModelSwitched).new == "test/cheap"
    assert dear.requests == []


async def test_an_unknown_price_under_a_cost_limit_is_a_question_too() -> None:
    model = ScriptedModel(["at any price"])
    config = RunConfig(max_cost_usd=Decimal(1), on_limit="ask")
    async with live(model, config=config) as running:
        reached = await running.until(LimitReached)
        assert (reached.why, reached.model) == ("unknown_price", "test/scripted")
        running.handle.set_limit("max_cost_usd", None)
        result = await running.result()
    assert (result.reason, result.cost_usd) == ("complete", None)


async def test_a_tool_call_too_many_is_asked_about_before_it_runs() -> None:
    workshop = Workshop()
    model = ScriptedModel([reply(calls(("note", {"text": "a"}), ("note", {"text": "b"}))), "end"])
    config = RunConfig(max_tool_calls=1, on_limit="ask", tool_concurrency=1)
    async with live(model, workshop.tools(), config=config) as running:
        await running.until(Paused)
        assert len(workshop.done) == 1
        running.handle.set_limit("max_tool_calls", 2)
        result = await running.result()
    assert result.reason == "complete"
    assert sorted(workshop.done) == ["note a", "note b"]
    assert [event.status for event in running.recorder.of(ToolFinished)] == ["ok", "ok"]


async def test_many_calls_at_one_limit_are_one_question() -> None:
    workshop = Workshop()
    wanted = [("note", {"text": str(number)}) for number in range(6)]
    model = ScriptedModel([reply(calls(*wanted)), "end"])
    config = RunConfig(max_tool_calls=2, on_limit="ask")
    async with live(model, workshop.tools(), config=config) as running:
        await running.until(Paused)
        running.handle.set_limit("max_tool_calls", None)
        await running.result()
    assert len(running.recorder.of(LimitReached)) == 1
    assert len(running.recorder.of(Paused)) == len(running.recorder.of(Resumed)) == 1
    assert len(workshop.done) == 6


async def test_a_clock_that_runs_out_is_said_at_once_and_asked_at_the_boundary() -> None:
    gate = hold()
    model = ScriptedModel([[*text("slowly "), gate, *reply(text("written"), calls(("note", {"text": "a"})))], "end"])
    config = RunConfig(max_time=0.05, on_limit="ask")
    async with live(model, Workshop().tools(), config=config) as running:
        reached = await running.until(LimitReached)
        assert (reached.limit, reached.asks) == ("max_time", True)
        assert running.handle.state.status == "running", "what is running may finish"
        gate.release()
        await running.until(Paused)
        assert not running.recorder.of(ToolStarted), "nothing new starts"
        running.handle.set_limit("max_time", 300)
        result = await running.result()
    assert result.reason == "complete"
    assert len(running.recorder.of(LimitReached)) == 1


async def test_waiting_at_a_limit_is_not_active_time() -> None:
    async with live(
        notes(), Workshop().tools(), config=RunConfig(on_limit="ask", max_turns=1, max_time=0.3)
    ) as running:
        await running.until(Paused)
        active = running.handle.state.last_mono
        running.handle.set_limit("max_wall_time", 0.5)
        await running.until(LimitReached, lambda event: event.limit == "max_wall_time")
        assert running.handle.state.last_mono - active > 0.3
        running.handle.set_limit("max_wall_time", None)
        running.handle.set_limit("max_turns", 3)
        result = await running.result()
    assert result.reason == "complete"
    assert result.active_seconds < 0.3


@pytest.mark.parametrize("limit", ["timeout_per_turn", "first_token_timeout", "stream_idle_timeout", "tool_timeout"])
async def test_timeouts_can_be_changed_from_the_next_request_on(limit: LimitName) -> None:
    gate = hold()
    model = ScriptedModel([[gate, *reply(calls(("note", {"text": "a"})))], "end"])
    async with live(model, Workshop().tools()) as running:
        await gate.reached()
        running.handle.set_limit(limit, 77)
        with pytest.raises(CommandError, match="cannot be 0"):
            running.handle.set_limit(limit, 0)
        gate.release()
        await running.result()
    assert running.handle.state.limits[limit] == 77
    request = model.requests[1]
    if limit == "first_token_timeout":
        assert request.first_token_timeout == 77
    if limit == "stream_idle_timeout":
        assert request.idle_timeout == 77


async def test_a_message_sent_while_the_run_asks_belongs_to_the_turn_that_starts_then() -> None:
    model = notes()
    async with live(model, Workshop().tools(), config=ASK) as running:
        await running.until(Paused)
        running.handle.send("and be brief")
        running.handle.set_limit("max_turns", 2)
        await running.result()
    assert getattr(model.requests[1].messages[-1], "text", "") == "and be brief"
    assert len(model.requests) == 2


@pytest.mark.parametrize("on_limit", ["end", "ask"])
async def test_wrapping_up_before_a_limit_does_not_pass_it(on_limit: OnLimit) -> None:
    gate = hold()
    model = ScriptedModel([[gate, *reply(calls(("note", {"text": "a"})))], "what I have"])
    config = RunConfig(on_limit=on_limit, max_turns=1)
    async with live(model, Workshop().tools(), config=config) as running:
        await gate.reached()
        running.handle.wrap_up()
        gate.release()
        if on_limit == "ask":
            await running.until(Paused)
            assert len(model.requests) == 1
            running.handle.wrap_up()
        result = await running.result()
    assert result.reason == "max_turns_exceeded"
    assert len(model.requests) == (2 if on_limit == "ask" else 1)
