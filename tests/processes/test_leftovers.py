"""At the next start: what a dead program left is ended, and nobody else's process ever is."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from runner.tools import table
from runner.tools.leftovers import Recorded, end_leftovers
from runner.tools.marker import new_marker, with_marker
from runner.tools.minder import scan
from runner.tools.minder.scan import Row
from runner.tools.spawn import can_supervise
from tests.contract.sources import ROOT
from tests.processes.support import is_alive, no_trace_of, running, sleeper, until

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="setsid is a command of Linux")

DEAF = "trap '' TERM; touch ready; while :; do sleep 0.1; done"


class Started:
    """Processes that a test starts, ended whatever happens."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []

    def __call__(self, *argv: str, marker: str = "", cwd: Path | None = None) -> subprocess.Popen[bytes]:
        env = with_marker(os.environ, marker) if marker else dict(os.environ)
        process = subprocess.Popen(argv, env=env, cwd=cwd, start_new_session=True)
        self.processes.append(process)
        return process


@pytest.fixture
def started() -> Iterator[Started]:
    made = Started()
    yield made
    for process in made.processes:
        process.kill()
        process.wait()


def record(process: subprocess.Popen[bytes], marker: str = "", later: float = 0.0, place: str = "") -> Recorded:
    """As a run recorded it; later: seconds that its start lies beside the true one."""
    return Recorded(
        pid=process.pid,
        pgid=process.pid,
        started=psutil.Process(process.pid).create_time() + later,
        place=place or table.place(),
        marker=marker,
        name="the command",
        call_id="call_7",
    )


def until_now(what: Callable[[], bool]) -> None:
    asyncio.run(until(what))


def test_a_recorded_process_is_ended(started: Started) -> None:
    process = started("sleep", "1000")
    [end] = end_leftovers([record(process)], grace=20.0)
    assert process.wait(20) == -signal.SIGTERM
    assert (end.pid, end.pgid, end.name, end.how, end.call_id) == (
        *(process.pid, process.pid, "the command"),
        *("terminated", "call_7"),
    )


@pytest.mark.parametrize("later", [-3600.0, -0.02, 0.02, 1.0, 86400.0])
def test_a_number_that_belongs_to_somebody_else_by_now_is_never_touched(later: float, started: Started) -> None:
    stranger = started("sleep", "1000")
    [end] = end_leftovers([record(stranger, later=later, marker="run/call/gone")], grace=0.0)
    assert (end.how, end.pid, end.name) == ("gone", stranger.pid, "the command")
    assert stranger.poll() is None
    assert is_alive(stranger.pid)


def test_a_record_without_a_start_is_known_by_its_marker_alone(started: Started) -> None:
    marker = new_marker("run", "call")
    ours, stranger = started("sleep", "1000", marker=marker), started("sleep", "1000", marker=new_marker("run", "call"))
    known = [Recorded(pid=stranger.pid, pgid=stranger.pid, started=None, place=table.place(), marker=marker)]
    [end] = end_leftovers(known, grace=20.0)
    assert (end.pid, end.how) == (ours.pid, "terminated")
    assert ours.wait(20) == -signal.SIGTERM
    assert is_alive(stranger.pid)


@pytest.mark.parametrize("place", ["another-boot pid:[4026531836]", "host", "{boot} pid:[1]"])
def test_records_of_another_place_are_passed_over(place: str, started: Started) -> None:
    process = started("sleep", "1000")
    place = place.format(boot=table.place().split()[0])
    assert end_leftovers([record(process, place=place)], grace=0.0) == []
    assert is_alive(process.pid)


def test_the_deaf_are_killed_after_the_grace(started: Started, tmp_path: Path) -> None:
    process = started("/bin/sh", "-c", DEAF, cwd=tmp_path)
    until_now(lambda: (tmp_path / "ready").exists())
    ends = end_leftovers([record(process)], grace=0.3)
    assert process.wait(20) == -signal.SIGKILL
    assert (ends[0].pid, ends[0].how) == (process.pid, "killed")


def test_the_stopped_are_woken_for_it(started: Started) -> None:
    process = started("sleep", "1000")
    process.send_signal(signal.SIGSTOP)
    [end] = end_leftovers([record(process)], grace=20.0)
    assert (process.wait(20), end.how) == (-signal.SIGTERM, "terminated")


@linux_only
async def test_the_whole_session_and_what_left_it(started: Started) -> None:
    """The leader alive, one of its session, one away with the marker, and the child of that one without it."""
    marker = new_marker("run", "call")
    inside, away, below = sleeper(), sleeper(), sleeper()
    with no_trace_of(inside, away, below):
        command = f"{inside} & setsid sh -c '{away} & env -i setsid {below} & wait' & wait"
        process = started("/bin/sh", "-c", command, marker=marker)
        await until(lambda: all(running(name) for name in (inside, away, below)))
        ends = await asyncio.to_thread(end_leftovers, [record(process, marker)], 20.0)
        assert not any(running(name) for name in (inside, away, below))
    assert ends[0].pid == process.pid
    assert {inside, away, below} <= {end.name for end in ends}
    assert {end.how for end in ends} == {"terminated"}


@linux_only
async def test_a_session_whose_leader_is_gone_proves_nothing(started: Started) -> None:
    """Its number may have been given to a stranger who left a session of his own: only the marker tells."""
    marker = new_marker("run", "call")
    marked, unmarked = sleeper(), sleeper()
    with no_trace_of(marked, unmarked):
        process = started("/bin/sh", "-c", f"{marked} & env -i {unmarked} & exit 0", marker=marker)
        known = record(process, marker)
        await until(lambda: running(marked) and running(unmarked))
        process.wait()
        [end] = await asyncio.to_thread(end_leftovers, [known], 20.0)
        assert (end.name, end.how) == (marked, "terminated")
        assert running(marked) == []
        assert running(unmarked)


def test_a_program_inside_of_a_recorded_call_spares_itself_and_its_own(started: Started) -> None:
    """It was started by a tool of the program that died; it is not what that one left behind."""
    marker = new_marker("run", "call")
    program = (
        "import os, subprocess, sys; from runner.tools.leftovers import *; from runner.tools import table;"
        "child = subprocess.Popen(['sleep', '1000']); me = os.getppid();"
        "since = table.epoch(table.birth(me));"
        "known = Recorded(pid=me, pgid=me, started=since, place=table.place(), marker=sys.argv[1]);"
        "print([end.how for end in end_leftovers([known], 0.0)], child.poll()); child.kill()"
    )
    argv = ["/bin/sh", "-c", '"$@"; echo "$?"', "sh", sys.executable, "-c", program, marker]
    env = with_marker({**os.environ, "PYTHONPATH": str(ROOT)}, marker)
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, start_new_session=True)
    assert done.stdout.split("\n") == ["['gone'] None", "0", ""], done.stderr


def test_nothing_recorded_is_nothing_done() -> None:
    assert end_leftovers([]) == []


PROGRAM = """
import asyncio, sys
from pathlib import Path
from tests.processes.support import context, recorder_of, run, until
from runner.tools.builtin import SHELL
from runner.tools.guard import GUARD

async def main():
    ctx = context(Path(sys.argv[1]))
    call = asyncio.create_task(run(SHELL, ctx, command=sys.argv[2]))
    seen = recorder_of(ctx)
    await until(lambda: seen.started)
    print(GUARD.pid, *seen.started[0], seen.markers[0], flush=True)
    await call

asyncio.run(main())
"""


@pytest.mark.skipif(not can_supervise(), reason="supervisors are for Linux")
async def test_what_lives_on_when_the_program_and_both_helpers_were_killed(tmp_path: Path) -> None:
    inside, away = sleeper(), sleeper()
    command = f"setsid {away} & trap '' TERM; {inside} & wait"
    with no_trace_of(inside, away):
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM, str(tmp_path), command),
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE,
        )
        assert program.stdout is not None
        guard, pid, pgid, since, marker = (await program.stdout.readline()).decode().split()
        await until(lambda: running(inside) and running(away))
        program.send_signal(signal.SIGSTOP)
        helpers = [child.pid for child in psutil.Process(program.pid).children()]
        assert int(guard) in helpers
        for helper in helpers:
            os.kill(helper, signal.SIGKILL)
        program.kill()
        await program.wait()
        await until(lambda: not is_alive(int(pid)))
        assert running(inside)
        assert running(away)
        known = Recorded(
            pid=int(pid),
            pgid=int(pgid),
            started=float(since),
            place=table.place(),
            marker=marker,
            name="x",
            call_id="c",
        )
        ends = await asyncio.to_thread(end_leftovers, [known], 0.3)
        assert not running(inside)
        assert not running(away)
    assert sorted((end.name, end.how) for end in ends) == sorted([(inside, "killed"), (away, "terminated")])
    assert {end.call_id for end in ends} == {"c"}


def test_a_stopped_supervisor_is_let_go_and_not_listed(started: Started) -> None:
    """It is told from others by its name alone, so one of this name is a fair stand-in."""
    marker = new_marker("run", "call")
    rename = f"import ctypes, time; ctypes.CDLL(None).prctl(15, b'{scan.SUPERVISOR}', 0, 0, 0); time.sleep(1000)"
    process = started(sys.executable, "-c", rename, marker=marker)
    until_now(lambda: psutil.Process(process.pid).name() == scan.SUPERVISOR)
    process.send_signal(signal.SIGSTOP)
    until_now(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
    [end] = end_leftovers([record(process, marker)], grace=0.0)
    assert end.how == "gone"
    until_now(lambda: psutil.Process(process.pid).status() != psutil.STATUS_STOPPED)
    assert process.poll() is None


def test_a_process_without_an_environment_is_looked_at_again() -> None:
    """While it becomes another program it has none; a kernel's thread never has one, and is not waited for."""
    rows = {pid: Row(pid, ppid=ppid, pgrp=9, session=9, start=5, name="x") for pid, ppid in ((9, 1), (10, 2), (11, 1))}
    answers: dict[int, list[set[str] | None]] = {9: [None, {"ours", "other"}], 11: [{"other"}]}
    assert scan.marked(rows, {"ours"}, 5, lambda pid: answers[pid].pop(0)) == {9: {"ours"}}
    assert answers == {9: [], 11: []}
