"""Reasoning effort and temperature in the middle of a run: the next request has them, facts tell it, the next run keeps
them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner import CommandError, RunConfig
from runner.control.commands import SetModel
from runner.errors import RateLimitError
from runner.events import (
    AttemptDiscarded,
    Event,
    LeftOut,
    ModelSwitched,
    RetryScheduled,
    RunStarted,
    SettingsChanged,
    SettingsLeftOut,
    TextDelta,
)
from runner.events.codec import dump_json, load_json
from runner.models.base import LeftOutChunk, ModelInfo, ModelSettings
from runner.state import EventItem, fold
from runner.testing import ScriptedModel, calls, hold, reply, text
from tests.loop.harness import Live, Workshop, agent_for, live, make_runner


def asked(model: ScriptedModel) -> list[tuple[str | None, float | None]]:
    return [(one.settings.reasoning_effort, one.settings.temperature) for one in model.requests]


def assert_replay(running: Live) -> None:
    """What is stored folds to the live state."""
    facts: list[Event] = [load_json(dump_json(event)) for event in running.recorder.events if not event.is_delta]
    assert fold(facts).asked == running.handle.state.asked


async def test_a_change_counts_from_the_next_request_on_and_beside_another_model() -> None:
    first, second = hold(), hold()
    model = ScriptedModel(
        [[first, *reply(calls(("note", {"text": "x"})))], [second, *reply(calls(("note", {"text": "y"})))]],
        name="test/old",
    )
    other = ScriptedModel(["from the new one"], name="test/new")
    config = RunConfig(model_settings=ModelSettings(top_p=0.5))
    async with live(model, Workshop().tools(), others=[other], config=config) as running:
        await first.reached()
        running.handle.set_model(effort="high", temperature=0.7)
        first.release()
        await second.reached()
        running.handle.set_model("test/new", effort="default")
        second.release()
        result = await running.result()
    assert asked(model) == [(None, None), ("high", 0.7)]
    assert asked(other) == [(None, 0.7)]
    assert {one.settings.top_p for one in (*model.requests, *other.requests)} == {0.5}
    one, two = running.recorder.of(SettingsChanged)
    assert (one.old_effort, one.effort, one.old_temperature, one.temperature) == (None, "high", None, 0.7)
    assert (two.old_effort, two.effort, two.temperature) == ("high", None, 0.7)
    kinds = [type(event) for event in running.recorder.events if isinstance(event, ModelSwitched | SettingsChanged)]
    assert kinds == [SettingsChanged, ModelSwitched, SettingsChanged]
    assert result.final_output == "from the new one"
    assert (running.handle.state.asked.effort, running.handle.state.asked.temperature) == (None, 0.7)
    assert_replay(running)


async def test_now_gives_up_the_open_request_and_default_goes_back_to_the_agents_own() -> None:
    gate = hold()
    model = ScriptedModel([[*text("too hasty"), gate], "thought through"])
    config = RunConfig(model_settings=ModelSettings(reasoning_effort="high", temperature=1.0))
    async with live(model, config=config, settings=ModelSettings(reasoning_effort="low")) as running:
        await running.until(TextDelta)
        running.handle.command(SetModel(effort="default", temperature="default", now=True))
        result = await running.result()
    assert asked(model) == [("high", 1.0), ("low", None)]
    discarded = running.recorder.only(AttemptDiscarded)
    assert (discarded.reason, discarded.usage_source) == ("settings_changed", "estimated")
    assert discarded.usage.input > 0
    assert running.recorder.only(RunStarted).config["effort"] == "high"
    assert result.final_output == "thought through"
    assert_replay(running)


async def test_a_fallback_and_a_retry_keep_the_settings() -> None:
    model = ScriptedModel([RateLimitError("busy", retry_after=60.0)], name="test/first")
    other = ScriptedModel(["quick"], name="test/second")
    async with live(model, fallback_models=[other]) as running:
        await running.until(RetryScheduled)
        running.handle.set_model(effort="low")
        running.handle.next_model()
        await running.result()
    assert asked(other) == [("low", None)]
    assert running.recorder.only(ModelSwitched).cause == "fallback"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (SetModel(), "names no model, no effort and no temperature"),
        (SetModel(effort="hihg"), "did you mean high?"),
        (SetModel(effort="max"), "test/scripted takes no effort 'max'; it takes low, high"),
        (SetModel(model="test/plain", effort="low"), "test/plain takes no reasoning effort"),
        (SetModel(temperature=2.5), "temperature is 2.5; it is 0 to 2"),
        (SetModel(temperature=float("nan")), "temperature is nan"),
        (SetModel(model="test/none", effort="low"), "no model is called"),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(change: SetModel, said: str) -> None:
    gate = hold()
    info = ModelInfo(name="test/scripted", provider="test", context_window=100_000, tools=True, efforts=("low", "high"))
    model = ScriptedModel([[gate, *reply(text("ok"))]], info=info)
    plain = ScriptedModel(["never"], info=replace(info, name="test/plain", efforts=()))
    async with live(model, others=[plain]) as running:
        await gate.reached()
        with pytest.raises(CommandError, match=said.replace("?", r"\?")):
            running.handle.command(change)
        gate.release()
        result = await running.result()
    assert result.final_output == "ok"
    assert running.recorder.of(SettingsChanged) == []
    assert plain.requests == []


async def test_what_is_not_sent_is_told_once_and_anew_after_a_change() -> None:
    missing = LeftOut(setting="temperature", value="0.7", why="thinking")

    call, told_first = calls(("note", {"text": "x"})), LeftOutChunk((missing,))
    gate = hold()
    model = ScriptedModel(
        [[told_first, *reply(call)], [told_first, gate, *reply(call)], [told_first, *reply(text("done"))]]
    )
    config = RunConfig(model_settings=ModelSettings(temperature=0.7))
    async with live(model, Workshop().tools(), config=config) as running:
        await gate.reached()
        assert len(running.recorder.of(SettingsLeftOut)) == 1
        assert running.handle.state.asked.left_out == (missing,)
        running.handle.set_model(effort="low")
        gate.release()
        await running.result()
    told = running.recorder.of(SettingsLeftOut)
    assert [event.left_out for event in told] == [(missing,), (missing,)]
    shown = [item.event.kind for item in running.handle.state.settled if isinstance(item, EventItem)]
    assert shown.count("settings_left_out") == 2
    assert_replay(running)


async def test_a_run_stored_before_there_were_settings_still_loads() -> None:
    old = b'{"v":1,"kind":"run_started","run_id":"r","seq":1,"model":"a/b","config":{"max_turns":3},"input":[]}'
    state = fold([load_json(old)])
    assert (state.asked.effort, state.asked.temperature, state.asked.left_out) == (None, None, ())


async def test_the_next_run_keeps_them_by_its_configuration() -> None:
    model = ScriptedModel(["a"])
    runner = make_runner(model)
    config = RunConfig(model_settings=ModelSettings(reasoning_effort="high", temperature=0.2))
    await runner.run(agent_for(model), "hello", config)
    assert asked(model) == [("high", 0.2)]
