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
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from runner.agent import Agent
    from runner.api import Runner
    from runner.config import RunConfig
    from runner.control.commands import LimitName
    from runner.control.handle import RunHandle
    from runner.hub import Subscription
    from runner.models.registry import ModelRegistry
    from runner.store import Store
    from runner.store.base import RecoveredRun

T = TypeVar("T")

GRACE_AT_QUIT = 6.0
"""Seconds that aborted runs get to save their state when the program ends."""


class EngineSettings(Protocol):
    """What the engine needs of the settings."""

    @property
    def cwd(self) -> Path: ...

    def registry(self) -> ModelRegistry: ...

    def agent(self, name: str | None = None) -> Agent: ...

    def run_config(self, *, attended: bool = False, **changes: Any) -> RunConfig: ...

    def chosen_model(self, agent: str | None = None) -> tuple[str, str]: ...


@dataclass(frozen=True, slots=True)
class Warm:
    """The modules that the screen needs to show runs are loaded."""


@dataclass(frozen=True, slots=True)
class ModelChosen:
    """The model to start with, and why."""

    model: str
    why: str


@dataclass(frozen=True, slots=True)
class StoreOpened:
    """data_dir: where things are kept; problem: why nothing can be stored, "" where it can."""

    data_dir: Path | None
    recovered: tuple[RecoveredRun, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RunBegan:
    """subscription: the run's events from the first one on; its notify is the engine's `on_events`."""

    handle: RunHandle
    subscription: Subscription


@dataclass(frozen=True, slots=True)
class RunRefused:
    """A run could not be started; texts are the messages that were meant for it."""

    text: str
    problem: str


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run's task is over. problem: a fault outside the run's own end, "" as a rule."""

    run_id: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class EngineFault:
    """Something broke that is no run's own end: a broken installation, a wrong configuration, a bug of ours."""

    problem: str


Notice: TypeAlias = Warm | ModelChosen | StoreOpened | RunBegan | RunRefused | RunEnded | EngineFault


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
        self._runs: dict[str, RunHandle] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        self._thread.start()

    def start_run(
        self,
        text: str,
        *,
        session_id: str | None,
        model: str | None,
        agent: str | None = None,
        limits: Mapping[LimitName, Decimal | None] | None = None,
        compact: bool = False,
    ) -> None:
        """Start a run; RunBegan or RunRefused answers. limits win over the settings; compact: summarise first."""
        changes = {"model": model, "session_id": session_id}
        self._submit(self._start_run(text, agent, changes, dict(limits or {}), compact))

    def ask(self, question: Callable[[Store], T]) -> Future[T]:
        """Put a question to the store in a thread of its own. The future fails with StoreError where there is none."""
        return self._run_future(self._ask(question))

    def background(self, work: Callable[[], T]) -> Future[T]:
        """Do blocking work off the screen's thread."""
        return self._run_future(asyncio.to_thread(work))

    def load_provider(self, model: str) -> None:
        """Load what the model's provider needs, without waiting for it; the demos need nothing."""
        self.background(lambda: self._load_provider(model))

    def _load_provider(self, model: str) -> None:
        from runner.errors import ConfigError
        from runner.models.provider_model import ProviderModel

        try:
            resolved = self._settings.registry().resolve(model)
        except ConfigError:
            # A name that means nothing is said when a run is to start with it.
            return
        if isinstance(resolved, ProviderModel):
            resolved.prepare()

    def shutdown(self) -> Future[None]:
        """Abort what runs, let it save its state, close the store, end the thread. Done within GRACE_AT_QUIT or so."""
        done: Future[None] = Future()
        if not self._thread.is_alive() and not self._began.is_set():
            done.set_result(None)
            return done

        def wait() -> None:
            self._began.wait(GRACE_AT_QUIT)
            if self._loop is not None and self._stop is not None:
                with contextlib.suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self._stop.set)
            self._over.wait(GRACE_AT_QUIT + 4)
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
            self._began.set()
            self._over.set()

    async def _guarded(self) -> None:
        serving = asyncio.create_task(self._serve())
        await asyncio.wait({serving})
        self._report(serving)

    async def _serve(self) -> None:
        self._ready, self._stop = asyncio.Event(), asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._began.set()
        opening = self._spawn(self._open())
        await self._stop.wait()
        if not opening.done():
            await asyncio.wait({opening}, timeout=GRACE_AT_QUIT)
        await self._end_runs()
        rest = list(self._tasks)
        for task in rest:
            task.cancel()
        if rest:
            await asyncio.wait(rest, timeout=1)
        if self._store is not None:
            await asyncio.to_thread(self._store.close)

    async def _open(self) -> None:
        """In the order of what the person sees first: the screen's modules, the model's name, then the store."""
        assert self._ready is not None
        try:
            await asyncio.to_thread(_import_all, self._warm)
            self._post(Warm())
            model, why = await asyncio.to_thread(self._settings.chosen_model)
            self._post(ModelChosen(model, why))
            opened = await asyncio.to_thread(self._open_all) if self._open_store else StoreOpened(None)
            await asyncio.to_thread(self._make_runner)
            self._post(opened)
        finally:
            self._ready.set()

    def _report(self, task: asyncio.Task[Any]) -> None:
        """A task of ours is over; a fault that nothing handled is said on the screen instead of being lost."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._post(EngineFault(_plain(error)))

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

    def _make_runner(self) -> None:
        from runner.api import Runner
        from runner.policy.grants import GrantFile
        from runner.store.paths import data_dir

        grants = GrantFile(data_dir() / "grants.json")
        self._runner = Runner(store=self._store, models=self._settings.registry(), grants=grants)

    async def _start_run(
        self,
        text: str,
        agent: str | None,
        changes: Mapping[str, Any],
        limits: Mapping[LimitName, Decimal | None],
        compact: bool,
    ) -> None:
        from runner.errors import QuarterdeckError
        from tui.limits import for_config

        assert self._ready is not None
        await self._ready.wait()
        if self._runner is None:
            self._post(RunRefused(text, "the runner could not be opened"))
            return
        try:
            described = await asyncio.to_thread(self._settings.agent, agent)
            config = self._settings.run_config(attended=True, approver=True, **changes, **for_config(limits))
            handle = self._runner.start(described, text, config)
            if compact:
                handle.compact()
        except QuarterdeckError as error:
            self._post(RunRefused(text, str(error)))
            return
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
            work.close()
            return

        loop.call_soon_threadsafe(self._spawn, work)

    def _run_future(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        loop = self._loop_or_none()
        if loop is None:
            work.close()
            from runner.errors import QuarterdeckError

            failed: Future[T] = Future()
            failed.set_exception(QuarterdeckError("the program is ending"))
            return failed
        return asyncio.run_coroutine_threadsafe(work, loop)

    def _loop_or_none(self) -> asyncio.AbstractEventLoop | None:
        """The engine's loop; waits the moment that a thread needs to begin."""
        if self._thread.is_alive():
            self._began.wait(5)
        loop = self._loop
        return None if loop is None or loop.is_closed() or self._over.is_set() else loop


def _import_all(names: tuple[str, ...]) -> None:
    import importlib

    for name in names:
        importlib.import_module(name)


def _plain(error: BaseException) -> str:
    """An error in one line: ours say all by themselves, others need the name of their type."""
    from runner.errors import QuarterdeckError

    return str(error) if isinstance(error, QuarterdeckError) else f"{type(error).__name__}: {error}"
