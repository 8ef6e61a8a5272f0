"""Whole answers of both dialects over real HTTP: text, reasoning, tool calls, usage, cost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from runner.messages import AssistantMessage, ToolCall, ToolResult, UserMessage
from runner.models.base import FinishChunk, ModelSettings, ProviderDataChunk, RefusalChunk, UsageChunk
from runner.models.project import check_request
from runner.models.registry import ModelRegistry, NamedModel
from runner.usage import Usage
from tests.provider.helpers import (
    ANTHROPIC,
    BOTH,
    DIRECT,
    EVERYONE,
    OPENAI,
    OPENROUTER,
    ROUTERS,
    WEATHER,
    ask,
    collect,
    environ_of,
    model_at,
)
from tests.provider.replies import Call, Reply, Tokens, openai_chunk
from tests.provider.server import FakeProvider


@pytest.mark.parametrize("name", EVERYONE)
async def test_text_arrives_piece_by_piece_with_usage(name: str, provider: FakeProvider) -> None:
    provider.script(Reply(text=["Hel", "lo ", "there"], usage=Tokens(input=20, cached=4, output=9)))
    answer = await collect(model_at(provider, name), ask())
    # Our own client gives at once what came at once.
    assert answer.text == "Hello there"
    assert len(answer.assembly.text) == 3 or name.startswith("direct")
    assert answer.assembly.usage == Usage(input=20, cached_input=4, output=9)
    assert answer.assembly.finish == "stop"
    assert isinstance(answer.chunks[-1], FinishChunk)
    assert len(provider.requests) == 1


@pytest.mark.parametrize("name", EVERYONE)
async def test_reasoning_text_and_parallel_calls_that_take_turns(name: str, provider: FakeProvider) -> None:
    calls = (
        Call(name="weather", id="call_one", pieces=['{"ci', 'ty": "Oslo"}']),
        Call(name="weather", id="call_two", pieces=['{"city":', ' "Rome"}']),
    )
    reply = Reply(reasoning=["Two ", "cities."], text=["Looking."], calls=calls, interleave=name != ANTHROPIC)
    provider.script(replace(reply, reasoning_field="reasoning") if name in ROUTERS else reply)
    answer = await collect(model_at(provider, name), ask(tools=[WEATHER]))
    assert answer.reasoning == "Two cities."
    assert answer.text == "Looking."
    assert answer.calls == [("call_one", "weather", {"city": "Oslo"}), ("call_two", "weather", {"city": "Rome"})]
    assert answer.assembly.finish == "tool_calls"
    sent = provider.requests[0].body["tools"][0]
    assert (sent["name"] if name == ANTHROPIC else sent["function"]["name"]) == "weather"


@pytest.mark.parametrize("name", EVERYONE)
async def test_a_call_without_arguments_is_an_empty_object_or_empty_text(name: str, provider: FakeProvider) -> None:
    provider.script(Reply(calls=[Call(name="now", id="c1", pieces=[""])]))
    answer = await collect(model_at(provider, name), ask())
    assert [call.arguments_json or "{}" for call in answer.assembly.calls.values()] == ["{}"]


@pytest.mark.parametrize(
    ("name", "tokens", "cost"),
    [
        # 2.50 in, 1.25 cached, 10.00 out for a million tokens.
        (OPENAI, Tokens(input=1000, cached=400, output=50), "0.0025"),
        # 3.00 in, 0.30 cached, 3.75 written, 15.00 out.
        (ANTHROPIC, Tokens(input=1000, cached=400, written=100, output=50), "0.002745"),
    ],
)
async def test_cost_is_exact_with_cached_tokens(name: str, tokens: Tokens, cost: str, provider: FakeProvider) -> None:
    provider.script(Reply(text=["x"], usage=tokens))
    model = model_at(provider, name)
    usage = (await collect(model, ask())).assembly.usage
    assert usage is not None
    assert usage.cache_write == tokens.written
    assert model.cost(usage) == Decimal(cost)


async def test_reasoning_tokens_are_part_of_the_output(provider: FakeProvider) -> None:
    provider.script(Reply(text=["x"], usage=Tokens(input=10, output=30, reasoning=25)))
    answer = await collect(model_at(provider), ask())
    assert answer.assembly.usage == Usage(input=10, output=30, reasoning=25)


@pytest.mark.parametrize("name", EVERYONE)
async def test_without_usage_from_the_provider_none_is_made_up(name: str, provider: FakeProvider) -> None:
    provider.script(Reply(text=["some ", "words"], usage=None))
    answer = await collect(model_at(provider, name), ask())
    assert answer.text == "some words"
    assert not [chunk for chunk in answer.chunks if isinstance(chunk, UsageChunk)]


@pytest.mark.parametrize("name", [OPENAI, DIRECT, *ROUTERS])
async def test_usage_that_is_told_all_along_counts_as_it_is_at_the_end(name: str, provider: FakeProvider) -> None:
    def so_far(output: int) -> dict[str, int]:
        return {"prompt_tokens": 9, "completion_tokens": output, "total_tokens": 9 + output}

    events = [
        openai_chunk("m", {"content": "a"}, usage=so_far(1)),
        openai_chunk("m", {"content": "b"}, usage=so_far(2)),
        openai_chunk("m", {}, finish="stop"),
        openai_chunk("m", None, usage=so_far(40)),
        "data: [DONE]\n\n",
    ]
    provider.script(Reply(events=events))
    answer = await collect(model_at(provider, name), ask())
    assert (answer.text, answer.assembly.usage) == ("ab", Usage(input=9, output=40))


async def test_anthropic_thinking_is_kept_with_its_signature_and_sent_back(provider: FakeProvider) -> None:
    call = Call(name="weather", id="toolu_01", pieces=['{"city": "Oslo"}'])
    provider.script(Reply(reasoning=["Let me ", "see."], signature="EqQB+/=", calls=[call]), Reply(text=["Cold."]))
    model = model_at(provider, ANTHROPIC)
    first = await collect(model, ask(tools=[WEATHER], settings=ModelSettings(reasoning_effort="low")))
    blocks = [{"type": "thinking", "thinking": "Let me see.", "signature": "EqQB+/="}]
    assert first.assembly.provider_data == {"provider": "anthropic", "thinking_blocks": blocks}
    history = (
        UserMessage(text="Weather in Oslo?"),
        AssistantMessage(
            reasoning=first.reasoning,
            tool_calls=(
                ToolCall(call_id="a", tool="weather", arguments_json='{"city": "Oslo"}', provider_id="toolu_01"),
            ),
            model=ANTHROPIC,
            provider_data=first.assembly.provider_data,
        ),
        ToolResult(call_id="a", tool="weather", output="-3"),
    )
    await collect(model, ask(*history, tools=[WEATHER], settings=ModelSettings(reasoning_effort="low")))
    sent = provider.requests[1].body
    assert sent["thinking"]["type"] == "enabled"
    assert sent["messages"][1]["content"][0] == blocks[0]
    assert sent["messages"][1]["content"][1]["id"] == "toolu_01"
    assert sent["messages"][2]["content"][0]["tool_use_id"] == "toolu_01"


async def test_a_turn_begun_elsewhere_is_finished_by_anthropic_without_thinking(provider: FakeProvider) -> None:
    provider.script(Reply(text=["ok"]))
    history = (
        UserMessage(text="Weather?"),
        AssistantMessage(
            reasoning="hidden", model=OPENAI, tool_calls=(ToolCall(call_id="a!", tool="weather", provider_id="x y"),)
        ),
        ToolResult(call_id="a!", tool="weather", output="-3"),
    )
    model = model_at(provider, ANTHROPIC)
    await collect(model, ask(*history, tools=[WEATHER], settings=ModelSettings(reasoning_effort="high")))
    sent = provider.requests[0].body
    assert "thinking" not in sent
    assert "hidden" not in str(sent)


async def test_openrouter_reasoning_details_come_back_to_it(provider: FakeProvider) -> None:
    detail = {"type": "reasoning.encrypted", "data": "abc", "id": "r1", "format": "x", "index": 0}
    events = [
        openai_chunk("m", {"role": "assistant", "content": "", "reasoning": "Hm.", "reasoning_details": [detail]}),
        openai_chunk("m", {"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": "{}"}}]}),
        openai_chunk("m", {}, finish="tool_calls"),
        "data: [DONE]\n\n",
    ]
    provider.script(Reply(events=events), Reply(text=["done"]))
    model = model_at(provider, OPENROUTER)
    first = await collect(model, ask(tools=[WEATHER]))
    assert first.reasoning == "Hm."
    assert first.assembly.provider_data["reasoning_details"] == [detail]
    calls = (ToolCall(call_id="c", tool="f", provider_id="c1"),)
    history = (
        UserMessage(text="?"),
        AssistantMessage(tool_calls=calls, model=OPENROUTER, provider_data=first.assembly.provider_data),
        ToolResult(call_id="c", tool="f", output="1"),
    )
    await collect(model, ask(*history, tools=[WEATHER]))
    assert provider.requests[1].body["messages"][1]["reasoning_details"] == [detail]


async def test_a_refusal_is_told_apart_from_text(provider: FakeProvider) -> None:
    provider.script(Reply(refusal=["I ", "won't."]))
    answer = await collect(model_at(provider), ask())
    assert "".join(chunk.text for chunk in answer.chunks if isinstance(chunk, RefusalChunk)) == "I won't."
    assert answer.text == ""


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize(
    ("sent", "ours"), [("length", "length"), ("content_filter", "content_filter"), ("never_heard_of", "stop")]
)
async def test_finish_reasons(name: str, sent: str, ours: str, provider: FakeProvider) -> None:
    if name == ANTHROPIC and sent == "content_filter":
        sent = "refusal"
    provider.script(Reply(text=["some"], finish=sent))
    assert (await collect(model_at(provider, name), ask())).assembly.finish == ours


async def test_calls_cut_by_length_say_so(provider: FakeProvider) -> None:
    provider.script(Reply(calls=[Call(name="f", id="c", pieces=['{"a": "un'])], finish="length"))
    answer = await collect(model_at(provider), ask())
    assert answer.assembly.finish == "length"
    assert answer.calls == [("c", "f", '{"a": "un')]


async def test_settings_reach_the_provider_and_unsupported_ones_are_left_out(provider: FakeProvider) -> None:
    provider.script(Reply(text=["x"]), Reply(text=["x"]))
    settings = ModelSettings(
        temperature=0.5, top_p=0.9, max_tokens=77, tool_choice="weather", parallel_tool_calls=False
    )
    await collect(model_at(provider), ask(tools=[WEATHER], settings=settings, instructions="Be brief."))
    body = provider.requests[0].body
    assert (body["temperature"], body["top_p"], body["max_tokens"]) == (0.5, 0.9, 77)
    assert body["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    assert body["parallel_tool_calls"] is False
    assert body["stream_options"] == {"include_usage": True}
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    await collect(model_at(provider, "openai/gpt-5"), ask(settings=ModelSettings(temperature=0.5)))
    assert "temperature" not in provider.requests[1].body


@pytest.mark.parametrize(
    ("settings", "thinks"),
    [
        (ModelSettings(), True),
        (ModelSettings(temperature=0.5, top_p=0.5), True),
        (ModelSettings(max_tokens=2000), True),
        (ModelSettings(max_tokens=1024), False),
        (ModelSettings(tool_choice="none"), True),
        (ModelSettings(tool_choice="required"), False),
        (ModelSettings(tool_choice="weather"), False),
    ],
)
async def test_anthropic_thinks_only_beside_settings_that_allow_it(
    settings: ModelSettings, thinks: bool, provider: FakeProvider
) -> None:
    provider.script(Reply(text=["x"]))
    request = ask(tools=[WEATHER], settings=replace(settings, reasoning_effort="low"))
    await collect(model_at(provider, ANTHROPIC), request)
    sent = provider.requests[0].body
    assert ("thinking" in sent) is thinks
    assert (sent.get("temperature"), sent.get("top_p")) == (None, None)


@pytest.mark.parametrize(("name", "field", "limit"), [(OPENAI, "max_tokens", 16384), (ANTHROPIC, "max_tokens", 32000)])
async def test_a_limit_of_output_is_always_sent(name: str, field: str, limit: int, provider: FakeProvider) -> None:
    provider.script(Reply(text=["x"]))
    await collect(model_at(provider, name), ask(settings=ModelSettings(reasoning_effort="low")))
    assert provider.requests[0].body[field] == limit


async def test_a_named_model_is_sent_to_its_address_with_its_key_and_no_other(provider: FakeProvider) -> None:
    named = NamedModel(
        name="lab/qwen",
        model="openai/qwen",
        api_base=provider.openai_url,
        api_key_env="LAB_KEY",
        context_window=32768,
        input_cost_per_million=Decimal("0.10"),
        output_cost_per_million=Decimal("0.20"),
    )
    keyless = NamedModel(name="lab/free", model="openai/qwen", api_base=provider.openai_url)
    registry = ModelRegistry(
        {named.name: named, keyless.name: keyless}, environ={**environ_of(provider), "LAB_KEY": "lab-secret-1"}
    )
    provider.script(Reply(text=["x"], usage=Tokens(input=1_000_000, output=500_000)), Reply(text=["y"]))
    model = registry.resolve("lab/qwen")
    settings = ModelSettings(reasoning_effort="low")
    usage = (await collect(model, ask(tools=[WEATHER], settings=settings))).assembly.usage
    assert usage is not None
    assert model.cost(usage) == Decimal("0.2")
    assert provider.requests[0].headers["authorization"] == "Bearer lab-secret-1"
    assert provider.requests[0].body["model"] == "qwen"
    assert provider.requests[0].body["reasoning_effort"] == "low"
    free = registry.resolve("lab/free")
    answer = await collect(free, ask())
    assert "sk-test" not in str(provider.requests[1].headers)
    assert answer.assembly.usage is not None
    assert free.cost(answer.assembly.usage) is None


async def test_ollama_is_asked_in_the_openai_dialect_and_costs_nothing(provider: FakeProvider) -> None:
    provider.script(Reply(calls=[Call(name="weather", id="c", pieces=['{"city": "Bern"}'])]))
    model = ModelRegistry(environ={"OLLAMA_HOST": f"127.0.0.1:{provider.port}"}).resolve("ollama/some-model")
    answer = await collect(model, ask(tools=[WEATHER]))
    assert provider.requests[0].path == "/v1/chat/completions"
    assert provider.requests[0].body["tools"]
    assert answer.calls == [("c", "weather", {"city": "Bern"})]
    assert answer.assembly.usage is not None
    assert model.cost(answer.assembly.usage) == 0


@pytest.mark.parametrize("name", EVERYONE)
async def test_a_history_written_by_another_provider_is_accepted(name: str, provider: FakeProvider) -> None:
    provider.script(Reply(text=["x"]))
    history = (
        UserMessage(text="one"),
        AssistantMessage(
            text="thinking aloud",
            reasoning="secret thoughts",
            model="gemini/gemini-2.5-pro",
            tool_calls=(
                ToolCall(call_id="c-1", tool="weather", arguments_json='{"city": ', provider_id="a b__thought__Zz+/="),
                ToolCall(call_id="c-2", tool="weather", arguments_json='{"city": "Rome"}', provider_id="a b"),
            ),
        ),
        ToolResult(call_id="c-1", tool="weather", output=""),
        UserMessage(text="two"),
        AssistantMessage(text="", model="gemini/gemini-2.5-pro", interrupted=True),
        UserMessage(text="three"),
    )
    await collect(model_at(provider, name), ask(*history, tools=[WEATHER]))
    sent = provider.requests[0].body["messages"]
    assert "secret thoughts" not in str(sent)
    assert "not executed" in str(sent)
    if name != ANTHROPIC:
        assert check_request(sent, "openai") == []


async def test_provider_data_says_who_made_the_calls(provider: FakeProvider) -> None:
    provider.script(Reply(calls=[Call(name="f", id="c1")]))
    chunks = (await collect(model_at(provider), ask())).chunks
    assert [chunk.data for chunk in chunks if isinstance(chunk, ProviderDataChunk)] == [{"provider": "openai"}]
