"""A model that answers from a script."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from runner.clock import Clock, SystemClock
from runner.errors import InternalError
from runner.models.base import (
    Chunk,
    FinishChunk,
    FinishReason,
    ModelInfo,
    ModelRequest,
    ReasoningChunk,
    RefusalChunk,
    TextChunk,
    ToolCallChunk,
    UsageChunk,
)
from runner.testing.gate import Gate
from runner.testing.requests import RequestCheck
from runner.usage import Price, Usage


@dataclass(frozen=True, slots=True)
class Pause:
    """Sleep this many seconds on the model's clock."""

    seconds: float


Step: TypeAlias = "Chunk | BaseException | Gate | asyncio.Event | Pause | Sequence[Step]"
"""What a script may contain: a chunk to send, an exception to raise, a place to wait, or a list of these."""

Response: TypeAlias = "str | BaseException | Sequence[Step] | Callable[[ModelRequest], str | Sequence[Step]]"
"""One answer: steps taken literally (without a finish chunk the stream is cut); a text alone is a complete answer;
an exception alone fails the request; a function makes the answer from the request."""


def text(value: str, *, pieces: int | None = None) -> list[Chunk]:
    """Text in pieces: word by word, or cut into that many parts."""
    return [TextChunk(piece) for piece in _split(value, pieces)]


def reasoning(value: str, *, pieces: int | None = None) -> list[Chunk]:
    return [ReasoningChunk(piece) for piece in _split(value, pieces)]


def refusal(value: str) -> list[Chunk]:
    return [RefusalChunk(piece) for piece in _split(value, None)]


def calls(*wanted: tuple[str, dict[str, Any] | str], pieces: int = 2) -> list[Chunk]:
    """Tool calls of one response, their arguments in pieces; a str is sent as it is, so it may be broken JSON."""
    chunks: list[Chunk] = []
    for index, (tool, arguments) in enumerate(wanted):
        written = arguments if isinstance(arguments, str) else json.dumps(arguments)
        key = f"{index}:{tool}"
        chunks.append(ToolCallChunk(key=key, id=f"provider-{index}-{tool}", name=tool))
        chunks.extend(ToolCallChunk(key=key, arguments=piece) for piece in _split(written, pieces))
    return chunks


def finish(reason: FinishReason = "stop") -> Chunk:
    return FinishChunk(reason)


def usage(input: int = 10, output: int = 5, *, cached: int = 0, cache_write: int = 0, reasoning: int = 0) -> Chunk:
    return UsageChunk(
        Usage(input=input, output=output, cached_input=cached, cache_write=cache_write, reasoning=reasoning)
    )


def hold() -> Gate:
    """A gate to put into a script; keep it to release it."""
    return Gate()


def pause(seconds: float) -> Pause:
    return Pause(seconds)


def reply(*steps: Step) -> list[Step]:
    """A complete answer: the steps, then the finish reason that fits them, then usage where none is given."""
    flat = list(_flatten(steps))
    end: list[Step] = []
    if not any(isinstance(step, FinishChunk) for step in flat):
        called = any(isinstance(step, ToolCallChunk) for step in flat)
        end.append(finish("tool_calls" if called else "stop"))
    if not any(isinstance(step, UsageChunk) for step in flat):
        end.append(usage())
    return [*flat, *end]


Ending = Literal["open", "finished", "failed", "cancelled", "closed"]


@dataclass(slots=True)
class StreamRecord:
    """How one request went. ending: closed means that the reader stopped reading and called aclose()."""

    request: ModelRequest
    sent: int = 0
    ending: Ending = "open"


class ScriptedModel:
    """Answers the n-th request with the n-th response; one response too few is an InternalError, never a retry.

    A request that some provider would refuse is an AssertionError (see runner.testing.requests).
    requests: what was asked, in order. streams: how each went. closed: how many streams have ended, in any way.
    loop_last: the last response answers all further requests.
    """

    def __init__(
        self,
        responses: Iterable[Response],
        *,
        name: str = "test/scripted",
        price: Price | None = None,
        context_window: int | None = 100_000,
        info: ModelInfo | None = None,
        clock: Clock | None = None,
        loop_last: bool = False,
    ) -> None:
        self._responses: list[Response] = list(responses)
        self._clock: Clock = SystemClock() if clock is None else clock
        self._loop_last = loop_last
        self._info = info or ModelInfo(
            name=name, provider="test", context_window=context_window, price=price, tools=True
        )
        self._check = RequestCheck()
        self.streams: list[StreamRecord] = []

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def requests(self) -> list[ModelRequest]:
        return [stream.request for stream in self.streams]

    @property
    def open_streams(self) -> int:
        return sum(stream.ending == "open" for stream in self.streams)

    @property
    def closed(self) -> int:
        return len(self.streams) - self.open_streams

    def cost(self, usage: Usage) -> Decimal | None:
        return None if self._info.price is None else self._info.price.cost(usage)

    def price(self, usage: Usage) -> Price | None:
        return self._info.price

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Chunk, None]:
        record = StreamRecord(request=replace(request, messages=tuple(request.messages)))
        self.streams.append(record)
        try:
            self._check.assert_valid(record.request)
            for step in self._steps(len(self.streams) - 1, record.request):
                match step:
                    case BaseException():
                        raise step
                    case Gate():
                        await step.pass_through()
                    case asyncio.Event():
                        await step.wait()
                    case Pause(seconds):
                        await self._clock.sleep(seconds)
                    case _:
                        # A provider's chunks never arrive without the loop getting a turn.
                        await asyncio.sleep(0)
                        record.sent += 1
                        yield step
            record.ending = "finished"
        except asyncio.CancelledError:
            record.ending = "cancelled"
            raise
        except GeneratorExit:
            record.ending = "closed"
            raise
        except BaseException:
            record.ending = "failed"
            raise

    def _steps(self, index: int, request: ModelRequest) -> Iterator[_FlatStep]:
        if index >= len(self._responses) and self._loop_last and self._responses:
            index = len(self._responses) - 1
        if index >= len(self._responses):
            raise InternalError(f"the script ends after {len(self._responses)} responses, and one more was asked for")
        response = self._responses[index]
        if callable(response):
            response = response(request)
        match response:
            case str():
                return _flatten(reply(text(response)))
            case BaseException():
                return iter((response,))
            case _:
                return _flatten(response)


_FlatStep: TypeAlias = "Chunk | BaseException | Gate | asyncio.Event | Pause"


def _flatten(steps: Sequence[Step]) -> Iterator[_FlatStep]:
    for step in steps:
        if isinstance(step, Sequence):
            yield from _flatten(step)
        else:
            yield step


def _split(value: str, pieces: int | None) -> list[str]:
    if pieces is None:
        return re.findall(r"\S+\s*|\s+", value) or [value]
    size = max(1, -(-len(value) // max(1, pieces)))
    return [value[start : start + size] for start in range(0, len(value), size)] or [value]
