"""What the runner adds to a request: turns through loop, events and store against the same calls made directly."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from runner import Agent, RunConfig, Runner, Store
from runner.models import litellm_loader
from runner.models.client_choice import Client
from runner.models.registry import ModelRegistry, NamedModel
from tests.bench.figures import show

TURNS = 60
ROUNDS = 5
REPLY = {"text": "The answer is short, as answers of agents between two tool calls are. " * 2}


@contextmanager
def provider(script: list[dict[str, Any]]) -> Generator[str]:
    """A provider on loopback in a process of its own, so that its work does not count; yields its base URL."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "script.json")
        path.write_text(json.dumps(script), encoding="utf-8")
        command = [sys.executable, "-m", "tests.provider.server", "--script", str(path), "--repeat"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield str(json.loads(process.stdout.readline())["openai"])
            finally:
                process.terminate()


def lab_model(base_url: str, client: Client) -> ModelRegistry:
    """The provider as a named model."""
    named = NamedModel(name="lab/bench", model="openai/bench", api_base=base_url, client=client)
    return ModelRegistry(named={"lab/bench": named})


async def with_httpx(base_url: str) -> None:
    """The same request with nothing but the HTTP library, each line of the answer read and decoded."""
    body = {
        "model": "bench",
        "messages": [{"role": "user", "content": "go"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(TURNS):
            async with client.stream("POST", f"{base_url}/chat/completions", json=body) as response:
                async for line in response.aiter_lines():
                    if line.startswith("data: {"):
                        json.loads(line[6:])


async def with_litellm(base_url: str) -> None:
    """The same request straight through litellm, read to its end."""
    litellm = await litellm_loader.load()
    for _ in range(TURNS):
        stream = await litellm.acompletion(
            model="openai/bench",
            api_base=base_url,
            api_key="none",
            messages=[{"role": "user", "content": "go"}],
            stream=True,
            stream_options={"include_usage": True},
            max_retries=0,
        )
        async for _ in stream:
            pass


async def through(runner: Runner, agent: Agent) -> None:
    for _ in range(TURNS):
        result = await runner.run(agent, "go", RunConfig(include_context=False))
        assert result.reason == "complete", result.error


async def timed(work: Any) -> tuple[float, float]:
    """Wall and CPU seconds of one turn."""
    wall, cpu = time.perf_counter(), time.process_time()
    await work
    return (time.perf_counter() - wall) / TURNS, (time.process_time() - cpu) / TURNS


async def measure(base_url: str, folder: str, client: Client, by_hand: Callable[[str], Awaitable[None]]) -> None:
    agent = Agent(name="bench", model="lab/bench")
    store = Store.open(Path(folder, f"{client}.sqlite3"))
    plain = Runner(models=lab_model(base_url, client))
    stored = Runner(models=lab_model(base_url, client), store=store)
    await by_hand(base_url)
    await through(stored, agent)
    figures: dict[str, list[tuple[float, float]]] = {"by hand": [], "plain": [], "stored": []}
    for _ in range(ROUNDS):
        figures["by hand"].append(await timed(by_hand(base_url)))
        figures["plain"].append(await timed(through(plain, agent)))
        figures["stored"].append(await timed(through(stored, agent)))
    store.close()
    library = "httpx" if client == "direct" else "litellm"
    for index, what in ((0, "wall"), (1, "CPU")):
        base = [pair[index] for pair in figures["by hand"]]
        show(f"a request made by hand with {library}, {what}", base, "ms", scale=1000)
        for name, label in (("plain", f"a run of one turn ({client})"), ("stored", "the same, with the store")):
            show(f"{label}, {what}", [pair[index] for pair in figures[name]], "ms", scale=1000, against=base)


def main() -> None:
    with provider([REPLY]) as base_url, tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(base_url, folder, "direct", with_httpx))
        asyncio.run(measure(base_url, folder, "litellm", with_litellm))
