"""One response put together from its chunks, by our own rules (the vendors' builders merge, drop and invent)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from runner.messages import JsonObject
from runner.models.base import (
    Chunk,
    FinishChunk,
    FinishReason,
    ProviderDataChunk,
    ReasoningChunk,
    RefusalChunk,
    TextChunk,
    ToolCallChunk,
    UsageChunk,
)
from runner.usage import Usage


@dataclass(slots=True)
class PartialCall:
    """A call while it is being written. call_id is given by the loop when the call is first seen."""

    key: str
    call_id: str
    provider_id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list[str])

    @property
    def arguments_json(self) -> str:
        return "".join(self.pieces)


@dataclass(slots=True)
class Assembly:
    """Everything of one response so far. Text is kept in pieces and joined once."""

    text: list[str] = field(default_factory=list[str])
    reasoning: list[str] = field(default_factory=list[str])
    refusal: list[str] = field(default_factory=list[str])
    calls: dict[str, PartialCall] = field(default_factory=dict[str, PartialCall])
    provider_data: JsonObject = field(default_factory=dict[str, Any])
    usage: Usage | None = None
    finish: FinishReason | None = None
    characters: int = 0

    def add(self, chunk: Chunk, new_call_id: str = "") -> None:
        """Take a chunk in; new_call_id is used where it opens a call."""
        match chunk:
            case TextChunk(text):
                self.text.append(text)
                self.characters += len(text)
            case ReasoningChunk(text):
                self.reasoning.append(text)
                self.characters += len(text)
            case RefusalChunk(text):
                self.refusal.append(text)
                self.characters += len(text)
            case ToolCallChunk():
                self._add_call(chunk, new_call_id)
            case ProviderDataChunk(data):
                self.provider_data.update(data)
            case UsageChunk(usage):
                self.usage = usage
            case FinishChunk(reason):
                self.finish = reason
            case _:
                pass

    def _add_call(self, chunk: ToolCallChunk, new_call_id: str) -> None:
        call = self.calls.get(chunk.key)
        if call is None:
            call = self.calls[chunk.key] = PartialCall(key=chunk.key, call_id=new_call_id)
        call.provider_id = call.provider_id or chunk.id
        call.name = call.name or chunk.name
        if chunk.arguments:
            call.pieces.append(chunk.arguments)
            self.characters += len(chunk.arguments)


def parse_arguments(text: str) -> JsonObject | None:
    """The JSON object in a call's arguments; empty text is an empty object; None where it is no object."""
    if not text.strip():
        return {}
    try:
        value: object = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None  # pyright: ignore[reportUnknownVariableType]
