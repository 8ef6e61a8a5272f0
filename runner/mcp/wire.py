"""The streams of messages between a session and its server, over pipes or HTTP.

Importing this loads the protocol's package, which takes long: it is imported in a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

import anyio
import httpx2
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, ErrorData, JSONRPCError, jsonrpc_message_adapter

from runner.mcp.config import McpError
from runner.mcp.log import ServerLog
from runner.mcp.process import LONGEST_MESSAGE, Oversized, ServerProcess
from runner.mcp.text import one_line

Incoming = SessionMessage | Exception

CONNECT = 30.0
"""Seconds for an HTTP connection, and for sending on it; how long an answer takes is somebody else's business."""

_IN_THREAD = 256 * 1024
_JUNK_SHOWN = 200
_JUNK_PAUSE = 0.01
_WINDOW = 0.25
_MOST_IN_WINDOW = 500
_ID_AT_START = re.compile(rb'\A\s*\{\s*"jsonrpc"\s*:\s*"2\.0"\s*,\s*"id"\s*:\s*(\d{1,15})\s*,')
_ID_AT_END = re.compile(rb'"jsonrpc"\s*:\s*"2\.0"\s*,\s*"id"\s*:\s*(\d{1,15})\s*\}\s*\Z')


class Source(Protocol):
    async def receive(self) -> Incoming: ...

    async def aclose(self) -> None: ...


class Sifted:
    """A stream of incoming messages, each shown to a function before the session gets it. lost: set at its end."""

    def __init__(self, source: Source, sift: Callable[[SessionMessage], None], lost: asyncio.Event) -> None:
        self._source = source
        self._sift = sift
        self._lost = lost

    async def receive(self) -> Incoming:
        try:
            item = await self._source.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
            self._lost.set()
            raise
        if isinstance(item, SessionMessage):
            self._sift(item)
        return item

    async def aclose(self) -> None:
        await self._source.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Incoming:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


@asynccontextmanager
async def over_pipes(
    process: ServerProcess, *, log: ServerLog, goodbye: float
) -> AsyncGenerator[tuple[Source, MemoryObjectSendStream[SessionMessage]], None]:
    """A started process's pipes. Leaving this ends the process."""
    to_session, read = anyio.create_memory_object_stream[Incoming](0)
    write, from_session = anyio.create_memory_object_stream[SessionMessage](0)
    try:
        async with to_session, read, write, from_session, anyio.create_task_group() as tasks:
            tasks.start_soon(_read, process, to_session, log)
            tasks.start_soon(_write, process, from_session, to_session)
            try:
                yield read, write
            finally:
                # The reader goes on, so that a server that still writes can come to its end.
                with anyio.CancelScope(shield=True):
                    await process.end(goodbye)
                tasks.cancel_scope.cancel()
    finally:
        process.abandon()


async def _read(process: ServerProcess, to_session: MemoryObjectSendStream[Incoming], log: ServerLog) -> None:
    pace = _Pace()
    async for line in process.lines():
        message = await _message(line)
        if message is None:
            if isinstance(line, bytes) and line.strip():
                log.note(f"[stdout] {one_line(line[: 4 * _JUNK_SHOWN].decode('utf-8', 'replace'), _JUNK_SHOWN)}")
            await pace.junk()
            continue
        with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            await to_session.send(message)
        await pace.message()
    to_session.close()


async def _write(
    process: ServerProcess,
    from_session: MemoryObjectReceiveStream[SessionMessage],
    to_session: MemoryObjectSendStream[Incoming],
) -> None:
    async for message in from_session:
        text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
        try:
            await process.send(f"{text}\n".encode("utf-8", "replace"))
        except OSError:
            # It may still live, but a request would wait for ever.
            to_session.close()
            return


class _Pace:
    """Keeps a server that writes without end from taking all the time of the program."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._count = 0

    async def message(self) -> None:
        now = time.monotonic()
        if now >= self._began + _WINDOW:
            self._began, self._count = now, 0
        self._count += 1
        if self._count >= _MOST_IN_WINDOW:
            await asyncio.sleep(self._began + _WINDOW - now)

    async def junk(self) -> None:
        self._count += 1
        await asyncio.sleep(_JUNK_PAUSE if self._count % 10 == 0 else 0)


async def _message(line: bytes | Oversized) -> SessionMessage | None:
    """A line as a message, or None for what is none. A broken answer becomes an error, so that nobody waits for it."""
    if isinstance(line, Oversized):
        words = f"it sent a message of {line.size:,} bytes, more than the {LONGEST_MESSAGE:,} that are read"
        return _error_for(line.head, line.tail, words)
    if not line.lstrip().startswith(b"{"):
        return None
    try:
        if len(line) > _IN_THREAD:
            return SessionMessage(await asyncio.to_thread(jsonrpc_message_adapter.validate_json, line, by_name=False))
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError:
        return _error_for(line[:4096], line[-4096:], "it sent an answer that is not valid")


def _error_for(head: bytes, tail: bytes, words: str) -> SessionMessage | None:
    found = _ID_AT_START.search(head) or _ID_AT_END.search(tail)
    if found is None:
        return None
    return SessionMessage(
        JSONRPCError(jsonrpc="2.0", id=int(found[1]), error=ErrorData(code=INVALID_REQUEST, message=words))
    )


@dataclass(slots=True)
class Watch:
    """What is seen of a connection beside its messages. lost: set when it is gone. status: the last HTTP status that
    was an error. process: of a server that was started.
    """

    lost: asyncio.Event = field(default_factory=asyncio.Event)
    status: int | None = None
    process: ServerProcess | None = None

    async def seen(self, response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise McpError("it sends compressed answers, which it was asked not to do")
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "text/event-stream":
            response.stream = _Bounded(response.stream)
        if response.status_code >= 400 and response.request.method == "POST":
            self.status = response.status_code
            if response.status_code == 404 and "mcp-session-id" in response.request.headers:
                self.lost.set()


class _Bounded(httpx2.AsyncByteStream):
    """A body of at most LONGEST_MESSAGE bytes."""

    def __init__(self, stream: object) -> None:
        assert isinstance(stream, httpx2.AsyncByteStream)
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._stream:
            size += len(piece)
            if size > LONGEST_MESSAGE:
                raise httpx2.StreamError(f"an answer has more than {LONGEST_MESSAGE:,} bytes")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


@asynccontextmanager
async def over_http(url: str, headers: Mapping[str, str], watch: Watch) -> AsyncGenerator[tuple[Source, object], None]:
    """A connection to an address. Leaving this closes the session there and all connections."""
    # In a thread, because it reads all the certificates of the machine.
    client = await asyncio.to_thread(
        httpx2.AsyncClient,
        headers={**headers, "accept-encoding": "identity"},
        timeout=httpx2.Timeout(CONNECT, read=None),
        event_hooks={"response": [watch.seen]},
    )
    async with client, streamable_http_client(url, http_client=client, max_sse_event_size=LONGEST_MESSAGE) as streams:
        yield streams
