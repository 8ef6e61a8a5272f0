"""Any history, projected for any provider, is a request that provider accepts."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.messages import AssistantMessage, Message, ToolCall, ToolResult, UserMessage
from runner.models.project import NOT_EXECUTED, check_request, project
from runner.models.providers import dialect_of
from tests.conftest import soak_factor
from tests.provider.histories import conversations

TARGETS = [
    ("openai", "openai/gpt-4o"),
    ("anthropic", "anthropic/claude-sonnet-4-5"),
    ("gemini", "gemini/gemini-2.5-pro"),
    ("mistral", "mistral/mistral-large-latest"),
    ("openrouter", "openrouter/mistralai/devstral-small"),
    ("openrouter", "openrouter/anthropic/claude-sonnet-4.5"),
    ("deepseek", "deepseek/deepseek-chat"),
]
PRIVATE = ("thinking_blocks", "reasoning_details", "reasoning_content")
MODELS = [*(model for _, model in TARGETS), "lab/qwen", ""]


def call(call_id: str = "call_1", **more: Any) -> ToolCall:
    fields: dict[str, Any] = {"call_id": call_id, "tool": "read_file", "arguments_json": '{"path": "a"}', **more}
    return ToolCall(**fields)


def wire(*messages: Message, target: str = "openai", model: str = "openai/gpt-4o", **more: Any) -> list[dict[str, Any]]:
    made = project(messages, target, model, **more)
    assert check_request(made, dialect_of(target, model)) == []
    return made


ids = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["call_1", "x", "same", "call_abc__thought__Zm9v+/==", "a" * 60, "AbCdEf123", "toolu_01A"]),
)
texts = st.one_of(st.text(max_size=20), st.sampled_from(["", " ", "\n\n", "hello ", "two\nlines"]))
arguments = st.sampled_from(["", "{}", '{"path": "a"}', '{"path": "a', "[1]", "null", "not json"])


@st.composite
def histories(draw: st.DrawFn) -> list[Message]:
    """Histories as they really end up: stopped, aborted, switched, with results missing, doubled or out of place."""
    made: list[Message] = []
    number = 0
    for _ in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(["user", "user", "assistant", "assistant", "stray result"]))
        if kind == "user":
            made.append(UserMessage(text=draw(texts)))
        elif kind == "stray result":
            made.append(ToolResult(call_id=draw(ids), tool="read_file", output=draw(texts)))
        else:
            calls: list[ToolCall] = []
            for _ in range(draw(st.integers(0, 3))):
                number += 1
                calls.append(
                    ToolCall(
                        call_id=draw(st.sampled_from([f"call_{number}", f"id {number}"])),
                        tool=draw(st.sampled_from(["read_file", "shell", "", "odd name!", "x" * 80])),
                        arguments_json=draw(arguments),
                        provider_id=draw(ids),
                    )
                )
            model = draw(st.sampled_from(MODELS))
            made.append(
                AssistantMessage(
                    text=draw(texts),
                    reasoning=draw(texts),
                    tool_calls=tuple(calls),
                    model=model,
                    interrupted=draw(st.booleans()),
                    provider_data=draw(
                        st.sampled_from([None, {"provider": "anthropic", "thinking_blocks": [{"type": "thinking"}]}])
                    ),
                )
            )
            answered = [made_call for made_call in calls if draw(st.booleans())]
            made += [ToolResult(call_id=one.call_id, tool=one.tool, output=draw(texts)) for one in answered]
            if answered and draw(st.booleans()):
                made.append(ToolResult(call_id=answered[0].call_id, tool="again", output="a second result"))
    if not any(isinstance(message, UserMessage) for message in made):
        made.insert(draw(st.integers(0, len(made))), UserMessage(text="hello"))
    return made


@pytest.mark.parametrize(("target", "model"), TARGETS)
@given(history=histories())
@settings(max_examples=150, deadline=None)
def test_every_history_is_valid_for_every_provider(target: str, model: str, history: list[Message]) -> None:
    made = project(history, target, model, instructions="Be good.")
    assert check_request(made, dialect_of(target, model)) == []
    json.dumps(made)
    calls = sum(len(message.tool_calls) for message in history if isinstance(message, AssistantMessage))
    results = sum(message["role"] == "tool" for message in made)
    assert results == sum(len(message.get("tool_calls") or ()) for message in made)
    # Equal calls of one response go to Gemini as one.
    assert results == calls or (dialect_of(target, model) == "gemini" and results < calls)
    for message in history:
        if isinstance(message, UserMessage) and message.text.strip():
            assert any(message.text in str(sent["content"]) for sent in made if sent["role"] == "user")


@given(history=conversations(), targets=st.lists(st.sampled_from(TARGETS), min_size=2, max_size=6), bare=st.booleans())
@settings(max_examples=150 * soak_factor(), deadline=None)
def test_any_sequence_of_targets_is_served_from_one_history(
    history: list[Message], targets: list[tuple[str, str]], bare: bool
) -> None:
    stored = list(history)
    first: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for target, model in targets:
        made = project(history, target, model, instructions="Be good.", bare=bare)
        assert check_request(made, dialect_of(target, model)) == []
        json.dumps(made, ensure_ascii=False).encode()
        assert history == stored, "a projection never touches what is stored"
        assert made == first.setdefault((target, model), copy.deepcopy(made)), "coming back gives what was there before"
        _check_privacy(made, history, target, bare=bare)


def _check_privacy(made: list[dict[str, Any]], history: list[Message], target: str, *, bare: bool) -> None:
    """No thought in a text, and in private fields only those that this provider signed."""
    private = [part for sent in made for name in PRIVATE for part in sent.pop(name, ())]
    assert "secret thought" not in str(made)
    wrote = [message for message in history if isinstance(message, AssistantMessage)]
    own = [message.provider_data or {} for message in wrote if message.model.startswith(target)]
    signed = [part for data in own for name in PRIVATE for part in data.get(name, ())]
    assert all(part in signed for part in private)
    if bare:
        assert private == []
        assert not {call.provider_id for message in wrote for call in message.tool_calls if call.provider_id} & {
            call["id"] for sent in made for call in sent.get("tool_calls", ())
        }


def test_ids_of_the_same_provider_stay_byte_for_byte() -> None:
    signed = "call_1__thought__Ab+/=" + "x" * 300
    history = (
        UserMessage(text="go"),
        AssistantMessage(tool_calls=(call(provider_id=signed),), model="gemini/gemini-2.5-pro"),
        ToolResult(call_id="call_1", tool="read_file", output="text"),
    )
    made = wire(*history, target="gemini", model="gemini/gemini-3.5-flash")
    assert (made[1]["tool_calls"][0]["id"], made[2]["tool_call_id"]) == (signed, signed)
    other = wire(*history)
    assert other[1]["tool_calls"][0]["id"] == "call_1"


def test_a_doubled_id_is_made_unique_and_results_follow_it() -> None:
    calls = (call("c-1", provider_id="same"), call("c-2", provider_id="same"))
    made = wire(
        UserMessage(text="go"),
        AssistantMessage(tool_calls=calls, model="openai/gpt-4o"),
        ToolResult(call_id="c-2", tool="read_file", output="second"),
        ToolResult(call_id="c-1", tool="read_file", output="first"),
    )
    first, second = (one["id"] for one in made[1]["tool_calls"])
    assert first == "same"
    assert second != "same"
    assert [(sent["tool_call_id"], sent["content"]) for sent in made[2:]] == [(first, "first"), (second, "second")]


def test_mistral_gets_nine_letters_and_a_bridge_before_the_next_user_message() -> None:
    made = wire(
        UserMessage(text="go"),
        AssistantMessage(tool_calls=(call(provider_id="call_of_openai"),), model="openai/gpt-4o"),
        ToolResult(call_id="call_1", tool="read_file", output="text"),
        UserMessage(text="and now?"),
        target="mistral",
        model="mistral/mistral-medium-latest",
    )
    assert [sent["role"] for sent in made] == ["user", "assistant", "tool", "assistant", "user"]
    assert made[1]["tool_calls"][0]["id"].isalnum()
    assert len(made[1]["tool_calls"][0]["id"]) == 9


def test_a_call_without_a_result_was_not_executed() -> None:
    made = wire(UserMessage(text="go"), AssistantMessage(tool_calls=(call(),)), UserMessage(text="why?"))
    assert made[2]["content"] == NOT_EXECUTED
    assert made[3] == {"role": "user", "content": "why?"}


def test_arguments_that_were_cut_become_an_empty_object() -> None:
    made = wire(UserMessage(text="go"), AssistantMessage(tool_calls=(call(arguments_json='{"path": "/et'),)))
    assert made[1]["tool_calls"][0]["function"]["arguments"] == "{}"


def test_reasoning_of_another_model_never_becomes_text() -> None:
    data = {"provider": "anthropic", "thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "s"}]}
    history = (
        UserMessage(text="go"),
        AssistantMessage(
            text="so", reasoning="hm hm", model="anthropic/claude-sonnet-4-5", provider_data=data, tool_calls=(call(),)
        ),
    )
    assert "hm" not in str(wire(*history))
    assert "hm" not in str(wire(*history, target="deepseek", model="deepseek/deepseek-chat"))
    assert (
        wire(*history, target="anthropic", model="anthropic/claude-opus-5")[1]["thinking_blocks"]
        == (data["thinking_blocks"])
    )


def test_deepseek_sees_its_own_reasoning_of_the_turn_it_is_in() -> None:
    def turn(text: str, number: str) -> tuple[Message, ...]:
        return (
            UserMessage(text=text),
            AssistantMessage(reasoning=f"why {number}", model="deepseek/deepseek-chat", tool_calls=(call(number),)),
            ToolResult(call_id=number, tool="read_file", output="x"),
        )

    made = wire(*turn("one", "1"), *turn("two", "2"), target="deepseek", model="deepseek/deepseek-chat")
    assert [message.get("reasoning_content") for message in made if message["role"] == "assistant"] == [None, "why 2"]


def test_equal_calls_of_one_response_are_one_for_gemini() -> None:
    calls = (call("c-1"), call("c-2", arguments_json='{ "path":"a" }'), call("c-3", arguments_json='{"path": "b"}'))
    made = wire(
        UserMessage(text="go"),
        AssistantMessage(tool_calls=calls),
        *(ToolResult(call_id=f"c-{number}", tool="read_file", output=f"text {number}") for number in (1, 2, 3)),
        target="gemini",
        model="gemini/gemini-2.5-pro",
    )
    assert [sent["content"] for sent in made if sent["role"] == "tool"] == ["text 1\n\ntext 2", "text 3"]
    assert [one["id"] for one in made[1]["tool_calls"]] == [sent["tool_call_id"] for sent in made[2:]]


def test_a_bare_history_has_nothing_private_or_optional() -> None:
    data = {"provider": "anthropic", "thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "s"}]}
    history = (
        UserMessage(text="go"),
        AssistantMessage(
            text="Let me see.",
            reasoning="hm",
            model="anthropic/claude-sonnet-4-5",
            provider_data=data,
            tool_calls=(call(provider_id="toolu_1"),),
        ),
        ToolResult(call_id="call_1", tool="read_file", output="x"),
    )
    made = wire(*history, target="anthropic", model="anthropic/claude-sonnet-4-5", bare=True)
    assert "thinking_blocks" not in made[1]
    assert (made[1]["content"], made[1]["tool_calls"][0]["id"]) == ("Let me see.", "call_1")
    mistral = wire(*history, target="mistral", model="mistral/mistral-large-latest", bare=True)
    assert mistral[1]["content"] is None, "some servers of Mistral's take a text or calls, but not both"
    deepseek = AssistantMessage(reasoning="why", model="deepseek/deepseek-chat", tool_calls=(call(),))
    sent = wire(UserMessage(text="go"), deepseek, target="deepseek", model="deepseek/deepseek-chat", bare=True)
    assert "reasoning_content" not in sent[1]


def test_a_character_in_two_halves_is_sent_whole_and_a_lone_half_is_marked() -> None:
    made = wire(
        UserMessage(text="a \ud83d\ude00 and \ud83d"),
        AssistantMessage(text="\ude00", tool_calls=(call(arguments_json='{"path": "\ud83d"}'),)),
        ToolResult(call_id="call_1", tool="read_file", output="name\udcff"),
    )
    assert [sent["content"] for sent in made] == ["a \U0001f600 and \ufffd", "\ufffd", "name\ufffd"]
    assert made[1]["tool_calls"][0]["function"]["arguments"] == '{"path": "\ufffd"}'


@pytest.mark.parametrize(("target", "model"), TARGETS)
def test_the_users_words_come_last(target: str, model: str) -> None:
    made = wire(
        UserMessage(text="go"), AssistantMessage(text="half a sent", interrupted=True), target=target, model=model
    )
    assert made[-1]["role"] == ("assistant" if dialect_of(target, model) == "openai" else "user")


def test_responses_in_a_row_are_one_that_begins_with_its_thoughts() -> None:
    def thought(text: str) -> dict[str, Any]:
        return {"type": "thinking", "thinking": text, "signature": f"signed {text}"}

    def response(text: str, *calls: ToolCall) -> AssistantMessage:
        data = {"provider": "anthropic", "thinking_blocks": [thought(text)]}
        return AssistantMessage(text=text, model="anthropic/claude-opus-5", provider_data=data, tool_calls=calls)

    plain = AssistantMessage(text="cut", model="openai/gpt-4o", interrupted=True)
    history = (UserMessage(text="go"), plain, response("one"), response("two", call()))
    made = wire(*history, target="anthropic", model="anthropic/claude-opus-5")
    assert [sent["role"] for sent in made] == ["user", "assistant", "tool"]
    assert made[1]["content"] == "cut\n\none\n\ntwo"
    assert made[1]["thinking_blocks"] == [thought("one"), thought("two")]


def test_interrupted_text_is_kept_and_empty_responses_are_left_out() -> None:
    made = wire(
        UserMessage(text="go"),
        AssistantMessage(text="half a sent", interrupted=True),
        UserMessage(text="go on"),
        AssistantMessage(text="", reasoning="only thoughts", interrupted=True),
        UserMessage(text="still there?"),
    )
    assert [message["content"] for message in made] == ["go", "half a sent", "go on", "still there?"]


def test_a_named_model_is_known_to_the_registry_only() -> None:
    history = (
        UserMessage(text="go"),
        AssistantMessage(tool_calls=(call(provider_id="kept_id"),), model="lab/claude"),
        ToolResult(call_id="call_1", tool="read_file", output="x"),
    )

    def named(name: str) -> str:
        return {"lab/claude": "anthropic"}.get(name, "")

    made = wire(*history, target="anthropic", model="anthropic/claude-opus-5", provider_of=named)
    assert made[1]["tool_calls"][0]["id"] == "kept_id"


@pytest.mark.parametrize(
    ("messages", "dialect", "complaint"),
    [
        ([{"role": "user", "content": ""}], "openai", "empty"),
        ([{"role": "assistant", "content": "hi"}], "openai", "no user"),
        ([{"role": "assistant", "content": "x"}, {"role": "user", "content": "x"}], "anthropic", "user message first"),
        ([{"role": "user", "content": "x"}, {"role": "assistant", "content": None}], "openai", "empty"),
        ([{"role": "user", "content": "x"}, {"role": "tool", "tool_call_id": "a", "content": ""}], "openai", "not an"),
        ([{"role": "user", "content": "x"}, {"role": "system", "content": "x"}], "openai", "not the first"),
        (
            [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}],
            "anthropic",
            "assistant message last",
        ),
    ],
)
def test_check_request_sees_what_is_wrong(messages: list[dict[str, Any]], dialect: Any, complaint: str) -> None:
    assert any(complaint in found for found in check_request(messages, dialect))


@pytest.mark.parametrize(
    ("change", "dialect", "complaint"),
    [
        ({"id": "has space"}, "anthropic", "format"),
        ({"id": "call_1"}, "mistral", "format"),
        ({"id": "x" * 41}, "openai", "format"),
        ({"function": {"name": "", "arguments": "{}"}}, "openai", "name"),
        ({"function": {"name": "f", "arguments": "{"}}, "openai", "not JSON"),
        ({"function": {"name": "f", "arguments": "[]"}}, "openai", "no object"),
        ({"function": {"name": "f", "arguments": '{"n": NaN}'}}, "openai", "not JSON"),
    ],
)
def test_check_request_looks_into_calls(change: dict[str, Any], dialect: Any, complaint: str) -> None:
    one = {"id": "AbCdEf123", "type": "function", "function": {"name": "f", "arguments": "{}"}, **change}
    result = {"role": "tool", "tool_call_id": one["id"], "content": "r"}
    good = [{"role": "user", "content": "x"}, {"role": "assistant", "content": None, "tool_calls": [one]}, result]
    assert any(complaint in found for found in check_request(good, dialect))
    assert any("without a result" in found for found in check_request(good[:2], dialect))
    again = [*good, good[1], result]
    assert any("used twice" in found for found in check_request(again, dialect))
