"""Sending a prepared turn as a stream: small pieces at a readable pace, and token counts that follow from the text."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass

from runner.clock import Clock
from runner.messages import AssistantMessage, ToolResult, UserMessage
from runner.models.base import (
    Chunk,
    FinishChunk,
    ModelRequest,
    ReasoningChunk,
    TextChunk,
    ToolCallChunk,
    UsageChunk,
)
from runner.models.demo.stage import Turn
from runner.usage import Usage

CHARACTERS_PER_TOKEN = 4
_PIECE = re.compile(r"\s*\S{1,6}|\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Tokens a second, and the seconds before the first one; speed 2 is twice as fast, 0 does not wait at all."""

    text: float = 90.0
    reasoning: float = 130.0
    arguments: float = 160.0
    start: float = 0.25
    speed: float = 1.0


def pieces(text: str) -> list[str]:
    """About a token each; joined they are the text again."""
    return _PIECE.findall(text)


def chunks_of(turn: Turn, request: ModelRequest) -> list[Chunk]:
    """All that the stream of this turn consists of, in order."""
    chunks: list[Chunk] = [ReasoningChunk(piece) for piece in pieces(turn.reasoning)]
    chunks += [TextChunk(piece) for piece in pieces(turn.text)]
    for index, call in enumerate(turn.calls):
        key, number = str(index), sum(isinstance(message, AssistantMessage) for message in request.messages)
        chunks.append(ToolCallChunk(key=key, id=f"demo-{number}-{index}", name=call.tool))
        written = json.dumps(call.arguments, ensure_ascii=False)
        chunks += [ToolCallChunk(key=key, arguments=piece) for piece in pieces(written)]
    chunks.append(FinishChunk("tool_calls" if turn.calls else "stop"))
    chunks.append(UsageChunk(usage_of(turn, request)))
    return chunks


def usage_of(turn: Turn, request: ModelRequest) -> Usage:
    """Counts by length, the same for the same request."""
    written = turn.text + "".join(call.tool + json.dumps(call.arguments) for call in turn.calls)
    reasoning = tokens(turn.reasoning)
    return Usage(
        input=sum(tokens(part) for part in _parts(request)), output=tokens(written) + reasoning, reasoning=reasoning
    )


def tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def _parts(request: ModelRequest) -> Iterator[str]:
    yield request.instructions
    for tool in request.tools:
        yield tool.name + tool.description + json.dumps(tool.parameters)
    for message in request.messages:
        match message:
            case UserMessage(text=text):
                yield text
            case ToolResult(output=output):
                yield output
            case AssistantMessage():
                yield message.text
                yield from (
                    call.tool + (call.arguments_json or json.dumps(call.arguments)) for call in message.tool_calls
                )


async def speak(chunks: list[Chunk], pace: Pace, clock: Clock) -> AsyncGenerator[Chunk, None]:
    """The chunks at their pace. A reader that falls behind is not flooded afterwards: lost time stays lost."""
    due = clock.mono() + (pace.start / pace.speed if pace.speed else 0.0)
    for chunk in chunks:
        now = clock.mono()
        due = max(due, now - 0.1)
        # Sleeping 0 still gives the loop its turn, and a cancellation its place.
        await clock.sleep(due - now if pace.speed and due > now else 0)
        yield chunk
        rate = _rate(chunk, pace)
        if rate and pace.speed:
            due += 1 / (rate * pace.speed)


def _rate(chunk: Chunk, pace: Pace) -> float:
    match chunk:
        case TextChunk():
            return pace.text
        case ReasoningChunk():
            return pace.reasoning
        case ToolCallChunk():
            return pace.arguments
        case _:
            return 0.0
