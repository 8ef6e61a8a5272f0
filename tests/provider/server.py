"""A provider on loopback: real HTTP with scripted answers and faults, for tests, end-to-end runs and benches.

It speaks `POST /v1/chat/completions` (OpenAI), `POST /v1/messages` (Anthropic), `POST
/v1beta/models/MODEL:streamGenerateContent` (Gemini) and `POST /mistral/v1/chat/completions` (Mistral), all as
server-sent events, and `GET /v1/models`; another first part of the path is a provider of its own (`url_of`).
Inside a test: `async with FakeProvider(Reply(text=["Hi"])) as provider: ...`; for another process:
`with run_in_thread(...)`, or `python -m tests.provider.server --script replies.json`, which prints its addresses.

Every request is held to the rules of its dialect (runner.testing.wire), and leaving the provider raises
AssertionError where one broke them, unless the test says `invalid_expected`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

from runner.models.providers import Dialect
from runner.testing.wire import Issued, check_body
from tests.provider.connection import Connection, cut, write_chunk, write_head, write_json
from tests.provider.replies import Json, Reply, error_body, reply_from_json, sse_events

Handler: TypeAlias = Callable[["Received"], Reply]


@dataclass(slots=True)
class Received:
    """One request and what became of its answer. Times are `time.monotonic()` seconds, which processes share.

    provider, model: who was asked, by the path. invalid: what this dialect's server would refuse in it.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: Json
    connection: int
    began: float
    dialect: Dialect = "openai"
    provider: str = "openai"
    model: str = ""
    invalid: list[str] = field(default_factory=list[str])
    events_sent: int = 0
    answered: float | None = None
    client_closed: float | None = None

    @property
    def over(self) -> bool:
        """The answer is complete, or the client went away."""
        return self.answered is not None or self.client_closed is not None


async def until(condition: Callable[[], bool], *, timeout: float = 5.0, what: str = "") -> None:
    """Wait for a state of the provider; raises TimeoutError when it does not come."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what or "the state did not come")
        await asyncio.sleep(0.002)


class _Reset(Exception):
    """The script wants the connection cut."""


def _addressed(path: str, body: Json) -> tuple[Dialect, str, str]:
    """(dialect, provider, model) of a request by its path."""
    first, *_, last = path.partition("?")[0].strip("/").split("/")
    named = "" if first in ("v1", "v1beta") else first
    if last.endswith(":streamGenerateContent"):
        return "gemini", named or "gemini", last.partition(":")[0]
    model = str(body.get("model", "fake-model"))
    if last == "messages":
        return "anthropic", named or "anthropic", model
    return ("mistral" if named == "mistral" else "openai"), named or "openai", model


class FakeProvider:
    """Answers requests from `replies` in order; when they are used up, from `handler`, else with a short text.

    invalid: what was wrong with the requests so far. invalid_expected: the test sends invalid ones on purpose.
    """

    def __init__(self, *replies: Reply, handler: Handler | None = None, port: int = 0) -> None:
        self.replies = deque(replies)
        self.handler = handler
        self.requests: list[Received] = []
        self.connections = 0
        self.models = ["fake-model"]
        self.invalid: list[str] = []
        self.invalid_expected = False
        self.issued = Issued()
        self._server: asyncio.Server | None = None
        self._port = port
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        return self._port

    @property
    def base_url(self) -> str:
        """For ANTHROPIC_BASE_URL."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def openai_url(self) -> str:
        """For OPENAI_BASE_URL."""
        return f"{self.base_url}/v1"

    @property
    def gemini_url(self) -> str:
        """For GEMINI_API_BASE."""
        return f"{self.base_url}/v1beta"

    def url_of(self, provider: str) -> str:
        """For the address of any other provider that speaks OpenAI's dialect, or Mistral's where it is "mistral"."""
        return f"{self.base_url}/{provider}/v1"

    def script(self, *replies: Reply) -> None:
        """Add answers for the next requests; safe from any thread."""
        self.replies.extend(replies)

    def assert_valid(self) -> None:
        """Raises AssertionError with what was wrong with the requests so far."""
        assert self.invalid_expected or not self.invalid, "\n".join(self.invalid)
        assert self.invalid or not self.invalid_expected, "an invalid request was expected, and none came"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if error is None:
            self.assert_valid()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        number = self.connections
        connection = Connection(reader)
        try:
            while (parts := await connection.request()) is not None:
                if not await self._serve(parts, number, connection, writer):
                    break
        except (_Reset, ConnectionError):
            cut(writer)
        except asyncio.CancelledError:
            # Only __aexit__ cancels this task; asyncio's own callback would report the cancellation as an error.
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(
        self,
        parts: tuple[str, str, dict[str, str], bytes],
        number: int,
        connection: Connection,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Answer one request; False when the connection is not to be used again."""
        if parts[0] == "GET":
            await self._get(parts[1], writer)
            return True
        received = self._receive(parts, number)
        reply = self._next(received)
        answer = asyncio.create_task(self._answer(reply, received, writer))
        gone = asyncio.create_task(connection.wait_closed())
        try:
            await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                received.client_closed = gone.result()
                return False
            try:
                answer.result()
            except ConnectionError:
                # The client's reset reached the writing side first.
                received.client_closed = time.monotonic()
                raise
            received.answered = time.monotonic()
            return True
        finally:
            for task in (answer, gone):
                task.cancel()
            await asyncio.gather(answer, gone, return_exceptions=True)

    def _receive(self, parts: tuple[str, str, dict[str, str], bytes], number: int) -> Received:
        method, path, headers, data = parts
        body: Json = json.loads(data) if data else {}
        dialect, provider, model = _addressed(path, body)
        received = Received(
            method=method,
            path=path,
            headers=headers,
            body=body,
            connection=number,
            began=time.monotonic(),
            dialect=dialect,
            provider=provider,
            model=model,
        )
        received.invalid = check_body(body, dialect, model=model, issued=self.issued, provider=provider)
        self.requests.append(received)
        self.invalid += [f"request {len(self.requests)} to {provider}: {what}" for what in received.invalid]
        return received

    def _next(self, received: Received) -> Reply:
        if self.replies:
            return self.replies.popleft()
        if self.handler is not None:
            return self.handler(received)
        return Reply(text=("The script is ", "used up."))

    async def _get(self, path: str, writer: asyncio.StreamWriter) -> None:
        if path.endswith("/models"):
            listed = [{"id": name, "object": "model"} for name in self.models]
            write_json(writer, 200, {"object": "list", "data": listed}, {})
        else:
            write_json(writer, 404, {"error": {"message": f"no {path} here"}}, {})
        await writer.drain()

    async def _answer(self, reply: Reply, received: Received, writer: asyncio.StreamWriter) -> None:
        if reply.headers_delay:
            await asyncio.sleep(reply.headers_delay)
        if reply.stall_headers:
            await asyncio.Event().wait()
        if reply.no_answer:
            raise _Reset
        if reply.status != 200:
            write_json(writer, reply.status, error_body(reply, received.dialect), reply.headers)
            await writer.drain()
            return
        write_head(writer, 200, {"content-type": "text/event-stream", "transfer-encoding": "chunked", **reply.headers})
        await writer.drain()
        self._remember(reply, received)
        await self._stream(reply, received, writer)

    async def _stream(self, reply: Reply, received: Received, writer: asyncio.StreamWriter) -> None:
        for number, event in enumerate(sse_events(reply, received.dialect, received.model)):
            if number == reply.malformed_at:
                write_chunk(writer, 'data: {"choices": [{"delta"\n\n')
            if number == reply.misframed_at:
                writer.write(b"this is no chunk\r\n")
            if number == reply.stall_at:
                await self._stall(reply, writer)
            if number == reply.cut_at:
                await writer.drain()
                raise _Reset
            if number == reply.end_at:
                break
            if reply.delay:
                await asyncio.sleep(reply.delay)
            write_chunk(writer, event)
            received.events_sent += 1
            if reply.delay or number % 64 == 0:
                await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    def _remember(self, reply: Reply, received: Received) -> None:
        """Keep what only this provider may be sent again."""
        signature = reply.signature if received.dialect == "anthropic" else ""
        if reply.reasoning and reply.events is None:
            self.issued.reasoning(received.provider, "".join(reply.reasoning), signature)
        for call in reply.calls if received.dialect == "gemini" else ():
            self.issued.call(received.provider, call.name, json.loads(call.arguments), call.signature)

    async def _stall(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        """Say nothing more; comments, where asked for, keep the connection awake without being an answer."""
        await writer.drain()
        if reply.comment_every is None:
            await asyncio.Event().wait()
        while True:
            await asyncio.sleep(reply.comment_every or 1.0)
            write_chunk(writer, ": keep-alive\n\n")
            await writer.drain()


@contextlib.contextmanager
def run_in_thread(*replies: Reply, handler: Handler | None = None, port: int = 0) -> Generator[FakeProvider]:
    """The provider in a thread and loop of its own, for tests that block and programs that run outside."""
    provider = FakeProvider(*replies, handler=handler, port=port)
    ready = threading.Event()
    stop: list[Callable[[], object]] = []

    async def serve() -> None:
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        await provider.start()
        stop.append(lambda: loop.call_soon_threadsafe(over.set))
        ready.set()
        await over.wait()
        await provider.stop()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="fake-provider", daemon=True)
    thread.start()
    if not ready.wait(10):
        raise TimeoutError("the fake provider did not start")
    try:
        yield provider
    finally:
        stop[0]()
        thread.join(10)
    provider.assert_valid()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.provider.server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--script", type=Path, help="a JSON list of replies; each object has the fields of Reply")
    parser.add_argument("--repeat", action="store_true", help="begin again when the script is used up")
    options = parser.parse_args(arguments)
    listed: list[Json] = json.loads(options.script.read_text(encoding="utf-8")) if options.script else []
    replies = [reply_from_json(item) for item in listed]
    again = iter(())

    def from_start(_: Received) -> Reply:
        nonlocal again
        chosen = next(again, None)
        if chosen is None:
            again = iter(replies)
            chosen = next(again)
        return chosen

    with run_in_thread(*replies, handler=from_start if options.repeat and replies else None, port=options.port) as fake:
        addresses = {"openai": fake.openai_url, "anthropic": fake.base_url, "gemini": fake.gemini_url}
        print(json.dumps({"port": fake.port, **addresses, "mistral": fake.url_of("mistral")}), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
