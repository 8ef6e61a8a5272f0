"""Errors become actions by type (SEMANTICS section 7), through the loop."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runner import RunConfig
from runner.errors import (
    AuthenticationError,
    BillingError,
    ContentFilterError,
    ContextOverflowError,
    DependencyError,
    ModelError,
    ModelNotFoundError,
    NetworkError,
    OverloadedError,
    RateLimitError,
    ServerError,
    StreamBrokenError,
    StreamIdleError,
)
from runner.events import AttemptDiscarded, ModelSwitched, RetryScheduled, TextDelta, ToolFinished
from runner.state import TextItem
from runner.testing import ScriptedModel, calls, finish, hold, refusal, reply, text, usage
from runner.tools import tool
from runner.usage import Price
from tests.loop.harness import Workshop, live, run_script

NO_WAIT = RunConfig(backoff_initial=0.001)


@pytest.mark.parametrize(
    "error",
    [
        RateLimitError("busy", retry_after=0.0),
        ServerError("500"),
        OverloadedError("529"),
        NetworkError("refused"),
        StreamBrokenError("cut"),
        StreamIdleError("silent"),
    ],
)
async def test_passing_errors_are_retried(error: ModelError) -> None:
    result, recorder, model = await run_script([error, error, "third time"], (), NO_WAIT)
    assert (result.reason, result.final_output) == ("complete", "third time")
    assert len(model.requests) == 3
    assert [event.error.type for event in recorder.of(RetryScheduled)] == [error.type_name] * 2
    assert [event.attempt for event in recorder.of(AttemptDiscarded)] == [1, 2]


async def test_attempts_are_bounded_and_the_error_is_told() -> None:
    result, _, model = await run_script([ServerError("500")] * 9, (), NO_WAIT)
    assert (result.status, result.reason) == ("failed", "error")
    assert len(model.requests) == 4
    assert result.error is not None
    assert (result.error.type, result.error.action) == ("server_error", "abort")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (AuthenticationError("no key", fix="set OPENAI_API_KEY"), "error"),
        (DependencyError("no module named mcp"), "error"),
        (ContextOverflowError("too long"), "context_overflow"),
        (ContentFilterError("no"), "refused"),
        (BillingError("no credit"), "error"),
        (ModelNotFoundError("404"), "error"),
        (KeyError("a bug of ours"), "error"),
    ],
)
async def test_lasting_errors_end_the_run_at_once(error: BaseException, reason: str) -> None:
    result, _, model = await run_script([error, "never"], (), NO_WAIT)
    assert result.reason == reason
    assert len(model.requests) == 1
    assert result.error is not None


async def test_retry_after_is_honoured_and_too_long_a_wait_is_not_waited() -> None:
    result, recorder, _ = await run_script([RateLimitError("busy", retry_after=0.05), "ok"], (), NO_WAIT)
    assert recorder.only(RetryScheduled).delay == 0.05
    assert result.elapsed_seconds >= 0.05
    result, _, model = await run_script([RateLimitError("busy", retry_after=3600.0), "never"], (), NO_WAIT)
    assert result.reason == "error"
    assert len(model.requests) == 1


async def test_a_cut_stream_is_discarded_paid_for_and_tried_again() -> None:
    price = Price(input=Decimal(1), output=Decimal(1))
    model = ScriptedModel([text("half an ans"), reply(text("a whole answer"), usage(10, 4))], price=price)
    async with live(model, config=NO_WAIT) as running:
        result = await running.result()
    assert result.final_output == "a whole answer"
    discarded = running.recorder.only(AttemptDiscarded)
    assert (discarded.reason, discarded.usage_source) == ("stream_broken", "estimated")
    assert discarded.usage.output == 3
    assert result.usage.output == 7
    assert result.cost_usd is not None
    assert result.cost_usd > Decimal("0.000014")
    deltas = running.recorder.of(TextDelta)
    assert all(event.seq < discarded.seq for event in deltas if event.attempt == 1)
    state = running.recorder.state()
    assert "half" not in str(state.history)
    assert not any(isinstance(item, TextItem) and "half" in item.text for item in state.settled)
    # What is thrown away can still be read, marked as such.
    assert discarded.text == "half an ans"


@pytest.mark.parametrize("error", [BillingError("no credit"), ModelNotFoundError("404"), ServerError("500")])
async def test_the_fallback_model_takes_over(error: ModelError) -> None:
    first = ScriptedModel([error] * 5, name="test/first")
    second = ScriptedModel(["saved"], name="test/second")
    async with live(first, fallback_models=[second], config=NO_WAIT) as running:
        result = await running.result()
    assert result.final_output == "saved"
    switched = running.recorder.only(ModelSwitched)
    assert (switched.new, switched.cause) == ("test/second", "fallback")
    assert len(first.requests) == (2 if isinstance(error, ServerError) else 1)


async def test_every_model_is_given_up_once_and_then_the_run_ends() -> None:
    models = [ScriptedModel([ServerError("500")] * 20, name=f"test/{index}") for index in range(3)]
    config = RunConfig(backoff_initial=0.001, max_retries=2)
    async with live(models[0], fallback_models=models[1:], config=config) as running:
        result = await running.result()
    assert result.reason == "error"
    assert [len(model.requests) for model in models] == [2, 2, 3]


async def test_a_slow_turn_is_a_timeout() -> None:
    config = RunConfig(timeout_per_turn=0.05, backoff_initial=0.001)
    result, recorder, model = await run_script([[*text("slow"), hold()], "quick"], (), config)
    assert result.final_output == "quick"
    assert recorder.only(RetryScheduled).error.type == "timeout"
    assert model.streams[0].ending == "cancelled"


async def test_a_refusal_ends_as_refused() -> None:
    result, _, _ = await run_script([reply(refusal("I will not."))])
    assert (result.reason, result.final_output) == ("refused", "I will not.")
    result, _, _ = await run_script([[*text("I"), finish("content_filter")]])
    assert result.reason == "refused"


async def test_a_cut_answer_is_continued_and_a_cut_call_is_never_executed() -> None:
    workshop = Workshop()
    script = [
        [*calls(("note", {"text": "whole"}), ("note", '{"text": "cu')), finish("length")],
        [*text("The answer is "), finish("length")],
        reply(text("forty-two.")),
    ]
    result, recorder, model = await run_script(script, workshop.tools())
    assert workshop.done == ["note whole"]
    ends = [event.status for event in recorder.of(ToolFinished)]
    assert sorted(ends) == ["invalid", "ok"]
    assert result.final_output == "The answer is forty-two."
    assert model.requests[2].messages[-1].role == "user"


async def test_a_length_cut_call_whose_arguments_parse_is_not_executed_either() -> None:
    workshop = Workshop()
    script = [[*calls(("note", "")), finish("length")], reply(text("ok"))]
    _, recorder, _ = await run_script(script, workshop.tools())
    assert workshop.done == []
    assert "cut off" in recorder.only(ToolFinished).output


BAD_CALLS: list[tuple[tuple[str, dict[str, Any] | str], str]] = [
    (("nowhere", {}), "note, write, slow, effect, broken"),
    (("note", "not json"), "JSON"),
    (("note", {"text": 5}), "text"),
    (("note", {}), "text"),
    (("note", '["list"]'), "JSON object"),
]


@pytest.mark.parametrize(
    ("call", "says"),
    BAD_CALLS,
)
async def test_calls_that_cannot_run_are_told_to_the_model(call: tuple[str, dict[str, Any] | str], says: str) -> None:
    script = [reply(calls(call)), "I see"]
    result, recorder, model = await run_script(script, Workshop().tools())
    end = recorder.only(ToolFinished)
    assert end.status == "invalid"
    assert says in end.output
    assert result.final_output == "I see"
    told = model.requests[1].messages[-1]
    assert told.role == "tool"
    assert told.output == end.output


async def test_one_tool_that_raises_never_stops_its_siblings() -> None:
    workshop = Workshop()
    script = [reply(calls(("broken", {}), ("note", {"text": "fine"}))), "ok"]
    result, recorder, _ = await run_script(script, workshop.tools())
    ends = {event.tool: event for event in recorder.of(ToolFinished)}
    assert ends["broken"].status == "error"
    assert "ValueError" in ends["broken"].output
    assert "cheese" in ends["broken"].output
    assert "Traceback" not in ends["broken"].output
    assert ends["note"].status == "ok"
    assert result.reason == "complete"


async def test_failing_turns_in_a_row_end_the_run() -> None:
    script = [reply(calls(("broken", {})))] * 9
    result, _, model = await run_script(script, Workshop().tools(), RunConfig(max_consecutive_errors=3))
    assert result.reason == "error"
    assert result.error is not None
    assert result.error.type == "tool_errors"
    assert len(model.requests) == 3


async def test_stop_on_tool_error() -> None:
    script = [reply(calls(("broken", {}))), "never"]
    result, _, model = await run_script(script, Workshop().tools(), RunConfig(stop_on_tool_error=True))
    assert result.reason == "error"
    assert len(model.requests) == 1


async def test_a_tool_timeout_is_told_and_the_run_goes_on() -> None:
    script = [reply(calls(("slow", {}))), "ok"]
    result, recorder, _ = await run_script(script, Workshop().tools(), RunConfig(tool_timeout=0.05))
    assert recorder.only(ToolFinished).status == "timeout"
    assert result.final_output == "ok"


async def test_serial_tools_are_a_barrier_and_the_others_run_side_by_side() -> None:
    import asyncio

    log: list[str] = []
    together = asyncio.Barrier(2)

    @tool(read_only=True)
    async def side(text: str) -> str:
        """Meet the other one. text: a label."""
        log.append(f"+{text}")
        await together.wait()
        log.append(f"-{text}")
        return text

    @tool(read_only=True, serial=True)
    async def alone() -> str:
        """Run with nothing beside it."""
        log.append("alone")
        return "alone"

    script = [
        reply(
            calls(
                ("side", {"text": "a"}),
                ("side", {"text": "b"}),
                ("alone", {}),
                ("side", {"text": "c"}),
                ("side", {"text": "d"}),
            )
        ),
        "ok",
    ]
    await run_script(script, [side, alone])
    assert sorted(log[:2]) == ["+a", "+b"]
    assert log[4] == "alone"
    assert sorted(log[5:7]) == ["+c", "+d"]


async def test_a_bug_in_the_instructions_ends_the_run_with_its_name() -> None:
    from tests.loop.harness import agent_for, make_runner

    model = ScriptedModel(["never"])
    agent = agent_for(model, instructions=lambda context: context["missing"])  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    result = await make_runner(model).run(agent, "go", RunConfig(context={}))
    assert result.reason == "error"
    assert result.error is not None
    assert result.error.type == "KeyError"


async def test_a_refused_request_costs_nothing_also_at_an_unknown_price() -> None:
    _, recorder, _ = await run_script(
        [RateLimitError("busy", retry_after=0.0), AuthenticationError("no key")], (), NO_WAIT
    )
    assert [event.cost_usd for event in recorder.of(AttemptDiscarded)] == [Decimal(0), Decimal(0)]
    assert recorder.state().cost.total == Decimal(0)
