"""No request starts once a limit is reached; what was produced before is kept."""

from __future__ import annotations

from decimal import Decimal

import pytest

from runner import RunConfig
from runner.errors import RateLimitError
from runner.events import LimitReached, LimitWarning, ModelRequested
from runner.testing import ScriptedModel, calls, reply, text, usage
from runner.usage import Price
from tests.loop.harness import Workshop, live, run_script

FOREVER = [reply(calls(("note", {"text": "again"})))] * 40


@pytest.mark.parametrize("turns", [0, 1, 3])
async def test_max_turns_allows_exactly_that_many_responses_and_their_tools(turns: int) -> None:
    workshop = Workshop()
    result, recorder, model = await run_script(FOREVER, workshop.tools(), RunConfig(max_turns=turns))
    assert (result.status, result.reason) == ("failed", "max_turns_exceeded")
    assert len(model.requests) == turns
    assert len(workshop.done) == turns
    assert recorder.only(LimitReached).limit == "max_turns"


async def test_an_answer_in_the_last_turn_completes_the_run() -> None:
    result, _, _ = await run_script([FOREVER[0], "done"], Workshop().tools(), RunConfig(max_turns=2))
    assert result.reason == "complete"


async def test_no_turn_limit() -> None:
    script = [*FOREVER[:25], reply(text("done"))]
    result, _, _ = await run_script(script, Workshop().tools(), RunConfig(max_turns=None, max_model_requests=None))
    assert (result.reason, result.turn_count) == ("complete", 26)


@pytest.mark.parametrize(
    ("config", "reason", "requests"),
    [
        (RunConfig(max_model_requests=2), "request_limit_exceeded", 2),
        (RunConfig(max_input_tokens=25), "token_limit_exceeded", 3),
        (RunConfig(max_output_tokens=10), "token_limit_exceeded", 2),
        (RunConfig(max_total_tokens=31), "token_limit_exceeded", 3),
        (RunConfig(max_tool_calls=2), "tool_call_limit_exceeded", 3),
    ],
)
async def test_each_counted_limit(config: RunConfig, reason: str, requests: int) -> None:
    result, recorder, model = await run_script(FOREVER, Workshop().tools(), config)
    assert result.reason == reason
    assert len(model.requests) == requests
    reached = recorder.only(LimitReached)
    assert all(event.seq < reached.seq for event in recorder.of(ModelRequested))


async def test_the_call_that_is_too_many_is_skipped_and_the_model_history_stays_valid() -> None:
    workshop = Workshop()
    script = [reply(calls(("note", {"text": "1"}), ("note", {"text": "2"}), ("note", {"text": "3"})))]
    result, _, _ = await run_script(script, workshop.tools(), RunConfig(max_tool_calls=2, tool_concurrency=1))
    assert len(workshop.done) == 2
    statuses = [message.status for message in result.history if message.role == "tool"]
    assert sorted(statuses) == ["ok", "ok", "skipped"]


async def test_cost_limit_is_exact_money() -> None:
    price = Price(input=Decimal("1"), output=Decimal("2"))
    response = reply(calls(("note", {"text": "x"})), usage(1000, 500))
    model = ScriptedModel([response], price=price, loop_last=True)
    config = RunConfig(max_cost_usd=Decimal("0.0176"), max_turns=None)
    async with live(model, Workshop().tools(), config=config) as running:
        result = await running.result()
    assert result.reason == "budget_exceeded"
    assert result.cost_usd == Decimal("0.018")
    warning = running.recorder.only(LimitWarning)
    assert (warning.limit, warning.used) == ("max_cost_usd", Decimal("0.016"))


async def test_a_cost_limit_with_an_unknown_price_starts_no_request() -> None:
    result, _, model = await run_script(["never"], (), RunConfig(max_cost_usd=Decimal(1)))
    assert (result.status, result.reason) == ("failed", "error")
    assert result.error is not None
    assert result.error.type == "unknown_price"
    assert model.requests == []


async def test_max_time_ends_a_running_tool_and_says_so() -> None:
    workshop = Workshop()
    script = [reply(calls(("effect", {"text": "long"}))), reply(text("never"))]
    result, _, model = await run_script(script, workshop.tools(), RunConfig(max_time=0.2))
    assert result.reason == "time_exceeded"
    assert workshop.done == []
    [tool_result] = [message for message in result.history if message.role == "tool"]
    assert tool_result.status == "interrupted"
    assert "limit" in tool_result.output
    assert len(model.requests) == 1


async def test_max_time_closes_a_streaming_request_and_keeps_its_text() -> None:
    from runner.testing import hold

    model = ScriptedModel([[*text("half an answer"), hold()]])
    async with live(model, config=RunConfig(max_time=0.2)) as running:
        result = await running.result()
    assert (result.reason, result.final_output) == ("time_exceeded", "half an answer")
    assert model.streams[0].ending == "cancelled"
    assert result.ledger[0].source == "estimated"


async def test_waiting_for_a_person_is_not_active_time() -> None:
    from runner.events import ApprovalRequested

    model = ScriptedModel([reply(calls(("write", {"text": "x"}))), reply(text("done"))])
    async with live(model, Workshop().tools(), config=RunConfig(max_time=0.4, approver=True)) as running:
        asked = await running.until(ApprovalRequested)
        import asyncio

        await asyncio.sleep(0.8)
        running.handle.decide(asked.request_id, "allow")
        result = await running.result()
    assert result.reason == "complete"
    assert result.active_seconds < 0.4 < result.elapsed_seconds


async def test_a_raised_limit_lets_the_run_go_on() -> None:
    workshop = Workshop()
    script = [reply(calls(("slow", {}))), reply(text("done"))]
    model = ScriptedModel(script)
    async with live(model, workshop.tools(), config=RunConfig(max_turns=1)) as running:
        await workshop.started.wait()
        running.handle.set_limit("max_turns", 5)
        workshop.release.set()
        result = await running.result()
    assert result.reason == "complete"


async def test_retries_are_bounded_by_the_request_limit() -> None:
    script = [RateLimitError("busy", retry_after=0.0)] * 10
    config = RunConfig(max_model_requests=3, max_retries=9)
    result, _, model = await run_script(script, (), config)
    assert result.reason == "request_limit_exceeded"
    assert len(model.requests) == 3
