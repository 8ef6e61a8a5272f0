"""The demo models in real runs: the real loop, the real tools, approvals, retries, an abort in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.agent import Agent
from runner.api import Runner
from runner.clock import SystemClock
from runner.config import RunConfig
from runner.control.handle import RunHandle
from runner.events import (
    ApprovalRequested,
    AttemptDiscarded,
    ModelResponded,
    RetryScheduled,
    TextDelta,
    ToolFinished,
    ToolProposed,
)
from runner.messages import Message, UserMessage
from runner.models.base import Model
from runner.models.demo import demo_model
from runner.models.demo.about import NOTICE
from runner.result import RunResult
from runner.testing import FakeClock, Recorder
from runner.tools.builtin import builtin_tools

Answer = Callable[[RunHandle, ApprovalRequested], None]


def allow(handle: RunHandle, request: ApprovalRequested) -> None:
    handle.decide(request.request_id, "allow")


def never(handle: RunHandle, request: ApprovalRequested) -> None:
    raise AssertionError(f"nothing should ask, and {request.tool} does")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "README.md").write_text("# Title\n\nhello world\n")
    return (tmp_path / "work").resolve()


async def run(
    folder: Path,
    text: str,
    answer: Answer = never,
    *,
    model: Model | None = None,
    runner: Runner | None = None,
    history: tuple[Message, ...] = (),
    **changes: Any,
) -> tuple[RunResult, Recorder]:
    model = model or demo_model("demo/pilot", pace=0)
    agent = Agent(name="deck", model=model, tools=builtin_tools())
    config = RunConfig(workspace=folder, **changes)
    handle = (runner or Runner()).start(agent, [*history, UserMessage(text=text)], config)
    recorder = Recorder()
    async for event in handle.events():
        recorder.put(event)
        if isinstance(event, ApprovalRequested):
            answer(handle, event)
    recorder.assert_valid()
    return await handle.result(), recorder


async def test_looking_asks_nobody_and_costs_nothing(folder: Path) -> None:
    result, recorder = await run(folder, "what is here?")
    assert result.reason == "complete"
    assert "README.md" in result.final_output
    assert recorder.of(ModelResponded)[0].text.startswith(NOTICE)
    assert result.cost_usd == 0
    assert result.usage.output > 0
    assert all(event.usage_source == "reported" for event in recorder.of(ModelResponded))


async def test_create_and_run_with_two_approvals(folder: Path) -> None:
    result, recorder = await run(folder, "create hello.txt with hi there and then run cat hello.txt", allow)
    assert [event.tool for event in recorder.of(ApprovalRequested)] == ["write_file", "shell"]
    assert (folder / "hello.txt").read_text() == "hi there\n"
    assert "ended with exit code 0" in result.final_output
    assert "```\nhi there\n```" in result.final_output


async def test_a_change_shows_its_diff_before_it_is_made(folder: Path) -> None:
    result, recorder = await run(folder, 'change "hello" to "goodbye" in README.md', allow)
    preview = recorder.only(ApprovalRequested).preview
    assert preview["type"] == "diff"
    assert "+goodbye world" in preview["diff"]
    assert (folder / "README.md").read_text() == "# Title\n\ngoodbye world\n"
    assert "is changed" in result.final_output


async def test_the_reason_of_a_denial_comes_back_in_the_answer(folder: Path) -> None:
    def deny(handle: RunHandle, request: ApprovalRequested) -> None:
        handle.decide(request.request_id, "deny", reason="I like it as it is")

    result, _ = await run(folder, "change hello to goodbye in README.md", deny)
    assert "“I like it as it is”" in result.final_output
    assert "hello world" in (folder / "README.md").read_text()


async def test_an_edited_command_is_reported_as_what_really_ran(folder: Path) -> None:
    def edit(handle: RunHandle, request: ApprovalRequested) -> None:
        handle.decide(request.request_id, "edit", arguments={"command": "echo changed"})

    result, recorder = await run(folder, "run echo original", edit)
    assert recorder.only(ToolProposed).arguments == {"command": "echo original"}
    assert "changed" in recorder.only(ToolFinished).output
    assert "You changed the command before it ran: `echo changed`" in result.final_output
    assert "```\nchanged\n```" in result.final_output


async def test_the_tour_needs_one_approval(folder: Path) -> None:
    result, recorder = await run(folder, "tour", allow)
    assert [event.tool for event in recorder.of(ToolProposed)] == ["list_files", "read_file", "shell"]
    assert recorder.only(ApprovalRequested).tool == "shell"
    assert "That was the tour" in result.final_output
    assert result.turn_count == 4


async def test_a_second_run_goes_on_from_the_first(folder: Path) -> None:
    first, _ = await run(folder, "read README.md")
    second, recorder = await run(folder, "change hello to goodbye in it", allow, history=first.history)
    assert NOTICE not in recorder.of(ModelResponded)[0].text
    assert "goodbye world" in (folder / "README.md").read_text()
    assert second.reason == "complete"


async def test_flaky_shows_a_rate_limit_and_a_cut_stream_and_then_succeeds(folder: Path) -> None:
    clock = FakeClock(auto=True)
    model = demo_model("demo/flaky", pace=0, clock=SystemClock())
    result, recorder = await run(folder, "help", model=model, runner=Runner(clock=clock))
    assert result.reason == "complete"
    retries = recorder.of(RetryScheduled)
    assert [event.error.type for event in retries] == ["rate_limit", "stream_broken"]
    assert retries[0].retry_after == 2.0
    assert len(recorder.of(AttemptDiscarded)) == 2
    assert recorder.only(ModelResponded).attempt == 3


async def test_slow_can_be_aborted_in_the_middle(folder: Path) -> None:
    model = demo_model("demo/slow", pace=20, clock=SystemClock())
    agent = Agent(name="deck", model=model, tools=builtin_tools())
    handle = Runner().start(agent, "tell me something", RunConfig(workspace=folder))
    recorder = Recorder()
    async for event in handle.events():
        recorder.put(event)
        if len(recorder.of(TextDelta)) == 20:
            handle.abort()
    recorder.assert_valid()
    result = await handle.result()
    assert result.reason == "aborted"
    response = recorder.only(ModelResponded)
    assert response.finish_reason == "interrupted"
    assert response.text.startswith(NOTICE)
    assert response.usage_source == "estimated"


async def test_a_reader_that_has_seen_the_end_does_not_wait_for_more(folder: Path) -> None:
    agent = Agent(name="deck", model=demo_model("demo/pilot", pace=0))
    handle = Runner().start(agent, "hi", RunConfig(workspace=folder))
    await handle.result()
    seen = [event async for event in handle.events()]

    async def rest() -> list[int]:
        return [event.seq async for event in handle.events(from_seq=seen[-1].seq + 1)]

    assert await asyncio.wait_for(rest(), 10) == []
