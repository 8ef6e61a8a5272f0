"""A request of ours as the arguments of litellm's one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from runner.models.base import ModelInfo, ModelRequest, ToolSpec
from runner.models.endpoint import Endpoint
from runner.models.project import ProviderOf, project
from runner.models.providers import dialect_of

MOST_OUTPUT: Final = 32_000
"""Tokens asked for where nobody said how many: enough for any file, small enough for rate limits that count it."""
LEAST_OUTPUT: Final = 1_024
_CHARACTERS_A_TOKEN: Final = 3.5


def request_arguments(
    request: ModelRequest, info: ModelInfo, endpoint: Endpoint, provider_of: ProviderOf
) -> dict[str, Any]:
    """Everything of the call but the key.

    No retries of litellm's or the SDK's (the runner owns them), and usage is always asked for.
    """
    messages = project(
        request.messages,
        endpoint.provider,
        endpoint.model,
        instructions=request.instructions,
        provider_of=provider_of,
    )
    settings = request.settings
    arguments: dict[str, Any] = {
        "model": endpoint.model,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_retries": 0,
        "num_retries": 0,
    }
    optional: dict[str, object] = {
        "api_base": endpoint.base,
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "max_tokens": output_limit(request, info, messages),
        "reasoning_effort": None if _thinking_is_missing(messages, endpoint) else settings.reasoning_effort,
    }
    if request.tools:
        optional["tools"] = [_tool(tool) for tool in request.tools]
        optional["tool_choice"] = _tool_choice(settings.tool_choice, request.tools)
        optional["parallel_tool_calls"] = settings.parallel_tool_calls
    arguments.update({name: value for name, value in optional.items() if value is not None})
    if endpoint.compatible:
        # litellm judges by the model's name and would drop what a server of one's own understands well.
        arguments["allowed_openai_params"] = ["tools", "tool_choice", "parallel_tool_calls", "reasoning_effort"]
    return arguments


def _tool(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _tool_choice(wanted: str | None, tools: Sequence[ToolSpec]) -> object:
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


def _thinking_is_missing(messages: Sequence[dict[str, Any]], endpoint: Endpoint) -> bool:
    """Whether Anthropic would refuse to think: a turn that began without its signed thoughts must end without them."""
    if dialect_of(endpoint.provider, endpoint.model) != "anthropic":
        return False
    for message in reversed(messages):
        if message["role"] == "user":
            return False
        if message["role"] == "assistant" and message.get("tool_calls"):
            return not message.get("thinking_blocks")
    return False
