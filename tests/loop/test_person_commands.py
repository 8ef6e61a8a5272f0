"""Shell commands of the person's own: real processes, in a run with turns and in one that asks the model nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from runner import CommandError, RunConfig
from runner.api import Runner
from runner.control.commands import PersonCommand
from runner.events import (
    ApprovalResolved,
    MessageDelivered,
    ModelRequested,
    PersonCommandFinished,
    PersonOutputDelta,
    ToolProposed,
    TurnFinished,
    TurnStarted,
)
from runner.messages import UserMessage
from runner.state import CommandItem, fold
from runner.store import Store
from runner.testing import Recorder, ScriptedModel, hold, reply, text
from tests.loop.harness import Live, Models, agent_for, live
from tests.processes.support import no_trace_of, sleeper, until
from tests.processes.support import running as processes


@asynccontextmanager
async def alone(
    model: ScriptedModel, store: Store, command: PersonCommand, workspace: Path, session: str | None = None
) -> AsyncGenerator[Live]:
    """A run that begins with a command instead of a message."""
    runner = Runner(store=store, models=Models([model]))
    config = RunConfig(workspace=workspace, session_id=session, abort_grace=0.2)
    running = Live(runner.start_command(agent_for(model), command, config), Recorder())
    follower = asyncio.ensure_future(running.follow())
    try:
        yield running
    finally:
        running.handle.abort(by="test")
        await asyncio.wait([asyncio.ensure_future(running.handle.result())])
        await follower
    running.recorder.assert_valid()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "data" / "q.db")


async def test_beside_the_model_it_streams_and_is_told_at_the_next_turn_without_being_a_call(tmp_path: Path) -> None:
    gate = hold()
    model = ScriptedModel([[gate, *reply(text("first"))], "second"])
    async with live(model, config=RunConfig(workspace=tmp_path)) as running:
        await gate.reached()
        running.handle.person_command("echo heard; echo $QUARTERDECK_TOKEN; pwd; exit 3", share=True)
        running.handle.person_command("echo private")
        printed = await running.until(PersonOutputDelta)
        for known in (True, False):
            await running.until(PersonCommandFinished, lambda event, known=known: event.share is known)
        running.handle.send("what did I run?")
        gate.release()
        result = await running.result()
    assert "heard" in printed.text or "private" in printed.text
    ended = next(event for event in running.recorder.of(PersonCommandFinished) if event.share)
    assert (ended.status, ended.exit_code, str(tmp_path) in ended.output) == ("ended", 3, True)
    [told, asked] = running.recorder.of(MessageDelivered)
    assert (told.by, told.message_id, asked.by) == ("command", ended.command_id, "user")
    sent = [message.text for message in model.requests[1].messages if isinstance(message, UserMessage)]
    assert [sent[0], sent[2]] == ["go", "what did I run?"]
    assert "The user ran this command themselves" in sent[1]
    assert "heard" in sent[1]
    assert "[exit code 3]" in sent[1]
    assert not any("private" in message for message in sent)
    assert (result.turn_count, result.tool_calls) == (2, 0)
    assert not running.recorder.of(ToolProposed)
    assert not running.recorder.of(ApprovalResolved)


async def test_alone_it_asks_no_model_costs_nothing_and_the_next_run_knows_what_was_shared(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_API_KEY", "of the person's own")
    model = ScriptedModel(["hello"])
    big = "yes line | head -c 100000; echo $SECRET_API_KEY"
    async with alone(model, store, PersonCommand(command=big, share=True), tmp_path) as running:
        result = await running.result()
    assert (result.status, result.reason, result.turn_count, result.cost_usd) == ("completed", "complete", 0, 0)
    assert not running.recorder.of(ModelRequested)
    assert not running.recorder.of(TurnStarted)
    ended = running.recorder.only(PersonCommandFinished)
    assert ended.truncated
    assert ended.output.rstrip().endswith("of the person's own")
    assert ended.artifact is not None
    assert len(store.artifact(ended.artifact)) > 100_000
    [stored] = store.runs(running.handle.session_id)
    assert stored == running.handle.state == fold(running.recorder.events)
    item = next(item for item in stored.settled if isinstance(item, CommandItem))
    assert item.exit_code == 0
    assert item.output == ended.output
    told = store.history(running.handle.session_id)
    assert len(told) == 1
    assert "SECRET" in getattr(told[0], "text", "")
    runner = Runner(store=store, models=Models([model]))
    await runner.run(agent_for(model), "hi", RunConfig(session_id=running.handle.session_id, workspace=tmp_path))
    assert [getattr(message, "text", "") for message in model.requests[0].messages] == [
        getattr(told[0], "text", ""),
        "hi",
    ]
    store.close()


async def test_abort_ends_it_with_its_grandchildren_and_says_so(store: Store, tmp_path: Path) -> None:
    sleep = sleeper()
    command = PersonCommand(command=f"(setsid {sleep} &) ; echo up; {sleep}")
    with no_trace_of(sleep):
        async with alone(ScriptedModel([]), store, command, tmp_path) as running:
            await running.until(PersonOutputDelta, lambda event: "up" in event.text)
            await until(lambda: len(processes(sleep)) == 2)
            running.handle.abort()
            result = await running.result()
            assert processes(sleep) == []
    assert (result.status, result.reason) == ("cancelled", "aborted")
    assert running.recorder.only(PersonCommandFinished).status == "stopped"
    assert result.receipt is not None
    assert sleep in str(result.receipt["processes"])
    store.close()


async def test_a_message_meanwhile_is_answered_and_a_stop_ends_the_command(store: Store, tmp_path: Path) -> None:
    model = ScriptedModel(["the answer"])
    async with alone(model, store, PersonCommand(command="sleep 300"), tmp_path) as running:
        with pytest.raises(CommandError, match="no command"):
            running.handle.person_command("  ")
        running.handle.send("and now?")
        await running.until(TurnFinished)
        assert running.handle.state.live_commands
        assert not running.handle.done
        running.handle.stop()
        result = await running.result()
        with pytest.raises(CommandError, match="ended"):
            running.handle.person_command("true")
    assert (result.reason, result.turn_count, result.final_output) == ("stopped", 1, "the answer")
    assert running.recorder.only(PersonCommandFinished).signal == "SIGTERM"
    store.close()


async def test_one_that_is_not_a_command_starts_no_run(store: Store, tmp_path: Path) -> None:
    runner = Runner(store=store, models=Models([ScriptedModel([])]))
    with pytest.raises(CommandError, match="no command"):
        runner.start_command(agent_for(ScriptedModel([])), PersonCommand(command=" "), RunConfig(workspace=tmp_path))
    assert store.sessions() == []
    store.close()
