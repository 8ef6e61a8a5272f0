"""Any history, sent to any provider by the client that asks it, is a request that its server takes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.messages import AssistantMessage, Message
from runner.models.base import ModelSettings, ToolSpec
from runner.models.dialects import no_constant, tool_name
from tests.conftest import soak_factor
from tests.provider.helpers import (
    ANTHROPIC,
    DIRECT,
    DIRECT_OPENROUTER,
    GEMINI,
    LOCAL,
    MISTRAL,
    OPENAI,
    OPENROUTER,
    WEATHER,
    ask,
    collect,
    model_at,
)
from tests.provider.histories import conversations, thought_of
from tests.provider.replies import Reply
from tests.provider.server import FakeProvider, run_in_thread

TARGETS = (ANTHROPIC, GEMINI, "gemini/gemini-3.5-flash", MISTRAL, OPENAI, DIRECT, LOCAL, OPENROUTER, DIRECT_OPENROUTER)


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def signed_in(history: list[Message], provider: FakeProvider) -> None:
    """Let the servers remember what they would have said in this history."""
    for message in history:
        if not isinstance(message, AssistantMessage):
            continue
        wrote = str((message.provider_data or {}).get("provider", "somebody"))
        number = int(message.reasoning.rpartition(" ")[2])
        signature = thought_of(number)[1] if wrote == "anthropic" else ""
        provider.issued.reasoning(wrote, message.reasoning, signature)
        for call in message.tool_calls if message.model.startswith("gemini/") else ():
            signed = call.provider_id.partition("__thought__")[2]
            provider.issued.call("gemini", tool_name(call.tool), _object(call.arguments_json), signed)


def _object(text: str) -> object:
    """The arguments as they are sent: what is no JSON object is sent as an empty one."""
    try:
        value: object = json.loads(text, parse_constant=no_constant)
    except ValueError:
        return {}
    return cast("object", value) if isinstance(value, dict) else {}


@given(
    history=conversations(longest=7),
    names=st.lists(st.sampled_from(TARGETS), min_size=1, max_size=4, unique=True),
    tools=st.sampled_from([(WEATHER,), ()]),
    effort=st.sampled_from([None, "low"]),
)
@settings(
    max_examples=25 * soak_factor(),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_server_takes_every_history(
    history: list[Message], names: list[str], tools: tuple[ToolSpec, ...], effort: str | None, loop: asyncio.Runner
) -> None:
    with run_in_thread(handler=lambda _: Reply(text=["fine"])) as provider:
        signed_in(history, provider)
        request = ask(*history, tools=tools, instructions="Be good.", settings=ModelSettings(reasoning_effort=effort))
        for name in names:
            assert loop.run(collect(model_at(provider, name), request)).text == "fine"
            provider.assert_valid()
        assert len(provider.requests) == len(names)
