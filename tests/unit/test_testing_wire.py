"""The checkers of request bodies: one good body of each dialect, and each way to spoil it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from runner.models.providers import Dialect
from runner.testing.wire import Issued, check_body
from runner.testing.wire.gemini import PLACEHOLDER

Json = dict[str, Any]
Spoil = Callable[[Json], object]

SCHEMA: Json = {"type": "object", "properties": {"city": {"type": "string"}}}
NINE = "AbCdEf123"


def chat(call_id: str) -> Json:
    function = {"name": "weather", "arguments": '{"city": "Oslo"}'}
    return {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": call_id, "type": "function", "function": function}],
            },
            {"role": "tool", "tool_call_id": call_id, "name": "weather", "content": "cold"},
        ],
        "tools": [{"type": "function", "function": {"name": "weather", "description": "", "parameters": SCHEMA}}],
        "max_tokens": 10,
    }


ANTHROPIC: Json = {
    "model": "claude",
    "max_tokens": 4000,
    "system": [{"type": "text", "text": "Be brief."}],
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "messages": [
        {"role": "user", "content": "Hello"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "a long thought", "signature": "sig"},
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "cold"},
                {"type": "text", "text": "And now?"},
            ],
        },
    ],
    "tools": [{"name": "weather", "input_schema": SCHEMA}],
}

GEMINI: Json = {
    "system_instruction": {"parts": [{"text": "Be brief."}]},
    "contents": [
        {"role": "user", "parts": [{"text": "Hello"}]},
        {
            "role": "model",
            "parts": [
                {"text": "Let me look."},
                {"functionCall": {"name": "weather", "args": {"city": "Oslo"}, "id": "1"}, "thoughtSignature": "sig"},
                {"function_call": {"name": "weather", "args": {"city": "Rome"}, "id": "2"}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "weather", "response": {"content": "cold"}, "id": "1"}},
                {"function_response": {"name": "weather", "response": {"content": "hot"}, "id": "2"}},
            ],
        },
    ],
    "tools": [{"functionDeclarations": [{"name": "weather", "parameters": SCHEMA}]}],
}

GOOD: dict[Dialect, Json] = {
    "openai": chat("call_1"),
    "mistral": chat(NINE),
    "anthropic": ANTHROPIC,
    "gemini": GEMINI,
}


def put(*path: str | int, to: Any) -> Spoil:
    """Set what the path leads to."""

    def spoil(body: Json) -> None:
        place: Any = body
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return spoil


def drop(*path: str | int) -> Spoil:
    """Take away what the path leads to."""

    def spoil(body: Json) -> None:
        place: Any = body
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return spoil


def add(*path: str | int, item: Any) -> Spoil:
    """Append to the list that the path leads to."""

    def spoil(body: Json) -> None:
        place: Any = body
        for step in path:
            place = place[step]
        place.append(item)

    return spoil


CALL = ("messages", 2, "tool_calls", 0)
BOTH_CHATS: list[tuple[Spoil, str]] = [
    (drop("model"), "no model"),
    (put("messages", to=[]), "no user message"),
    (put("messages", 1, "role", to="customer"), "unknown role"),
    (put("messages", 1, "content", to=" "), "user message is empty"),
    (put("messages", 1, "content", to=[]), "user message is empty"),
    (put("messages", 0, "content", to=""), "system message is empty"),
    (put("messages", 2, "tool_calls", to=[]), "an empty list of calls"),
    (put("messages", 2, "thinking_blocks", to=[]), "no field 'thinking_blocks'"),
    (put("messages", 1, "reasoning_content", to="x"), "reasoning_content in a user message"),
    (put(*CALL, "provider_specific_fields", to={}), "a call has no field"),
    (put(*CALL, "type", to="custom"), "a call of type 'custom'"),
    (put(*CALL, "function", "arguments", to={"city": "Oslo"}), "arguments that are no text"),
    (put(*CALL, "function", "arguments", to="{"), "not JSON"),
    (put(*CALL, "function", "arguments", to="[]"), "no object"),
    (put(*CALL, "function", "name", to="odd name!"), "cannot be a tool's name"),
    (drop("messages", 3), "without a result at the end"),
    (put("messages", 3, "tool_call_id", to="other"), "not an open call"),
    (
        add("messages", 2, "tool_calls", item={"id": "b", "type": "function", "function": {}}),
        "without a result at the end",
    ),
    (add("tools", item={"function": {"name": "weather", "parameters": SCHEMA}}), "two tools are called 'weather'"),
    (put("tools", 0, "function", "name", to=""), "a tool is called ''"),
    (put("tools", 0, "function", "parameters", to={"type": "string"}), "are no object"),
    (put("tools", to=[]), "an empty list of tools"),
    (put("max_tokens", to=0), "max_tokens is 0"),
]
ONLY_OPENAI: list[tuple[Spoil, str]] = [(put(*CALL, "id", to="x" * 41), "not in the format of openai")]
ONLY_MISTRAL: list[tuple[Spoil, str]] = [
    (put(*CALL, "id", to="call_1"), "not in the format of mistral"),
    (put("messages", 3, "content", to=""), "an empty result"),
    (add("messages", item={"role": "user", "content": "and?"}), "between a tool result and a user message"),
    (add("messages", item={"role": "assistant", "content": "so"}), "no assistant message last"),
]
ANSWER: Json = {"role": "assistant", "content": [{"type": "text", "text": "so"}]}
ONLY_ANTHROPIC: list[tuple[Spoil, str]] = [
    (drop("model"), "no model"),
    (drop("max_tokens"), "max_tokens is None"),
    (put("system", to=""), "the system prompt is empty"),
    (put("messages", to=[]), "there is no message"),
    (put("messages", 0, "role", to="system"), "has the role 'system'"),
    (put("messages", 0, "content", to=" "), "an empty text"),
    (put("messages", 1, "content", to=[]), "message 1 is empty"),
    (drop("messages", 0), "the first message is not the user's"),
    (add("messages", item=ANSWER), "the last message is not the user's"),
    (add("messages", item={"role": "user", "content": "more"}), "have the same role"),
    (drop("messages", 2), "without a result at the end"),
    (put("messages", 1, "content", 2, "id", to="has space"), "Anthropic's format"),
    (put("messages", 1, "content", 2, "input", to="{}"), "arguments that are no object"),
    (put("messages", 1, "content", 2, "name", to=""), "a call of ''"),
    (put("messages", 2, "content", 0, "tool_use_id", to="toolu_2"), "where ['toolu_1'] are open"),
    (lambda body: body["messages"][2]["content"].reverse(), "something comes before the results"),
    (add("messages", 1, "content", item=ANTHROPIC["messages"][1]["content"][2]), "is used twice"),
    (add("messages", 0, "content", item=None), "a None block"),
    (put("messages", 1, "content", 0, "signature", to=""), "a thought without a signature"),
    (put("messages", 1, "content", 0, to={"type": "redacted_thinking"}), "without its data"),
    (drop("messages", 1, "content", 0), "no thought before the call"),
    (
        lambda body: body["messages"][1]["content"].insert(0, {"type": "text", "text": "Hm."}),
        "no thought before the call",
    ),
    (add("messages", 1, "content", item={"type": "thinking", "thinking": "", "signature": "s"}), "ends with a thought"),
    (put("thinking", "budget_tokens", to=4000), "thinking with 4000 tokens of 4000"),
    (put("temperature", to=0.5), "thinking with a temperature"),
    (put("tool_choice", to={"type": "any"}), "thinking with a forced call"),
    (drop("tools"), "defines no tools"),
    (put("tools", 0, "name", to="odd name!"), "a tool is called 'odd name!'"),
    (put("system", to=[{"text": "x", "cache_control": {}}] * 5), "more than 4 marks"),
]
ONLY_GEMINI: list[tuple[Spoil, str]] = [
    (put("contents", to=[]), "there is no message"),
    (put("contents", 0, "role", to="system"), "has the role 'system'"),
    (put("contents", 0, "parts", to=[]), "message 0 is empty"),
    (put("contents", 0, "parts", 0, "text", to=""), "an empty text"),
    (drop("contents", 0), "the first message is not the user's"),
    (drop("contents", 2), "the last message is not the user's"),
    (drop("contents", 2), "without a result at the end"),
    (lambda body: body["contents"].insert(1, {"role": "model", "parts": [{"text": "x"}]}), "both the model's"),
    (drop("contents", 2, "parts", 1), "answers ['weather'] where ['weather', 'weather'] are open"),
    (put("contents", 2, "parts", 0, "functionResponse", "name", to="other"), "answers ['other', 'weather']"),
    (put("contents", 2, "parts", 0, "functionResponse", "id", to="9"), "ids of the results"),
    (put("contents", 2, "parts", 0, "functionResponse", "response", to="cold"), "a result that is no object"),
    (put("contents", 1, "parts", 1, "functionCall", "id", to="2"), "two calls with one id"),
    (put("contents", 1, "parts", 1, "functionCall", "args", to="{}"), "arguments that are no object"),
    (put("contents", 1, "parts", 1, "functionCall", "name", to="odd name!"), "a call of 'odd name!'"),
    (put("contents", 1, "role", to="user"), "a call that is not the model's"),
    (put("contents", 2, "role", to="model"), "a result that the model gives"),
    (drop("contents", 1, "parts", 1, "thoughtSignature"), "the first call has no signature"),
    (put("system_instruction", "parts", 0, "text", to=""), "the system prompt is empty"),
    (put("tools", 0, "functionDeclarations", 0, "name", to=""), "a tool is called ''"),
]
BAD: list[tuple[Dialect, Spoil, str]] = [
    *(("openai", *case) for case in (*BOTH_CHATS, *ONLY_OPENAI)),
    *(("mistral", *case) for case in (*BOTH_CHATS, *ONLY_MISTRAL)),
    *(("anthropic", *case) for case in ONLY_ANTHROPIC),
    *(("gemini", *case) for case in ONLY_GEMINI),
]


@pytest.mark.parametrize("dialect", GOOD)
def test_a_good_body_is_good(dialect: Dialect) -> None:
    assert check_body(GOOD[dialect], dialect, model="gemini-3.5-flash") == []


@pytest.mark.parametrize(("dialect", "spoil", "complaint"), BAD, ids=[f"{case[0]}: {case[2]}" for case in BAD])
def test_each_way_to_spoil_it_is_seen(dialect: Dialect, spoil: Spoil, complaint: str) -> None:
    body = copy.deepcopy(GOOD[dialect])
    if complaint == "a None block":
        body["messages"][0]["content"] = []
    spoil(body)
    found = check_body(body, dialect, model="gemini-3.5-flash")
    assert any(complaint in what for what in found), found


def test_content_in_parts_is_text() -> None:
    body = copy.deepcopy(GOOD["openai"])
    body["messages"][1]["content"] = [{"type": "text", "text": "Hello"}]
    assert check_body(body, "openai") == []


def test_older_models_of_gemini_know_no_ids_and_need_no_signature() -> None:
    body = copy.deepcopy(GEMINI)
    assert any("an id" in what for what in check_body(body, "gemini", model="gemini-2.5-pro"))
    for part in (*body["contents"][1]["parts"][1:], *body["contents"][2]["parts"]):
        next(value for name, value in part.items() if name != "thoughtSignature").pop("id")
    del body["contents"][1]["parts"][1]["thoughtSignature"]
    assert check_body(body, "gemini", model="gemini-2.5-pro") == []
    assert check_body(body, "gemini") == ["there is no model"]


def test_signed_thoughts_go_to_their_provider_only_and_unchanged() -> None:
    issued = Issued()
    assert "anthropic never signed" in str(check_body(ANTHROPIC, "anthropic", issued=issued))
    issued.reasoning("anthropic", "a long thought", "sig")
    assert check_body(ANTHROPIC, "anthropic", issued=issued) == []
    changed = copy.deepcopy(ANTHROPIC)
    changed["messages"][1]["content"][0]["signature"] = "other"
    assert "anthropic never signed" in str(check_body(changed, "anthropic", issued=issued))
    elsewhere = check_body(ANTHROPIC, "anthropic", issued=issued, provider="resold")
    assert "the reasoning of anthropic is sent to resold" in str(elsewhere)


def test_reasoning_is_never_sent_as_text() -> None:
    issued = Issued()
    issued.reasoning("openai", "a long thought")
    body = copy.deepcopy(GOOD["openai"])
    body["messages"][1]["content"] = "Hello (a long thought)"
    assert "the reasoning of openai is sent as content" in str(check_body(body, "openai", issued=issued))
    body = copy.deepcopy(GOOD["openai"])
    body["messages"][2]["reasoning_content"] = "a long thought"
    assert check_body(body, "openai", issued=issued) == []
    assert "is sent to other" in str(check_body(body, "openai", issued=issued, provider="other"))


def test_signatures_of_calls_are_kept_and_never_made_up() -> None:
    def check(body: Json) -> list[str]:
        return check_body(body, "gemini", model="gemini-3.5-flash", issued=issued)

    issued = Issued()
    assert "gemini never signed this call" in str(check(GEMINI))
    issued.call("gemini", "weather", {"city": "Oslo"}, "sig")
    issued.call("gemini", "weather", {"city": "Rome"}, "")
    assert check(GEMINI) == []
    body = copy.deepcopy(GEMINI)
    signed = body["contents"][1]["parts"][1]
    signed["thoughtSignature"] = PLACEHOLDER
    assert "has lost its signature" in str(check(body))
    # An equal call that another model made stands for itself.
    twin = {"functionCall": {**signed["functionCall"], "id": "3"}, "thoughtSignature": "sig"}
    body["contents"][1]["parts"].append(twin)
    body["contents"][2]["parts"].append({"functionResponse": {"name": "weather", "response": {}, "id": "3"}})
    assert check(body) == []
