"""A connection is closed the moment nobody wants the answer any more: until then the provider goes on billing."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing

import pytest

from runner.errors import ModelTimeoutError, StreamIdleError
from runner.messages import UserMessage
from runner.models.base import TextChunk
from tests.provider.helpers import ANTHROPIC, BOTH, EVERYONE, OPENAI, ask, collect, collect_text, model_at
from tests.provider.replies import Reply
from tests.provider.server import FakeProvider, Received, until

STALLED = Reply(text=["one ", "two ", "three"], stall_at=4)
SLOW = Reply(text=[f"word{number} " for number in range(2000)], delay=0.005)


async def closed_by_client(provider: FakeProvider, since: float, what: str) -> float:
    """Wait until the server has seen the client go; returns the milliseconds from `since`, and prints them."""
    await until(lambda: bool(provider.requests), what="the request did not come")
    received: Received = provider.requests[-1]
    await until(lambda: received.client_closed is not None, what="the server never saw the connection closed")
    assert received.client_closed is not None
    milliseconds = (received.client_closed - since) * 1000
    print(f"{what}: closed at the server after {milliseconds:.1f} ms")
    return milliseconds


@pytest.mark.parametrize("name", EVERYONE)
@pytest.mark.parametrize("reply", [STALLED, SLOW], ids=["stalled", "streaming"])
async def test_a_cancelled_read_closes_the_connection(name: str, reply: Reply, provider: FakeProvider) -> None:
    provider.script(reply)
    got = asyncio.Event()

    async def run() -> None:
        async with aclosing(model_at(provider, name).stream(ask())) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, TextChunk):
                    got.set()

    task = asyncio.create_task(run())
    await got.wait()
    since = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await closed_by_client(provider, since, f"{name} cancelled")


@pytest.mark.parametrize("name", EVERYONE)
async def test_cancelled_while_the_headers_are_awaited(name: str, provider: FakeProvider) -> None:
    provider.script(Reply(stall_headers=True))
    task = asyncio.create_task(collect(model_at(provider, name), ask()))
    await until(lambda: bool(provider.requests))
    since = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await closed_by_client(provider, since, f"{name} cancelled before headers")


@pytest.mark.parametrize("name", EVERYONE)
async def test_aclose_in_the_middle_closes_the_connection_before_it_returns(name: str, provider: FakeProvider) -> None:
    provider.script(SLOW)
    chunks = model_at(provider, name).stream(ask())
    async for chunk in chunks:
        if isinstance(chunk, TextChunk):
            break
    since = time.monotonic()
    await chunks.aclose()
    await closed_by_client(provider, since, f"{name} aclose")


@pytest.mark.parametrize("name", EVERYONE)
async def test_a_reader_that_fails_closes_the_connection(name: str, provider: FakeProvider) -> None:
    provider.script(SLOW)
    failed: list[float] = []

    async def run() -> None:
        async with aclosing(model_at(provider, name).stream(ask())) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, TextChunk):
                    failed.append(time.monotonic())
                    raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await run()
    await closed_by_client(provider, failed[0], f"{name} failed reader")


@pytest.mark.parametrize("name", EVERYONE)
async def test_no_headers_in_time(name: str, provider: FakeProvider) -> None:
    provider.script(Reply(stall_headers=True))
    with pytest.raises(ModelTimeoutError, match=r"no first token within 0\.2 s"):
        await collect(model_at(provider, name), ask(first_token=0.2))
    await closed_by_client(provider, time.monotonic(), f"{name} no headers")


@pytest.mark.parametrize("name", EVERYONE)
async def test_no_first_token_in_time_although_comments_come(name: str, provider: FakeProvider) -> None:
    provider.script(Reply(text=["x"], stall_at=1, comment_every=0.05))
    began = time.monotonic()
    with pytest.raises(ModelTimeoutError):
        await collect(model_at(provider, name), ask(first_token=0.3, idle=30))
    assert time.monotonic() - began >= 0.3
    await closed_by_client(provider, time.monotonic(), f"{name} comments only")


@pytest.mark.parametrize("name", EVERYONE)
async def test_a_stream_that_goes_silent_although_comments_come(name: str, provider: FakeProvider) -> None:
    provider.script(Reply(text=["one ", "two ", "three"], stall_at=4, comment_every=0.05))
    got: list[str] = []
    with pytest.raises(StreamIdleError, match=r"silent for 0\.3 s"):
        await collect_text(model_at(provider, name), ask(idle=0.3), got)
    assert "".join(got).startswith("one ")
    await closed_by_client(provider, time.monotonic(), f"{name} idle")


@pytest.mark.parametrize("name", BOTH)
async def test_a_slow_reader_is_not_taken_for_a_silent_provider(name: str, provider: FakeProvider) -> None:
    provider.script(Reply(text=["a", "b", "c", "d"], delay=0.02))
    got: list[str] = []
    async for chunk in model_at(provider, name).stream(ask(idle=0.15)):
        if isinstance(chunk, TextChunk):
            got.append(chunk.text)
            await asyncio.sleep(0.2)
    assert "".join(got) == "abcd"


async def test_an_answer_whose_usage_never_comes_is_still_complete(provider: FakeProvider) -> None:
    provider.script(Reply(text=["done"], stall_at=3))
    answer = await collect(model_at(provider, OPENAI), ask(idle=0.2))
    assert (answer.text, answer.assembly.finish, answer.assembly.usage) == ("done", "stop", None)


@pytest.mark.parametrize("name", EVERYONE)
async def test_a_finished_answer_leaves_the_connection_for_the_next_request(name: str, provider: FakeProvider) -> None:
    model = model_at(provider, name)
    for _ in range(3):
        provider.script(Reply(text=["a", "b"]))
        assert (await collect(model, ask())).text == "ab"
    assert (len(provider.requests), provider.connections) == (3, 1)


async def test_runs_at_the_same_time_do_not_meet(provider: FakeProvider) -> None:
    def echo(received: Received) -> Reply:
        return Reply(text=[f"{received.body['messages'][-1]['content']} ", *["."] * 20], delay=0.002)

    provider.handler = echo
    model = model_at(provider)
    answers = await asyncio.gather(*(collect(model, ask(UserMessage(text=f"n{n}"))) for n in range(20)))
    assert [answer.text for answer in answers] == [f"n{n} " + "." * 20 for n in range(20)]


def test_loops_one_after_another_and_in_threads_work(provider_thread: FakeProvider) -> None:
    provider_thread.script(*[Reply(text=["fine"])] * 3)
    model = model_at(provider_thread, ANTHROPIC)
    for _ in range(3):
        assert asyncio.run(collect(model, ask())).text == "fine"
