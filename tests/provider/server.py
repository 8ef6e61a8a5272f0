"""A provider on loopback: real HTTP with scripted answers and faults, for tests, end-to-end runs and benches.

It speaks `POST /v1/chat/completions` (OpenAI) and `POST /v1/messages` (Anthropic), both as server-sent events, and
`GET /v1/models`. Inside a test: `async with FakeProvider(Reply(text=["Hi"])) as provider: ...`; for another process:
`with run_in_thread(...)`, or `python -m tests.provider.server --script replies.json`, which prints its addresses.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

from tests.provider.replies import Dialect, Json, Reply, error_body, reply_from_json, sse_events

Handler: TypeAlias = Callable[["Received"], Reply]


@dataclass(slots=True)
class Received:
    """One request and what became of its answer. Times are `time.monotonic()` seconds, which processes share."""

    method: str
    path: str
    headers: dict[str, str]
    body: Json
    connection: int
    began: float
    dialect: Dialect = "openai"
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


class _Connection:
    """The reading side of one connection, which also notices when the client closes in the middle of an answer."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._ahead = b""

    async def request(self) -> tuple[str, str, dict[str, str], bytes] | None:
        try:
            head = self._ahead + await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        self._ahead = b""
        lines = head.decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ", 2)
        pairs = (line.split(":", 1) for line in lines[1:] if ":" in line)
        headers = {name.strip().lower(): value.strip() for name, value in pairs}
        body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return method, path, headers, body

    async def wait_closed(self) -> float:
        """Return when the client has closed its side; a byte of a next request is kept for it."""
        try:
            while data := await self._reader.read(1):
                self._ahead += data
        except ConnectionError:
            return time.monotonic()
        return time.monotonic()


class FakeProvider:
    """Answers requests from `replies` in order; when they are used up, from `handler`, else with a short text."""

    def __init__(self, *replies: Reply, handler: Handler | None = None, port: int = 0) -> None:
        self.replies = deque(replies)
        self.handler = handler
        self.requests: list[Received] = []
        self.connections = 0
        self.models = ["fake-model"]
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

    def script(self, *replies: Reply) -> None:
        """Add answers for the next requests; safe from any thread."""
        self.replies.extend(replies)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        number = self.connections
        connection = _Connection(reader)
        try:
            while (parts := await connection.request()) is not None:
                if not await self._serve(parts, number, connection, writer):
                    break
        except (_Reset, ConnectionError):
            _cut(writer)
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
        connection: _Connection,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Answer one request; False when the connection is not to be used again."""
        method, path, headers, body = parts
        if method == "GET":
            await self._get(path, writer)
            return True
        received = Received(
            method=method,
            path=path,
            headers=headers,
            body=json.loads(body) if body else {},
            connection=number,
            began=time.monotonic(),
            dialect="anthropic" if path.split("?")[0].endswith("/messages") else "openai",
        )
        self.requests.append(received)
        reply = self._next(received)
        answer = asyncio.create_task(self._answer(reply, received, writer))
        gone = asyncio.create_task(connection.wait_closed())
        try:
            await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                received.client_closed = gone.result()
                return False
            answer.result()
            received.answered = time.monotonic()
            return True
        finally:
            for task in (answer, gone):
                task.cancel()
            await asyncio.gather(answer, gone, return_exceptions=True)

    def _next(self, received: Received) -> Reply:
        if self.replies:
            return self.replies.popleft()
        if self.handler is not None:
            return self.handler(received)
        return Reply(text=("The script is ", "used up."))

    async def _get(self, path: str, writer: asyncio.StreamWriter) -> None:
        if path.endswith("/models"):
            listed = [{"id": name, "object": "model"} for name in self.models]
            _write_json(writer, 200, {"object": "list", "data": listed}, {})
        else:
            _write_json(writer, 404, {"error": {"message": f"no {path} here"}}, {})
        await writer.drain()

    async def _answer(self, reply: Reply, received: Received, writer: asyncio.StreamWriter) -> None:
        if reply.headers_delay:
            await asyncio.sleep(reply.headers_delay)
        if reply.stall_headers:
            await asyncio.Event().wait()
        if reply.status != 200:
            _write_json(writer, reply.status, error_body(reply, received.dialect), reply.headers)
            await writer.drain()
            return
        _write_head(writer, 200, {"content-type": "text/event-stream", "transfer-encoding": "chunked", **reply.headers})
        await writer.drain()
        model = str(received.body.get("model", "fake-model"))
        for number, event in enumerate(sse_events(reply, received.dialect, model)):
            if number == reply.malformed_at:
                _write_chunk(writer, 'data: {"choices": [{"delta"\n\n')
            if number == reply.stall_at:
                await self._stall(reply, writer)
            if number == reply.cut_at:
                await writer.drain()
                raise _Reset
            if number == reply.end_at:
                break
            if reply.delay:
                await asyncio.sleep(reply.delay)
            _write_chunk(writer, event)
            received.events_sent += 1
            if reply.delay or number % 64 == 0:
                await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _stall(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        """Say nothing more; comments, where asked for, keep the connection awake without being an answer."""
        await writer.drain()
        if reply.comment_every is None:
            await asyncio.Event().wait()
        while True:
            await asyncio.sleep(reply.comment_every or 1.0)
            _write_chunk(writer, ": keep-alive\n\n")
            await writer.drain()


def _write_head(writer: asyncio.StreamWriter, status: int, headers: Mapping[str, str]) -> None:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Scripted"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))


def _write_json(writer: asyncio.StreamWriter, status: int, body: Json | str, headers: Mapping[str, str]) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    kind = "text/html" if isinstance(body, str) else "application/json"
    data = text.encode()
    _write_head(writer, status, {"content-type": kind, "content-length": str(len(data)), **headers})
    writer.write(data)


def _write_chunk(writer: asyncio.StreamWriter, text: str) -> None:
    data = text.encode()
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))


def _cut(writer: asyncio.StreamWriter) -> None:
    """Reset the connection, as a crashed provider does, instead of closing it in order."""
    raw: Any = writer.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextlib.contextmanager
def run_in_thread(*replies: Reply, handler: Handler | None = None, port: int = 0) -> Generator[FakeProvider]:
    """The provider in a thread and loop of its own, for tests that block and programs that run outside."""
    provider = FakeProvider(*replies, handler=handler, port=port)
    ready = threading.Event()
    stop: list[Callable[[], object]] = []

    async def serve() -> None:
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with provider:
            stop.append(lambda: loop.call_soon_threadsafe(over.set))
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="fake-provider", daemon=True)
    thread.start()
    if not ready.wait(10):
        raise TimeoutError("the fake provider did not start")
    try:
        yield provider
    finally:
        stop[0]()
        thread.join(10)


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
        print(json.dumps({"port": fake.port, "openai": fake.openai_url, "anthropic": fake.base_url}), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
