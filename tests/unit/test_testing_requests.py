"""What the doubles say to a request that a provider would refuse, and what saying so costs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from runner import RunConfig
from runner.messages import AssistantMessage, Message, ToolCall, ToolResult, UserMessage
from runner.models.base import Chunk, Model, ModelRequest
from runner.testing import (
    FaultyModel,
    InvalidRequestAssertion,
    RequestCheck,
    ScriptedModel,
    expecting_invalid,
    invalid_requests,
)
from tests.loop.harness import live

REQUESTS = 500
OPEN_CALL = (
    UserMessage(text="go"),
    AssistantMessage(tool_calls=(ToolCall(call_id="c1", tool="look"),)),
    UserMessage(text="and?"),
)


async def drain(model: Model, *messages: Message) -> list[Chunk]:
    chunks: AsyncIterator[Chunk] = model.stream(ModelRequest(model="", messages=messages))
    return [chunk async for chunk in chunks]


async def test_a_double_refuses_what_a_provider_would() -> None:
    scripted = ScriptedModel(["never"])
    for model in (scripted, FaultyModel(ScriptedModel(["never"]), [])):
        with expecting_invalid() as found, pytest.raises(InvalidRequestAssertion, match="no result of"):
            await drain(model, *OPEN_CALL)
        assert found
    assert invalid_requests() == []
    assert scripted.streams[0].sent == 0


async def test_an_empty_history_is_refused() -> None:
    with expecting_invalid(), pytest.raises(InvalidRequestAssertion, match="mistral: there is no message"):
        await drain(ScriptedModel(["never"]))


async def test_what_a_run_swallows_is_still_known() -> None:
    class Broken(ScriptedModel):
        """Asks with a history of its own making."""

        def stream(self, request: ModelRequest):
            return super().stream(ModelRequest(model="", messages=OPEN_CALL))

    with expecting_invalid() as found:
        async with live(Broken(["never"]), config=RunConfig()) as running:
            result = await running.result()
    assert result.reason == "error"
    assert found


def turn(number: int) -> list[Message]:
    call = ToolCall(call_id=f"call_{number}", tool="look", arguments_json="{}")
    return [AssistantMessage(tool_calls=(call,)), ToolResult(call_id=call.call_id, tool="look", output="x")]


def test_a_long_conversation_is_not_checked_over_and_over() -> None:
    check = RequestCheck()
    history: list[Message] = [UserMessage(text="go")]
    for number in range(REQUESTS):
        assert check.check(ModelRequest(model="", messages=history)) == []
        history += turn(number)
    assert check.checked < REQUESTS * 100, "about the window for each request, and the whole now and then"


def test_a_fault_in_a_long_conversation_is_seen_at_its_end_and_at_the_next_whole_look() -> None:
    def findings(at: int, asked: int) -> list[str]:
        check = RequestCheck()
        history: list[Message] = [UserMessage(text="go")]
        for number in range(500):
            history += turn(number)
            if number == at:
                history.append(ToolResult(call_id="call_0", tool="look", output="once more"))
            if number >= asked:
                found = check.check(ModelRequest(model="", messages=history))
                if found:
                    return found
        return []

    assert findings(at=450, asked=440)
    assert findings(at=10, asked=400)
