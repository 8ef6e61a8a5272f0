"""The scripted model and the fault injector do what a script says, and record it."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import aclosing
from decimal import Decimal

import pytest

from runner.errors import InternalError, RateLimitError, ServerError
from runner.messages import UserMessage
from runner.models.assemble import Assembly
from runner.models.base import Chunk, FinishChunk, Model, ModelRequest, TextChunk, UsageChunk
from runner.testing import (
    FakeClock,
    Fault,
    FaultyModel,
    ScriptedModel,
    calls,
    finish,
    hold,
    pause,
    reasoning,
    refusal,
    reply,
    text,
    usage,
)
from runner.usage import Price, Usage

REQUEST = ModelRequest(model="test/scripted", messages=[UserMessage(text="hi")])


async def read(model: Model, request: ModelRequest = REQUEST) -> list[Chunk]:
    async with aclosing(model.stream(request)) as chunks:
        return [chunk async for chunk in chunks]


def assembled(chunks: list[Chunk]) -> Assembly:
    assembly = Assembly()
    for chunk in chunks:
        assembly.add(chunk)
    return assembly


async def test_a_text_alone_is_a_complete_answer_in_pieces() -> None:
    model = ScriptedModel(["one two  three\n"])
    assert isinstance(model, Model)
    chunks = await read(model)
    assert [chunk.text for chunk in chunks if isinstance(chunk, TextChunk)] == ["one ", "two  ", "three\n"]
    assert assembled(chunks).finish == "stop"
    assert assembled(chunks).usage == Usage(input=10, output=5)
    assert model.streams[0].ending == "finished"
    assert model.streams[0].sent == len(chunks)


async def test_calls_come_in_pieces_and_fit_together_again() -> None:
    wanted = {"path": "a b.txt", "n": 3}
    model = ScriptedModel([reply(reasoning("hm"), calls(("read_file", wanted), ("read_file", {}), ("shell", '{"x')))])
    result = assembled(await read(model))
    first, second, third = result.calls.values()
    assert [call.name for call in result.calls.values()] == ["read_file", "read_file", "shell"]
    assert json.loads(first.arguments_json) == wanted
    assert len(first.pieces) == 2
    assert second.arguments_json == "{}"
    assert third.arguments_json == '{"x'
    assert len({call.provider_id for call in result.calls.values()}) == 3
    assert result.finish == "tool_calls"
    assert "".join(result.reasoning) == "hm"


async def test_a_list_is_taken_literally() -> None:
    model = ScriptedModel([[text("cut")], [refusal("no"), finish("content_filter"), usage(3, 1, cached=2)]])
    assert assembled(await read(model)).finish is None
    refused = assembled(await read(model))
    assert "".join(refused.refusal) == "no"
    assert refused.finish == "content_filter"
    assert refused.usage == Usage(input=3, output=1, cached_input=2)


async def test_errors_come_where_the_script_says() -> None:
    model = ScriptedModel([RateLimitError("slow down", retry_after=1.0), [text("a b"), ServerError("gone")], "fine"])
    with pytest.raises(RateLimitError):
        await read(model)
    with pytest.raises(ServerError):
        await read(model)
    assert model.streams[1].sent == 2
    await read(model)
    assert [stream.ending for stream in model.streams] == ["failed", "failed", "finished"]


async def test_one_response_too_few_is_never_a_retry() -> None:
    model = ScriptedModel(["only"])
    await read(model)
    with pytest.raises(InternalError, match="after 1 responses"):
        await read(model)
    endless = ScriptedModel(["again"], loop_last=True)
    assert await read(endless) == await read(endless)


async def test_a_function_answers_from_the_request() -> None:
    model = ScriptedModel([lambda request: f"{len(request.messages)} messages"])
    assert "".join(assembled(await read(model)).text) == "1 messages"


async def test_requests_are_kept_as_they_were() -> None:
    messages = [UserMessage(text="first")]
    model = ScriptedModel(["a"])
    await read(model, ModelRequest(model="m", messages=messages))
    messages.append(UserMessage(text="second"))
    assert [message for message in model.requests[0].messages] == [UserMessage(text="first")]


async def test_a_held_stream_waits_for_its_gate() -> None:
    gate = hold()
    model = ScriptedModel([reply(text("before"), gate, text("after"))])
    task = asyncio.create_task(read(model))
    await gate.reached()
    assert gate.is_reached
    assert model.streams[0].sent == 1
    assert model.open_streams == 1
    assert not task.done()
    gate.release()
    assert "".join(assembled(await task).text) == "beforeafter"
    assert (model.open_streams, model.closed) == (0, 1)


async def test_a_gate_works_across_threads() -> None:
    gate = hold()
    model = ScriptedModel([reply(gate, text("done"))])
    found: list[list[Chunk]] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(read(model))))
    thread.start()
    await asyncio.to_thread(gate.wait_reached, 10.0)
    assert not found
    gate.release()
    await asyncio.to_thread(thread.join, 10.0)
    assert "".join(assembled(found[0]).text) == "done"


def test_a_gate_that_is_never_reached_is_a_timeout() -> None:
    with pytest.raises(TimeoutError):
        hold().wait_reached(0.01)


async def test_a_stream_tells_cancelled_from_closed() -> None:
    gate = hold()
    model = ScriptedModel([reply(gate), reply(text("a b c"))])
    task = asyncio.create_task(read(model))
    await gate.reached()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stream = model.stream(REQUEST)
    await anext(stream)
    await stream.aclose()
    assert [stream.ending for stream in model.streams] == ["cancelled", "closed"]
    assert model.open_streams == 0


async def test_an_event_and_a_pause_are_places_to_wait() -> None:
    event, clock = asyncio.Event(), FakeClock()
    model = ScriptedModel([reply(event, pause(5.0), text("x"))], clock=clock)
    task = asyncio.create_task(read(model))
    await asyncio.sleep(0)
    assert clock.sleeping == 0
    event.set()
    await clock.until_sleeping()
    clock.advance(5.0)
    assert "".join(assembled(await task).text) == "x"


async def test_cost_follows_the_price_and_unknown_stays_unknown() -> None:
    priced = ScriptedModel([], price=Price(input=Decimal(2), output=Decimal(10)))
    assert priced.cost(Usage(input=1_000_000, output=100_000)) == Decimal(3)
    assert ScriptedModel([]).cost(Usage(input=5)) is None


async def test_faults_strike_the_requests_they_are_meant_for() -> None:
    inner = ScriptedModel(["a b c"], loop_last=True)
    model = FaultyModel(
        inner,
        [Fault(what=ServerError("busy")), Fault(what="cut", after=2), None, Fault(what=ServerError("x"), after=1)],
    )
    with pytest.raises(ServerError):
        await read(model)
    cut = await read(model)
    assert cut == text("a b ")
    whole = await read(model)
    assert FinishChunk("stop") in whole
    with pytest.raises(ServerError):
        await read(model)
    assert await read(model) == whole
    assert model.requests == 5
    assert inner.open_streams == 0


async def test_a_hanging_fault_ends_with_its_reader() -> None:
    inner = ScriptedModel(["a b c"])
    model = FaultyModel(inner, {1: Fault(what="hang", after=1)})
    got = asyncio.Event()

    async def reader() -> None:
        async with aclosing(model.stream(REQUEST)) as chunks:
            async for _ in chunks:
                got.set()

    task = asyncio.create_task(reader())
    await got.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert inner.open_streams == 0
    assert model.info is inner.info
    assert model.cost(Usage(input=1)) is None


def test_usage_chunks_carry_every_kind_of_token() -> None:
    assert usage(1, 2, cached=3, cache_write=4, reasoning=5) == UsageChunk(
        Usage(input=1, output=2, cached_input=3, cache_write=4, reasoning=5)
    )
