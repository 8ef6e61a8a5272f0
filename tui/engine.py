"""The runner in a thread with an event loop of its own; the screen never waits for it.

What the screen asks for crosses with `call_soon_threadsafe`; what happens comes back as notices, through one
function that may be called from any thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from tui.engine_parts.early import EarlyStop, StopHow
from tui.engine_parts.errands import Errands
from tui.engine_parts.helping import begin_run, import_all, load_provider, plain_error, run_changes
from tui.engine_parts.needs import EngineSettings
from tui.engine_parts.notices import (
    EngineFault,
    McpChanged,
    ModelChosen,
    Notice,
    ProcessesChanged,
    RunBegan,
    RunEnded,
    RunRefused,
    SandboxKnown,
    StoreOpened,
    Warm,
)

if TYPE_CHECKING:
    from runner.api import Runner
    from runner.control.commands import LimitName
    from runner.control.handle import RunHandle
    from runner.mcp.hub import McpHub
    from runner.mcp.state import ServerState
    from runner.policy.base import Rule
    from runner.store import Store
    from runner.tools.background import Background
    from runner.undo.keeper import Keeper
    from tui.engine_parts.services import Services
    from tui.person_shell import Shell

T = TypeVar("T")

__all__ = [
    "Engine",
    "EngineFault",
    "EngineSettings",
    "McpChanged",
    "ModelChosen",
    "Notice",
    "ProcessesChanged",
    "RunBegan",
    "RunEnded",
    "RunRefused",
    "SandboxKnown",
    "StoreOpened",
    "Warm",
]

GRACE_AT_QUIT = 6.0
"""Seconds that aborted runs get to save their state when the program ends."""

CLOSING = 8.0
"""Seconds after that for servers, processes in the background and the store, each of them bounded by itself."""

TELL_EVERY = 0.1
"""Seconds in which changes of servers are told together."""


class Engine:
    """start() once; everything else may be called from any thread."""

    def __init__(
        self,
        settings: EngineSettings,
        post: Callable[[Notice], None],
        *,
        warm: Sequence[str] = (),
        open_store: bool = True,
    ) -> None:
        self.on_events: Callable[[], None] | None = None
        """Called from any thread when events of a run wait; set it before the first run."""
        self.servers: tuple[ServerState, ...] = ()
        """All servers as they were last told of."""
        self._settings = settings
        self._post = post
        self._warm = tuple(warm)
        self._open_store = open_store
        self._thread = threading.Thread(target=self._main, name="quarterdeck-engine", daemon=True)
        self._began = threading.Event()
        self._over = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready: asyncio.Event | None = None
        self._stop: asyncio.Event | None = None
        self._store: Store | None = None
        self._runner: Runner | None = None
        self._services: Services | None = None
        self._telling = False
        self._runs: dict[str, RunHandle] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._errands = Errands()
        self._rules: tuple[Rule, ...] = ()
        self._early = EarlyStop()

    def start(self) -> None:
        self._thread.start()

    def start_run(
        self,
        text: str,
        *,
        session_id: str | None,
        model: str | None,
        settings: Mapping[str, str | float] | None = None,
        agent: str | None = None,
        limits: Mapping[LimitName, Decimal | None] | None = None,
        compact: bool = False,
        notes: Sequence[str] = (),
        shell: Shell | None = None,
    ) -> None:
        """Start a run; RunBegan or RunRefused answers. settings, limits, notes, shell: see ports.Starter."""
        changes = run_changes(model, session_id, settings or {})
        self._early = EarlyStop()
        limits = dict(limits or {})
        self._submit(self._start_run((*notes, text), agent, changes, limits, compact, shell, self._early))

    def stop_starting(self, how: StopHow) -> None:
        """Stop the run that was asked for last, also where it does not exist yet."""
        self._early.ask(how)

    def ask(self, question: Callable[[Store], T]) -> Future[T]:
        """Put a question to the store in a thread of its own. The future fails with StoreError where there is none."""
        return self._run_future(self._ask(question))

    def add_rules(self, rules: Sequence[Rule]) -> None:
        """Rules that were saved since the start; they count for the runs to come."""
        self._rules = (*self._rules, *rules)

    def use_settings(self, settings: EngineSettings) -> None:
        """Settings that were saved since the start; they count for the runs to come."""
        self._settings = settings

    def on_hub(self, work: Callable[[McpHub], Coroutine[Any, Any, T]]) -> Future[T]:
        """Ask the servers for something, on the engine's loop. The future fails with McpError where there are none."""
        return self._run_future(self._on_hub(work))

    @property
    def processes(self) -> Background | None:
        """What runs in the background; None until the store is open."""
        return None if self._services is None else self._services.background

    @property
    def keeper(self) -> Keeper | None:
        """What undo restores from; None until the store is open."""
        return None if self._services is None else self._services.keeper

    def leave_session(self, session_id: str) -> bool:
        """Another session is shown: end what runs in the background of this one, unless a run of it goes on."""
        if self._services is None or any(run.session_id == session_id for run in self._runs.values()):
            return False
        self._submit(self._services.leave_session(session_id))
        return True

    async def _on_hub(self, work: Callable[[McpHub], Coroutine[Any, Any, T]]) -> T:
        from runner.mcp.config import McpError

        assert self._ready is not None
        await self._ready.wait()
        if self._services is None or self._services.hub is None:
            raise McpError("no server is configured")
        return await work(self._services.hub)

    def background(self, work: Callable[[], T]) -> Future[T]:
        """Do blocking work off the screen's thread."""
        return self._run_future(asyncio.to_thread(work))

    def load_provider(self, model: str) -> None:
        """Load what the model's provider needs, without waiting for it; the demos need nothing."""
        self.background(lambda: load_provider(self._settings, model))

    def shutdown(self) -> Future[None]:
        """Abort what runs, let it save its state, close the store, end the thread. Done within GRACE_AT_QUIT or so."""
        done: Future[None] = Future()
        # Whoever waits may be cancelled with the screen; the end goes on all the same.
        done.set_running_or_notify_cancel()
        if not self._thread.is_alive() and not self._began.is_set():
            done.set_result(None)
            return done

        def wait() -> None:
            self._began.wait(GRACE_AT_QUIT)
            if self._loop is not None and self._stop is not None:
                with contextlib.suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self._stop.set)
            self._over.wait(GRACE_AT_QUIT + CLOSING)
            done.set_result(None)

        threading.Thread(target=wait, name="quarterdeck-shutdown", daemon=True).start()
        return done

    @property
    def live(self) -> int:
        """Runs that go on."""
        return len(self._runs)

    def _main(self) -> None:
        try:
            asyncio.run(self._guarded())
        finally:
            self._errands.close()
            self._began.set()
            self._over.set()

    async def _guarded(self) -> None:
        serving = asyncio.create_task(self._serve())
        await asyncio.wait({serving})
        self._report(serving, fatal=True)

    async def _serve(self) -> None:
        self._ready, self._stop = asyncio.Event(), asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._began.set()
        opening = self._spawn(self._open())
        await self._stop.wait()
        if not opening.done():
            await asyncio.wait({opening}, timeout=GRACE_AT_QUIT)
        await self._end_runs()
        if self._services is not None:
            await self._services.close()
        rest = list(self._tasks)
        for task in rest:
            task.cancel()
        if rest:
            await asyncio.wait(rest, timeout=1)
        await self._errands.end()
        if self._store is not None:
            await asyncio.to_thread(self._store.close)

    async def _open(self) -> None:
        """In the order of what the person sees first: the screen's modules, the model's name, then the store."""
        assert self._ready is not None
        try:
            await asyncio.to_thread(import_all, self._warm)
            self._post(Warm())
            model, why = await asyncio.to_thread(self._settings.chosen_model)
            self._post(ModelChosen(model, why))
            opened = await asyncio.to_thread(self._open_all) if self._open_store else StoreOpened(None)
            services = await asyncio.to_thread(self._make_runner, opened)
            self._post(opened)
            await services.open()
            self._tell_servers()
            self._ready.set()
            self._post(SandboxKnown(await asyncio.to_thread(services.sandbox)))
        finally:
            self._ready.set()

    def _report(self, task: asyncio.Task[Any], *, fatal: bool = False) -> None:
        """A task of ours is over; a fault that nothing handled is said on the screen instead of being lost."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._post(EngineFault(plain_error(error), error, fatal))

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._report)
        return task

    def _open_all(self) -> StoreOpened:
        from runner.clock import SystemClock
        from runner.errors import StoreError
        from runner.store import Store
        from runner.store.paths import data_dir

        try:
            self._store = Store.open()
            recovered = tuple(self._store.recover(SystemClock()))
        except StoreError as error:
            return StoreOpened(None, problem=str(error))
        return StoreOpened(data_dir(), recovered)

    def _make_runner(self, opened: StoreOpened) -> Services:
        from runner.store.paths import data_dir
        from tui.engine_parts.services import Services

        self._services = services = Services(
            self._settings,
            data_dir(),
            on_servers=self._servers_changed,
            on_processes=lambda: self._post(ProcessesChanged()),
        )
        if self._open_store:
            services.recover([run.run_id for run in opened.recovered])
        self._runner = services.runner(self._store)
        return services

    def _servers_changed(self) -> None:
        """Tell the screen, once for all that changes within a moment."""
        if not self._telling:
            self._telling = True
            asyncio.get_running_loop().call_later(TELL_EVERY, self._tell_servers)

    def _tell_servers(self) -> None:
        self._telling = False
        if self._services is not None and self._services.hub is not None:
            self.servers = self._services.servers
            self._post(McpChanged(self.servers))

    async def _start_run(
        self,
        texts: Sequence[str],
        agent: str | None,
        changes: Mapping[str, Any],
        limits: Mapping[LimitName, Decimal | None],
        compact: bool,
        shell: Shell | None,
        early: EarlyStop,
    ) -> None:
        from runner.errors import QuarterdeckError
        from tui.limits import for_config

        assert self._ready is not None
        await self._ready.wait()
        if self._runner is None or self._services is None:
            self._post(RunRefused(texts[-1], "the runner could not be opened"))
            return
        try:
            described = self._services.equipped(await asyncio.to_thread(self._settings.agent, agent))
            config = self._settings.run_config(attended=True, approver=True, **changes, **for_config(limits))
            config = replace(config, approval_policy=(*config.approval_policy, *self._rules))
            handle = begin_run(self._runner, described, texts, shell, config)
            early.begun(handle)
            if compact:
                handle.compact()
        except QuarterdeckError as error:
            return self._post(RunRefused(texts[-1], str(error)))
        self._runs[handle.run_id] = handle
        self._post(RunBegan(handle, handle.subscribe(0, self.on_events)))
        problem = ""
        try:
            await handle.result()
        except QuarterdeckError as error:
            problem = str(error)
        finally:
            self._runs.pop(handle.run_id, None)
        self._post(RunEnded(handle.run_id, problem))

    async def _ask(self, question: Callable[[Store], T]) -> T:
        from runner.errors import StoreError

        assert self._ready is not None
        await self._ready.wait()
        if self._store is None:
            raise StoreError("there is no session store")
        return await asyncio.to_thread(question, self._store)

    async def _end_runs(self) -> None:
        handles = list(self._runs.values())
        for handle in handles:
            handle.abort("signal")
        waiting = [asyncio.ensure_future(handle.result()) for handle in handles]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=GRACE_AT_QUIT)
            for task in late:
                task.cancel()

    def _submit(self, work: Coroutine[Any, Any, Any]) -> None:
        loop = self._loop_or_none()
        if loop is None:
            return work.close()
        loop.call_soon_threadsafe(self._spawn, work)

    def _run_future(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return self._errands.hand_in(work, self._loop_or_none())

    def _loop_or_none(self) -> asyncio.AbstractEventLoop | None:
        """The engine's loop; waits the moment that a thread needs to begin."""
        if self._thread.is_alive():
            self._began.wait(5)
        loop = self._loop
        return None if loop is None or loop.is_closed() or self._over.is_set() else loop
