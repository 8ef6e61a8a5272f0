"""The engine: runs in its own thread, faults are said, and the end is orderly and bounded."""

from __future__ import annotations

import asyncio
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runner.config import RunConfig
from runner.errors import ConfigError, QuarterdeckError
from runner.testing import ScriptedModel, hold, reply, text
from tests.contract.sources import ROOT
from tests.tui.cockpit import MODEL, ScriptedSettings, cockpit, settings_for
from tui.engine import Engine, EngineFault, ModelChosen, Notice, RunBegan, RunEnded, RunRefused, StoreOpened, Warm
from tui.engine_parts.errands import Errands

PATIENCE = 20.0


class Heard:
    def __init__(self) -> None:
        self.queue: queue.Queue[Notice] = queue.Queue()

    def next(self, kind: type[Any]) -> Any:
        """The next notice of a kind, whatever else comes before it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            notice = self.queue.get(timeout=max(0.0, deadline - time.monotonic()))
            if isinstance(notice, kind):
                return notice


@contextmanager
def running(settings: Any) -> Generator[tuple[Engine, Heard]]:
    heard = Heard()
    engine = Engine(settings, heard.queue.put)
    engine.start()
    try:
        yield engine, heard
    finally:
        engine.shutdown().result(PATIENCE)


def test_it_opens_in_the_order_of_what_is_needed_first(tmp_path: Path) -> None:
    with running(settings_for(tmp_path, ScriptedModel([]), {})) as (_, heard):
        kinds = [type(heard.queue.get(timeout=PATIENCE)) for _ in range(3)]
        assert kinds == [Warm, ModelChosen, StoreOpened]


def test_a_run_lives_in_the_engines_thread_and_ends(tmp_path: Path) -> None:
    with running(settings_for(tmp_path, ScriptedModel(["Hello."]), {})) as (engine, heard):
        engine.start_run("hi", session_id=None, model=MODEL)
        began: RunBegan = heard.next(RunBegan)
        ended: RunEnded = heard.next(RunEnded)
        assert ended.run_id == began.handle.run_id
        assert ended.problem == ""
        assert began.handle.state.final_output == "Hello."
        kinds = [event.kind for event in began.subscription.drain()]
        assert kinds[0] == "run_started"
        assert kinds[-1] == "run_finished"


def test_shutdown_aborts_what_runs_and_saves_it(tmp_path: Path) -> None:
    gate = hold()
    settings = settings_for(tmp_path, ScriptedModel([reply(text("half "), gate)]), {})
    with running(settings) as (engine, heard):
        engine.start_run("hi", session_id=None, model=MODEL)
        began: RunBegan = heard.next(RunBegan)
        gate.wait_reached(PATIENCE)
        engine.shutdown().result(PATIENCE)
        assert began.handle.state.reason == "aborted"
    with running(settings_for(tmp_path, ScriptedModel([]), {})) as (engine, heard):
        opened: StoreOpened = heard.next(StoreOpened)
        assert opened.recovered == ()
        runs = engine.ask(lambda store: store.runs(began.handle.session_id)).result(PATIENCE)
        assert [run.reason for run in runs] == ["aborted"]


def test_a_shutdown_without_a_start_is_done_at_once(tmp_path: Path) -> None:
    engine = Engine(settings_for(tmp_path, ScriptedModel([]), {}), lambda notice: None)
    engine.shutdown().result(1)


def test_what_is_asked_while_it_ends_is_answered_or_refused(tmp_path: Path) -> None:
    """Whenever a question comes, its future ends in a way that the screen expects: never with a fault of the loop."""
    for _ in range(5):
        with running(settings_for(tmp_path, ScriptedModel([]), {})) as (engine, heard):
            heard.next(StoreOpened)
            ended = engine.shutdown()
            asked: list[Future[int]] = []
            while not ended.done():
                asked.append(engine.ask(lambda store: len(store.sessions(limit=1))))
                time.sleep(0.0002)
            ended.result(PATIENCE)
            for future in asked:
                error = None if future.cancelled() else future.exception(PATIENCE)
                assert error is None or isinstance(error, QuarterdeckError), repr(error)


async def test_an_errand_is_refused_once_the_program_ends() -> None:
    errands, begun = Errands(), asyncio.Event()

    async def errand() -> None:
        begun.set()
        await asyncio.Event().wait()

    waiting = asyncio.create_task(errands.run(errand()))
    await begun.wait()
    await errands.end()
    assert waiting.cancelled()
    with pytest.raises(QuarterdeckError, match="the program is ending"):
        await errands.run(errand())


def test_no_thread_is_left_behind(tmp_path: Path) -> None:
    with running(settings_for(tmp_path, ScriptedModel([]), {})) as (_, heard):
        heard.next(StoreOpened)
    deadline = time.monotonic() + PATIENCE
    while [thread for thread in threading.enumerate() if thread.name.startswith("quarterdeck")]:
        assert time.monotonic() < deadline, threading.enumerate()
        time.sleep(0.01)


def test_a_store_that_cannot_be_opened_is_said_and_runs_still_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "a file where the folder should be"
    blocked.touch()
    monkeypatch.setenv("QUARTERDECK_DATA", str(blocked))
    with running(settings_for(tmp_path, ScriptedModel(["Still."]), {})) as (engine, heard):
        opened: StoreOpened = heard.next(StoreOpened)
        assert "cannot" in opened.problem
        engine.start_run("hi", session_id=None, model=MODEL)
        heard.next(RunBegan)
        assert heard.next(RunEnded).problem == ""


class BrokenSettings(ScriptedSettings):
    def chosen_model(self, agent: str | None = None) -> tuple[str, str]:
        raise ConfigError("is not usable", where="model", expected="a model")

    def run_config(self, *, attended: bool = False, **changes: Any) -> RunConfig:
        raise RuntimeError("a bug")


def test_a_fault_is_said_and_never_kills_the_screen(tmp_path: Path) -> None:
    real = settings_for(tmp_path, ScriptedModel([]), {})
    with running(BrokenSettings(real.real, real.model)) as (engine, heard):
        fault: EngineFault = heard.next(EngineFault)
        assert "is not usable" in fault.problem
        engine.start_run("hi", session_id=None, model=MODEL)
        refused: RunRefused = heard.next(RunRefused)
        assert refused.text == "hi"


KILLED = """
import asyncio, os, signal
from runner.agent import Agent
from runner.api import Runner
from runner.models.registry import ModelRegistry
from runner.store import Store
from runner.testing import ScriptedModel, hold, reply, text
async def main():
    gate = hold()
    model = ScriptedModel([reply(text('half an answer'), gate)])
    runner = Runner(store=Store.open(), models=ModelRegistry(extra={'m': model}))
    runner.start(Agent(name='deck', model='m'), 'a question left open')
    await gate.reached()
    await asyncio.sleep(0.6)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


@pytest.fixture
def killed(tmp_path: Path) -> None:
    """A program that was killed in the middle of an answer."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert done.returncode == -9


@pytest.mark.usefixtures("killed")
async def test_a_run_that_a_kill_left_open_is_announced(tmp_path: Path) -> None:
    async with cockpit(tmp_path) as deck:
        await deck.until(lambda: "interrupted when the program died" in deck.screen_text())
        assert "a question left open" in deck.screen_text()
        await deck.pilot.press("ctrl+r")
        await deck.until(lambda: "interrupted" in deck.screen_text() and "newest first" in deck.screen_text())
        await deck.pilot.press("enter")
        await deck.until(lambda: "half an answer" in deck.screen_text())
