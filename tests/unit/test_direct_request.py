"""The body of a request to each kind of endpoint: names, limits, settings, and what a provider misses or refuses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from runner.errors import AuthenticationError
from runner.messages import AssistantMessage, Message, ToolCall, ToolResult, UserMessage
from runner.models.base import ModelInfo, ModelRequest, ModelSettings, ToolSpec
from runner.models.direct_model import DirectModel
from runner.models.direct_request import encoded, request_body, wire_name
from runner.models.endpoint import Endpoint
from runner.models.providers import PROVIDERS, SELF_HOSTED, prefix_of
from runner.models.registry import ModelRegistry, NamedModel

LOOK = ToolSpec(name="look", description="Look.", parameters={"type": "object", "properties": {}})
ALL = ModelSettings(
    temperature=0.5, top_p=0.9, tool_choice="required", parallel_tool_calls=True, reasoning_effort="low"
)
CALLED: tuple[Message, ...] = (
    UserMessage(text="go"),
    AssistantMessage(model="anthropic/claude", tool_calls=(ToolCall(call_id="a", tool="look", arguments_json="{}"),)),
    ToolResult(call_id="a", tool="look", output="1"),
)
KEYS = {variable: "k" for provider in PROVIDERS for variable in provider.keys}


def asked(name: str, *named: NamedModel, **environ: str) -> tuple[Endpoint, ModelInfo]:
    model = ModelRegistry({one.name: one for one in named}, environ={**KEYS, **environ}).resolve(name)
    assert isinstance(model, DirectModel)
    return model.endpoint(), model.info


def body(
    where: tuple[Endpoint, ModelInfo],
    settings: ModelSettings | None = None,
    messages: Sequence[Message] = (UserMessage(text="go"),),
    *,
    repair: bool = False,
) -> dict[str, Any]:
    endpoint, info = where
    request = ModelRequest(
        model="", messages=messages, tools=[LOOK], settings=settings or ModelSettings(), repair=repair
    )
    return request_body(request, info, endpoint, prefix_of)


@pytest.mark.parametrize(
    ("name", "url", "sent"),
    [
        ("gpt-4o", "https://api.openai.com/v1", "gpt-4o"),
        ("openrouter/anthropic/claude-sonnet-4.5", "https://openrouter.ai/api/v1", "anthropic/claude-sonnet-4.5"),
        ("openrouter/auto", "https://openrouter.ai/api/v1", "openrouter/auto"),
        ("deepseek/deepseek-chat", "https://api.deepseek.com", "deepseek-chat"),
        ("groq/openai/gpt-oss-120b", "https://api.groq.com/openai/v1", "openai/gpt-oss-120b"),
        ("xai/grok-4.3", "https://api.x.ai/v1", "grok-4.3"),
        ("moonshot/kimi-k2.5", "https://api.moonshot.ai/v1", "kimi-k2.5"),
        ("zai/glm-5", "https://api.z.ai/api/paas/v4", "glm-5"),
        ("cerebras/gpt-oss-120b", "https://api.cerebras.ai/v1", "gpt-oss-120b"),
        ("together_ai/openai/gpt-oss-120b", "https://api.together.ai/v1", "openai/gpt-oss-120b"),
        (
            "fireworks_ai/gpt-oss-120b",
            "https://api.fireworks.ai/inference/v1",
            "accounts/fireworks/models/gpt-oss-120b",
        ),
        (
            "fireworks_ai/accounts/me/models/x",
            "https://api.fireworks.ai/inference/v1",
            "accounts/me/models/x",
        ),
        ("ollama/qwen3:8b", "http://127.0.0.1:11434/v1", "qwen3:8b"),
        ("lm_studio/org/qwen", "http://127.0.0.1:1234/v1", "org/qwen"),
    ],
)
def test_where_a_model_is_asked_and_by_which_name(name: str, url: str, sent: str) -> None:
    endpoint, _ = asked(name)
    assert (endpoint.url, wire_name(endpoint)) == (url, sent)


@pytest.mark.parametrize("provider", [one for one in PROVIDERS if one.url], ids=lambda one: one.name)
def test_every_address_can_be_changed_by_a_variable(provider: Any) -> None:
    for variable in provider.base_urls:
        endpoint, _ = asked(f"{provider.name}/x", **{variable: "http://10.0.0.1:8/v1/"})
        assert endpoint.url == "http://10.0.0.1:8/v1"


def test_the_whole_address_of_the_call_may_be_given_too() -> None:
    named = NamedModel(name="x", model="qwen", api_base="http://10.0.0.1/v1/chat/completions")
    assert asked("x", named)[0].url == "http://10.0.0.1/v1"


def test_a_plain_model_gets_every_setting() -> None:
    got = body(asked("gpt-4.1"), ALL)
    assert {key: got[key] for key in ("temperature", "top_p", "tool_choice", "parallel_tool_calls")} == {
        "temperature": 0.5,
        "top_p": 0.9,
        "tool_choice": "required",
        "parallel_tool_calls": True,
    }
    assert "reasoning_effort" not in got
    assert got["stream"] is True
    assert got["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    ("name", "environ", "field"),
    [
        ("gpt-4o", {}, "max_completion_tokens"),
        ("gpt-5", {}, "max_completion_tokens"),
        ("o3", {}, "max_completion_tokens"),
        ("gpt-5", {"OPENAI_BASE_URL": "http://10.0.0.1/v1"}, "max_completion_tokens"),
        ("gpt-4o", {"OPENAI_BASE_URL": "http://10.0.0.1/v1"}, "max_tokens"),
        ("groq/openai/gpt-oss-120b", {}, "max_tokens"),
        ("deepseek/deepseek-chat", {}, "max_tokens"),
    ],
)
def test_the_limit_of_output_is_called_as_the_endpoint_calls_it(name: str, environ: dict[str, str], field: str) -> None:
    got = body(asked(name, **environ), ModelSettings(max_tokens=77))
    assert [key for key in ("max_tokens", "max_completion_tokens") if key in got] == [field]
    assert got[field] == 77


@pytest.mark.parametrize("name", ["gpt-5", "o3", "moonshot/kimi-k2.5"])
def test_reasoning_models_are_not_told_how_to_sample(name: str) -> None:
    got = body(asked(name), ALL)
    assert "temperature" not in got
    assert "top_p" not in got
    assert got["reasoning_effort"] == "low"


def test_a_model_that_is_told_not_to_reason_samples_as_told() -> None:
    got = body(asked("gpt-5.1"), replace(ALL, reasoning_effort="none"))
    assert (got["reasoning_effort"], got["temperature"]) == ("none", 0.5)


def test_an_o_model_knows_no_parallel_calls() -> None:
    assert "parallel_tool_calls" not in body(asked("o3"), ALL)
    assert body(asked("gpt-5"), ALL)["parallel_tool_calls"] is True


@pytest.mark.parametrize("name", ["mine", "ollama/pulled-yesterday", "groq/not-in-the-table"])
def test_what_is_not_known_of_a_model_is_left_to_its_server(name: str) -> None:
    named = NamedModel(name="mine", model="qwen", api_base="http://10.0.0.1/v1")
    got = body(asked(name, named), ALL)
    assert (got["reasoning_effort"], got["temperature"], got["top_p"]) == ("low", 0.5, 0.9)


def test_a_choice_that_moonshot_does_not_know_is_left_out() -> None:
    assert "tool_choice" not in body(asked("moonshot/kimi-k2.5"), ALL)
    named = body(asked("moonshot/kimi-k2.5"), ModelSettings(tool_choice="look"))
    assert named["tool_choice"] == {"type": "function", "function": {"name": "look"}}


@pytest.mark.parametrize("name", ["deepseek/deepseek-v4-flash", "moonshot/kimi-k2.5"])
def test_calls_that_others_made_have_a_place_for_the_reasoning_these_ask_for(name: str) -> None:
    call = body(asked(name), messages=CALLED)["messages"][1]
    assert call["tool_calls"]
    assert call["reasoning_content"].isspace()
    own = replace(CALLED[1], model=name, reasoning="because")
    assert body(asked(name), messages=(CALLED[0], own, CALLED[2]))["messages"][1]["reasoning_content"] == "because"


def test_elsewhere_nothing_is_added_to_a_call() -> None:
    assert "reasoning_content" not in body(asked("gpt-4o"), messages=CALLED)["messages"][1]


def test_xai_gets_no_names_with_results() -> None:
    assert "name" in body(asked("gpt-4o"), messages=CALLED)["messages"][2]
    assert "name" not in body(asked("xai/grok-4.3"), messages=CALLED)["messages"][2]


def test_a_request_that_is_repaired_is_bare() -> None:
    settings = replace(ALL, max_tokens=9)
    got = body(asked("gpt-4.1"), settings, repair=True)
    assert set(got) == {
        "model",
        "messages",
        "stream",
        "stream_options",
        "max_completion_tokens",
        "tools",
        "tool_choice",
    }
    mine = NamedModel(name="mine", model="qwen", api_base="http://10.0.0.1/v1")
    assert set(body(asked("mine", mine), settings, repair=True)) == {
        "model", "messages", "stream", "max_tokens", "tools", "tool_choice",
    }  # fmt: skip


def test_half_a_character_can_be_sent() -> None:
    assert json.loads(encoded({"text": "a\ud83db", "é": 1})) == {"text": "a?b", "é": 1}


@pytest.mark.parametrize("name", [*(one.name for one in PROVIDERS if one.url), *SELF_HOSTED])
def test_a_missing_key_is_told_by_its_variable_where_one_is_needed(name: str) -> None:
    model = ModelRegistry(environ={}).resolve(f"{name}/x")
    assert isinstance(model, DirectModel)
    if name in SELF_HOSTED:
        assert model.endpoint().key_variable == ""
        return
    with pytest.raises(AuthenticationError) as caught:
        model.endpoint()
    assert "_API_KEY" in caught.value.fix
