"""A request of ours as the arguments of litellm's one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from runner.models.base import ModelInfo, ModelRequest, ModelSettings
from runner.models.endpoint import Endpoint
from runner.models.openai_request import output_limit, projected, tool_choice, tool_entry
from runner.models.project import ProviderOf
from runner.models.providers import dialect_of

_BUDGETS: Final = {"minimal": 1024, "low": 1024, "medium": 2048, "high": 4096}
"""Tokens of thought that litellm asks Anthropic for, by effort."""


def request_arguments(
    request: ModelRequest, info: ModelInfo, endpoint: Endpoint, provider_of: ProviderOf
) -> dict[str, Any]:
    """Everything of the call but the key.

    No retries of litellm's or the SDK's (the runner owns them), and usage is always asked for.
    """
    messages = projected(request, endpoint, provider_of)
    limit = output_limit(request, info, messages)
    settings = _fitted(request.settings, messages, limit, endpoint)
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
        "max_tokens": limit,
        "reasoning_effort": settings.reasoning_effort,
    }
    if request.tools:
        optional["tools"] = [tool_entry(tool) for tool in request.tools]
        optional["tool_choice"] = tool_choice(settings.tool_choice, request.tools)
        optional["parallel_tool_calls"] = settings.parallel_tool_calls
    arguments.update({name: value for name, value in optional.items() if value is not None})
    if endpoint.compatible:
        # litellm judges by the model's name and would drop what a server of one's own understands well.
        arguments["allowed_openai_params"] = ["tools", "tool_choice", "parallel_tool_calls", "reasoning_effort"]
    return arguments


def _fitted(
    settings: ModelSettings, messages: Sequence[dict[str, Any]], limit: int | None, endpoint: Endpoint
) -> ModelSettings:
    """The settings without those that Anthropic refuses together: thinking goes with no forced call, no temperature of
    one's own, and no limit of output that its budget would use up.
    """
    effort = settings.reasoning_effort
    if effort in (None, "none") or dialect_of(endpoint.provider, endpoint.model) != "anthropic":
        return settings
    forced = settings.tool_choice not in (None, "auto", "none")
    if forced or _thinking_is_missing(messages) or (limit is not None and limit <= _BUDGETS.get(effort, 0)):
        return replace(settings, reasoning_effort=None)
    return replace(settings, temperature=None, top_p=None)


def _thinking_is_missing(messages: Sequence[dict[str, Any]]) -> bool:
    """Whether Anthropic would refuse to think: a turn that began without its signed thoughts must end without them.

    The turn lasts until there is an answer without calls; what the person says beside the results is a part of it.
    """
    last = next((message for message in reversed(messages) if message["role"] == "assistant"), None)
    return last is not None and bool(last.get("tool_calls")) and not last.get("thinking_blocks")
