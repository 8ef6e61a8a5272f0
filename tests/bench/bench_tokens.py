"""CPU of a streamed token in the whole program, from the socket to the screen, against bare reads of the stream."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.bench.bench_runner import provider
from tests.bench.figures import show
from tests.bench.terminal import bench_environ, on_terminal

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


def litellm_alone(base_url: str) -> tuple[float, float]:
    """CPU and wall seconds of reading the stream through the adapter, without loop or screen."""
    return asyncio.run(_litellm_alone(base_url))


async def _litellm_alone(base_url: str) -> tuple[float, float]:
    from runner.messages import UserMessage
    from runner.models import litellm_loader
    from runner.models.base import ModelRequest
    from tests.bench.bench_runner import lab_model

    await litellm_loader.load()
    model = lab_model(base_url).resolve("lab/bench")
    cpu, wall = time.process_time(), time.perf_counter()
    async for _ in model.stream(ModelRequest(model="lab/bench", messages=[UserMessage(text="go")])):
        pass
    return time.process_time() - cpu, time.perf_counter() - wall


def whole_program(base_url: str) -> tuple[float, float]:
    """CPU and wall seconds of the program on a terminal, from the message sent to the last word shown."""
    with tempfile.TemporaryDirectory() as home:
        Path(home, "config").mkdir()
        Path(home, "config", "config.toml").write_text(CONFIG.format(base_url=base_url), encoding="utf-8")
        environ = bench_environ(home, OPENAI_API_KEY="none")
        with on_terminal([sys.executable, "-m", "tui"], environ, cwd=home) as terminal:
            terminal.until("Write a message")
            process = psutil.Process(terminal.pid)
            _settle(process)
            before, start = _cpu(process), time.perf_counter()
            terminal.send("go\r")
            terminal.until(LAST_WORD, timeout=300)
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


def main() -> None:
    with provider([SCRIPT]) as base_url:
        measures = {"raw": raw, "litellm": litellm_alone, "whole": whole_program}
        litellm_alone(base_url)
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in measures}
        for _ in range(ROUNDS):
            for name, measure in measures.items():
                found[name].append(measure(base_url))
    names = {
        "raw": "bare read of the stream",
        "litellm": "the adapter alone",
        "whole": "the whole program on a terminal",
    }
    for name, label in names.items():
        cpu = [pair[0] / TOKENS for pair in found[name]]
        show(f"{label}, CPU a token", cpu, "us", scale=1e6, against=[pair[0] / TOKENS for pair in found["litellm"]])
    for name, label in names.items():
        against = [pair[1] for pair in found["litellm"]]
        show(f"{label}, {TOKENS} tokens, wall", [pair[1] for pair in found[name]], "ms", scale=1000, against=against)
