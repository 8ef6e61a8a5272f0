"""The three demo models behind the protocol of every model."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal

from runner.clock import Clock
from runner.errors import RateLimitError, StreamBrokenError
from runner.messages import ToolResult, UserMessage
from runner.models.base import Chunk, LeftOutChunk, ModelInfo, ModelRequest
from runner.models.demo import about
from runner.models.demo.essay import ESSAY
from runner.models.demo.intents import Say, Unknown
from runner.models.demo.pilot import next_turn, read_task
from runner.models.demo.stage import Turn
from runner.models.demo.voice import Pace, chunks_of, pieces, speak
from runner.models.fitting import predicted
from runner.usage import Price, Usage

WINDOW = 32_000
FREE = Price(input=Decimal(0), output=Decimal(0))
ESSAY_SECONDS = 45.0
"""Less than the default timeout of a turn, long enough to act in the middle."""


class PilotModel:
    """demo/pilot: rules, at a readable pace. Holds no state: every response follows from the request alone."""

    note = "built-in demo: a few rules about the working folder, no intelligence"

    def __init__(self, name: str, pace: Pace, clock: Clock) -> None:
        self._info = ModelInfo(
            name=name,
            provider="demo",
            context_window=WINDOW,
            price=FREE,
            tools=True,
            vision=False,
            reasoning=True,
            efforts=(),
            note=self.note,
            is_demo=True,
        )
        self._pace = pace
        self._clock = clock

    @property
    def info(self) -> ModelInfo:
        return self._info

    def cost(self, usage: Usage) -> Decimal | None:
        return FREE.cost(usage)

    def price(self, usage: Usage) -> Price | None:
        return FREE

    def turn(self, request: ModelRequest) -> tuple[Turn, Pace]:
        return next_turn(request.messages, offered(request)), self._pace

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Chunk, None]:
        if ignored := predicted(self._info, request.settings):
            yield LeftOutChunk(ignored)
        turn, pace = self.turn(request)
        async with aclosing(speak(chunks_of(turn, request), pace, self._clock)) as chunks:
            async for chunk in chunks:
                yield chunk


class SlowModel(PilotModel):
    """demo/slow: a long answer in ESSAY_SECONDS, for trying stop and abort; wishes that the pilot understands are
    carried out by its rules, more slowly."""

    note = "built-in demo: talks slowly, to try stop and abort"

    def turn(self, request: ModelRequest) -> tuple[Turn, Pace]:
        slow = replace(self._pace, text=25.0, reasoning=25.0, arguments=40.0, start=1.0)
        wishes = read_task(request.messages, offered(request)).wishes
        if any(not isinstance(wish, Say | Unknown) for wish in wishes):
            return next_turn(request.messages, offered(request)), slow
        text = f"{about.NOTICE}\n\n{ESSAY}"
        return Turn("", text), replace(slow, text=len(pieces(text)) / ESSAY_SECONDS)


class FlakyModel(PilotModel):
    """demo/flaky: in each turn the first attempt is a 429, the second one is cut in the middle, the third succeeds.

    Attempts are counted in the instance by what was asked (the number of messages and the last of them), and forgotten
    when one succeeds; two runs that ask the very same at the same time share a count.
    """

    note = "built-in demo: a rate limit, a broken stream, then success, to try retries and fallback"
    remembered = 256

    def __init__(self, name: str, pace: Pace, clock: Clock) -> None:
        super().__init__(name, pace, clock)
        self._lock = threading.Lock()
        self._attempts: OrderedDict[str, int] = OrderedDict()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Chunk, None]:
        key = _key(request)
        attempt = self._count(key)
        name = self._info.name
        if attempt == 1:
            raise RateLimitError(
                "the demo's rate limit: too many requests",
                model=name,
                provider="demo",
                status_code=429,
                retry_after=2.0,
            )
        if ignored := predicted(self._info, request.settings):
            yield LeftOutChunk(ignored)
        turn, pace = self.turn(request)
        chunks = chunks_of(turn, request)
        if attempt == 2:
            chunks = chunks[: max(1, (len(chunks) - 2) // 2)]
        async with aclosing(speak(chunks, pace, self._clock)) as spoken:
            async for chunk in spoken:
                yield chunk
        if attempt == 2:
            raise StreamBrokenError("the demo cut its own stream in the middle", model=name, provider="demo")

    def _count(self, key: str) -> int:
        with self._lock:
            attempt = self._attempts.pop(key, 0) + 1
            if attempt < 3:
                self._attempts[key] = attempt
            while len(self._attempts) > self.remembered:
                self._attempts.popitem(last=False)
            return attempt


def offered(request: ModelRequest) -> frozenset[str]:
    if request.settings.tool_choice == "none":
        return frozenset()
    return frozenset(tool.name for tool in request.tools)


def _key(request: ModelRequest) -> str:
    count = len(request.messages)
    last = request.messages[-1] if count else None
    match last:
        case UserMessage(text=text, message_id=message_id):
            what = f"user {message_id} {text}"
        case ToolResult(call_id=call_id, output=output):
            what = f"tool {call_id} {output}"
        case _:
            what = repr(last)
    return hashlib.sha256(f"{count} {what}".encode("utf-8", "surrogatepass")).hexdigest()
