"""The direct client on the wire: what it sends and to whom, what it keeps open, and answers in odd clothes."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import zlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import pytest

from runner.errors import (
    AuthenticationError,
    InvalidRequestError,
    ModelError,
    NetworkError,
    OverloadedError,
    ServerError,
    StreamBrokenError,
)
from runner.models import direct_model
from runner.models.base import Model, ModelSettings, TextChunk
from runner.models.direct_model import DirectModel
from runner.models.registry import ModelRegistry, NamedModel
from tests.contract.sources import ROOT
from tests.provider.helpers import WEATHER, ask, collect
from tests.provider.replies import Reply, openai_chunk
from tests.provider.server import FakeProvider, until

KEY = "sk-secret-0123456789"


def lab(base: str, key: str | None = KEY) -> Model:
    named = NamedModel(name="lab/x", model="x", api_base=base, api_key_env=None if key is None else "LAB_KEY")
    model = ModelRegistry({"lab/x": named}, environ={"LAB_KEY": key or ""}).resolve("lab/x")
    assert isinstance(model, DirectModel)
    return model


async def failure(model: Model) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await collect(model, ask())
    return caught.value


def said(text: str) -> str:
    return openai_chunk("x", {"content": text})


END = openai_chunk("x", {}, finish="stop")
DONE = "data: [DONE]\n\n"

FIRST_ANSWER = """
import asyncio, json, sys
from runner import Agent, RunConfig, Runner
from runner.models.registry import ModelRegistry, NamedModel
named = NamedModel(name="lab/x", model="x", api_base=sys.argv[1])
before = sorted(sys.modules)
result = Runner(models=ModelRegistry({"lab/x": named})).run_sync(Agent(name="a", model="lab/x"), "hi")
heavy = [name for name in ("litellm", "openai", "aiohttp", "tiktoken", "tokenizers") if name in sys.modules]
print(json.dumps({"text": result.final_output, "heavy": heavy, "early": "httpx" in before}))
"""


def test_an_answer_without_litellm_or_the_sdk(provider_thread: FakeProvider) -> None:
    provider_thread.script(Reply(text=["Hel", "lo"]))
    command = [sys.executable, "-c", FIRST_ANSWER, provider_thread.openai_url]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == {"text": "Hello", "heavy": [], "early": False}
    assert done.stderr == ""


PREPARED = """
import sys, threading
from runner.models.registry import ModelRegistry
model = ModelRegistry(environ={}).resolve("openai/gpt-4o")
assert "httpx" not in sys.modules
model.prepare()
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join(30)
print("httpx" in sys.modules, "litellm" in sys.modules)
"""


def test_the_first_request_can_be_prepared_without_a_key_or_a_request() -> None:
    command = [sys.executable, "-c", PREPARED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["True", "False"]


async def test_a_request_is_plain_openai_with_the_named_key_only(provider: FakeProvider) -> None:
    provider.script(Reply(text=["x"]), Reply(text=["x"]))
    await collect(lab(provider.openai_url), ask(instructions="Be brief."))
    sent = provider.requests[0]
    assert sent.path == "/v1/chat/completions"
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.headers["accept-encoding"] == "identity"
    assert sent.body == {
        "model": "x",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    await collect(lab(provider.openai_url, key=None), ask())
    assert "authorization" not in provider.requests[1].headers


async def test_a_request_that_is_repaired_carries_nothing_optional(provider: FakeProvider) -> None:
    provider.script(Reply(text=["x"]), Reply(text=["x"]))
    settings = ModelSettings(temperature=0.5, reasoning_effort="low", parallel_tool_calls=True)
    request = ask(tools=[WEATHER], settings=settings)
    await collect(lab(provider.openai_url), request)
    await collect(lab(provider.openai_url), replace(request, repair=True))
    full, bare = (received.body for received in provider.requests)
    assert set(full) - set(bare) == {"temperature", "reasoning_effort", "parallel_tool_calls", "stream_options"}
    assert {name: full[name] for name in bare} == bare


@pytest.mark.parametrize("key", ["sk-über-0123456789", "sk-two\nlines-0123456789"])
async def test_a_key_that_cannot_be_one_is_not_sent_and_not_shown(key: str, provider: FakeProvider) -> None:
    found = await failure(lab(provider.openai_url, key))
    assert type(found) is AuthenticationError
    assert "LAB_KEY" in found.fix
    assert key not in found.message
    assert provider.requests == []


async def test_the_key_is_in_no_error_and_no_log(provider: FakeProvider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    provider.script(
        Reply(status=401, error={"error": {"message": f"no such key: {KEY}"}}),
        Reply(text=["a", "b"], cut_at=2),
        Reply(status=307, headers={"location": "http://127.0.0.1:9/"}),
    )
    for _ in range(3):
        assert KEY not in str(await failure(lab(provider.openai_url)))
    assert KEY not in caplog.text


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int, provider: FakeProvider) -> None:
    async with FakeProvider() as elsewhere:
        provider.script(Reply(status=status, headers={"location": f"{elsewhere.openai_url}/chat/completions"}))
        found = await failure(lab(provider.openai_url))
        assert type(found) is InvalidRequestError
        assert elsewhere.base_url in found.message
        assert elsewhere.requests == []
        assert len(provider.requests) == 1


JSON_TYPE = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (Reply(headers=JSON_TYPE, events=['{"error": {"message": "boom", "code": 502}}']), ServerError, "boom"),
        (Reply(headers=JSON_TYPE, events=['{"choices": [{"message": {}}]}']), StreamBrokenError, "not a stream"),
        (Reply(headers=JSON_TYPE, events=["what?"]), StreamBrokenError, "not a stream"),
        (Reply(headers={"content-type": "text/html"}, events=["<html>log in</html>"]), StreamBrokenError, "not a"),
        (Reply(events=["hello\n", "world\n"]), StreamBrokenError, "without saying"),
        (Reply(events=[]), StreamBrokenError, "without saying"),
    ],
)
async def test_an_answer_that_is_no_stream(
    reply: Reply, kind: type[ModelError], words: str, provider: FakeProvider
) -> None:
    provider.script(reply)
    found = await failure(lab(provider.openai_url))
    assert type(found) is kind
    assert words in found.message


async def test_a_refusal_of_any_length_is_read_no_further_than_needed(provider: FakeProvider) -> None:
    provider.script(Reply(status=500, error="x" * 3_000_000), Reply(text=["fine"]))
    model = lab(provider.openai_url)
    assert len((await failure(model)).message) < 1000
    assert (await collect(model, ask())).text == "fine"


STREAM = (said("Grüße, ") + ": ping\n\n" + said("naïve 🙂 世界") + END + DONE).encode()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
async def test_an_answer_in_pieces_of_any_size(size: int, line_end: bytes, provider: FakeProvider) -> None:
    # As raw UTF-8, so that the cuts fall into characters too.
    chunks = [
        json.dumps(json.loads(line[6:]), ensure_ascii=False) for line in STREAM.decode().split("\n") if "{" in line
    ]
    stream = b"".join(b"data: " + chunk.encode() + line_end * 2 for chunk in chunks) + b"data: [DONE]" + line_end * 2
    provider.script(Reply(events=[stream[at : at + size] for at in range(0, len(stream), size)]))
    assert (await collect(lab(provider.openai_url), ask())).text == "Grüße, naïve 🙂 世界"


async def test_an_answer_that_is_compressed_although_nobody_asked(provider: FakeProvider) -> None:
    packer = zlib.compressobj(wbits=31)
    half = len(STREAM) // 2
    pieces = [packer.compress(STREAM[:half]) + packer.flush(zlib.Z_SYNC_FLUSH)]
    pieces.append(packer.compress(STREAM[half:]) + packer.flush())
    provider.script(Reply(headers={"content-encoding": "gzip"}, events=pieces))
    assert (await collect(lab(provider.openai_url), ask())).text == "Grüße, naïve 🙂 世界"


@pytest.mark.parametrize(
    "events",
    [
        [said("a"), END],
        [said("a"), END.rstrip("\n")],
        [said("a") + END, "data: {broken\n\n"],
        [said("a") + END, 'data: {"error": {"message": "too late"}}\n\n'],
        [said("a") + END, b"data: \xff\xfe\n\n"],
        [said("a"), "\n\n", ": ping\n\n", "data:\n\n", END, "data: [DONE]"],
    ],
)
async def test_an_answer_is_whole_with_its_finish_reason(events: Sequence[str | bytes], provider: FakeProvider) -> None:
    provider.script(Reply(events=events))
    answer = await collect(lab(provider.openai_url), ask())
    assert (answer.text, answer.assembly.finish, answer.assembly.usage) == ("a", "stop", None)


async def test_a_damaged_byte_breaks_the_stream(provider: FakeProvider) -> None:
    provider.script(Reply(events=[said("aXb").encode().replace(b"X", b"\xff"), END, DONE]))
    assert type(await failure(lab(provider.openai_url))) is StreamBrokenError


async def test_what_one_answer_wants_remembered_is_not_sent_with_the_next(provider: FakeProvider) -> None:
    provider.script(Reply(text=["a"], headers={"set-cookie": "who=you; Path=/"}), Reply(text=["b"]))
    for _ in range(2):
        await collect(lab(provider.openai_url), ask())
    assert "cookie" not in provider.requests[1].headers


async def test_a_refusal_whose_words_never_come_is_told_by_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct_model, "REFUSAL_TIME", 0.05)

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 503 Busy\r\ncontent-length: 1000\r\nretry-after: 3\r\n\r\nsorry, ")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(half, "127.0.0.1", 0) as server:
        model = lab(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
        with pytest.raises(OverloadedError) as caught:
            await collect(model, ask(first_token=None))
    assert (caught.value.message, caught.value.status_code, caught.value.retry_after) == ("sorry,", 503, 3.0)


async def test_five_megabytes_in_one_line(provider: FakeProvider) -> None:
    long = "0123456789" * 500_000
    provider.script(Reply(text=[long, "end"]))
    assert (await collect(lab(provider.openai_url), ask())).text == long + "end"


async def test_an_aborted_answer_is_closed_and_its_connection_never_used_again(provider: FakeProvider) -> None:
    provider.script(Reply(text=["one ", "two ", "three"], stall_at=3), Reply(text=["fine"]))
    model = lab(provider.openai_url)
    async with aclosing(model.stream(ask())) as chunks:
        async for chunk in chunks:
            if isinstance(chunk, TextChunk):
                break
    await until(lambda: provider.requests[0].client_closed is not None, what="the connection stayed open")
    assert (await collect(model, ask())).text == "fine"
    assert [received.connection for received in provider.requests] == [1, 2]


async def test_a_connection_serves_one_answer_after_the_other_also_after_a_refusal(provider: FakeProvider) -> None:
    provider.script(Reply(text=["a"]), Reply(status=429), Reply(status=500, error=""), Reply(text=["b"]))
    for _ in range(4):
        try:
            await collect(lab(provider.openai_url), ask())
        except ModelError:
            continue
    assert [received.connection for received in provider.requests] == [1, 1, 1, 1]


class Server:
    """Counts its open connections; each gets one answer, then whatever `after` says."""

    def __init__(self, *, close: bool) -> None:
        self.close = close
        self.accepted = 0
        self.open = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self.open += 1
        await reader.readuntil(b"\r\n\r\n")
        body = (said("ok") + END + DONE).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n" % len(body))
        writer.write(body)
        await writer.drain()
        if not self.close:
            await reader.read()
        writer.close()
        self.open -= 1


@asynccontextmanager
async def serving(*, close: bool) -> AsyncGenerator[Server]:
    server = Server(close=close)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    async with listening:
        yield server


async def test_a_connection_that_the_server_has_closed_meanwhile_is_no_error() -> None:
    async with serving(close=True) as server:
        model = lab(server.url)
        for number in range(1, 4):
            assert (await collect(model, ask())).text == "ok"
            await until(lambda: server.open == 0, what="the server did not close")
            assert server.accepted == number


async def test_a_loop_that_ends_closes_what_it_kept_open() -> None:
    async with serving(close=False) as server:
        model = lab(server.url)
        assert await asyncio.to_thread(lambda: asyncio.run(collect(model, ask())).text) == "ok"
        await until(lambda: server.open == 0, what="the connection outlived its loop")
        assert server.accepted == 1


def test_loops_in_several_threads_do_not_meet(provider_thread: FakeProvider) -> None:
    async def many() -> None:
        model = lab(provider_thread.openai_url)

        def run() -> str:
            return asyncio.run(collect(model, ask())).text

        assert await asyncio.gather(*(asyncio.to_thread(run) for _ in range(6))) == ["fine"] * 6

    provider_thread.script(*[Reply(text=["fi", "ne"])] * 6)
    asyncio.run(many())


async def test_this_machine_is_asked_without_a_proxy_and_others_through_it(
    provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FakeProvider(Reply(text=["through"])) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.base_url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        provider.script(Reply(text=["here"]))
        assert (await collect(lab(provider.openai_url), ask())).text == "here"
        assert proxy.requests == []
        assert (await collect(lab("http://models.invalid/v1"), ask())).text == "through"
        assert proxy.requests[0].path == "http://models.invalid/v1/chat/completions"


async def test_no_tls_where_it_is_expected() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        await reader.read(1)
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        found = await failure(lab(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"))
    assert type(found) is NetworkError
    assert "no secure connection" in found.message
