"""Where there is no /proc, psutil looks and no supervisor helps: the same commands, and the same ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from runner.tools import table
from runner.tools.builtin import SHELL
from runner.tools.leftovers import Recorded, end_leftovers
from runner.tools.marker import new_marker, with_marker
from runner.tools.minder import scan
from runner.tools.spawn import Spawned, Supervised, spawn
from tests.processes.support import context, escape, living, no_trace_of, recorder_of, run, running, sleeper, until

needs_setsid = pytest.mark.skipif(sys.platform != "linux", reason="setsid and pgrep are commands of Linux")


@pytest.fixture(autouse=True)
def _no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "available", lambda: False)


def test_there_is_no_supervisor(tmp_path: Path) -> None:
    spawned = spawn(["/bin/true"], cwd=tmp_path, env=os.environ, marker="a/b/c")
    assert isinstance(spawned, Spawned)
    assert not isinstance(spawned, Supervised)
    assert spawned.process.wait(20) == 0
    spawned.close()


def test_the_processes_that_psutil_sees() -> None:
    process = subprocess.Popen(["sleep", "1000"], start_new_session=True, env=with_marker(os.environ, "a/b/c"))
    try:
        asyncio.run(until(lambda: table.markers_of(process.pid)))
        row = table.rows()[process.pid]
        assert (row.pgrp, row.session, row.ppid, row.living) == (process.pid, process.pid, os.getpid(), True)
        assert table.epoch(row.start) == table.birth(process.pid) == psutil.Process(process.pid).create_time()
        assert table.describe(row) == "sleep 1000"
        assert "a/b/c" in table.markers_of(process.pid)
        assert table.marked({process.pid: row}, {"a/b/c", "x"}, row.start) == {process.pid: {"a/b/c"}}
        assert table.marked({process.pid: row}, {"a/b/c"}, row.start + 1) == {}
        process.kill()
        asyncio.run(until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE))
        assert table.rows()[process.pid].living is False
    finally:
        process.kill()
        process.wait()
    assert table.birth(process.pid) is None
    assert table.markers_of(process.pid) == set()


@needs_setsid
@pytest.mark.parametrize("way", ["setsid", "nohup", "own group", "orphan"])
async def test_what_left_the_session_ends_with_the_call(way: str, tmp_path: Path) -> None:
    away = sleeper()
    ctx = context(tmp_path)
    with no_trace_of(away):
        command = f"{escape(way, away)}\nuntil pgrep -fx '{away}' > seen; do sleep 0.01; done; echo started"
        outcome = await run(SHELL, ctx, command=command)
        assert running(away) == []
    assert f"ended with it: {away} (pid {(tmp_path / 'seen').read_text().strip()})" in outcome.output
    assert [end.how for end in recorder_of(ctx).ended] == ["exited", "terminated"]


async def test_an_abort(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    task = asyncio.create_task(run(SHELL, ctx, command="trap '' TERM; sleep 1000 & touch ready; wait"))
    await until(lambda: (tmp_path / "ready").exists() and recorder_of(ctx).started)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    leader, *_ = recorder_of(ctx).ended
    assert leader.how == "killed"
    assert living(leader.pgid) == []


def test_leftovers_and_a_stranger_with_a_number_that_was_recorded() -> None:
    marker = new_marker("run", "call")
    ours = subprocess.Popen(["sleep", "1000"], start_new_session=True, env=with_marker(os.environ, marker))
    stranger = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    try:
        started = psutil.Process(stranger.pid).create_time() - 60.0
        known = [
            Recorded(pid=stranger.pid, pgid=stranger.pid, started=started, place=table.place(), marker=marker),
            Recorded(pid=ours.pid, pgid=ours.pid, started=None, place="another-boot pid:[1]"),
        ]
        ends = end_leftovers(known, grace=20.0)
        assert [(end.pid, end.how) for end in ends] == [(ours.pid, "terminated")]
        assert ours.wait(20) == -signal.SIGTERM
        assert stranger.poll() is None
    finally:
        for process in (ours, stranger):
            process.kill()
            process.wait()
