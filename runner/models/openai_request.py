"""A request of ours in OpenAI's form, as far as both clients share it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from runner.models.base import ModelInfo, ModelRequest, ToolSpec
from runner.models.endpoint import Endpoint
from runner.models.project import ProviderOf, project

MOST_OUTPUT: Final = 32_000
"""Tokens asked for where nobody said how many: enough for any file, small enough for rate limits that count it."""
LEAST_OUTPUT: Final = 1_024
_CHARACTERS_A_TOKEN: Final = 3.5


def projected(request: ModelRequest, endpoint: Endpoint, provider_of: ProviderOf) -> list[dict[str, Any]]:
    """The history as this provider wants it."""
    return project(
        request.messages,
        endpoint.provider,
        endpoint.model,
        instructions=request.instructions,
        provider_of=provider_of,
        bare=request.repair,
    )


def tool_entry(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def tool_choice(wanted: str | None, tools: Sequence[ToolSpec]) -> object:
    """ "auto", "none" and "required" as they are; the name of a tool forces that tool."""
    if wanted is not None and any(tool.name == wanted for tool in tools):
        return {"type": "function", "function": {"name": wanted}}
    return wanted


def output_limit(request: ModelRequest, info: ModelInfo, messages: Sequence[dict[str, Any]]) -> int | None:
    """max_tokens: what was asked for, else what the model can write, capped and fitted into what its window has left.

    Always sent where known, because litellm's own default cuts Anthropic's reasoning models at 6,144 tokens.
    """
    if request.settings.max_tokens is not None:
        return request.settings.max_tokens
    if info.max_output is None:
        return None
    limit = min(info.max_output, MOST_OUTPUT)
    if info.context_window is not None:
        written = sum(_characters(message) for message in messages)
        written += sum(len(str(tool.parameters)) + len(tool.description) for tool in request.tools)
        left = info.context_window - int(written / _CHARACTERS_A_TOKEN) - LEAST_OUTPUT
        limit = min(limit, info.context_window // 2, max(left, LEAST_OUTPUT))
    return max(limit, 1)


def _characters(message: dict[str, Any]) -> int:
    calls: list[dict[str, Any]] = message.get("tool_calls") or []
    return len(message.get("content") or "") + sum(len(call["function"]["arguments"]) for call in calls)
