"""The Runner: five ways to drive the one loop."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from runner.agent import Agent
from runner.clock import Clock, SystemClock
from runner.config import RunConfig
from runner.control.commands import PersonCommand
from runner.control.handle import RunHandle
from runner.control.inbox import Inbox
from runner.errors import ConfigError
from runner.events import Event
from runner.hub import Hub, Journal
from runner.ids import IdSource, Uuid7Ids
from runner.inputs import read_input
from runner.loop.core import Archive, Grants, RunCore
from runner.loop.emit import Emitter
from runner.loop.granting import recall_grants
from runner.loop.leaving import own_background
from runner.loop.limits import limits_of
from runner.loop.person import check_command
from runner.loop.run import RunLoop
from runner.loop.timer import ActiveTimer
from runner.messages import Message
from runner.models.base import Model, ModelResolver
from runner.policy.base import Grant
from runner.policy.uses import NO_USES, Uses
from runner.result import RunResult
from runner.tools.base import FileKeeper

if TYPE_CHECKING:
    from runner.models.registry import ModelRegistry
    from runner.tools.background import Background

RunInput: TypeAlias = str | Sequence[Message | Mapping[str, object]]
"""A text, or messages: typed ones, or {"role": "user" | "assistant", "content": text}; the last one is the user's."""


class Lease(Protocol):
    def release(self) -> None: ...


class SessionStore(Archive, Protocol):
    """What a Runner asks of a store; runner.store.Store is one. The methods block and are called in a thread,
    but for lease, which must be quick."""

    @property
    def journal(self) -> Journal: ...

    def history(self, session_id: str) -> tuple[Message, ...]: ...

    def grants_with_uses(self, session_id: str) -> tuple[list[Grant], Uses]: ...

    def lease(self, session_id: str) -> Lease: ...


class LastingGrants(Grants, Protocol):
    def load(self, workspace: Path) -> list[Grant]: ...


class Runner:
    """Runs agents. Holds no state of a run, so one Runner serves any number of runs at once.

    store: keeps every event and gives a session its history; None keeps nothing. models: resolves model names; None
    means the built-in registry. grants: where a person's decisions "for this project" and "for me" are kept. keeper:
    keeps what files were, for undo (runner.undo). background: the processes that outlive a call
    (runner.tools.background); None: each run has its own, which end with it.
    """

    def __init__(
        self,
        *,
        store: SessionStore | None = None,
        models: ModelResolver | None = None,
        clock: Clock | None = None,
        ids: IdSource | None = None,
        grants: LastingGrants | None = None,
        keeper: FileKeeper | None = None,
        background: Background | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._models = models
        self._clock = clock or SystemClock()
        self._ids = ids or Uuid7Ids()
        self._grants = grants
        self._keeper = keeper
        self._background = background
        self._jitter = jitter

    def start(self, agent: Agent, input: RunInput, config: RunConfig | None = None) -> RunHandle:
        """Start a run on the running event loop and return its handle at once.

        Raises InputError, ConfigError, or SessionBusyError before anything happened. The holder of the handle is the
        approver, unless config.approver says otherwise.
        """
        config = config or RunConfig()
        if config.approver is None:
            config = replace(config, approver=True)
        return self._start(agent, input, config)

    def start_command(self, agent: Agent, command: PersonCommand, config: RunConfig | None = None) -> RunHandle:
        """Start a run with a shell command of the person's own instead of a message. It asks the model nothing and ends
        with the command, unless messages are sent meanwhile: then it goes on as every run does.

        Raises CommandError, ConfigError, or SessionBusyError before anything ran.
        """
        check_command(command)
        config = config or RunConfig()
        if config.approver is None:
            config = replace(config, approver=True)
        return self._start(agent, (), config, command)

    async def run(self, agent: Agent, input: RunInput, config: RunConfig | None = None) -> RunResult:
        """Run to the end. Cancelling the call aborts the run, waits until that is recorded, and propagates."""
        handle = self._start(agent, input, config or RunConfig())
        try:
            return await handle.result()
        except asyncio.CancelledError:
            await _abort_and_wait(handle)
            raise

    def run_sync(self, agent: Agent, input: RunInput, config: RunConfig | None = None) -> RunResult:
        """Run to the end from synchronous code; inside a running event loop it uses a thread and a loop of its own."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self.run(agent, input, config))
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="run_sync") as pool:
            return pool.submit(lambda: asyncio.run(self.run(agent, input, config))).result()

    async def stream(
        self, agent: Agent, input: RunInput, config: RunConfig | None = None
    ) -> AsyncGenerator[Event, None]:
        """Every event of a run as it happens. Leaving the loop early and closing the generator aborts the run."""
        handle = self._start(agent, input, config or RunConfig())
        try:
            events = handle.events()
            async with aclosing(events):
                async for event in events:
                    yield event
        finally:
            if not handle.done:
                await _abort_and_wait(handle)
        await handle.result()

    def _start(
        self, agent: Agent, input: RunInput, config: RunConfig, command: PersonCommand | None = None
    ) -> RunHandle:
        messages = read_input(input) if command is None else ()
        models = self._models or _default_models()
        model = _resolve(models, config.model if config.model is not None else agent.model)
        fallbacks = config.fallback_models if config.fallback_models is not None else agent.fallback_models
        chain = [_resolve(models, name) for name in fallbacks]
        workspace = (config.workspace or Path.cwd()).resolve()
        if not workspace.is_dir():
            raise ConfigError(f"{workspace} is not a folder", where="RunConfig.workspace")
        run_id = config.run_id or self._ids.run_id()
        session_id = config.session_id or self._ids.session_id()
        lease = self._store.lease(session_id) if self._store is not None else None
        hub = Hub(self._store.journal if self._store is not None else None)
        emitter = Emitter(hub=hub, clock=self._clock, run_id=run_id, session_id=session_id, agent=agent.name)
        core = RunCore(
            agent=agent,
            config=config,
            workspace=workspace,
            emitter=emitter,
            inbox=Inbox(emit=emitter.fact),
            clock=self._clock,
            ids=self._ids,
            models=models,
            timer=ActiveTimer(self._clock),
            random=self._jitter,
            archive=self._store,
            lasting_grants=self._grants,
            model=model,
            fallbacks=chain,
            grants=list(config.grants),
            approver_present=bool(config.approver),
            limits=limits_of(config),
            keeper=self._keeper,
            background=self._background or own_background(agent),
            owns_background=self._background is None,
        )
        run = RunLoop(core, messages)
        run.announce()
        if command is not None:
            run.take(command)
        task = asyncio.get_running_loop().create_task(self._drive(run, core, lease), name=f"run {run_id}")
        return RunHandle(
            run_id=run_id,
            session_id=session_id,
            hub=hub,
            run=run,
            task=task,
            new_id=lambda: self._ids.short_id("message"),
        )

    async def _drive(self, run: RunLoop, core: RunCore, lease: Lease | None) -> RunResult:
        try:
            return await run.execute(lambda: self._recall(core))
        finally:
            if lease is not None:
                lease.release()

    async def _recall(self, core: RunCore) -> None:
        """What the session already holds: its messages, and what the person allowed or denied for longer."""
        session_id = core.emitter.state.session_id
        loaded: list[Grant] = []
        uses = NO_USES
        if self._store is not None:
            if core.config.include_context:
                core.prior = await asyncio.to_thread(self._store.history, session_id)
            loaded, uses = await asyncio.to_thread(self._store.grants_with_uses, session_id)
        if self._grants is not None:
            loaded = [*loaded, *await asyncio.to_thread(self._grants.load, core.workspace)]
        recall_grants(core, loaded, uses)


def _resolve(models: ModelResolver, model: str | Model) -> Model:
    return models.resolve(model) if isinstance(model, str) else model


def _default_models() -> ModelRegistry:
    from runner.models.registry import ModelRegistry

    return ModelRegistry()


async def _abort_and_wait(handle: RunHandle) -> None:
    """Abort and wait for the record of it, even while our own task is being cancelled."""
    handle.abort(by="program")
    waiting = asyncio.ensure_future(asyncio.wait([asyncio.ensure_future(handle.result())]))
    await asyncio.shield(waiting)
