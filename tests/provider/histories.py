"""Random conversations that several models took turns in, each writing as its provider does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from runner.messages import AssistantMessage, JsonObject, Message, ToolCall, ToolResult, UserMessage


@dataclass(frozen=True, slots=True)
class Author:
    """A model, the ids it gives (by number of the call), and what only its provider may be sent again."""

    model: str
    provider: str
    make_id: Callable[[int], str]
    private: Callable[[int], JsonObject | None] = lambda _: None


def thought_of(number: int) -> tuple[str, str]:
    """A thought of Anthropic's and its signature."""
    return f"secret thought {number}", f"EqQB{number}+/="


def _blocks(number: int) -> JsonObject:
    thought, signature = thought_of(number)
    return {"thinking_blocks": [{"type": "thinking", "thinking": thought, "signature": signature}]}


def _details(number: int) -> JsonObject:
    return {"reasoning_details": [{"type": "reasoning.text", "text": f"secret thought {number}", "index": 0}]}


AUTHORS = (
    Author("anthropic/claude-sonnet-4-5", "anthropic", lambda number: f"toolu_{number:06}", _blocks),
    Author("openai/gpt-4o", "openai", lambda number: f"call_{number:024}"),
    Author("gemini/gemini-2.5-pro", "gemini", lambda number: f"call_{number}__thought__Z2VtaW5p+/={number}"),
    Author("mistral/mistral-large-latest", "mistral", lambda number: f"{number:09}"),
    Author("openrouter/vendor/model", "openrouter", lambda number: f"or {number}", _details),
    Author("local/qwen", "openai", lambda _: ""),
    Author("local/odd", "openai", lambda _: "same"),
)

texts = st.one_of(st.text(max_size=20), st.sampled_from(["", " ", "\n\n", "hello ", "two\nlines", "half \ud83d of it"]))
arguments = st.sampled_from(
    ["", "{}", '{"city": "Oslo"}', '{ "city" : "Oslo" }', '{"city": "Os', "[1]", "null", "not json", '{"n": NaN}']
)
tools = st.sampled_from(["weather", "weather", "shell", "", "odd name!", "x" * 80])


@st.composite
def responses(draw: st.DrawFn, number: int, author: Author) -> list[Message]:
    """One response and its results, of which some may be missing; number is that of the response."""
    calls = tuple(
        ToolCall(
            call_id=f"call_{number}_{position}",
            tool=draw(tools),
            arguments_json=draw(arguments),
            provider_id=author.make_id(number * 10 + position),
        )
        for position in range(draw(st.integers(0, 3)))
    )
    data: dict[str, Any] = (
        {"provider": author.provider, **(author.private(number) or {})} if draw(st.booleans()) else {}
    )
    message = AssistantMessage(
        text=draw(texts),
        reasoning=f"secret thought {number}",
        tool_calls=calls,
        model=author.model,
        interrupted=draw(st.booleans()),
        provider_data=data or None,
    )
    answered = [call for call in calls if draw(st.integers(0, 4))]
    return [message, *(ToolResult(call_id=call.call_id, tool=call.tool, output=draw(texts)) for call in answered)]


@st.composite
def conversations(draw: st.DrawFn, longest: int = 10) -> list[Message]:
    """Turns in any order, as stops, aborts and switches leave them; the models that wrote them change at random."""
    made: list[Message] = []
    for number in range(draw(st.integers(1, longest))):
        if draw(st.integers(0, 2)) == 0:
            made.append(UserMessage(text=draw(texts)))
        else:
            made += draw(responses(number, draw(st.sampled_from(AUTHORS))))
    if not any(isinstance(message, UserMessage) for message in made):
        made.insert(0, UserMessage(text="hello"))
    return made
