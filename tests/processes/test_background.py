"""Background processes: real ones with grandchildren, read and unread, ended in every way there is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from runner.api import Runner
from runner.config import RunConfig
from runner.events import ToolFinished, ToolStarted
from runner.result import RunResult
from runner.testing import ScriptedModel, calls, reply
from runner.tools.background import Background
from runner.tools.base import Sandbox, ToolContext, ToolOutcome
from runner.tools.builtin import READ_PROCESS, SHELL, START_PROCESS, STOP_PROCESS
from runner.tools.recorded import end_recorded
from runner.tools.spawn import can_supervise
from tests.contract.sources import ROOT
from tests.loop.harness import Models, agent_for
from tests.processes.support import (
    context,
    escape,
    is_alive,
    living,
    no_trace_of,
    recorder_of,
    run,
    running,
    sleeper,
    until,
)

TOOLS = (START_PROCESS, READ_PROCESS, STOP_PROCESS)


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that prints nothing returns soon."""
    monkeypatch.setattr("runner.tools.builtin.background.FIRST_LOOK", 0.3)


@pytest.fixture
async def background(tmp_path: Path) -> AsyncIterator[Background]:
    made = Background(ledger=tmp_path / "ledger")
    yield made
    await made.close()
    assert list((tmp_path / "ledger").glob("*")) == []


@pytest.fixture
def ctx(background: Background, tmp_path: Path) -> ToolContext:
    return context(tmp_path, background=background, session_id="here")


async def start(ctx: ToolContext, command: str, **arguments: Any) -> tuple[str, ToolOutcome]:
    outcome = await run(START_PROCESS, ctx, command=command, **arguments)
    assert outcome.status == "ok", outcome.output
    assert outcome.display is not None
    return outcome.display["id"], outcome


async def read(ctx: ToolContext, process_id: str, **arguments: Any) -> ToolOutcome:
    return await run(READ_PROCESS, ctx, id=process_id, **arguments)


async def test_it_goes_on_after_the_call_and_is_read_bit_by_bit(ctx: ToolContext, background: Background) -> None:
    waits = "until [ -e {} ]; do sleep 0.01; done"
    process_id, outcome = await start(ctx, f"echo one; {waits.format('go')}; echo two; {waits.format('end')}; exit 3")
    assert "\none\n[running]" in outcome.output
    [(pid, _, _)] = recorder_of(ctx).started
    assert is_alive(pid)
    assert [(found.process_id, found.pid, found.state) for found in background.running("here")] == [
        (process_id, pid, "running")
    ]
    assert (await read(ctx, process_id)).output == "[no new output]\n[running]"
    (ctx.workspace / "go").touch()
    assert (await read(ctx, process_id, wait=10)).output == "two\n[running]"
    (ctx.workspace / "end").touch()
    assert (await read(ctx, process_id, wait=10)).output == "[no new output]\n[it has ended: exit code 3]"
    assert background.running() == ()
    assert living(pid) == []


async def test_an_early_end_is_told_at_once(ctx: ToolContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.tools.builtin.background.FIRST_LOOK", 20.0)
    _, outcome = await start(ctx, "echo 'port is taken' >&2; exit 1")
    assert outcome.output.endswith("\nport is taken\n[it has ended: exit code 1]")


async def test_a_start_that_is_called_off_leaves_nothing(
    ctx: ToolContext, background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.tools.builtin.background.FIRST_LOOK", 20.0)
    for wait_until in (lambda: recorder_of(ctx).started, lambda: background.listed()):
        task = asyncio.create_task(run(START_PROCESS, ctx, command="sleep 1000"))
        await until(wait_until)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert background.running() == ()


async def test_waiting_is_bounded_and_ends_with_a_cancellation(ctx: ToolContext) -> None:
    process_id, _ = await start(ctx, "sleep 1000")
    assert (await read(ctx, process_id, wait=0.05)).output == "[no new output]\n[running]"
    task = asyncio.create_task(read(ctx, process_id, wait=60))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await read(ctx, process_id)).status == "ok"


@pytest.mark.skipif(not can_supervise(), reason="supervisors are for Linux")
@pytest.mark.parametrize("boxed", [False, True])
@pytest.mark.parametrize("way", ["nohup", "daemon without its environment"])
async def test_a_stop_ends_all_that_came_from_it(way: str, boxed: bool, ctx: ToolContext, tmp_path: Path) -> None:
    away = sleeper()
    ctx = context(
        tmp_path, background=ctx.background, session_id="here", sandbox=Sandbox(mode="auto" if boxed else "off")
    )
    with no_trace_of(away):
        process_id, _ = await start(ctx, f"trap '' TERM\n{escape(way, away)}\nwhile :; do sleep 0.05; done")
        await until(lambda: running(away))
        outcome = await run(STOP_PROCESS, ctx, id=process_id)
        assert "[stopped: ended by SIG" in outcome.output
        assert running(away) == []
    assert living(recorder_of(ctx).started[0][0]) == []
    assert "stopped" in (await run(STOP_PROCESS, ctx, id=process_id)).output


async def test_what_it_leaves_at_its_own_end_is_ended(ctx: ToolContext) -> None:
    away = sleeper()
    with no_trace_of(away):
        process_id, _ = await start(ctx, f"setsid {away} & until [ -e end ]; do sleep 0.01; done; exit 0")
        (ctx.workspace / "end").touch()
        outcome = await read(ctx, process_id, wait=10)
        assert running(away) == []
    assert f"and ended with it: {away}" in outcome.output


async def test_sessions_do_not_see_each_other(ctx: ToolContext, background: Background) -> None:
    theirs = context(ctx.workspace, background=background, session_id="there")
    mine, _ = await start(ctx, "sleep 1000")
    other, _ = await start(theirs, "sleep 1000")
    for tool in (READ_PROCESS, STOP_PROCESS):
        outcome = await run(tool, ctx, id=other)
        assert outcome.status == "error"
        assert f"There are: {mine}." in outcome.output
    assert len(background.running()) == 2
    ends = await background.close_session("here")
    assert [end.how for end in ends] == ["terminated"]
    assert [found.process_id for found in background.listed()] == [other]


async def test_so_many_and_no_more(tmp_path: Path) -> None:
    background = Background(limit=2)
    ctx = context(tmp_path, background=background, session_id="here")
    try:
        first, _ = await start(ctx, "sleep 1000", name="one")
        await start(ctx, "sleep 1000", name="two")
        outcome = await run(START_PROCESS, ctx, command="touch three")
        assert (outcome.status, outcome.output) == (
            "error",
            "2 background processes are the limit: p1 (one), p2 (two). Stop one first.",
        )
        await run(STOP_PROCESS, ctx, id=first)
        await start(ctx, "sleep 1000")
    finally:
        await background.close()
    assert not (tmp_path / "three").exists()
    assert (await run(START_PROCESS, ctx, command="touch three")).status == "error"


async def test_listeners_hear_of_every_change_from_any_thread(ctx: ToolContext, background: Background) -> None:
    heard: list[str] = []
    leave = background.subscribe(lambda: heard.append(",".join(found.state for found in background.listed())))
    process_id, _ = await start(ctx, "sleep 1000")
    thread = threading.Thread(target=background.stop, args=(process_id,))
    thread.start()
    await until(lambda: heard[-1:] == ["ended"])
    assert heard[0] == "running"
    assert "ending" in heard
    assert background.listed()[0].stopped_by == "user"
    leave()
    await start(ctx, "true")
    assert heard[-1] == "ended"


# Output


def spooled() -> dict[int, int]:
    """The nameless files that hold output: their sizes by their numbers."""
    found: dict[int, int] = {}
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if "quarterdeck-output-" in os.readlink(f"/proc/self/fd/{fd}"):
                status = os.fstat(int(fd))
                found[status.st_ino] = status.st_size
    return found


async def test_a_hundred_megabytes_that_nobody_reads(ctx: ToolContext, background: Background, tmp_path: Path) -> None:
    before, others = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, spooled()
    written = f"yes 0123456789012345678901234567890123456789 | head -c {100 * 1024 * 1024}; echo; echo last"
    process_id, _ = await start(ctx, f"until [ -e go ]; do sleep 0.01; done; {written}; touch written; sleep 1000")
    (tmp_path / "go").touch()
    await until(lambda: (tmp_path / "written").exists())
    await until(lambda: background.listed()[0].output_bytes == 100 * 1024 * 1024 + 6)
    [size] = [size for number, size in spooled().items() if number not in others]
    assert size <= 8 * 1024 * 1024
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
    outcome = await read(ctx, process_id)
    assert outcome.output.startswith("[104,595,462 bytes of older output are left out]\n")
    assert outcome.output.endswith("\nlast\n[running]")
    assert background.listed()[0].last_line == "last"


# Ends


async def in_runs(runner: Runner, folder: Path, session: str, script: Sequence[Any]) -> RunResult:
    agent = agent_for(ScriptedModel(script), TOOLS)
    config = RunConfig(workspace=folder, session_id=session, approval_mode="bypass", abort_grace=0.3)
    return await runner.run(agent, "go", config)


async def test_it_survives_the_end_of_its_run(tmp_path: Path, background: Background) -> None:
    runner = Runner(background=background)
    script = [reply(calls(("start_process", {"command": "echo up; sleep 1000"}))), "started"]
    result = await in_runs(runner, tmp_path, "s", script)
    assert result.status == "completed"
    [process] = background.running("s")
    assert is_alive(process.pid)
    model = ScriptedModel([reply(calls(("read_process", {"id": process.process_id}))), "read"])
    await runner.run(agent_for(model, TOOLS), "and?", RunConfig(workspace=tmp_path, session_id="s"))
    assert is_alive(process.pid)


async def test_a_run_whose_runner_has_no_background_ends_its_own(tmp_path: Path) -> None:
    away = sleeper()
    with no_trace_of(away):
        script = [reply(calls(("start_process", {"command": f"setsid {away} & {away}"}))), "started"]
        result = await in_runs(Runner(), tmp_path, "s", script)
        assert result.status == "completed"
        assert running(away) == []


async def test_an_abort_ends_what_this_run_started_and_names_the_rest(tmp_path: Path, background: Background) -> None:
    earlier, away = sleeper(), sleeper()
    model = ScriptedModel(
        [
            reply(calls(("start_process", {"command": f"setsid {away} & {away}", "name": "mine"}))),
            reply(calls(("shell", {"command": "touch there; sleep 1000"}))),
        ]
    )
    runner = Runner(background=background, models=Models([model]))
    with no_trace_of(earlier, away):
        await in_runs(
            runner, tmp_path, "s", [reply(calls(("start_process", {"command": earlier, "name": "old"}))), "ok"]
        )
        config = RunConfig(workspace=tmp_path, session_id="s", approval_mode="bypass", abort_grace=0.3)
        handle = runner.start(agent_for(model, (*TOOLS, SHELL)), "go", config)
        await until(lambda: (tmp_path / "there").exists() and len(running(away)) == 2)
        handle.abort()
        result = await handle.result()
        assert running(away) == []
        assert len(running(earlier)) == 1
        assert result.receipt is not None
        ended = {end["name"]: end["how"] for end in result.receipt["processes"]}
        assert ended["mine"] == "terminated"
        assert [entry["name"] for entry in result.receipt["still_running"]] == ["old"]
        await background.close_session("s")
        assert running(earlier) == []


async def test_its_process_is_recorded_in_the_run(tmp_path: Path, background: Background) -> None:
    model = ScriptedModel([reply(calls(("start_process", {"command": "sleep 1000", "name": "nap"}))), "ok"])
    runner = Runner(background=background)
    config = RunConfig(workspace=tmp_path, session_id="s", approval_mode="bypass")
    seen = [event async for event in runner.stream(agent_for(model, TOOLS), "go", config)]
    [started] = [event for event in seen if isinstance(event, ToolStarted) and event.pid is not None]
    [process] = background.running("s")
    assert (started.pid, started.name) == (process.pid, "nap")
    [finished] = [event for event in seen if isinstance(event, ToolFinished)]
    assert started.seq < finished.seq


PROGRAM = """
import asyncio, sys
from pathlib import Path
from runner.tools.background import Background
from runner.tools.builtin import START_PROCESS
from tests.processes.support import context, run

async def main():
    background = Background(ledger=Path(sys.argv[1]) / "ledger")
    ctx = context(Path(sys.argv[1]), background=background, session_id="s")
    await run(START_PROCESS, ctx, command=sys.argv[2])
    print("up", flush=True)
    await asyncio.sleep(1000)

asyncio.run(main())
"""


async def program(folder: Path, command: str) -> asyncio.subprocess.Process:
    made = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        str(folder),
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert made.stdout is not None
    assert await made.stdout.readline() == b"up\n"
    return made


@pytest.mark.skipif(not can_supervise(), reason="supervisors are for Linux")
async def test_it_dies_with_the_program_even_by_sigkill(tmp_path: Path) -> None:
    away = sleeper()
    with no_trace_of(away):
        made = await program(tmp_path, f"trap '' TERM; {escape('orphan', away)}; {away} & wait")
        await until(lambda: len(running(away)) == 2)
        made.kill()
        await made.wait()
        await until(lambda: not running(away))


@pytest.mark.skipif(not can_supervise(), reason="supervisors are for Linux")
async def test_what_outlived_program_and_helpers_is_ended_at_the_next_start(tmp_path: Path) -> None:
    away = sleeper()
    with no_trace_of(away):
        made = await program(tmp_path, f"{escape('setsid', away)}\nexec {away}")
        await until(lambda: len(running(away)) == 2)
        assert end_recorded(tmp_path / "ledger") == [], "its program lives"
        # The kernel kills a command whose supervisor is killed, but not what the command started.
        helpers = [one for one in psutil.Process(made.pid).children() if one.name().startswith("quarterdeck-")]
        assert len(helpers) == 2
        for one in (*helpers, psutil.Process(made.pid)):
            one.suspend()
        for one in (psutil.Process(made.pid), *helpers):
            one.send_signal(signal.SIGKILL)
        await made.wait()
        assert running(away)
        ends = await asyncio.to_thread(end_recorded, tmp_path / "ledger")
        assert running(away) == []
        assert {end.how for end in ends} == {"terminated"}
        assert list((tmp_path / "ledger").glob("*")) == []
