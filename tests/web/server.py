"""A web server on loopback whose answers are written byte by byte by the test, and a tool that may reach it."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from runner.tools.base import Tool, ToolOutcome
from runner.tools.builtin import web_fetch
from runner.tools.web.address import PrivateHosts
from runner.tools.web.fetch import Fetcher, FetchLimits
from tests.processes.support import context, run

HOST = "page.test"

Answer = Callable[["Visit"], Awaitable[None]]


@dataclass(slots=True)
class Visit:
    """One request. closed: when the client had closed the connection, `time.monotonic()` seconds."""

    path: str
    headers: Mapping[str, str]
    writer: asyncio.StreamWriter
    closed: float = 0.0

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


@dataclass(slots=True)
class Site:
    """`async with Site(answers) as site:`; answers by path. A path that ends in * stands for all that begin so."""

    answers: Mapping[str, Answer]
    tls: ssl.SSLContext | None = None
    port: int = 0
    visits: list[Visit] = field(default_factory=list[Visit])
    connections: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client closed its connection."""
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()

    def url(self, path: str, host: str = HOST, scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        visit: Visit | None = None
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            visit = Visit(head[0].split(" ")[1], headers, writer)
            self.visits.append(visit)
            answering = asyncio.create_task(self._answer(visit))
            # The client sends nothing more, so that the read ends when it closes the connection.
            await reader.read()
            visit.closed = time.monotonic()
            self.gone.set()
            answering.cancel()
        except (ConnectionError, asyncio.IncompleteReadError):
            self.gone.set()
        finally:
            writer.close()

    async def _answer(self, visit: Visit) -> None:
        path = visit.path.partition("?")[0]
        answer = self.answers.get(path) or next(
            answer for key, answer in self.answers.items() if key.endswith("*") and path.startswith(key[:-1])
        )
        try:
            await answer(visit)
        except ConnectionError:
            return
        if not visit.writer.is_closing():
            visit.writer.close()


def page(
    body: bytes, kind: str = "text/html; charset=utf-8", status: str = "200 OK", headers: Sequence[str] = ()
) -> Answer:
    """A whole answer with its length."""

    async def answer(visit: Visit) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *([f"Content-Type: {kind}"] if kind else [])]
        await visit.send(("\r\n".join([*lines, *headers]) + "\r\n\r\n").encode("latin-1") + body)

    return answer


def moved(location: str, status: str = "302 Found") -> Answer:
    return page(b"", status=status, headers=[f"Location: {location}"])


def unending(first: bytes, piece: bytes, pause: Callable[[], Awaitable[object]], head: str = "") -> Answer:
    """An answer that never ends: `first`, then `piece` again and again, after each pause."""

    async def answer(visit: Visit) -> None:
        await visit.send(f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n{head}\r\n".encode() + first)
        while True:
            await pause()
            await visit.send(piece)

    return answer


async def to_loopback(host: str, port: int) -> Sequence[str]:
    """A resolver that knows one host."""
    if host == HOST:
        return ["127.0.0.1"]
    raise OSError(f"{host} is not known here")


def reach(
    private: Sequence[str] = (HOST,),
    *,
    limits: FetchLimits | None = None,
    resolve: Callable[[str, int], Awaitable[Sequence[str]]] = to_loopback,
    trust: Callable[[], ssl.SSLContext] | None = None,
) -> Tool:
    hosts = PrivateHosts(private)
    if trust is None:
        fetcher = Fetcher(hosts, limits=limits, resolve=resolve)
    else:
        fetcher = Fetcher(hosts, limits=limits, resolve=resolve, trust=trust)
    return web_fetch(private_hosts=private, fetcher=fetcher)


async def fetched(folder: Path, tool: Tool, url: str, **arguments: Any) -> ToolOutcome:
    return await run(tool, context(folder), url=url, **arguments)
