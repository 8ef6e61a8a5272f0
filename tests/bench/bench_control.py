"""How long a command takes: a key to the connection closed at the provider, a key to the last process dead, and any
command to its event while eight runs stream."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import random
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from runner.agent import Agent
from runner.api import Runner
from runner.config import RunConfig
from runner.control.handle import RunHandle
from runner.events import LimitChanged, TextDelta
from runner.mcp.config import McpServer
from runner.models.registry import ModelRegistry
from runner.store import Store
from tests.bench.bench_runner import lab_model, provider
from tests.bench.terminal import Terminal, bench_environ, on_terminal
from tests.provider.replies import Call, Reply
from tests.provider.server import FakeProvider, Received, run_in_thread
from tui.engine import Engine, Notice, RunBegan

ABORT = "\x1b[20~"
"""F9, as a terminal sends it."""

BETWEEN = 0.5
"""Seconds from the end of one run to the next message, so that nothing of the one is left."""

PATIENCE = 5.0
SOME = 25
"""Pieces of an answer that come before the key."""

STREAMS = 40
TREES = 25
COMMANDS = 300
RUNS = 8
TOKEN_SECONDS = 0.01
WORDS = [f"word{number} " if number % 12 else f"word{number}.\n" for number in range(20_000)]
ENDLESS = Reply(text=WORDS, delay=TOKEN_SECONDS)

CONFIG = """\
model = "lab/bench"
approve = "bypass"

[models."lab/bench"]
model = "openai/bench"
api_base = "{base_url}"
context_window = 1000000
input_cost_per_million = 1
output_cost_per_million = 2
"""


def show(name: str, values: Sequence[float], against: Sequence[float] = ()) -> None:
    """One line: the median and the 99th percentile in milliseconds, and the ratio of each to the other figures'."""
    found = _percentiles(values)
    line = f"{name:<58} p50 {found[0] * 1000:8.2f} ms   p99 {found[1] * 1000:8.2f} ms"
    if against:
        other = _percentiles(against)
        line += f"   ratio {found[0] / other[0]:.1f}, {found[1] / other[1]:.1f}"
    print(f"{line}   n {len(values)}", flush=True)


def _percentiles(values: Sequence[float]) -> tuple[float, float]:
    return statistics.median(values), statistics.quantiles(values, n=100, method="inclusive")[98]


# A key to the connection closed.


@contextlib.contextmanager
def opened(fake: FakeProvider) -> Generator[Terminal]:
    """The program on a terminal, with the provider as its model."""
    with tempfile.TemporaryDirectory() as home:
        Path(home, "config").mkdir()
        workspace = Path(home, "here")
        workspace.mkdir()
        Path(home, "config", "config.toml").write_text(CONFIG.format(base_url=fake.openai_url), encoding="utf-8")
        environ = bench_environ(home, OPENAI_API_KEY="none")
        with on_terminal([sys.executable, "-m", "tui"], environ, cwd=str(workspace)) as terminal:
            terminal.until("Write a message")
            threading.Thread(target=_read_on, args=(terminal,), daemon=True).start()
            yield terminal


def _read_on(terminal: Terminal) -> None:
    """Take what the program draws, as a terminal does, until it is closed."""
    with contextlib.suppress(TimeoutError, OSError, ValueError):
        terminal.until("a text that is never drawn", timeout=3600)


def _until(holds: Callable[[], object]) -> None:
    while not holds():
        time.sleep(0.002)


def key_to_closed() -> list[float]:
    """From the abort key to the end of the connection at the provider, while the answer streams."""
    found: list[float] = []
    with run_in_thread(handler=lambda _: ENDLESS) as fake, opened(fake) as terminal:
        for number in range(STREAMS + 1):
            terminal.send("go\r")
            _wait_for_stream(fake, number)
            pressed = time.monotonic()
            terminal.send(ABORT)
            # The first one also loads what later ones find loaded.
            found += _closed(fake.requests[number], pressed) if number else []
            time.sleep(BETWEEN)
    return found


def _wait_for_stream(fake: FakeProvider, number: int) -> None:
    _until(lambda: len(fake.requests) > number and fake.requests[number].events_sent > SOME)


def _closed(request: Received, began: float) -> list[float]:
    """How long it took, or nothing, which is said, where the provider did not see the connection end."""
    end = time.monotonic() + PATIENCE
    while request.client_closed is None:
        if time.monotonic() > end:
            print(f"a connection was not seen to end within {PATIENCE:g} s")
            return []
        time.sleep(0.002)
    return [request.client_closed - began]


def bare_cancel() -> list[float]:
    """From the cancellation of a bare httpx stream to the end of its connection at the provider."""
    found: list[float] = []
    with run_in_thread(handler=lambda _: ENDLESS) as fake:
        for number in range(STREAMS):
            began = asyncio.run(_cancelled(fake.openai_url))
            found += _closed(fake.requests[number], began)
    return found


async def _cancelled(base_url: str) -> float:
    started = asyncio.Event()

    async def read() -> None:
        body = {"model": "bench", "stream": True, "messages": [{"role": "user", "content": "go"}]}
        async with (
            httpx.AsyncClient() as client,
            client.stream("POST", f"{base_url}/chat/completions", json=body) as answer,
        ):
            async for _ in answer.aiter_lines():
                started.set()

    reading = asyncio.create_task(read())
    await started.wait()
    began = time.monotonic()
    reading.cancel()
    await asyncio.wait({reading})
    return began


# A key to the last process dead.

TREE = "sleep {0} & sleep {0} | cat & setsid sleep {0} & sleep {0}"
SLEEPERS = 4


class Deaths(threading.Thread):
    """Waits for the death of processes in a thread of its own, without polling."""

    def __init__(self, pids: Sequence[int]) -> None:
        super().__init__(daemon=True)
        self._descriptors = [os.pidfd_open(pid) for pid in pids]
        self.last = 0.0
        self.start()

    def run(self) -> None:
        waiting = set(self._descriptors)
        while waiting:
            waiting -= set(select.select(list(waiting), [], [])[0])
        self.last = time.monotonic()
        for descriptor in self._descriptors:
            os.close(descriptor)


def _sleepers(marker: str) -> list[int]:
    """Waits until all of them sleep."""
    while True:
        found = [
            process.pid for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"] == ["sleep", marker]
        ]
        if len(found) >= SLEEPERS:
            return found
        time.sleep(0.02)


def key_to_dead() -> list[float]:
    """From the abort key to the death of the last process that a command had started."""
    found: list[float] = []
    markers: queue.SimpleQueue[str] = queue.SimpleQueue()

    def call(_: Received) -> Reply:
        arguments = f'{{"command": "{TREE.format(markers.get())}"}}'
        return Reply(calls=[Call(name="shell", pieces=[arguments], id=f"call-{uuid.uuid4().hex[:8]}")])

    with run_in_thread(handler=call) as fake, opened(fake) as terminal:
        for _ in range(TREES):
            marker = _marker()
            markers.put(marker)
            terminal.send("go\r")
            deaths = Deaths(_sleepers(marker))
            pressed = time.monotonic()
            terminal.send(ABORT)
            deaths.join()
            found.append(deaths.last - pressed)
            time.sleep(BETWEEN)
    return found


def _marker() -> str:
    return f"88{uuid.uuid4().int % 10**9:09d}"


def bare_kill() -> list[float]:
    """From killing the group of the same command, and by their ids those that left it, to the death of the last."""
    found: list[float] = []
    for _ in range(TREES):
        marker = _marker()
        with subprocess.Popen(["sh", "-c", TREE.format(marker)], start_new_session=True) as shell:
            pids = _sleepers(marker)
            deaths = Deaths(pids)
            began = time.monotonic()
            os.killpg(shell.pid, signal.SIGTERM)
            for pid in pids:
                if os.getpgid(pid) != shell.pid:
                    os.kill(pid, signal.SIGTERM)
            deaths.join()
            found.append(deaths.last - began)
    return found


# Any command to its event, while eight runs stream.


@dataclass(frozen=True)
class _Settings:
    """What the engine needs to run the bench's agent."""

    cwd: Path
    base_url: str

    def registry(self) -> ModelRegistry:
        return lab_model(self.base_url, "direct")

    def agent(self, name: str | None = None) -> Agent:
        return Agent(name="bench", model="lab/bench")

    def run_config(self, *, attended: bool = False, **changes: Any) -> RunConfig:
        return RunConfig(max_time=None, timeout_per_turn=None, **changes)

    def mcp_servers(self) -> tuple[McpServer, ...]:
        return ()

    def agent_servers(self, name: str | None = None) -> Sequence[str]:
        return ()

    def chosen_model(self, agent: str | None = None) -> tuple[str, str]:
        return "lab/bench", "the bench has no other"


def command_latencies(handles: Sequence[RunHandle]) -> list[float]:
    """From a command, sent by another thread, to the moment when its event reaches a reader."""
    found: list[float] = []
    for number in range(COMMANDS):
        handle = random.choice(handles)
        ready = threading.Event()
        subscription = handle.subscribe(handle.state.seq + 1, ready.set)
        began = time.perf_counter()
        handle.set_limit("max_turns", number + 100)
        while not any(isinstance(event, LimitChanged) for event in subscription.drain()):
            ready.wait()
            ready.clear()
        found.append(time.perf_counter() - began)
        handle.unsubscribe(subscription)
        time.sleep(random.uniform(0, 0.01))
    return found


def _wait_for_text(handles: Sequence[RunHandle]) -> None:
    for handle in handles:
        ready = threading.Event()
        subscription = handle.subscribe(0, ready.set)
        while not any(isinstance(event, TextDelta) for event in subscription.drain()):
            ready.wait()
            ready.clear()
        handle.unsubscribe(subscription)


def by_library(base_url: str, runs: int) -> list[float]:
    """The runs on one event loop in a thread of its own, the commands from another thread."""
    started: queue.SimpleQueue[list[RunHandle]] = queue.SimpleQueue()

    async def go(folder: str) -> None:
        settings = _Settings(Path(folder), base_url)
        with Store.open(Path(folder, "bench.sqlite3")) as store:
            runner = Runner(models=settings.registry(), store=store)
            handles = [runner.start(settings.agent(), "go", settings.run_config()) for _ in range(runs)]
            started.put(handles)
            await asyncio.gather(*(handle.result() for handle in handles))

    with tempfile.TemporaryDirectory() as folder:
        thread = threading.Thread(target=lambda: asyncio.run(go(folder)), daemon=True)
        thread.start()
        return _measured(started.get(), thread.join)


@contextlib.contextmanager
def _data_in(folder: str) -> Generator[None]:
    before = os.environ.get("QUARTERDECK_DATA")
    os.environ["QUARTERDECK_DATA"] = folder
    try:
        yield
    finally:
        del os.environ["QUARTERDECK_DATA"]
        if before is not None:
            os.environ["QUARTERDECK_DATA"] = before


def by_engine(base_url: str, runs: int) -> list[float]:
    """The same through the screen's worker."""
    notices: queue.SimpleQueue[Notice] = queue.SimpleQueue()
    with tempfile.TemporaryDirectory() as folder, _data_in(folder):
        engine = Engine(_Settings(Path(folder), base_url), notices.put)
        engine.start()
        for _ in range(runs):
            engine.start_run("go", session_id=None, model=None)
        handles: list[RunHandle] = []
        while len(handles) < runs:
            notice = notices.get()
            handles += [notice.handle] if isinstance(notice, RunBegan) else []
        return _measured(handles, lambda: engine.shutdown().result())


def _measured(handles: Sequence[RunHandle], end: Callable[[], object]) -> list[float]:
    _wait_for_text(handles)
    found = command_latencies(handles)
    for handle in handles:
        handle.abort()
    end()
    return found


def main() -> None:
    show("a bare stream cancelled, to the connection closed", base := bare_cancel())
    show("a key on the screen, to the connection closed", key_to_closed(), base)
    if hasattr(os, "pidfd_open"):
        show("a bare kill of a command's processes, to the last dead", base := bare_kill())
        show("a key on the screen, to a command's last process dead", key_to_dead(), base)
    else:
        print("a key to the last process dead: not measured, this system has no pidfd")
    with provider([{"text": WORDS, "delay": TOKEN_SECONDS}]) as base_url:
        show("a command to its event, one run streams", base := by_library(base_url, 1))
        show(f"the same while {RUNS} runs stream", by_library(base_url, RUNS), base)
        show(f"the same in the screen's worker, {RUNS} runs stream", by_engine(base_url, RUNS), base)
