"""The time of a call, and of its run, stands still while the call asks a question."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from runner import RunConfig, Runner
from runner.events import ApprovalRequested, ToolFinished
from runner.ids import SequentialIds
from runner.state import fold
from runner.testing import FakeClock, Recorder, ScriptedModel, calls, reply
from runner.tools import tool
from runner.tools.base import ToolContext
from runner.tools.deadline import Deadline
from tests.loop.harness import Live, Models, agent_for, live
from tests.loop.inquiring import CHOICE, SCRIPT, Asker


@tool(requires_approval=False, timeout=0.2)
async def hang() -> str:
    """Do nothing until it is ended: when that has come, so much time has passed."""
    await asyncio.Event().wait()
    return "never"


ASKING_AND_HANGING: list[Any] = [reply(calls(("inquire", {}), ("hang", {}))), "done"]


async def test_neither_the_call_nor_the_run_grows_older_while_it_asks() -> None:
    clock = FakeClock()
    model = ScriptedModel(ASKING_AND_HANGING)
    runner = Runner(models=Models([model]), ids=SequentialIds(), clock=clock)
    asker = Asker((CHOICE,))
    tools = [replace(asker.tool(), timeout=0.1), hang]
    running = Live(runner.start(agent_for(model, tools), "go", RunConfig(max_time=60)), Recorder())
    follower = asyncio.ensure_future(running.follow())
    asked = await running.until(ApprovalRequested)
    hung = await running.until(ToolFinished, lambda event: event.tool == "hang")
    assert hung.status == "timeout"
    clock.advance(1000)
    running.handle.decide(asked.request_id, "answer", arguments={"answers": ["left"]})
    result = await running.result()
    await follower
    assert [event.status for event in running.recorder.of(ToolFinished)] == ["timeout", "ok"]
    assert result.reason == "complete"
    assert result.elapsed_seconds >= 1000
    assert result.active_seconds < 60
    assert fold(running.recorder.facts).waited >= 1000


async def test_the_time_of_a_call_goes_on_after_the_answer() -> None:
    @tool(requires_approval=False, timeout=0.2)
    async def inquire(ctx: ToolContext) -> str:
        """Ask, then hang."""
        assert ctx.host is not None
        await ctx.host.ask(CHOICE)
        await asyncio.Event().wait()
        return "never"

    async with live(ScriptedModel(SCRIPT), [inquire]) as running:
        asked = await running.until(ApprovalRequested)
        running.handle.decide(asked.request_id, "answer", arguments={"answers": ["left"]})
        await running.result()
    assert running.recorder.only(ToolFinished).status == "timeout"


async def test_the_time_limit_of_the_run_is_not_for_a_tool_without_one() -> None:
    release = asyncio.Event()

    @tool(requires_approval=False)
    async def inquire() -> str:
        """Wait."""
        await release.wait()
        return "done"

    tools = [replace(inquire, unlimited=True), replace(hang, timeout=None)]
    async with live(ScriptedModel(ASKING_AND_HANGING), tools, config=RunConfig(tool_timeout=0.2)) as running:
        await running.until(ToolFinished, lambda event: event.tool == "hang")
        release.set()
        await running.result()
    assert [event.status for event in running.recorder.of(ToolFinished)] == ["timeout", "ok"]


async def test_held_time_is_not_counted_however_often_it_is_held() -> None:
    now = [0.0]
    deadline = Deadline(10.0, lambda: now[0])
    work: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waiting = asyncio.ensure_future(deadline.wait(work))
    for _ in range(5):
        await asyncio.sleep(0)
        with deadline.held(), deadline.held():
            now[0] += 1000
        now[0] += 1
    await asyncio.sleep(0)
    assert not waiting.done()
    now[0] += 6
    with deadline.held():
        pass
    assert await waiting is False
    work.set_result(None)
    assert await Deadline(0.0).wait(work) is True
