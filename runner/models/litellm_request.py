"""A request of ours as the arguments of litellm's one call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from runner.events import LeftOut, Setting, WhyLeftOut
from runner.models.base import ModelInfo, ModelRequest, ModelSettings
from runner.models.endpoint import Endpoint
from runner.models.fitting import left_out, level_why
from runner.models.openai_request import output_limit, projected, tool_choice, tool_entry
from runner.models.project import ProviderOf
from runner.models.providers import dialect_of

_BUDGETS: Final = {"minimal": 1024, "low": 1024, "medium": 2048, "high": 4096}
"""Tokens of thought that litellm asks Anthropic for, by effort."""


_EFFORT: Final = "reasoning_effort"
_SAMPLING: Final = ("temperature", "top_p")


def request_arguments(
    request: ModelRequest, info: ModelInfo, endpoint: Endpoint, provider_of: ProviderOf
) -> tuple[dict[str, Any], tuple[LeftOut, ...]]:
    """Everything of the call but the key, and the settings that it is made without.

    No retries of litellm's or the SDK's (the runner owns them), and usage is always asked for.
    """
    messages = projected(request, endpoint, provider_of)
    limit = output_limit(request, info, messages)
    why = _why_no_effort(request.settings, messages, limit, info, endpoint)
    settings = request.settings if why is None else replace(request.settings, reasoning_effort=None)
    settings = _beside_thinking(settings, endpoint)
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
        arguments["allowed_openai_params"] = ["tools", "tool_choice", "parallel_tool_calls", _EFFORT]
    return arguments, _missing(request.settings, arguments, why or "model", "thinking")


def without_unsupported(
    arguments: dict[str, Any], settings: ModelSettings
) -> Iterator[tuple[dict[str, Any], tuple[LeftOut, ...]]]:
    """The same call with fewer and fewer of the settings that a model may not know, and what it is made without."""
    for dropped in ((_EFFORT,), _SAMPLING, (_EFFORT, *_SAMPLING)):
        fewer = {name: value for name, value in arguments.items() if name not in dropped}
        if len(fewer) < len(arguments):
            yield fewer, _missing(settings, fewer, "model", "model")


def _missing(
    settings: ModelSettings, arguments: dict[str, Any], effort: WhyLeftOut, sampling: WhyLeftOut
) -> tuple[LeftOut, ...]:
    names: dict[Setting, str] = {"effort": _EFFORT, "temperature": "temperature", "top_p": "top_p"}
    dropped: list[Setting] = [setting for setting, name in names.items() if name not in arguments]
    return left_out(settings, dropped, effort=effort, sampling=sampling)


def _why_no_effort(
    settings: ModelSettings,
    messages: Sequence[dict[str, Any]],
    limit: int | None,
    info: ModelInfo,
    endpoint: Endpoint,
) -> WhyLeftOut | None:
    """Why an effort cannot be sent: the model does not know it, or Anthropic would refuse to think: beside a forced
    call, after a call that it did not sign, or within a limit of output that its budget would use up.
    """
    effort = settings.reasoning_effort
    if effort is None or endpoint.compatible:
        return None
    why = level_why(info, effort)
    if why is not None or not _thinks(settings, endpoint):
        return why
    if settings.tool_choice not in (None, "auto", "none"):
        return "forced_call"
    if _thinking_is_missing(messages):
        return "unsigned"
    return "output_limit" if limit is not None and limit <= _BUDGETS.get(effort, 0) else None


def _beside_thinking(settings: ModelSettings, endpoint: Endpoint) -> ModelSettings:
    """The settings without a temperature of one's own, which Anthropic refuses where it thinks."""
    return replace(settings, temperature=None, top_p=None) if _thinks(settings, endpoint) else settings


def _thinks(settings: ModelSettings, endpoint: Endpoint) -> bool:
    """Whether Anthropic is asked to think."""
    asked = settings.reasoning_effort not in (None, "none")
    return asked and dialect_of(endpoint.provider, endpoint.model) == "anthropic"


def _thinking_is_missing(messages: Sequence[dict[str, Any]]) -> bool:
    """Whether Anthropic would refuse to think: a turn that began without its signed thoughts must end without them.

    The turn lasts until there is an answer without calls; what the person says beside the results is a part of it.
    """
    last = next((message for message in reversed(messages) if message["role"] == "assistant"), None)
    return last is not None and bool(last.get("tool_calls")) and not last.get("thinking_blocks")
