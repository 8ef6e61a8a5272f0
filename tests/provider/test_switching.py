"""One run through every dialect and back: each request valid by its server's rules, and the history stored once.

The servers check each request themselves (runner.testing.wire): pairing, ids, order, signatures, and that nothing of
one model's reasoning reaches another.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from runner import Agent, Runner
from runner.control.handle import RunHandle
from runner.ids import SequentialIds
from runner.messages import Message, UserMessage
from runner.models.base import ModelSettings
from runner.testing import check_history
from runner.tools import tool
from runner.tools.base import Tool
from tests.provider.helpers import ANTHROPIC, DIRECT, GEMINI, LOCAL, MISTRAL, OPENAI, registry_at
from tests.provider.replies import Call, Reply
from tests.provider.server import FakeProvider, Received
from tests.provider.story import HastyClock, config_of, story, told

GEMINI_3 = "gemini/gemini-3.5-flash"
SIGNED = "EqQBCkYIAxgCKkA+/=="


def answer(received: Received) -> Reply:
    """A thought and a call as this provider writes them; the thoughts differ, so that each can be recognised."""
    city = f'{{"city": "{received.provider}"}}'
    thought = [f"What {received.provider} ", "thinks to itself."]
    match received.provider:
        case "anthropic":
            call = Call(name="visit", id=f"toolu_{len(received.body['messages'])}", pieces=[city])
            allowed = thought if "thinking" in received.body else ()
            return Reply(reasoning=allowed, signature=SIGNED, text=["Let me look."], calls=[call])
        case "gemini":
            call_id = "native1" if "gemini-3" in received.model else None
            signed = Call(name="visit", id=call_id, pieces=[city], signature="R2VtaW5pIHNpZ25lZCB0aGlz")
            return Reply(reasoning=thought, calls=[signed])
        case "mistral":
            return Reply(reasoning=thought, calls=[Call(name="visit", id="a1B2c3D4e", pieces=[city])])
        case "local":
            # Servers of one's own count, or give no id at all.
            return Reply(reasoning=thought, calls=[Call(name="visit", id=None, pieces=[city])])
        case _:
            return Reply(
                reasoning=thought, text=["One moment."], calls=[Call(name="visit", id="call_AbC", pieces=[city])]
            )


def enough(_: Received) -> Reply:
    return Reply(text=["Enough."])


class Journey:
    """A run whose tool takes it to the next model each time, and to the end when there is none left."""

    def __init__(self, provider: FakeProvider, route: Sequence[str], workspace: Path) -> None:
        self._provider = provider
        self._route = deque(route)
        self._workspace = workspace
        self._handle: RunHandle | None = None
        self.seen: list[tuple[Message, ...]] = []

    def tool(self) -> Tool:
        @tool(read_only=True)
        async def visit(city: str) -> str:
            """Look at a city.

            Args:
                city: where
            """
            assert self._handle is not None
            self.seen.append(tuple(self._handle.state.history))
            if self._route:
                self._handle.set_model(self._route.popleft())
            else:
                self._handle.send("And now?")
                self._provider.handler = enough
            return f"{city} is fine"

        return visit

    async def run(self, *before: Message, text: str = "Travel.") -> list[str]:
        """A run that starts at the first place of the route; before: what was said in earlier ones."""
        first = self._route.popleft()
        settings = ModelSettings(reasoning_effort="low")
        agent = Agent(name="deck", instructions="Be brief.", model=first, tools=(self.tool(),), model_settings=settings)
        runner = Runner(models=registry_at(self._provider), clock=HastyClock(), ids=SequentialIds())
        config = config_of(self._workspace, max_turns=40)
        self._handle = runner.start(agent, [*before, UserMessage(text=text)], config)
        recorder = await told(self._handle)
        self.seen.append(tuple(self._handle.state.history))
        return story(recorder.facts)


def sent_to(provider: FakeProvider, name: str) -> list[dict[str, Any]]:
    return [received.body for received in provider.requests if received.provider == name]


@pytest.mark.parametrize("gemini", [GEMINI, GEMINI_3])
@pytest.mark.parametrize("openai", [OPENAI, DIRECT])
async def test_there_and_back_in_one_run(openai: str, gemini: str, provider: FakeProvider, tmp_path: Path) -> None:
    provider.handler = answer
    there = [ANTHROPIC, openai, gemini, LOCAL, MISTRAL]
    journey = Journey(provider, [*there, *there, ANTHROPIC], tmp_path)
    lines = await journey.run()
    assert [line for line in lines if line.startswith(("error", "discard", "result visit err"))] == []
    assert lines[-1] == "end completed complete"
    assert provider.invalid == []

    visited = [received.provider for received in provider.requests]
    once = ["anthropic", "openai", "gemini", "local", "mistral"]
    assert visited == [*once, *once, "anthropic", "anthropic"]

    # Stored once: what was there at any moment is there at the end, untouched.
    final = journey.seen[-1]
    assert not check_history(final)
    for earlier in journey.seen:
        assert final[: len(earlier)] == earlier

    await Journey(provider, [ANTHROPIC], tmp_path).run(*final, text="And then?")
    last = sent_to(provider, "anthropic")[-1]
    assert last["thinking"]["type"] == "enabled"
    thoughts = [block for block in blocks(last) if block["type"] == "thinking"]
    assert thoughts == [{"type": "thinking", "thinking": "What anthropic thinks to itself.", "signature": SIGNED}]
    assert next(block["id"] for block in blocks(last) if block["type"] == "tool_use") == "toolu_1"


def blocks(body: dict[str, Any]) -> list[dict[str, Any]]:
    """All blocks of a request to Anthropic, one after another."""
    return [block for message in body["messages"] for block in message["content"]]


async def test_thinking_rests_until_the_turn_that_another_model_began_is_over(
    provider: FakeProvider, tmp_path: Path
) -> None:
    provider.handler = answer
    journey = Journey(provider, [OPENAI, ANTHROPIC], tmp_path)
    await journey.run()
    in_the_turn, beside_its_results = sent_to(provider, "anthropic")
    assert "thinking" not in in_the_turn
    assert "thinking" not in beside_its_results
    await Journey(provider, [ANTHROPIC], tmp_path).run(*journey.seen[-1], text="And then?")
    assert sent_to(provider, "anthropic")[-1]["thinking"]


async def test_gemini_gets_its_own_signatures_back(provider: FakeProvider, tmp_path: Path) -> None:
    provider.handler = answer
    await Journey(provider, [GEMINI_3, MISTRAL, GEMINI_3], tmp_path).run()
    contents: list[dict[str, Any]] = sent_to(provider, "gemini")[1]["contents"]
    signatures = [
        part["thoughtSignature"] for content in contents for part in content["parts"] if "thoughtSignature" in part
    ]
    assert signatures[0] == "R2VtaW5pIHNpZ25lZCB0aGlz"
    assert len(signatures) == 2, "the call of the other model carries the stand-in"


async def test_ids_of_a_model_come_back_as_they_were(provider: FakeProvider, tmp_path: Path) -> None:
    provider.handler = answer
    await Journey(provider, [MISTRAL, DIRECT, MISTRAL], tmp_path).run()
    messages: list[dict[str, Any]] = sent_to(provider, "mistral")[1]["messages"]
    sent: list[str] = [call["id"] for message in messages for call in message.get("tool_calls", ())]
    assert sent[0] == "a1B2c3D4e"
    assert "thinks to itself" not in json.dumps(sent_to(provider, "mistral"))


async def test_a_refused_history_is_repaired_once_by_leaving_out_what_is_private(
    provider: FakeProvider, tmp_path: Path
) -> None:
    call = Call(name="visit", id="toolu_own", pieces=['{"city": "Rome"}'])
    provider.script(Reply(reasoning=["A secret thought."], signature=SIGNED, calls=[call]), Reply(status=400))
    journey = Journey(provider, [ANTHROPIC], tmp_path)
    lines = await journey.run()
    assert "repair invalid_request 400 in 0" in lines
    assert lines[-1] == "end completed complete"
    _, refused, repaired = sent_to(provider, "anthropic")
    assert [block["type"] for block in blocks(refused)] == ["text", "thinking", "tool_use", "tool_result", "text"]
    assert [block["type"] for block in blocks(repaired)] == ["text", "tool_use", "tool_result", "text"]
    assert "thinking" in refused
    assert "thinking" not in repaired
    assert "toolu_own" not in json.dumps(repaired)
    assert "toolu_own" in str(journey.seen[-1]), "what is stored keeps all"
    assert SIGNED in str(journey.seen[-1])
