"""What the loop's tests share: a runner over a scripted model, and small tools whose work a test can see and hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from runner.agent import Agent
from runner.api import RunInput, Runner
from runner.config import RunConfig
from runner.control.handle import RunHandle
from runner.errors import ConfigError
from runner.events import Event
from runner.ids import SequentialIds
from runner.models.base import Model, ModelSettings
from runner.result import RunResult
from runner.testing import Recorder, ScriptedModel
from runner.tools import tool
from runner.tools.base import Tool

E = TypeVar("E", bound=Event)

BOUND = 20.0
"""Seconds after which a state that a test waits for is called missing."""


@dataclass(frozen=True, slots=True)
class Models:
    """Resolves the models that a test made, by their names."""

    models: Sequence[Model]

    def resolve(self, name: str) -> Model:
        for model in self.models:
            if model.info.name == name:
                return model
        raise ConfigError(f"no model is called {name!r}")


@dataclass(slots=True)
class Workshop:
    """Tools that record what they did: note (read-only), write (asks), slow (waits until released), broken (raises)."""

    done: list[str] = field(default_factory=list[str])
    started: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    def tools(self) -> list[Tool]:
        @tool(read_only=True)
        def note(text: str) -> str:
            """Write down a text. text: what to write."""
            self.done.append(f"note {text}")
            return f"noted {text}"

        @tool
        def write(text: str) -> str:
            """Change the world. text: how."""
            self.done.append(f"write {text}")
            return f"wrote {text}"

        @tool(read_only=True)
        async def slow(text: str = "") -> str:
            """Wait until it is let go. text: a label."""
            self.started.set()
            await self.release.wait()
            self.done.append(f"slow {text}")
            return f"slow {text} done"

        @tool(requires_approval=False)
        async def effect(text: str = "") -> str:
            """Wait like slow, with effects. text: a label."""
            self.started.set()
            await self.release.wait()
            self.done.append(f"effect {text}")
            return "done"

        @tool(read_only=True)
        def broken() -> str:
            """Fail."""
            raise ValueError("the disk is made of cheese")

        return [note, write, slow, effect, broken]


def agent_for(model: Model, tools: Sequence[Tool] = (), **changes: object) -> Agent:
    return Agent(name="deck", model=model, tools=tuple(tools), **changes)  # pyright: ignore[reportArgumentType]


def make_runner(*models: Model) -> Runner:
    return Runner(models=Models(models), ids=SequentialIds(), jitter=lambda: 0.0)


@dataclass(slots=True)
class Live:
    """A run that a test steers: its handle and all events so far."""

    handle: RunHandle
    recorder: Recorder
    _grew: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def follow(self) -> None:
        async for event in self.handle.events():
            self.recorder.put(event)
            async with self._grew:
                self._grew.notify_all()

    async def until(self, kind: type[E], where: Callable[[E], bool] = lambda _: True) -> E:
        """The first event of this kind that fits; fails after BOUND seconds."""
        async with asyncio.timeout(BOUND), self._grew:
            while True:
                for event in self.recorder.of(kind):
                    if where(event):
                        return event
                await self._grew.wait()

    async def result(self) -> RunResult:
        async with asyncio.timeout(BOUND):
            return await self.handle.result()


@asynccontextmanager
async def live(
    model: Model,
    tools: Sequence[Tool] = (),
    input: RunInput = "go",
    *,
    others: Sequence[Model] = (),
    config: RunConfig | None = None,
    fallback_models: Sequence[Model] = (),
    settings: ModelSettings | None = None,
) -> AsyncGenerator[Live]:
    """A started run; at the end it is aborted where it still goes on, and its events are checked. settings: the agent's
    own."""
    runner = make_runner(model, *others, *fallback_models)
    own = settings or ModelSettings()
    agent = agent_for(model, tools, fallback_models=tuple(fallback_models), model_settings=own)
    running = Live(runner.start(agent, input, config), Recorder())
    follower = asyncio.ensure_future(running.follow())
    try:
        yield running
    finally:
        running.handle.abort(by="test")
        async with asyncio.timeout(BOUND):
            await asyncio.wait([asyncio.ensure_future(running.handle.result())])
            await follower
    running.recorder.assert_valid()


async def run_script(
    responses: Sequence[object], tools: Sequence[Tool] = (), config: RunConfig | None = None
) -> tuple[RunResult, Recorder, ScriptedModel]:
    """Run a script to its end; the events are checked."""
    model = ScriptedModel(responses)  # pyright: ignore[reportArgumentType]
    async with live(model, tools, config=config) as running:
        result = await running.result()
    return result, running.recorder, model
