"""execute: one outcome per call, whatever the tool does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import ToolError, ToolInputError, ToolTimeoutError
from runner.tools import Activity, ToolContext, ToolOutput, tool
from runner.tools.execute import aborted_outcome, execute
from tests.processes.support import context, recorder_of, run, until


class CustomError(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "text", "status", "effects"),
    [
        (ValueError("bad value"), "ValueError: bad value", "error", "unknown"),
        (CustomError(), "The tool failed with CustomError.", "error", "unknown"),
        (ToolError("for the model"), "for the model", "error", "unknown"),
        (ToolInputError("path: outside"), "path: outside", "error", "none"),
        (ToolTimeoutError("too slow"), "too slow", "timeout", "unknown"),
        (StopIteration("x"), "ToolCrash: StopIteration: x", "error", "unknown"),
        (SystemExit(3), "ToolCrash: SystemExit: 3", "error", "unknown"),
    ],
)
@pytest.mark.parametrize("kind", ["sync", "async", "generator", "async generator"])
async def test_exceptions_become_errors_without_a_traceback(
    error: BaseException, text: str, status: str, effects: str, kind: str, tmp_path: Path
) -> None:
    def sync() -> None:
        raise error

    async def coroutine() -> None:
        raise error

    def generator() -> Iterator[Activity]:
        yield Activity(message="begun")
        raise error

    async def async_generator() -> AsyncIterator[Activity]:
        yield Activity(message="begun")
        raise error

    functions = {"sync": sync, "async": coroutine, "generator": generator, "async generator": async_generator}
    outcome = await run(tool(name="fail")(functions[kind]), context(tmp_path))
    if isinstance(error, StopIteration) and kind != "sync":
        # Inside a coroutine or a generator the interpreter itself turns it into a RuntimeError.
        assert outcome.output.startswith("RuntimeError: ")
    else:
        assert outcome.output == text
    assert outcome.status == status
    assert outcome.side_effects == effects
    assert "Traceback" not in outcome.output


async def test_a_read_only_tool_never_has_side_effects(tmp_path: Path) -> None:
    @tool(read_only=True, timeout=0.05)
    async def look(how: str) -> str:
        if how == "hang":
            await asyncio.sleep(100)
        if how == "raise":
            raise ValueError("x")
        return "seen"

    for how in ("return", "raise", "hang"):
        assert (await run(look, context(tmp_path), how=how)).side_effects == "none"


async def test_the_tool_may_say_what_its_effects_were(tmp_path: Path) -> None:
    @tool
    def change() -> ToolOutput:
        return ToolOutput(text="nothing to do", side_effects="none")

    assert (await run(change, context(tmp_path))).side_effects == "none"


async def test_siblings_of_a_failing_tool_go_on(tmp_path: Path) -> None:
    @tool
    async def work(number: int) -> int:
        if number == 1:
            raise ValueError("one")
        if number == 2:
            raise SystemExit(2)
        await asyncio.sleep(0.05)
        return number

    outcomes = await asyncio.gather(*(run(work, context(tmp_path), number=number) for number in range(4)))
    assert [outcome.status for outcome in outcomes] == ["ok", "error", "error", "ok"]


@pytest.mark.parametrize(("own", "given"), [(0.05, None), (None, 0.05), (0.05, 100.0), (100.0, 0.05)])
async def test_the_shorter_timeout_counts(own: float | None, given: float | None, tmp_path: Path) -> None:
    cancelled = asyncio.Event()

    @tool(timeout=own)
    async def hang(ctx: ToolContext) -> None:
        ctx.reporter.output("so far\n")
        try:
            await asyncio.sleep(1000)
        finally:
            cancelled.set()

    outcome = await run(hang, context(tmp_path), timeout=given)
    assert outcome.status == "timeout"
    assert outcome.side_effects == "unknown"
    assert outcome.output == (
        "The tool did not finish within 0.05 s and was ended. It may have had effects: check before relying on it.\n"
        "Its output until then:\nso far\n"
    )
    assert cancelled.is_set()


async def test_a_thread_that_cannot_be_stopped_is_left_behind_and_falls_silent(tmp_path: Path) -> None:
    release, ended = threading.Event(), threading.Event()

    @tool
    def block(ctx: ToolContext) -> str:
        release.wait(60)
        ctx.reporter.output("too late")
        ctx.reporter.activity(Activity(message="too late"))
        ended.set()
        return "late"

    ctx = context(tmp_path)
    outcome = await run(block, ctx, timeout=0.05)
    assert (outcome.status, outcome.side_effects) == ("timeout", "unknown")
    release.set()
    await until(ended.is_set)
    assert recorder_of(ctx).outputs == []
    assert recorder_of(ctx).activities == []


async def test_an_abandoned_generator_ends_at_its_next_yield(tmp_path: Path) -> None:
    release, closed = threading.Event(), threading.Event()

    @tool
    def steps() -> Iterator[Activity]:
        try:
            yield Activity(message="one")
            release.wait(60)
            yield Activity(message="two")
            raise AssertionError("it went on")
        finally:
            closed.set()

    ctx = context(tmp_path)
    task = asyncio.create_task(run(steps, ctx))
    await until(lambda: recorder_of(ctx).activities)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    release.set()
    await until(closed.is_set)
    assert [activity.message for activity in recorder_of(ctx).activities] == ["one"]


def test_an_abandoned_thread_delays_neither_the_loop_nor_its_end(tmp_path: Path) -> None:
    release = threading.Event()

    @tool
    def block() -> None:
        release.wait(60)

    outcome = asyncio.run(run(block, context(tmp_path), timeout=0.05))
    assert outcome.status == "timeout"
    # The loop is closed now, and the thread has nobody to tell; it must not fail with an unhandled exception.
    release.set()
    for thread in threading.enumerate():
        if thread.name == "tool-block":
            thread.join(20)


async def test_cancellation_reaches_an_async_tool_and_propagates(tmp_path: Path) -> None:
    began, cleaned = asyncio.Event(), asyncio.Event()

    @tool
    async def work() -> None:
        began.set()
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            await asyncio.sleep(0.05)
            cleaned.set()
            raise

    ctx = context(tmp_path)
    task = asyncio.create_task(run(work, ctx))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned.is_set()
    outcome = aborted_outcome(work, ctx, what="was cancelled by the user", by_person=True, max_output=1000)
    assert (outcome.status, outcome.side_effects) == ("cancelled", "unknown")
    assert outcome.output.startswith("This call was cancelled by the user while it was running.")
    assert "may have had effects" in outcome.output


async def test_a_tool_that_ignores_its_cancellation_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.tools.execute.CLEAN_UP_SECONDS", 0.05)
    release = asyncio.Event()

    @tool
    async def stubborn(ctx: ToolContext) -> str:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                ctx.reporter.output("no")
        ctx.reporter.output("after the end")
        return "late"

    ctx = context(tmp_path, abort_grace=0.0)
    outcome = await run(stubborn, ctx, timeout=0.05)
    assert outcome.status == "timeout"
    release.set()
    await asyncio.sleep(0.05)
    assert recorder_of(ctx).printed() == "no"


async def test_a_tool_that_cancels_itself_is_an_error_and_not_our_cancellation(tmp_path: Path) -> None:
    @tool
    async def odd() -> None:
        raise asyncio.CancelledError

    outcome = await run(odd, context(tmp_path))
    assert (outcome.status, outcome.output) == ("error", "The tool cancelled itself.")


async def test_long_output_is_cut_in_the_middle_and_kept_whole(tmp_path: Path) -> None:
    text = "".join(f"line {number} é\n" for number in range(5000))

    @tool
    def talk() -> str:
        return text

    outcome = await run(talk, context(tmp_path), max_output=1000)
    assert outcome.truncated
    assert outcome.full_output == text
    assert len(outcome.output.encode()) <= 1000
    assert outcome.output.startswith("line 0 é\n")
    assert outcome.output.endswith("line 4999 é\n")
    assert "bytes left out here" in outcome.output


async def test_half_a_surrogate_pair_does_not_break_the_store(tmp_path: Path) -> None:
    @tool
    def talk() -> str:
        return "a\ud800b"

    outcome = await run(talk, context(tmp_path))
    assert outcome.output == "a\\ud800b"


async def test_a_hand_made_tool_with_a_broken_run(tmp_path: Path) -> None:
    @tool
    def model() -> str:
        return ""

    def raises(ctx: ToolContext, arguments: object) -> AsyncIterator[ToolOutput]:
        raise ValueError("at once")

    async def nothing(ctx: ToolContext, arguments: object) -> AsyncIterator[ToolOutput]:
        for _ in ():
            yield ToolOutput(text="")

    for run_function, text in ((raises, "ValueError: at once"), (nothing, "The tool ended without a result.")):
        broken = replace(model, run=run_function)
        outcome = await execute(broken, context(tmp_path), {}, timeout=None, max_output=1000)
        assert (outcome.status, outcome.output) == ("error", text)
