"""The demo models as models: determinism, pace, usage, the flaky sequence, cancellation."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing
from decimal import Decimal

import pytest

from runner.clock import SystemClock
from runner.errors import ConfigError, RateLimitError, StreamBrokenError
from runner.messages import AssistantMessage, Message, ToolCall, ToolResult, UserMessage
from runner.models.assemble import Assembly
from runner.models.base import Chunk, FinishChunk, Model, ModelRequest, ModelSettings, TextChunk, ToolSpec, UsageChunk
from runner.models.demo import DEMO_NAMES, SPEED_VARIABLE, demo_model
from runner.models.demo.about import NOTICE
from runner.models.demo.models import ESSAY_SECONDS
from runner.testing import FakeClock
from runner.usage import Usage

TOOLS = tuple(
    ToolSpec(name=name, description=name, parameters={})
    for name in ("list_files", "read_file", "search", "write_file", "edit_file", "shell")
)


def asked(*texts: str, settings: ModelSettings | None = None) -> ModelRequest:
    messages: list[Message] = [UserMessage(text=text) for text in texts]
    return ModelRequest(model="demo", messages=messages, tools=TOOLS, settings=settings or ModelSettings())


async def read(model: Model, request: ModelRequest) -> list[Chunk]:
    async with aclosing(model.stream(request)) as chunks:
        return [chunk async for chunk in chunks]


def assembled(chunks: list[Chunk]) -> Assembly:
    assembly = Assembly()
    for chunk in chunks:
        assembly.add(chunk)
    return assembly


@pytest.mark.parametrize("name", DEMO_NAMES)
def test_nobody_takes_one_for_a_real_model(name: str) -> None:
    model = demo_model(name)
    assert isinstance(model, Model)
    info = model.info
    assert (info.name, info.provider, info.is_demo, info.context_window) == (name, "demo", True, 32_000)
    assert "demo" in info.note
    assert model.cost(Usage(input=10_000, output=10_000)) == Decimal(0)


def test_an_unknown_name_and_a_bad_speed_are_configuration_errors() -> None:
    with pytest.raises(ConfigError, match="demo/pilot"):
        demo_model("demo/pilto")
    with pytest.raises(ConfigError, match=SPEED_VARIABLE):
        demo_model("demo/pilot", environ={SPEED_VARIABLE: "fast"})
    for bad in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ConfigError):
            demo_model("demo/pilot", pace=bad)


async def test_the_same_request_gives_the_same_stream() -> None:
    model = demo_model("demo/pilot", pace=0)
    request = asked("create a.txt with hi and then run cat a.txt")
    first = await read(model, request)
    assert first == await read(model, request)
    assert [type(chunk) for chunk in first[-2:]] == [FinishChunk, UsageChunk]
    call = next(iter(assembled(first).calls.values()))
    assert call.name == "write_file"
    assert len(call.pieces) > 3


async def test_usage_grows_with_the_text_and_is_reported() -> None:
    model = demo_model("demo/pilot", pace=0)
    short = assembled(await read(model, asked("hi"))).usage
    long = assembled(await read(model, asked("hi" + "!" * 400))).usage
    assert short is not None
    assert long is not None
    assert long.input == short.input + 100
    assert short.output > 50
    acting = assembled(await read(model, asked("run ls"))).usage
    assert acting is not None
    assert 0 < acting.reasoning < acting.output


async def test_a_request_without_messages_gets_an_answer() -> None:
    text = "".join(assembled(await read(demo_model("demo/pilot", pace=0), asked())).text)
    assert text.startswith(NOTICE)


async def test_tool_choice_none_is_honoured() -> None:
    request = asked("run ls", settings=ModelSettings(tool_choice="none"))
    assert not assembled(await read(demo_model("demo/pilot", pace=0), request)).calls


async def test_text_comes_at_a_readable_pace() -> None:
    clock = FakeClock(auto=True)
    model = demo_model("demo/pilot", pace=1, clock=clock)
    chunks = await read(model, asked("help"))
    written = sum(isinstance(chunk, TextChunk) for chunk in chunks)
    assert 60 <= written / clock.mono() <= 120
    fast = FakeClock(auto=True)
    await read(demo_model("demo/pilot", environ={SPEED_VARIABLE: "10"}, clock=fast), asked("help"))
    assert fast.mono() == pytest.approx(clock.mono() / 10)


async def test_pace_zero_never_waits() -> None:
    clock = FakeClock()
    await read(demo_model("demo/slow", pace=0, clock=clock), asked("tell me something"))
    assert clock.mono() == 0
    assert set(clock.slept) == {0}


async def test_slow_talks_long_enough_to_be_stopped_and_shorter_than_a_turn_may_last() -> None:
    clock = FakeClock(auto=True)
    chunks = await read(demo_model("demo/slow", pace=1, clock=clock), asked("tell me something"))
    text = "".join(assembled(chunks).text)
    assert 250 <= len(text.split()) <= 500
    assert text.startswith(NOTICE)
    assert ESSAY_SECONDS <= clock.mono() < 60


async def test_slow_carries_out_what_the_pilot_understands() -> None:
    calls = assembled(await read(demo_model("demo/slow", pace=0), asked("run sleep 30"))).calls
    assert [(call.name, call.arguments_json) for call in calls.values()] == [("shell", '{"command": "sleep 30"}')]


async def test_a_reader_that_falls_behind_is_not_flooded() -> None:
    clock = FakeClock(auto=True)
    moments: list[float] = []
    async with aclosing(demo_model("demo/pilot", pace=1, clock=clock).stream(asked("help"))) as chunks:
        async for _ in chunks:
            moments.append(clock.mono())
            if len(moments) == 10:
                clock.advance(60)
    at_once = sum(moment == moments[10] for moment in moments)
    assert at_once < 15


@pytest.mark.parametrize("name", ["demo/pilot", "demo/slow"])
async def test_cancelling_a_read_stops_it_at_once(name: str) -> None:
    clock = FakeClock()
    model = demo_model(name, pace=1, clock=clock)
    task = asyncio.create_task(read(model, asked("help")))
    await clock.until_sleeping()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert clock.sleeping == 0
    assert clock.mono() == 0


async def test_cancelling_works_on_the_real_clock_too() -> None:
    model = demo_model("demo/slow", clock=SystemClock())
    got = asyncio.Event()

    async def reader() -> None:
        async with aclosing(model.stream(asked("talk"))) as chunks:
            async for _ in chunks:
                got.set()

    task = asyncio.create_task(reader())
    await asyncio.wait_for(got.wait(), 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def flaky_attempts(model: Model, request: ModelRequest) -> list[str]:
    seen: list[str] = []
    for _ in range(3):
        try:
            chunks = await read(model, request)
        except RateLimitError:
            seen.append("limited")
        except StreamBrokenError:
            seen.append("broken")
        else:
            assert FinishChunk("tool_calls") in chunks or FinishChunk("stop") in chunks
            seen.append("fine")
    return seen


IN_ORDER = ["limited", "broken", "fine"]


async def test_flaky_fails_twice_in_each_turn_and_then_succeeds() -> None:
    model = demo_model("demo/flaky", pace=0, clock=SystemClock())
    first = asked("run ls")
    assert await flaky_attempts(model, first) == IN_ORDER
    call = ToolCall(call_id="c", tool="shell", arguments={"command": "ls"})
    second = ModelRequest(
        model="demo",
        tools=TOOLS,
        messages=[
            *first.messages,
            AssistantMessage(tool_calls=(call,)),
            ToolResult(call_id="c", tool="shell", output="[exit code 0]"),
        ],
    )
    assert await flaky_attempts(model, second) == IN_ORDER
    assert await flaky_attempts(model, first) == IN_ORDER


async def test_flaky_is_cut_after_about_half_of_the_answer() -> None:
    model = demo_model("demo/flaky", pace=0, clock=SystemClock())
    request = asked("help")
    with pytest.raises(RateLimitError) as limited:
        await read(model, request)
    assert (limited.value.status_code, limited.value.retry_after) == (429, 2.0)
    seen: list[Chunk] = []

    async def second() -> None:
        async with aclosing(model.stream(request)) as chunks:
            async for chunk in chunks:
                seen.append(chunk)

    with pytest.raises(StreamBrokenError):
        await second()
    whole = await read(model, request)
    assert seen == whole[: len(seen)]
    assert len(whole) * 0.4 < len(seen) < len(whole) * 0.6


async def test_flaky_counts_each_run_for_itself() -> None:
    model = demo_model("demo/flaky", pace=0, clock=SystemClock())
    with pytest.raises(RateLimitError):
        await read(model, asked("run ls"))
    with pytest.raises(RateLimitError):
        await read(model, asked("run pwd"))
    with pytest.raises(StreamBrokenError):
        await read(model, asked("run ls"))


def test_flaky_counts_right_from_many_threads() -> None:
    model = demo_model("demo/flaky", pace=0, clock=SystemClock())
    seen: list[str] = []

    def runs(number: int) -> None:
        for turn in range(10):
            seen.extend(asyncio.run(flaky_attempts(model, asked(f"run echo {number} {turn}"))))

    threads = [threading.Thread(target=runs, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [seen.count(what) for what in IN_ORDER] == [40, 40, 40]


def test_a_model_is_the_same_however_often_it_is_resolved() -> None:
    assert demo_model("demo/flaky") is demo_model("demo/flaky")
    assert demo_model("demo/flaky", pace=0) is not demo_model("demo/flaky")
