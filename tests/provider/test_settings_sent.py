"""Effort and temperature on the wire, changed in the middle of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.agent import Agent
from runner.api import Runner
from runner.config import RunConfig
from runner.control.handle import RunHandle
from runner.events import SettingsChanged, SettingsLeftOut
from runner.ids import SequentialIds
from runner.testing import Recorder
from runner.tools import tool
from tests.provider.helpers import ANTHROPIC, DIRECT, OPENAI, registry_at
from tests.provider.replies import Call, Reply
from tests.provider.server import FakeProvider


@pytest.mark.parametrize(("name", "thinks"), [(ANTHROPIC, True), (DIRECT, False), (OPENAI, False)])
async def test_a_change_is_in_the_next_body_and_what_is_missing_there_is_told(
    name: str, thinks: bool, provider: FakeProvider, tmp_path: Path
) -> None:
    handle: RunHandle | None = None

    @tool(read_only=True)
    def weather(city: str) -> str:
        """The weather in a city. city: which."""
        assert handle is not None
        if city == "Bern":
            handle.set_model(effort="high", temperature=0.5)
        else:
            handle.set_model(effort="default")
        return "fine"

    def call(city: str) -> Reply:
        return Reply(reasoning=["hm"], calls=[Call(name="weather", id=f"c{city}", pieces=[f'{{"city": "{city}"}}'])])

    provider.script(call("Bern"), call("Oslo"), Reply(text=["done"]))
    runner = Runner(models=registry_at(provider), ids=SequentialIds())
    handle = runner.start(Agent(name="deck", model=name, tools=(weather,)), "go", RunConfig(workspace=tmp_path))
    recorder = Recorder()
    async for event in handle.events():
        recorder.put(event)
    result = await handle.result()
    assert result.final_output == "done"
    bodies = [received.body for received in provider.requests]
    assert len(bodies) == 3
    asked = [body.get("thinking", {}).get("type") if thinks else body.get("reasoning_effort") for body in bodies]
    assert asked == ([None, "enabled", None] if thinks else [None, "high", None])
    temperatures = [body.get("temperature") for body in bodies]
    assert temperatures == ([None, None, 0.5] if thinks else [None, 0.5, 0.5])
    changes = [(event.effort, event.temperature) for event in recorder.of(SettingsChanged)]
    assert changes == [("high", 0.5), (None, 0.5)]
    told = [(each.setting, each.why) for event in recorder.of(SettingsLeftOut) for each in event.left_out]
    assert told == ([("temperature", "thinking")] if thinks else [])
