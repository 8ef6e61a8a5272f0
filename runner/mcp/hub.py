"""All servers of a program: started together, late, and ended together."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import ConfigError, ToolError
from runner.mcp.book import Book
from runner.mcp.config import McpError, McpServer, Timing
from runner.mcp.names import server_part
from runner.mcp.server import Server
from runner.mcp.state import PromptInfo, ResourceInfo, ServerState
from runner.tools.base import Tool, Toolset
from runner.tools.caught import Caught

if TYPE_CHECKING:
    from runner.mcp.session import Connection


class McpHub:
    """The servers, on one event loop: all methods belong to the loop that `start` was called on.

    book: the file of the tools that a person approved. log_dir: where a server's stderr goes as well. on_change: called
    on the loop whenever what `servers`, `prompts` or `resources` return may be different. environ: os.environ where
    None.
    """

    def __init__(
        self,
        servers: Sequence[McpServer],
        *,
        workspace: Path,
        book: Path | None = None,
        log_dir: Path | None = None,
        on_change: Callable[[], None] | None = None,
        environ: Mapping[str, str] | None = None,
        timing: Timing | None = None,
    ) -> None:
        """Raises ConfigError where two servers have one name, or names that a model could not tell apart."""
        parts = [server_part(server.name) for server in servers]
        twice = sorted({part for part in parts if parts.count(part) > 1})
        if twice:
            raise ConfigError(f"two servers are called {twice[0]!r}", where="mcp")
        self._book = Book(book)
        self._timing = timing or Timing()
        self._on_change = on_change or _nothing
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._later: set[asyncio.Task[None]] = set()
        self._servers = {
            server.name: Server(
                server,
                workspace=workspace,
                book=self._book,
                log_dir=log_dir,
                environ=os.environ if environ is None else environ,
                timing=self._timing,
                changed=self._changed,
            )
            for server in servers
        }

    async def start(self) -> None:
        """Begin to start all that are enabled; returns at once."""
        self._loop = asyncio.get_running_loop()
        wanted = [server for server in self._servers.values() if server.config.enabled]
        for server in wanted:
            server.expect()
        self._soon(self._start(wanted))

    async def _start(self, wanted: Sequence[Server]) -> None:
        try:
            await asyncio.to_thread(self._book.load)
        except ConfigError as error:
            self._book.problem = f"the file of approved tools cannot be used: {error}"
        for server in wanted:
            await server.start()

    async def close(self) -> None:
        """End all of them; bounded in time; may be called any number of times."""
        self._closed = True
        later = list(self._later)
        for task in later:
            task.cancel()
        await asyncio.gather(*later, return_exceptions=True)
        await asyncio.gather(*(server.stop() for server in self._servers.values()))
        await asyncio.to_thread(self._book.flush)

    def servers(self) -> tuple[ServerState, ...]:
        return tuple(server.state() for server in self._servers.values())

    @property
    def problem(self) -> str:
        """What is wrong with the file of approved tools; then they are asked about again."""
        return self._book.problem

    def toolset(self, names: Collection[str] | None = None) -> Toolset:
        """The tools of these servers; None: of all."""
        return _HubTools(self, names)

    def tools(self, names: Collection[str] | None = None) -> list[Tool]:
        return [tool for server in self._chosen(names) for tool in server.tools]

    def is_here(self) -> bool:
        """Whether this is the event loop of the servers."""
        try:
            return self._loop is asyncio.get_running_loop()
        except RuntimeError:
            return False

    def _chosen(self, names: Collection[str] | None) -> list[Server]:
        return [server for name, server in self._servers.items() if names is None or name in names]

    async def settle(self, seconds: float, names: Collection[str] | None = None) -> None:
        """Wait until none of these servers is starting any more, but not longer than so many seconds."""
        starting = [asyncio.ensure_future(server.settled()) for server in self._chosen(names)]
        if starting:
            await asyncio.wait(starting, timeout=seconds)
        for one in starting:
            one.cancel()

    @property
    def prepare_seconds(self) -> float:
        return self._timing.prepare

    def prompts(self) -> tuple[PromptInfo, ...]:
        return tuple(prompt for server in self._servers.values() for prompt in server.prompts)

    def resources(self) -> tuple[ResourceInfo, ...]:
        return tuple(resource for server in self._servers.values() for resource in server.resources)

    async def prompt_text(self, server: str, name: str, arguments: Mapping[str, str]) -> str:
        """A prompt as text for a message. Raises McpError."""
        result = await self._asked(server, lambda connection: connection.prompt(name, arguments))
        content: Any = import_module("runner.mcp.content")
        return content.prompt_text(result)

    async def read_resource(self, server: str, uri: str) -> str:
        """A resource as text; what is not text is named. Raises McpError."""
        result = await self._asked(server, lambda connection: connection.resource(uri))
        content: Any = import_module("runner.mcp.content")
        return content.resource_text(result)

    async def _asked(self, name: str, ask: Callable[[Connection], Awaitable[Any]]) -> Any:
        server = self._server(name)
        with Caught(Exception) as caught:
            return await ask(await server.connection())
        assert caught.error is not None
        if isinstance(caught.error, ToolError):
            raise McpError(f"the MCP server {name!r} is not running") from caught.error
        raise McpError(f"the MCP server {name!r}: {server.why(caught.error)}") from caught.error

    async def restart(self, name: str) -> None:
        """Start a server anew, in whatever state it is; returns at once. Raises McpError for an unknown one."""
        self._soon(self._server(name).restart())

    async def switch(self, name: str, on: bool) -> None:
        """Start or end one server, until the program ends. Raises McpError for an unknown one."""
        server = self._server(name)
        self._soon(server.start() if on else server.stop())

    def _server(self, name: str) -> Server:
        found = self._servers.get(name)
        if found is None or self._closed:
            raise McpError(f"there is no MCP server {name!r}")
        return found

    def _soon(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    def _changed(self) -> None:
        if not self._closed:
            self._on_change()


class _HubTools:
    """A run on another event loop is offered none: it could not wait for them."""

    def __init__(self, hub: McpHub, names: Collection[str] | None) -> None:
        self._hub = hub
        self._names = names

    def tools(self) -> Sequence[Tool]:
        return self._hub.tools(self._names) if self._hub.is_here() else ()

    async def prepare(self) -> None:
        if self._hub.is_here():
            await self._hub.settle(self._hub.prepare_seconds, self._names)


def _nothing() -> None:
    """Nobody wants to know."""
