"""One server for as long as the program lives: started, watched, started again after a crash, ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.mcp.book import Book
from runner.mcp.calls import RunningCalls, activities, let_go
from runner.mcp.carry_out import NotExecuted, bounded, carry_out, how_it_ended, wait_for
from runner.mcp.config import McpServer, Timing
from runner.mcp.log import ServerLog
from runner.mcp.state import Approval, Phase, PromptInfo, ResourceInfo, ServerState, ToolInfo
from runner.mcp.text import one_line
from runner.mcp.tools import Offered, tool_of
from runner.messages import JsonObject
from runner.tools.base import Tool, ToolContext, ToolStep
from runner.tools.caught import Caught
from runner.tools.child import Ending

if TYPE_CHECKING:
    from runner.mcp.session import Connection

_REFRESH = 0.2
"""Seconds between the news that a list changed and asking for it, because such news come in groups."""

_REFRESH_AT_MOST = 0.8
_STOP = 5.0
_SAID = 300


class Server:
    """All of it on one event loop. changed: called when what can be seen of it may be different."""

    def __init__(
        self,
        config: McpServer,
        *,
        workspace: Path,
        book: Book,
        log_dir: Path | None,
        environ: Mapping[str, str],
        timing: Timing,
        changed: Callable[[], None],
    ) -> None:
        self.config = config
        self.phase: Phase = "off"
        self._workspace = workspace
        self._book = book
        self._log = ServerLog(log_dir, config.name)
        self._environ = environ
        self._timing = timing
        self._on_change = changed
        self._problem = ""
        self._version = ""
        self._restarts = 0
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._turn = asyncio.Event()
        self._stale = asyncio.Event()
        self._calls = RunningCalls()
        self._offered: dict[str, Offered] = {}
        self._tools: tuple[Tool, ...] = ()
        self._left_out: tuple[str, ...] = ()
        self._prompts: tuple[PromptInfo, ...] = ()
        self._resources: tuple[ResourceInfo, ...] = ()
        self._changing = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def trusted(self) -> bool:
        return self.config.trusted

    @property
    def call_timeout(self) -> float | None:
        return self.config.call_timeout

    @property
    def tools(self) -> tuple[Tool, ...]:
        """While it restarts they stay: a call of them waits."""
        return self._tools if self.phase in ("ready", "restarting") else ()

    @property
    def prompts(self) -> tuple[PromptInfo, ...]:
        return self._prompts if self.phase == "ready" else ()

    @property
    def resources(self) -> tuple[ResourceInfo, ...]:
        return self._resources if self.phase == "ready" else ()

    def state(self) -> ServerState:
        process = None if self._connection is None else self._connection.watch.process
        return ServerState(
            name=self.name,
            transport=self.config.transport,
            phase=self.phase,
            problem=self._problem,
            trusted=self.trusted,
            version=self._version,
            pid=None if process is None else process.pid,
            tools=tuple(self._info(one) for one in self._offered.values()) if self.tools else (),
            left_out=self._left_out if self.phase in ("ready", "restarting") else (),
            prompts=self.prompts,
            resources=self.resources,
            restarts=self._restarts,
            stderr=self._log.tail(),
        )

    def _info(self, offered: Offered) -> ToolInfo:
        return ToolInfo(
            name=offered.name,
            original=offered.original,
            title=offered.title,
            description=offered.known.description,
            read_only=offered.hint("readOnlyHint"),
            destructive=offered.hint("destructiveHint"),
            approval=self.approval(offered),
            changed=self.changed(offered),
        )

    def expect(self) -> None:
        """It is going to be started."""
        self._set("starting")

    async def start(self) -> None:
        async with self._changing:
            self._begin()

    async def stop(self) -> None:
        async with self._changing:
            await self._end()

    async def restart(self) -> None:
        async with self._changing:
            await self._end()
            self._begin()

    def _begin(self) -> None:
        if self._task is not None and not self._task.done():
            return
        self._loop = asyncio.get_running_loop()
        self._stop.clear()
        self._restarts = 0
        self._set("starting")
        self._task = asyncio.create_task(self._live(), name=f"mcp server {self.name}")
        self._task.add_done_callback(self._over)

    async def _end(self) -> None:
        task = self._task
        if task is None:
            if self.phase != "off":
                self._set("off")
            return
        self._stop.set()
        if self._connection is None:
            task.cancel()
        _, left = await asyncio.wait({task}, timeout=_STOP)
        if left:
            # A second time it does not even say goodbye.
            task.cancel()
            await asyncio.wait({task}, timeout=_STOP)
        self._task = None
        self._set("off")

    def _over(self, task: asyncio.Task[None]) -> None:
        """A mistake of ours is not lost with the task that made it."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._set("failed", one_line(f"{type(error).__name__}: {error}", _SAID))

    async def _live(self) -> None:
        """Until it is stopped, or has failed too often in a row."""
        backoff = self._timing.backoff
        tried = 0
        while True:
            problem, lasted = await self._once()
            if self._stop.is_set():
                return
            first = lasted is None and self._restarts == 0
            if lasted is not None and lasted >= self._timing.stable:
                tried = 0
            if first or tried >= len(backoff):
                self._set("failed", problem)
                return
            self._set("restarting", problem)
            await wait_for({self._stop}, backoff[tried])
            if self._stop.is_set():
                return
            tried += 1
            self._restarts += 1

    async def _once(self) -> tuple[str, float | None]:
        """One connection from its beginning to its end: why it ended, and for how long it was ready."""
        session, asking = await asyncio.to_thread(_load)
        watch = session.Watch()
        ready: float | None = None
        with Caught(Exception, BaseExceptionGroup) as caught:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(self.config.connect_timeout):
                    connection = await stack.enter_async_context(
                        session.connected(
                            self.config,
                            workspace=self._workspace,
                            environ=self._environ,
                            log=self._log,
                            timing=self._timing,
                            asked=asking.Asking(self.config, self._calls, self._log),
                            changed=self._stale.set,
                            watch=watch,
                        )
                    )
                    await self._take(connection)
                ready = time.monotonic()
                self._connection, watch.status = connection, None
                self._set("ready")
                await self._attend(connection)
        self._connection = None
        lasted = None if ready is None else time.monotonic() - ready
        self._log.close()
        return self._why(caught.error, watch), lasted

    async def _attend(self, connection: Connection) -> None:
        """Until it is to be stopped, or is lost."""
        self._stale.clear()
        refreshing = asyncio.create_task(self._refresh(connection), name=f"mcp lists {self.name}")
        try:
            await wait_for({self._stop, connection.watch.lost}, None)
        finally:
            refreshing.cancel()

    async def _refresh(self, connection: Connection) -> None:
        """Ask again for what the server says has changed, but not as often as it may say so."""
        while True:
            await self._stale.wait()
            await asyncio.sleep(_REFRESH)
            self._stale.clear()
            with Caught(Exception) as caught:
                await self._take(connection)
                self._notify()
            if caught.error is not None:
                self._log.note(f"[lists] they cannot be read: {one_line(str(caught.error), _SAID)}")
            await asyncio.sleep(_REFRESH_AT_MOST)

    async def _take(self, connection: Connection) -> None:
        """What the server has, as it is from now on."""
        catalogue = await connection.catalogue()
        offers: Any = import_module("runner.mcp.offers")
        found, left_out = await asyncio.to_thread(offers.offers, self.config, self._source(), catalogue.tools)
        offered: list[Offered] = found
        self._offered = {one.original: one for one in offered}
        self._tools = tuple(tool_of(self, one) for one in offered)
        self._left_out = bounded((*left_out, *catalogue.broken))
        self._prompts = offers.prompts(self.name, catalogue)
        self._resources = offers.resources(self.name, catalogue)
        self._version = connection.version

    def _source(self) -> str:
        """What makes it this server, whatever it is called."""
        config = self.config
        return config.url or json.dumps([config.command, *config.args], ensure_ascii=True)

    def _why(self, error: BaseException | None, watch: Any) -> str:
        """Why the connection ended, with the last words of a process that ended by itself."""
        reasons: Any = import_module("runner.mcp.reasons")
        if error is not None and not reasons.lost(reasons.telling(error)):
            return reasons.why(error, self.config, watch)
        if watch.process is None:
            return "the connection was lost"
        ended: asyncio.Future[Ending | None] = watch.process.ended
        words = how_it_ended(ended.result() if ended.done() else None)
        last = one_line(self._log.last_line(), _SAID)
        return f"{words}; its last words: {last}" if last else words

    def _set(self, phase: Phase, problem: str = "") -> None:
        self.phase, self._problem = phase, problem
        self._notify()

    def _notify(self) -> None:
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()
        self._on_change()

    async def settled(self) -> None:
        """Return once it is not starting any more."""
        while self.phase == "starting":
            await self._turn.wait()

    async def connection(self) -> Connection:
        """The one that is there, or that comes soon. Raises NotExecuted."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timing.revive):
                while self._alive() is None and self.phase not in ("off", "failed"):
                    await self._turn.wait()
        if (found := self._alive()) is not None:
            return found
        problem = f": {self._problem}" if self._problem else ""
        raise NotExecuted(f"The MCP server {self.name!r} is not running{problem}. Nothing was done.")

    def why(self, error: BaseException) -> str:
        """What went wrong with something that it was asked for, in words."""
        reasons: Any = import_module("runner.mcp.reasons")
        if reasons.lost(error):
            return "it ended while it was asked"
        return reasons.why(error, self.config, reasons.Watch())

    def _alive(self) -> Connection | None:
        """The connection, unless it is lost and that was not taken notice of yet."""
        found = self._connection
        return None if found is None or found.watch.lost.is_set() else found

    def approval(self, offered: Offered) -> Approval:
        return self._book.approval(self.name, offered.original, offered.known)

    def changed(self, offered: Offered) -> str:
        return self._book.changed(self.name, offered.original, offered.known)

    def old_description(self, offered: Offered) -> str:
        return self._book.old_description(self.name, offered.original)

    def approve(self, offered: Offered) -> None:
        """From any thread; blocks."""
        self._book.approve(self.name, offered.original, offered.known)
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # The loop is closed: nobody looks any more.
                self._loop.call_soon_threadsafe(self._notify)

    async def call(self, offered: Offered, ctx: ToolContext, arguments: JsonObject) -> AsyncGenerator[ToolStep]:
        connection = await self.connection()
        now = self._offered.get(offered.original)
        if now is None:
            raise NotExecuted(f"The MCP server {self.name!r} does not have this tool any more. Nothing was done.")
        if now.known.identity != offered.known.identity:
            words = "This tool is not what it was when it was offered: read its description again before calling it."
            raise NotExecuted(f"{words} Nothing was done.")
        if self.trusted and self.approval(offered) == "new":
            self._book.approve_soon(self.name, offered.original, offered.known)
        call = self._calls.begin(ctx)
        work = carry_out(self.config, connection, offered, call, arguments)
        task = asyncio.create_task(work, name=f"mcp call {offered.name}")
        try:
            async with aclosing(activities(call, task)) as steps:
                async for activity in steps:
                    yield activity
            yield task.result()
        finally:
            if not task.done():
                await let_go(task)
            self._calls.end(call)


def _load() -> tuple[Any, Any]:
    """The protocol's package takes most of a second to load."""
    for name in ("offers", "reasons"):
        import_module(f"runner.mcp.{name}")
    return import_module("runner.mcp.session"), import_module("runner.mcp.asking")
