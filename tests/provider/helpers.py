"""Models pointed at the fake provider, and what a stream of theirs came to."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from runner.messages import Message, UserMessage
from runner.models.assemble import Assembly
from runner.models.base import Chunk, Model, ModelRequest, ModelSettings, TextChunk, ToolSpec
from runner.models.registry import ModelRegistry, NamedModel
from tests.provider.server import FakeProvider

OPENAI = "openai/gpt-4o"
ANTHROPIC = "anthropic/claude-sonnet-4-5"
OPENROUTER = "openrouter/vendor/model"
GEMINI = "gemini/gemini-2.5-pro"
MISTRAL = "mistral/mistral-large-latest"
DIRECT = "direct/gpt-4o"
DIRECT_OPENROUTER = "direct/vendor/model"
LOCAL = "local/qwen"

BOTH = (OPENAI, ANTHROPIC, DIRECT)
"""Both dialects and both clients."""
ROUTERS = (OPENROUTER, DIRECT_OPENROUTER)
EVERYONE = (*BOTH, *ROUTERS)

WEATHER = ToolSpec(
    name="weather",
    description="The weather in a city.",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


def environ_of(provider: FakeProvider) -> dict[str, str]:
    """The usual variables, leading to the fake provider."""
    return environ_at(provider.base_url)


def environ_at(base: str) -> dict[str, str]:
    """The usual variables, leading to one server for all."""
    return {
        "OPENAI_API_KEY": "sk-test-openai-0123456789",
        "OPENAI_BASE_URL": f"{base}/v1",
        "ANTHROPIC_API_KEY": "sk-ant-test-0123456789",
        "ANTHROPIC_BASE_URL": base,
        "OPENROUTER_API_KEY": "sk-or-test-0123456789",
        "OPENROUTER_API_BASE": f"{base}/openrouter/v1",
        "GEMINI_API_KEY": "test-gemini-0123456789",
        "GEMINI_API_BASE": f"{base}/v1beta",
        "MISTRAL_API_KEY": "test-mistral-0123456789",
        "MISTRAL_API_BASE": f"{base}/mistral/v1",
    }


def named_at(base: str) -> dict[str, NamedModel]:
    """The names of these tests whose client is not the usual one, or whose address is their own."""
    return {
        model.name: model
        for model in (
            NamedModel(name=OPENAI, model=OPENAI, client="litellm"),
            NamedModel(name=OPENROUTER, model=OPENROUTER, client="litellm"),
            NamedModel(name=DIRECT, model=OPENAI, client="direct"),
            NamedModel(name=DIRECT_OPENROUTER, model=OPENROUTER, client="direct"),
            NamedModel(name=LOCAL, model="qwen", api_base=f"{base}/local/v1", context_window=10_000_000),
        )
    }


def registry_of(environ: dict[str, str], base: str) -> ModelRegistry:
    return ModelRegistry(named_at(base), environ=environ)


def registry_at(provider: FakeProvider) -> ModelRegistry:
    return registry_of(environ_of(provider), provider.base_url)


def model_at(provider: FakeProvider, name: str = OPENAI) -> Model:
    return registry_at(provider).resolve(name)


def ask(
    *messages: Message,
    tools: Sequence[ToolSpec] = (),
    settings: ModelSettings | None = None,
    first_token: float | None = 10.0,
    idle: float | None = 10.0,
    instructions: str = "",
) -> ModelRequest:
    return ModelRequest(
        model="",
        instructions=instructions,
        messages=messages or (UserMessage(text="Hello?"),),
        tools=tools,
        settings=settings or ModelSettings(),
        first_token_timeout=first_token,
        idle_timeout=idle,
    )


@dataclass(slots=True)
class Answer:
    """A whole response, assembled as the loop does it."""

    chunks: list[Chunk]
    assembly: Assembly
    first_chunk: float = 0.0
    longest_lag: float = 0.0
    lags: list[float] = field(default_factory=list[float])

    @property
    def text(self) -> str:
        return "".join(self.assembly.text)

    @property
    def reasoning(self) -> str:
        return "".join(self.assembly.reasoning)

    @property
    def calls(self) -> list[tuple[str, str, Any]]:
        """(provider's id, name, parsed arguments or the raw text) of each call."""
        return [(call.provider_id, call.name, _parsed(call.arguments_json)) for call in self.assembly.calls.values()]


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


async def collect(model: Model, request: ModelRequest) -> Answer:
    assembly, chunks = Assembly(), list[Chunk]()
    began, first = time.monotonic(), 0.0
    async for chunk in model.stream(request):
        first = first or time.monotonic() - began
        chunks.append(chunk)
        assembly.add(chunk, f"call_{len(assembly.calls)}")
    return Answer(chunks=chunks, assembly=assembly, first_chunk=first)


async def collect_with_lag(model: Model, request: ModelRequest) -> Answer:
    """The same, while a ticker measures how long the event loop is held up, in seconds."""
    lags: list[float] = []

    async def tick() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            lags.append(time.perf_counter() - before - 0.001)

    ticker = asyncio.create_task(tick())
    try:
        answer = await collect(model, request)
    finally:
        ticker.cancel()
    answer.lags = lags
    answer.longest_lag = max(lags, default=0.0)
    return answer


async def collect_text(model: Model, request: ModelRequest, got: list[str]) -> None:
    """Keep the pieces of text as they come, so that they are still there when the stream fails."""
    async for chunk in model.stream(request):
        if isinstance(chunk, TextChunk):
            got.append(chunk.text)
