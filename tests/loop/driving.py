"""Six ways to drive one scenario to its end: the four of the Runner, the headless program, the screen's engine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.agent import Agent
from runner.api import RunInput, Runner
from runner.config import RunConfig
from runner.control.commands import PersonCommand, Send
from runner.control.handle import RunHandle
from runner.errors import CommandError
from runner.events import Event
from runner.events.codec import dump_json
from runner.mcp.config import McpServer
from runner.models.registry import ModelRegistry
from runner.result import RunResult
from runner.store import Store
from tests.contract.sources import ROOT
from tests.loop.conducting import Conductor, Json
from tests.loop.scenario import FIRST, Line, Scenario, Stage, dump
from tui.control_lines import parse
from tui.engine import Engine, EngineFault, Notice, RunBegan, RunEnded, RunRefused

PATIENCE = 60.0
"""Seconds after which a run that does not end is aborted, and the test fails."""

PROMPT = "begin"


@dataclass(frozen=True, slots=True)
class Driven:
    """What a driver showed of its run. result: what it returned, where it returns one; code: of the program."""

    events: list[Json]
    result: RunResult | None = None
    code: int | None = None


def as_json(event: Event) -> Json:
    return json.loads(dump_json(event))


class Watcher(threading.Thread):
    """Reads a run's events in a thread of its own, and sends the scenario's commands from there."""

    def __init__(self, scenario: Scenario, stage: Stage) -> None:
        super().__init__(name="watcher", daemon=True)
        self._scenario, self._stage = scenario, stage
        self._ready = threading.Event()
        self.events: list[Json] = []
        self.stuck = False

    def watch(self, handle: RunHandle) -> None:
        self._stage.handle = self._handle = handle
        self._subscription = handle.subscribe(0, self._ready.set)
        self.start()

    def run(self) -> None:
        conductor = Conductor(self._scenario, self._send)
        while True:
            if not self._ready.wait(PATIENCE):
                self.stuck = True
                self._handle.abort("test")
                return
            self._ready.clear()
            for event in map(as_json, self._subscription.drain()):
                self.events.append(event)
                conductor.feed(event)
                if event["kind"] == "run_finished":
                    return

    def _send(self, line: Line) -> None:
        command = parse(json.dumps(line).encode())
        # A run that is over takes no commands, however it was driven.
        with contextlib.suppress(CommandError):
            if isinstance(command, Send):
                self._handle.send(command.text, now=command.now)
            else:
                self._handle.command(command)

    def over(self) -> list[Json]:
        self.join(PATIENCE)
        assert not self.stuck, f"the run did not go on after {self.events[-3:]}"
        return self.events


class WatchedRunner(Runner):
    """Gives away the handle of each run as soon as there is one, also where the caller gets none."""

    def __init__(self, on_start: Callable[[RunHandle], None], stage: Stage, store: Store | None = None) -> None:
        super().__init__(models=stage.registry(), store=store)
        self._on_start = on_start

    def _start(
        self, agent: Agent, input: RunInput, config: RunConfig, command: PersonCommand | None = None
    ) -> RunHandle:
        handle = super()._start(agent, input, config, command)
        self._on_start(handle)
        return handle


@dataclass(frozen=True, slots=True)
class Setting:
    """A scenario about to be driven in this process."""

    stage: Stage
    watcher: Watcher
    runner: Runner

    @classmethod
    def of(cls, scenario: Scenario, workspace: Path, store: Store | None = None) -> Setting:
        stage = Stage(scenario, workspace)
        watcher = Watcher(scenario, stage)
        return cls(stage, watcher, WatchedRunner(watcher.watch, stage, store))


def by_run(scenario: Scenario, workspace: Path) -> Driven:
    made = Setting.of(scenario, workspace)
    result = asyncio.run(made.runner.run(made.stage.agent(), PROMPT, made.stage.config()))
    return Driven(made.watcher.over(), result)


def by_run_sync(scenario: Scenario, workspace: Path) -> Driven:
    made = Setting.of(scenario, workspace)
    result = made.runner.run_sync(made.stage.agent(), PROMPT, made.stage.config())
    return Driven(made.watcher.over(), result)


def by_stream(scenario: Scenario, workspace: Path) -> Driven:
    with Store.open() as store:
        made = Setting.of(scenario, workspace, store)
        events = asyncio.run(_all(made.runner.stream(made.stage.agent(), PROMPT, made.stage.config())))
    made.watcher.over()
    return Driven(events)


def by_start(scenario: Scenario, workspace: Path) -> Driven:
    async def started(made: Setting) -> Driven:
        handle = made.runner.start(made.stage.agent(), PROMPT, made.stage.config())
        events = await _all(handle.events())
        return Driven(events, await handle.result())

    with Store.open() as store:
        made = Setting.of(scenario, workspace, store)
        driven = asyncio.run(started(made))
    made.watcher.over()
    return driven


async def _all(events: AsyncIterable[Event]) -> list[Json]:
    return [as_json(event) async for event in events]


def by_headless(scenario: Scenario, workspace: Path) -> Driven:
    """`quarterdeck run --json --control` in a process of its own, over its pipes."""
    file = workspace.with_suffix(".json")
    file.write_bytes(dump(scenario))
    events: list[Json] = []
    with subprocess.Popen(
        [sys.executable, "-m", "tests.loop.headless_child", str(file), str(workspace)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        given = process.stdin

        def send(line: Line) -> None:
            # The program reads no commands any more once its run is over.
            with contextlib.suppress(BrokenPipeError):
                given.write(json.dumps(line).encode() + b"\n")
                given.flush()

        conductor = Conductor(scenario, send)
        impatience = threading.Timer(PATIENCE, process.kill)
        impatience.start()
        for line in process.stdout:
            events.append(json.loads(line))
            conductor.feed(events[-1])
        impatience.cancel()
        with contextlib.suppress(BrokenPipeError):
            given.close()
        code = process.wait(PATIENCE)
    return Driven(events, code=code)


@dataclass(frozen=True, slots=True)
class _Settings:
    """What the engine needs to drive a scenario."""

    stage: Stage
    cwd: Path

    def registry(self) -> ModelRegistry:
        return self.stage.registry()

    def agent(self, name: str | None = None) -> Agent:
        return self.stage.agent()

    def run_config(self, *, attended: bool = False, **changes: Any) -> RunConfig:
        return self.stage.config(**changes)

    def mcp_servers(self) -> tuple[McpServer, ...]:
        return ()

    def agent_servers(self, name: str | None = None) -> Sequence[str]:
        return ()

    def chosen_model(self, agent: str | None = None) -> tuple[str, str]:
        return FIRST, "the scenario begins with it"


def by_engine(scenario: Scenario, workspace: Path) -> Driven:
    """The screen's worker: a thread with the runner, commands and events crossing over."""
    stage = Stage(scenario, workspace)
    watcher = Watcher(scenario, stage)
    notices: queue.Queue[Notice] = queue.Queue()

    def post(notice: Notice) -> None:
        if isinstance(notice, RunBegan):
            watcher.watch(notice.handle)
        notices.put(notice)

    engine = Engine(_Settings(stage, workspace), post)
    engine.start()
    try:
        engine.start_run(PROMPT, session_id=None, model=None)
        began: RunBegan | None = None
        while not isinstance(notice := notices.get(timeout=PATIENCE * 2), RunEnded):
            assert not isinstance(notice, EngineFault | RunRefused), notice
            began = notice if isinstance(notice, RunBegan) else began
        assert began is not None
        events = [as_json(event) for event in began.subscription.drain()]
    finally:
        engine.shutdown().result(PATIENCE)
    watcher.over()
    assert notice.problem == ""
    return Driven(events)


DRIVERS: dict[str, Callable[[Scenario, Path], Driven]] = {
    "run": by_run,
    "run_sync": by_run_sync,
    "stream": by_stream,
    "start": by_start,
    "headless": by_headless,
    "the screen's engine": by_engine,
}
