"""A request of ours as the body of OpenAI's `POST /chat/completions`, with the few things in which its kind differ."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from runner.events import LeftOut, Setting
from runner.models.base import ModelInfo, ModelRequest
from runner.models.endpoint import Endpoint
from runner.models.fitting import left_out, level_why
from runner.models.openai_request import output_limit, projected, tool_choice, tool_entry
from runner.models.project import ProviderOf
from runner.models.providers import is_openai_itself

_O_SERIES: Final = re.compile(r"o\d")
_REASONING_NAMES: Final = re.compile(r"o\d|gpt-([5-9]|\d\d)")
_NEEDS_REASONING: Final = frozenset({"deepseek", "moonshot"})
"""Their reasoning models refuse a tool call in the history without the reasoning that led to it."""


def request_body(request: ModelRequest, info: ModelInfo, endpoint: Endpoint, provider_of: ProviderOf) -> dict[str, Any]:
    """The whole body. Settings that the model does not know are left out (SEMANTICS section 8).

    A request that is being repaired leaves out all that is optional, because a refused setting looks like a refused
    history.
    """
    messages = _fitted(projected(request, endpoint, provider_of), info, endpoint)
    body: dict[str, Any] = {"model": wire_name(endpoint), "messages": messages, "stream": True}
    if not (request.repair and endpoint.compatible):
        body["stream_options"] = {"include_usage": True}
    limit = output_limit(request, info, messages)
    if limit is not None:
        body[_limit_name(info, endpoint)] = limit
    if request.tools:
        body["tools"] = [tool_entry(tool) for tool in request.tools]
        choice = tool_choice(request.settings.tool_choice, request.tools)
        # Moonshot knows every choice but this one.
        if choice is not None and not (choice == "required" and endpoint.provider == "moonshot"):
            body["tool_choice"] = choice
    if not request.repair:
        body.update(_optional(request, info, endpoint))
    return body


def not_sent(request: ModelRequest, body: dict[str, Any], info: ModelInfo) -> tuple[LeftOut, ...]:
    """The settings that somebody set and the body does not have."""
    names: dict[Setting, str] = {"effort": "reasoning_effort", "temperature": "temperature", "top_p": "top_p"}
    dropped: list[Setting] = [setting for setting, name in names.items() if name not in body]
    if request.repair:
        return left_out(request.settings, dropped, effort="repair", sampling="repair")
    why = level_why(info, request.settings.reasoning_effort) or "model"
    return left_out(request.settings, dropped, effort=why, sampling="reasoning")


def encoded(body: dict[str, Any]) -> bytes:
    """The body as it is sent; half a character, which UTF-8 cannot carry, becomes a question mark."""
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", errors="replace")


def wire_name(endpoint: Endpoint) -> str:
    """The model's name as the provider itself spells it."""
    name = endpoint.model.partition("/")[2]
    if endpoint.provider == "openrouter" and "/" not in name:
        # OpenRouter's own models, such as openrouter/auto, begin with its name there too.
        return f"openrouter/{name}"
    if endpoint.provider == "fireworks_ai" and not name.startswith("accounts/") and "#" not in name:
        return f"accounts/fireworks/{name if name.startswith(('models/', 'routers/')) else f'models/{name}'}"
    return name


def _optional(request: ModelRequest, info: ModelInfo, endpoint: Endpoint) -> dict[str, Any]:
    settings = request.settings
    effort = settings.reasoning_effort
    taken = endpoint.compatible or level_why(info, effort) is None
    wanted: dict[str, Any] = {"reasoning_effort": effort if taken else None}
    if effort == "none" or not _refuses_sampling(info, endpoint):
        wanted |= {"temperature": settings.temperature, "top_p": settings.top_p}
    if request.tools and not (endpoint.provider == "openai" and _O_SERIES.match(wire_name(endpoint))):
        wanted["parallel_tool_calls"] = settings.parallel_tool_calls
    return {name: value for name, value in wanted.items() if value is not None}


def _reasons(info: ModelInfo, endpoint: Endpoint) -> bool:
    """Whether this is a reasoning model of OpenAI's, by the table or, for a new one, by its name."""
    name = wire_name(endpoint)
    if endpoint.provider != "openai" or "-chat" in name:
        return False
    return _REASONING_NAMES.match(name) is not None if info.reasoning is None else info.reasoning


def _refuses_sampling(info: ModelInfo, endpoint: Endpoint) -> bool:
    return _reasons(info, endpoint) or (endpoint.provider == "moonshot" and info.reasoning is True)


def _limit_name(info: ModelInfo, endpoint: Endpoint) -> str:
    """OpenAI has renamed the field for its reasoning models; servers like it know the old name only."""
    itself = endpoint.provider == "openai" and is_openai_itself(endpoint.base)
    return "max_completion_tokens" if itself or _reasons(info, endpoint) else "max_tokens"


def _fitted(messages: list[dict[str, Any]], info: ModelInfo, endpoint: Endpoint) -> list[dict[str, Any]]:
    """The messages with what this provider misses, and without what it refuses."""
    if endpoint.provider == "xai":
        return [{key: value for key, value in message.items() if key != "name"} for message in messages]
    if endpoint.provider in _NEEDS_REASONING and info.reasoning is not False:
        return [{"reasoning_content": " ", **message} if message.get("tool_calls") else message for message in messages]
    return messages
