"""Which levels of effort a model takes, what is wrong with a setting, and what a request leaves out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runner.events import LeftOut
from runner.messages import AssistantMessage, Message, ToolCall, ToolResult, UserMessage
from runner.models.base import LeftOutChunk, ModelInfo, ModelRequest, ModelSettings, ToolSpec
from runner.models.demo import demo_model
from runner.models.direct_model import DirectModel
from runner.models.direct_request import not_sent, request_body
from runner.models.fitting import LEVELS, effort_problem, levels_of, predicted, read_temperature
from runner.models.litellm_model import LitellmModel
from runner.models.litellm_request import request_arguments, without_unsupported
from runner.models.providers import PROVIDERS, prefix_of
from runner.models.registry import ModelRegistry, NamedModel

KEYS = {variable: "k" for provider in PROVIDERS for variable in provider.keys}
BOTH = ModelSettings(reasoning_effort="high", temperature=0.5)
LOOK = ToolSpec(name="look", description="Look.", parameters={"type": "object", "properties": {}})
HELLO: tuple[Message, ...] = (UserMessage(text="go"),)
UNSIGNED: tuple[Message, ...] = (
    UserMessage(text="go"),
    AssistantMessage(model="x/y", tool_calls=(ToolCall(call_id="a", tool="look", arguments_json="{}"),)),
    ToolResult(call_id="a", tool="look", output="1"),
)
REASONS: dict[str, Any] = {"supports_reasoning": True}


@pytest.mark.parametrize(
    ("provider", "name", "entry", "levels"),
    [
        ("openai", "gpt-4o", {}, ""),
        ("openai", "o3", REASONS, "low medium high"),
        ("openai", "gpt-5-mini", REASONS, "minimal low medium high"),
        (
            "openai",
            "gpt-5.1",
            {**REASONS, "supports_none_reasoning_effort": True, "supports_minimal_reasoning_effort": False},
            "none low medium high",
        ),
        ("anthropic", "claude-sonnet-4-5", REASONS, "none low medium high"),
        (
            "anthropic",
            "claude-opus-4-6",
            {**REASONS, "supports_max_reasoning_effort": True, "thinking_always_on": True},
            "low medium high max",
        ),
        ("gemini", "gemini-2.5-pro", REASONS, "none minimal low medium high"),
        ("xai", "grok", {**REASONS, "reasoning_effort_levels": ["max", "low"]}, "low max"),
        ("xai", "grok", {**REASONS, "supports_low_reasoning_effort": False}, "medium high"),
    ],
)
def test_levels_by_family_and_table(provider: str, name: str, entry: dict[str, Any], levels: str) -> None:
    assert " ".join(levels_of(provider, name, entry)) == levels


def test_a_server_of_ones_own_may_take_any_level() -> None:
    own = NamedModel(name="lab", model="openai/gpt-4o", api_base="http://127.0.0.1:1/v1")
    registry = ModelRegistry({"lab": own}, environ=KEYS)
    assert registry.info("lab").efforts is None
    assert registry.info("ollama/qwen3").efforts is None
    assert registry.info("openai/gpt-4o").efforts == ()
    assert effort_problem("max", registry.info("lab")) == ""
    assert "takes no reasoning effort" in effort_problem("low", registry.info("openai/gpt-4o"))
    assert effort_problem("default", registry.info("openai/gpt-4o")) == ""
    assert effort_problem("enormous").endswith(f"it is one of {', '.join(LEVELS)}, default")


@pytest.mark.parametrize(("text", "value"), [("0", 0.0), (" 0,7 ", 0.7), ("2", 2.0), ("Default", None)])
def test_a_temperature_as_it_is_written(text: str, value: float | None) -> None:
    assert read_temperature(text) == value


@pytest.mark.parametrize("text", ["", "warm", "2.1", "-1", "nan", "inf"])
def test_a_temperature_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="0 to 2"):
        read_temperature(text)


def sent(name: str, settings: ModelSettings, messages: tuple[Message, ...] = HELLO, **more: Any) -> list[str]:
    """What a request to this model is sent without, by the adapter itself: "effort high: level"."""
    model = ModelRegistry(environ=KEYS).resolve(name)
    request = ModelRequest(model=name, messages=messages, tools=[LOOK], settings=settings, **more)
    if isinstance(model, DirectModel):
        missing = not_sent(request, request_body(request, model.info, model.endpoint(), prefix_of), model.info)
    else:
        assert isinstance(model, LitellmModel)
        missing = request_arguments(request, model.info, model.endpoint(), prefix_of)[1]
    return [f"{each.setting} {each.value}: {each.why}" for each in missing]


@pytest.mark.parametrize(
    ("name", "settings", "missing"),
    [
        ("openai/gpt-4o", BOTH, ["effort high: model"]),
        ("openai/gpt-5", BOTH, ["temperature 0.5: reasoning"]),
        ("openai/gpt-5.1", ModelSettings(reasoning_effort="none", temperature=0.5), []),
        ("openai/gpt-5.1", ModelSettings(reasoning_effort="minimal"), ["effort minimal: level"]),
        ("anthropic/claude-sonnet-4-5", BOTH, ["temperature 0.5: thinking"]),
        ("anthropic/claude-sonnet-4-5", ModelSettings(temperature=0.5), []),
        (
            "anthropic/claude-sonnet-4-5",
            ModelSettings(reasoning_effort="xhigh", temperature=1),
            ["effort xhigh: level"],
        ),
        ("groq/openai/gpt-oss-120b", BOTH, []),
    ],
)
def test_what_is_left_out_is_told_and_foreseen(name: str, settings: ModelSettings, missing: list[str]) -> None:
    assert sent(name, settings) == missing
    foreseen = predicted(ModelRegistry(environ=KEYS).info(name), settings)
    assert [f"{each.setting} {each.value}: {each.why}" for each in foreseen] == missing


def test_what_only_the_request_itself_knows_is_told_too() -> None:
    claude = "anthropic/claude-sonnet-4-5"
    assert sent(claude, BOTH, UNSIGNED) == ["effort high: unsigned"]
    forced = ModelSettings(reasoning_effort="high", tool_choice="look")
    assert sent(claude, forced) == ["effort high: forced_call"]
    assert sent(claude, ModelSettings(reasoning_effort="high", max_tokens=100)) == ["effort high: output_limit"]
    repaired = sent("groq/openai/gpt-oss-120b", BOTH, repair=True)
    assert repaired == ["effort high: repair", "temperature 0.5: repair"]


def test_settings_that_litellm_refuses_are_left_out_one_kind_after_the_other() -> None:
    arguments = {"model": "a/b", "reasoning_effort": "high", "temperature": 0.5}
    tried = [
        (sorted(fewer), [each.setting for each in missing]) for fewer, missing in without_unsupported(arguments, BOTH)
    ]
    assert tried == [
        (["model", "temperature"], ["effort"]),
        (["model", "reasoning_effort"], ["temperature"]),
        (["model"], ["effort", "temperature"]),
    ]
    assert list(without_unsupported({"model": "a/b"}, ModelSettings())) == []


async def test_a_demo_says_that_it_takes_neither() -> None:
    model = demo_model("demo/pilot")
    stream = model.stream(ModelRequest(model="demo/pilot", messages=HELLO, settings=BOTH))
    first = await anext(stream)
    await stream.aclose()
    assert first == LeftOutChunk(
        (
            LeftOut(setting="effort", value="high", why="model"),
            LeftOut(setting="temperature", value="0.5", why="model"),
        )
    )
    assert predicted(ModelInfo(name="x/y", price=None), BOTH) == ()
    assert predicted(model.info, ModelSettings()) == ()
    assert model.info.price is not None
    assert model.info.price.input == Decimal(0)
