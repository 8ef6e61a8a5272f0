"""Descendants that leave the session, the group, their parents or their environment end with their call."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from runner.tools.base import ProcessEnd
from runner.tools.builtin import SHELL
from runner.tools.child import Child, Limits
from runner.tools.marker import new_marker
from runner.tools.spawn import Spawned, can_supervise
from tests.contract.sources import ROOT
from tests.processes.support import (
    ESCAPES,
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

linux_only = pytest.mark.skipif(not can_supervise(), reason="supervisors are for Linux")
ways = pytest.mark.parametrize("way", [pytest.param(way, marks=linux_only) for way in sorted(ESCAPES)])


def ends_of(ends: list[ProcessEnd], command: str) -> list[str]:
    return [end.how for end in ends if end.name == command]


@ways
async def test_at_the_end_of_the_call_it_is_ended_and_the_model_is_told(way: str, tmp_path: Path) -> None:
    away = sleeper()
    ctx = context(tmp_path)
    with no_trace_of(away):
        # The call must not end before the daemon is there: until then nothing would be left over.
        wait = f"until pgrep -fx '{away}' > seen; do sleep 0.01; done"
        outcome = await run(SHELL, ctx, command=f"{escape(way, away)}\n{wait}\necho started")
        assert running(away) == []
    pid = int((tmp_path / "seen").read_text())
    assert f"[still running when the command had ended, and ended with it: {away} (pid {pid})]" in outcome.output
    leader, *others = recorder_of(ctx).ended
    assert (leader.how, leader.pid) == ("exited", recorder_of(ctx).started[0][0])
    assert [(end.pid, end.name, end.how, end.call_id) for end in others] == [(pid, away, "terminated", "call_1")]


@pytest.mark.parametrize(
    ("way", "how"),
    [pytest.param(way, "abort", marks=linux_only) for way in sorted(ESCAPES)]
    + [pytest.param("daemon without its environment", "timeout", marks=linux_only)],
)
async def test_an_abort_and_a_timeout_end_it_too(way: str, how: str, tmp_path: Path) -> None:
    away = sleeper()
    ctx = context(tmp_path)
    with no_trace_of(away):
        command = f"{escape(way, away)}\nuntil pgrep -fx '{away}' > seen; do sleep 0.01; done; touch there; sleep 1000"
        task = asyncio.create_task(run(SHELL, ctx, command=command, timeout=3.0 if how == "timeout" else None))
        await until(lambda: (tmp_path / "there").exists() and running(away))
        if how == "abort":
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            assert (await task).status == "timeout"
        assert running(away) == []
    ends = recorder_of(ctx).ended
    assert ends[0].pid == recorder_of(ctx).started[0][0]
    assert {end.how for end in ends} == {"terminated"}
    assert ends_of(ends, away) == ["terminated"]


@linux_only
async def test_a_command_that_kills_its_supervisor_hides_nothing(tmp_path: Path) -> None:
    away = sleeper()
    ctx = context(tmp_path)
    with no_trace_of(away):
        outcome = await run(SHELL, ctx, command=f"setsid {away} & kill -KILL $PPID; sleep 1000")
        assert running(away) == []
    assert "[ended by SIGKILL]" in outcome.output
    leader, *others = recorder_of(ctx).ended
    assert leader.pid == recorder_of(ctx).started[0][0]
    assert not is_alive(leader.pid)
    # A shell's child that has not yet become its command can miss a SIGTERM.
    assert {end.how for end in others} <= {"terminated", "killed"}


@linux_only
async def test_a_command_that_stops_its_supervisor_is_ended(tmp_path: Path) -> None:
    away = sleeper()
    ctx = context(tmp_path)
    with no_trace_of(away):
        outcome = await run(SHELL, ctx, command=f"setsid {away} & kill -STOP $PPID; sleep 1000", timeout=0.5)
        assert outcome.status == "timeout"
        assert running(away) == []
    assert {end.how for end in recorder_of(ctx).ended} == {"terminated"}
    assert [child for child in psutil.Process().children() if child.name() == "quarterdeck-sup"] == []


@linux_only
async def test_nothing_of_one_call_is_ended_with_another(tmp_path: Path) -> None:
    ours, theirs = sleeper(), sleeper()
    with no_trace_of(ours, theirs):
        ctx = context(tmp_path, call_id="call_2")
        other = asyncio.create_task(run(SHELL, ctx, command=f"setsid {theirs} & sleep 1000"))
        await until(lambda: running(theirs))
        await run(SHELL, context(tmp_path), command=f"setsid {ours} & until pgrep -fx '{ours}'; do sleep 0.01; done")
        assert running(ours) == []
        assert running(theirs)
        other.cancel()
        with pytest.raises(asyncio.CancelledError):
            await other
        assert running(theirs) == []


@linux_only
async def test_no_supervisor_and_no_zombie_is_left(tmp_path: Path) -> None:
    before = {child.pid for child in psutil.Process().children()}
    await run(SHELL, context(tmp_path), command="true")
    before |= {child.pid for child in psutil.Process().children()}  # The guard may have been started by this call.
    for command in ("true", "sleep 1000 &", "setsid sleep 1000 &", "(setsid true &); exit 3"):
        await run(SHELL, context(tmp_path), command=command)
    assert {child.pid for child in psutil.Process().children()} <= before


@pytest.mark.parametrize("way", ["setsid", "nohup", "own group", "orphan"])
@pytest.mark.skipif(sys.platform != "linux", reason="setsid and pgrep are commands of Linux")
async def test_without_a_supervisor_the_marker_finds_it(way: str, tmp_path: Path) -> None:
    """As on a machine without /proc, where no supervisor can be had, but for the way of looking."""
    away = sleeper()
    with no_trace_of(away):
        command = f"{escape(way, away)}\nuntil pgrep -fx '{away}' > seen; do sleep 0.01; done; echo started"
        child = plain_child(["/bin/bash", "-c", command], tmp_path)
        ending = await asyncio.to_thread(child.watch, lambda pid, started: None)
        assert running(away) == []
    assert (ending.exit_code, ending.output) == (0, "started\n")
    pid = int((tmp_path / "seen").read_text())
    assert ending.left_over == (f"{away} (pid {pid})",)
    assert [(end.pid, end.how) for end in ending.ends[1:]] == [(pid, "terminated")]


@pytest.mark.parametrize("ignores", [False, True])
async def test_without_a_supervisor_a_stop_ends_the_session(ignores: bool, tmp_path: Path) -> None:
    command = "trap '' TERM; touch ready; while :; do sleep 0.1; done" if ignores else "touch ready; sleep 1000"
    child = plain_child(["/bin/sh", "-c", command], tmp_path)
    pids: list[int] = []
    watching = asyncio.create_task(asyncio.to_thread(child.watch, lambda pid, started: pids.append(pid)))
    await until(lambda: (tmp_path / "ready").exists() and pids)
    child.stop()
    ending = await watching
    assert ending.how == ("killed" if ignores else "terminated")
    assert ending.signal == ("SIGKILL" if ignores else "SIGTERM")
    assert (ending.ends[0].pid, ending.ends[0].how) == (pids[0], ending.how)
    assert living(pids[0]) == []


NESTED = """
import asyncio, sys
from pathlib import Path
from tests.processes.support import context, run
from runner.tools.builtin import SHELL

asyncio.run(run(SHELL, context(Path(sys.argv[1]), run_id="inner"), command=sys.argv[2]))
"""


@linux_only
@pytest.mark.parametrize("gone", ["nothing", "both supervisors"])
async def test_a_program_like_this_in_a_command_of_this(gone: str, tmp_path: Path) -> None:
    """What its commands start is ours as well, also where nothing but the environment tells."""
    (tmp_path / "inner.py").write_text(NESTED)
    inside, away = sleeper(), sleeper()
    ctx = context(tmp_path)
    with no_trace_of(inside, away):
        inner = f"setsid {away} & {inside}"
        command = f"PYTHONPATH={ROOT} {sys.executable} inner.py . '{inner}'"
        task = asyncio.create_task(run(SHELL, ctx, command=command))
        await until(lambda: running(inside) and running(away))
        carried = markers_of(running(away)[0])
        assert [marker.split("/")[0] for marker in carried] == ["run-1", "inner"]
        assert carried[0] == recorder_of(ctx).markers[0]
        if gone == "both supervisors":
            # The inner program must not do it: it is stopped, and then dies with the command that it is part of.
            for number, pids in ((signal.SIGSTOP, inner_programs()), (signal.SIGKILL, supervisors())):
                for pid in pids:
                    os.kill(pid, number)
        else:
            task.cancel()
        await asyncio.wait({task})
        assert running(inside) == running(away) == []


def inner_programs() -> list[int]:
    found = [process for process in psutil.Process().children(recursive=True) if "inner.py" in process.cmdline()]
    return [process.pid for process in found if process.name() != "quarterdeck-sup"]


def supervisors() -> list[int]:
    """All of this program and of the programs in its commands; the inner ones first, before they end with the outer."""
    descendants = psutil.process_iter(["name"])
    mine = [process.pid for process in psutil.Process().children(recursive=True)]
    return [one.pid for one in descendants if one.pid in mine and one.info["name"] == "quarterdeck-sup"][::-1]


def markers_of(pid: int) -> list[str]:
    return psutil.Process(pid).environ()["QUARTERDECK_CALL"].split()


def plain_child(argv: list[str], folder: Path) -> Child:
    return Child(
        argv,
        name="plain",
        cwd=folder,
        env=dict(os.environ),
        marker=new_marker("run", "call"),
        limits=Limits(timeout=None, grace=0.3),
        emit=lambda stream, text: None,
        start=Spawned,
    )


@linux_only
async def test_killing_the_watched_program_by_hand_is_told(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    task = asyncio.create_task(run(SHELL, ctx, command="sleep 1000"))
    await until(lambda: recorder_of(ctx).started)
    os.kill(recorder_of(ctx).started[0][0], signal.SIGKILL)
    assert (await task).output == "[ended by SIGKILL]"
    assert [end.how for end in recorder_of(ctx).ended] == ["exited"]
