"""What a command started dies with the program, however the program ends and whichever helper died before."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from runner.tools import table
from runner.tools.guard import Guard
from runner.tools.marker import with_marker
from runner.tools.spawn import can_supervise
from tests.contract.sources import ROOT
from tests.processes.support import ESCAPES, escape, is_alive, living, no_trace_of, running, sleeper, until

PROGRAM = """
import asyncio, sys
from pathlib import Path
from tests.processes.support import context, recorder_of, run, until
from runner.tools.builtin import SHELL
from runner.tools.guard import GUARD

async def main():
    ctx = context(Path(sys.argv[1]))
    call = asyncio.create_task(run(SHELL, ctx, command=sys.argv[2]))
    await until(lambda: recorder_of(ctx).started)
    print(GUARD.pid, flush=True)
    await call

asyncio.run(main())
"""

COMMAND = """
trap "" TERM HUP INT
{one} & {two} | cat &
(trap "" TERM; {three} & wait) &
setsid {four} &
nohup setsid sh -c '{five} & wait' > /dev/null 2>&1 &
touch ready; wait
"""


async def start(folder: Path, command: str) -> tuple[asyncio.subprocess.Process, int]:
    """The program with a running command, and the pid of its guard."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = asyncio.subprocess.PIPE
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(folder), command, env=env, stdout=pipe
    )
    assert program.stdout is not None
    return program, int(await program.stdout.readline())


async def end(program: asyncio.subprocess.Process) -> None:
    if program.returncode is None:
        program.kill()
        await program.wait()


def supervisors_of(pid: int) -> list[int]:
    return [child.pid for child in psutil.Process(pid).children() if child.name() == "quarterdeck-sup"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
async def test_grandchildren_die_with_the_program_wherever_they_went(tmp_path: Path, number: signal.Signals) -> None:
    names = dict(zip(("one", "two", "three", "four", "five"), (sleeper() for _ in range(5)), strict=True))
    with no_trace_of(*names.values()):
        program, guard = await start(tmp_path, COMMAND.format(**names))
        try:
            await until(lambda: all(running(name) for name in names.values()))
            sessions = {os.getsid(pid) for name in names.values() for pid in running(name)}
            assert len(sessions) == 3
            program.send_signal(number)
            await program.wait()
            await until(lambda: not any(running(name) for name in names.values()))
            await until(lambda: not any(living(session) for session in sessions))
            await until(lambda: not is_alive(guard))
        finally:
            await end(program)


@pytest.mark.skipif(not can_supervise(), reason="supervisors are for Linux")
@pytest.mark.parametrize("first", ["guard", "supervisor", "stopped supervisor"])
async def test_one_dead_helper_is_enough_of_the_other(tmp_path: Path, first: str) -> None:
    plain, away = sleeper(), sleeper()
    with no_trace_of(plain, away):
        program, guard = await start(tmp_path, f"trap '' TERM; setsid {away} & {plain}")
        try:
            await until(lambda: running(plain) and running(away))
            [supervisor] = supervisors_of(program.pid)
            if first == "guard":
                os.kill(guard, signal.SIGKILL)
                await until(lambda: not is_alive(guard))
                program.kill()
            else:
                # The program must not see its supervisor's death, or it would act itself.
                program.send_signal(signal.SIGSTOP)
                os.kill(supervisor, signal.SIGKILL if first == "supervisor" else signal.SIGSTOP)
                program.kill()
            await program.wait()
            await until(lambda: not running(plain) and not running(away))
            await until(lambda: not is_alive(supervisor) and not is_alive(guard))
        finally:
            await end(program)


@pytest.mark.skipif(not can_supervise(), reason="supervisors are for Linux")
@pytest.mark.parametrize("way", sorted(ESCAPES))
async def test_no_way_out_of_the_session_survives_the_program(tmp_path: Path, way: str) -> None:
    """Here the guard is of no help: it is killed before."""
    away = sleeper()
    with no_trace_of(away):
        program, guard = await start(tmp_path, escape(way, away) + "\nsleep 1000")
        try:
            await until(lambda: running(away))
            os.kill(guard, signal.SIGKILL)
            program.kill()
            await program.wait()
            await until(lambda: not running(away))
        finally:
            await end(program)


async def test_a_killed_guard_is_replaced_and_learns_what_it_has_to_watch() -> None:
    guard = Guard()
    sleepers = [await asyncio.create_subprocess_exec("sleep", "1000", start_new_session=True) for _ in range(3)]

    def watch(pid: int) -> None:
        guard.watch(pid, session=pid, marker="a/b/none", since=table.birth(pid) or 0.0)

    try:
        watch(sleepers[0].pid)
        first = guard.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: not is_alive(first))
        watch(sleepers[1].pid)
        assert guard.pid not in (None, first)
        watch(sleepers[2].pid)
        guard.forget(sleepers[2].pid)
        await asyncio.to_thread(guard.close)
        assert await sleepers[0].wait() == -signal.SIGKILL
        assert await sleepers[1].wait() == -signal.SIGKILL
        assert sleepers[2].returncode is None, "what was taken back is left alone"
    finally:
        for process in sleepers:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def test_a_stopped_guard_holds_nobody_up_and_is_replaced() -> None:
    guard = Guard()
    process = await asyncio.create_subprocess_exec("sleep", "1000", start_new_session=True)
    try:
        guard.watch(process.pid, session=process.pid, marker="a/b/none", since=table.birth(process.pid) or 0.0)
        first = guard.pid
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        # More than the pipe to it holds.
        for number in range(10**6, 10**6 + 3000):
            guard.watch(number, session=None, marker=f"a/b/{number}", since=0.0)
            guard.forget(number)
            if guard.pid != first:
                break
        assert guard.pid not in (None, first)
        assert not is_alive(first)
        await asyncio.to_thread(guard.close)
        assert await process.wait() == -signal.SIGKILL
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_the_guard_finds_what_is_marked_and_nothing_else() -> None:
    guard = Guard()
    ours = await asyncio.create_subprocess_exec(
        "sleep", "1000", env=with_marker(os.environ, "run/call/ours"), start_new_session=True
    )
    other = await asyncio.create_subprocess_exec(
        "sleep", "1000", env=with_marker(os.environ, "run/call/other"), start_new_session=True
    )
    try:
        # Of a number that is a living stranger's now, only the birth tells.
        guard.watch(other.pid, session=None, marker="run/call/ours", since=(table.birth(ours.pid) or 0.0) - 1.0)
        await asyncio.to_thread(guard.close)
        assert await ours.wait() == -signal.SIGKILL
        assert other.returncode is None
        assert is_alive(other.pid)
    finally:
        for process in (ours, other):
            if process.returncode is None:
                process.kill()
                await process.wait()


async def test_ending_every_interpreter_by_its_name_spares_the_guard_and_the_supervisor(tmp_path: Path) -> None:
    plain = sleeper()
    with no_trace_of(plain):
        program, guard = await start(tmp_path, plain)
        try:
            await until(lambda: running(plain))
            helpers = [guard, *supervisors_of(program.pid)]
            assert len(helpers) == 2
            await until(lambda: psutil.Process(guard).name() == "quarterdeck-wd")
            for pid in helpers:
                for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
                    os.kill(pid, number)
            program.kill()
            await program.wait()
            await until(lambda: not running(plain) and not any(is_alive(pid) for pid in helpers))
        finally:
            await end(program)
