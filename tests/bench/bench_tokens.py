"""CPU of a streamed token by each client and in the whole program, socket to screen, against a bare read of it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psutil

from runner.messages import UserMessage
from runner.models import litellm_loader
from runner.models.base import ModelRequest
from runner.models.client_choice import Client
from runner.models.registry import ModelRegistry, NamedModel
from tests.bench.bench_runner import provider
from tests.bench.figures import show
from tests.bench.terminal import Terminal, bench_environ, on_terminal

TOKENS = 20_000
ROUNDS = 3
LAST_WORD = "finis-coronat-opus"
SCRIPT = {"text": [*(f"word{number} " if number % 12 else f"word{number}.\n" for number in range(TOKENS)), LAST_WORD]}

CONFIG = """\
model = "lab/bench"

[limits]
max_time = 600

[models."lab/bench"]
model = "openai/bench"
api_base = "{base_url}"
context_window = 1000000
input_cost_per_million = 1
output_cost_per_million = 2
"""

RAW_READER = """\
import sys, time, httpx
cpu, wall = time.process_time(), time.perf_counter()
body = {"model": "bench", "stream": True, "messages": [{"role": "user", "content": "go"}]}
with httpx.stream("POST", sys.argv[1] + "/chat/completions", json=body, timeout=60) as answer:
    size = sum(len(line) for line in answer.iter_lines())
print(time.process_time() - cpu, time.perf_counter() - wall)
"""


def raw(base_url: str) -> tuple[float, float]:
    """CPU and wall seconds of a process that only reads the lines of the stream."""
    command = [sys.executable, "-c", RAW_READER, base_url]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(printed[0]), float(printed[1])


def client(name: Client) -> Callable[[str], tuple[float, float]]:
    """Measures a client by itself, without loop or screen: CPU and wall seconds of the whole answer."""

    def measure(base_url: str) -> tuple[float, float]:
        return asyncio.run(_read(name, base_url))

    return measure


async def _read(name: Client, base_url: str) -> tuple[float, float]:
    if name == "litellm":
        await litellm_loader.load()
    named = NamedModel(name="lab/bench", model="openai/bench", api_base=base_url, client=name)
    model = ModelRegistry({"lab/bench": named}).resolve("lab/bench")
    cpu, wall = time.process_time(), time.perf_counter()
    async for _ in model.stream(ModelRequest(model="lab/bench", messages=[UserMessage(text="go")])):
        pass
    return time.process_time() - cpu, time.perf_counter() - wall


def whole_program(base_url: str) -> tuple[float, float]:
    """CPU and wall seconds of the program on a terminal, from the message sent to the last word shown.

    As with the clients beside it, the first answer is not measured: it also loads what later ones find loaded.
    """
    with tempfile.TemporaryDirectory() as home:
        Path(home, "config").mkdir()
        Path(home, "config", "config.toml").write_text(CONFIG.format(base_url=base_url), encoding="utf-8")
        environ = bench_environ(home, OPENAI_API_KEY="none")
        with on_terminal([sys.executable, "-m", "tui"], environ, cwd=home) as terminal:
            terminal.until("Write a message")
            process = psutil.Process(terminal.pid)
            FIRST.append(_answered(terminal, process))
            terminal.send("/new\r")
            return _answered(terminal, process)


FIRST: Final[list[tuple[float, float]]] = []
"""The same for the first answer of each program."""


def _answered(terminal: Terminal, process: psutil.Process) -> tuple[float, float]:
    _settle(process)
    terminal.settle()
    before, start, since = _cpu(process), time.perf_counter(), terminal.position
    terminal.send("go\r")
    terminal.until(LAST_WORD, timeout=300, since=since)
    wall = time.perf_counter() - start
    _settle(process)
    return _cpu(process) - before, wall


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _settle(process: psutil.Process) -> None:
    """Wait until the program does nothing for half a second: what it loads late does not count."""
    last = -1.0
    while (now := _cpu(process)) - last > 0.02:
        last = now
        time.sleep(0.5)


LABELS = {
    "raw": "bare read of the stream",
    "direct": "the direct client",
    "litellm": "litellm",
    "whole": "the whole program on a terminal",
}


def main() -> None:
    with provider([SCRIPT]) as base_url:
        direct, litellm = client("direct"), client("litellm")
        measures = {"raw": raw, "direct": direct, "litellm": litellm, "whole": whole_program}
        for warm_up in (direct, litellm):
            warm_up(base_url)
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in measures}
        for _ in range(ROUNDS):
            for name, measure in measures.items():
                found[name].append(measure(base_url))
    for name, label in LABELS.items():
        cpu = [pair[0] / TOKENS for pair in found[name]]
        show(f"{label}, CPU a token", cpu, "us", scale=1e6, against=[pair[0] / TOKENS for pair in found["raw"]])
    for name, label in LABELS.items():
        wall = [pair[1] for pair in found[name]]
        show(f"{label}, {TOKENS} tokens, wall", wall, "ms", scale=1000, against=[pair[1] for pair in found["raw"]])
    print("The same against what the direct client alone needs; goal: from request to last word under 1.5 times.")
    for index, what in ((0, "CPU"), (1, "wall")):
        client_alone = [pair[index] for pair in found["direct"]]
        for label, pairs in (("", found["whole"]), (", its first answer", FIRST)):
            values = [pair[index] for pair in pairs]
            show(f"the whole program{label}, {what}", values, "ms", scale=1000, against=client_alone)
