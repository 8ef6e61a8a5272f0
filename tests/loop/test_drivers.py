"""The five ways to drive a run give the same run."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from runner import AssistantMessage, InputError, RunConfig, RunError, ToolCall, UserMessage
from runner.errors import AuthenticationError, MaxTurnsExceededError
from runner.events import Event, RunStarted, TextDelta
from runner.testing import Recorder, ScriptedModel, calls, hold, reply, text
from tests.loop.harness import BOUND, Workshop, agent_for, live, make_runner


def script() -> list[object]:
    return [reply(calls(("note", {"text": "one"}), ("note", {"text": "two"}))), reply(text("all noted"))]


def make_model() -> ScriptedModel:
    return ScriptedModel(script())  # pyright: ignore[reportArgumentType]


async def test_run_gives_a_complete_result() -> None:
    model, workshop = make_model(), Workshop()
    result = await make_runner(model).run(agent_for(model, workshop.tools()), "note two things")
    assert (result.status, result.reason, result.final_output) == ("completed", "complete", "all noted")
    assert (result.turn_count, result.tool_calls, result.model_responses) == (2, 2, 2)
    assert sorted(workshop.done) == ["note one", "note two"]
    assert result.usage.input == 20
    assert result.usage.output == 10
    assert result.cost_usd is None, "the scripted model has no price, so the cost is unknown"
    assert result.usage_by_model["test/scripted"].requests == 2
    roles = [message.role for message in result.history]
    assert roles == ["user", "assistant", "tool", "tool", "assistant"]


def test_run_sync_outside_a_loop() -> None:
    model = make_model()
    result = make_runner(model).run_sync(agent_for(model, Workshop().tools()), "go")
    assert result.final_output == "all noted"


async def test_run_sync_inside_a_running_loop() -> None:
    model = make_model()
    result = make_runner(model).run_sync(agent_for(model, Workshop().tools()), "go")
    assert result.final_output == "all noted"


def normalised(events: list[Event]) -> list[tuple[str, str]]:
    """Kinds in order; the facts of calls that run side by side come in any order, so they are compared by call."""
    kinds = [(event.kind, str(getattr(event, "call_id", ""))) for event in events if not event.is_delta]
    return [*(pair for pair in kinds if not pair[1]), *sorted((pair for pair in kinds if pair[1]), key=lambda p: p[1])]


async def test_every_driver_gives_the_same_facts() -> None:
    found: list[list[tuple[str, str]]] = []
    model = make_model()
    stream = make_runner(model).stream(agent_for(model, Workshop().tools()[:1]), "go")
    found.append(normalised([event async for event in stream]))
    for _ in range(2):
        model = make_model()
        handle = make_runner(model).start(agent_for(model, Workshop().tools()[:1]), "go")
        await handle.result()
        found.append(normalised([event async for event in handle.events()]))
    assert found[0] == found[1] == found[2]
    assert found[0][0][0] == "run_started"
    assert [kind for kind, call in found[0] if not call][-1] == "run_finished"


async def test_events_can_be_read_again_from_any_seq() -> None:
    async with live(make_model(), Workshop().tools()) as running:
        await running.result()
        late = [event async for event in running.handle.events(from_seq=5)]
    assert late == [event for event in running.recorder.facts if event.seq >= 5]


async def test_leaving_a_stream_aborts_the_run() -> None:
    gate = hold()
    model = ScriptedModel([[*text("some words here"), gate, *reply(text("more"))]])
    runner = make_runner(model)
    async with asyncio.timeout(BOUND), aclosing(runner.stream(agent_for(model), "go")) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                break
    assert model.open_streams == 0
    assert model.streams[0].ending == "cancelled"


async def test_cancelling_run_aborts_records_and_propagates() -> None:
    gate = hold()
    model = ScriptedModel([[*text("some words"), gate]])
    task = asyncio.ensure_future(make_runner(model).run(agent_for(model), "go"))
    async with asyncio.timeout(BOUND):
        await gate.reached()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert model.streams[0].ending == "cancelled"


async def test_cancelling_the_runs_own_task_is_recorded_and_propagates() -> None:
    gate = hold()
    model = ScriptedModel([[*text("some words"), gate]])
    before = asyncio.all_tasks()
    handle = make_runner(model).start(agent_for(model), "go")
    recorder = Recorder()
    async with asyncio.timeout(BOUND):
        await gate.reached()
        [task] = [task for task in asyncio.all_tasks() - before if task.get_name().startswith("run ")]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await handle.result()
        await recorder.follow(handle.events())
    recorder.assert_valid()
    assert recorder.facts[-1].kind == "run_finished"
    assert recorder.state().reason == "aborted"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "None"),
        ("", "empty"),
        ("  \n", "empty"),
        ([], "empty list"),
        (7, "int"),
        (b"bytes", "bytes"),
        ([{"role": "system", "content": "x"}], "role"),
        ([{"role": "user", "content": 3}], "content"),
        ([3], "message 0"),
        ([{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}], "last message"),
        ([AssistantMessage(tool_calls=(ToolCall(call_id="c", tool="t"),)), UserMessage(text="x")], "no result"),
    ],
)
async def test_bad_input_is_refused_before_anything_happens(value: object, says: str) -> None:
    model = make_model()
    with pytest.raises(InputError, match=says):
        await make_runner(model).run(agent_for(model), value)  # pyright: ignore[reportArgumentType]
    assert model.requests == []


async def test_a_list_of_messages_is_an_input() -> None:
    model = ScriptedModel(["fine"])
    conversation = [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "hi"},
        {"role": "user", "content": "how are you?"},
    ]
    handle = make_runner(model).start(agent_for(model), conversation)
    result = await handle.result()
    assert [message.role for message in model.requests[0].messages] == ["user", "assistant", "user"]
    assert len(result.history) == 4
    [started] = [event async for event in handle.events() if isinstance(event, RunStarted)]
    assert len(started.input) == 3


async def test_a_result_history_continues_a_conversation() -> None:
    model = ScriptedModel(["first answer", "second answer"])
    runner, agent = make_runner(model), agent_for(model)
    first = await runner.run(agent, "one")
    second = await runner.run(agent, [*first.history, UserMessage(text="two")])
    assert second.final_output == "second answer"
    assert [message.role for message in model.requests[1].messages] == ["user", "assistant", "user"]


async def test_on_error_raise_gives_the_typed_exception_with_the_result() -> None:
    model = ScriptedModel([reply(calls(("note", {"text": "x"})))], loop_last=True)
    config = RunConfig(max_turns=2, on_error="raise")
    with pytest.raises(MaxTurnsExceededError) as caught:
        await make_runner(model).run(agent_for(model, Workshop().tools()), "go", config)
    result = caught.value.result
    assert getattr(result, "turn_count", None) == 2
    failing = ScriptedModel([AuthenticationError("no key", fix="set TEST_KEY")])
    with pytest.raises(RunError, match="no key"):
        await make_runner(failing).run(agent_for(failing), "go", RunConfig(on_error="raise"))


async def test_two_runs_on_one_runner_never_see_each_other() -> None:
    gate = hold()
    first = ScriptedModel([[gate, *reply(text("from the first"))]], name="test/first")
    second = ScriptedModel(["from the second"], name="test/second")
    runner = make_runner(first, second)
    one = runner.start(agent_for(first), "a")
    two = runner.start(agent_for(second), "b")
    assert (await two.result()).final_output == "from the second"
    assert not one.done
    gate.release()
    assert (await one.result()).final_output == "from the first"
    assert {event.run_id async for event in one.events()} == {one.run_id}


async def test_instructions_can_be_made_from_the_context() -> None:
    model = ScriptedModel(["ok"])
    agent = agent_for(model, instructions=lambda context: f"You work for {context['name']}.")  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    await make_runner(model).run(agent, "go", RunConfig(context={"name": "Ada"}))
    assert model.requests[0].instructions == "You work for Ada."
