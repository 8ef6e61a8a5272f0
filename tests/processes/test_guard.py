"""What a command started dies with the program, however the program ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from runner.tools.group import members
from runner.tools.guard import Guard
from tests.contract.sources import ROOT
from tests.processes.support import is_alive, until

PROGRAM = """
import asyncio, sys
from pathlib import Path
from tests.processes.support import context, run
from runner.tools.builtin import SHELL

COMMAND = '''
trap "" TERM HUP INT
sleep 1000 & echo $! >> pids.new
(trap "" TERM; sleep 1000 & echo $! >> pids.new; wait) &
sleep 1000 | cat &
echo $$ >> pids.new; mv pids.new pids; wait
'''

async def main():
    await run(SHELL, context(Path(sys.argv[1])), command=COMMAND)

asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
async def test_grandchildren_die_with_the_program(tmp_path: Path, number: signal.Signals) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    program = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, str(tmp_path), env=env)
    try:
        await until(lambda: (tmp_path / "pids").exists())
        pids = [int(line) for line in (tmp_path / "pids").read_text().split()]
        assert all(is_alive(pid) for pid in pids)
        session = os.getsid(pids[0])
        assert len(members(session)) >= 5
        program.send_signal(number)
        await program.wait()
        await until(lambda: not members(session))
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()


async def test_a_killed_guard_is_replaced_and_learns_what_it_has_to_watch() -> None:
    guard = Guard()
    sleepers = [await asyncio.create_subprocess_exec("sleep", "1000", start_new_session=True) for _ in range(3)]
    try:
        guard.watch(sleepers[0].pid)
        first = guard.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: not is_alive(first))
        guard.watch(sleepers[1].pid)
        assert guard.pid not in (None, first)
        guard.watch(sleepers[2].pid)
        guard.forget(sleepers[2].pid)
        await asyncio.to_thread(guard.close)
        assert await sleepers[0].wait() == -signal.SIGKILL
        assert await sleepers[1].wait() == -signal.SIGKILL
        assert sleepers[2].returncode is None, "a session that was taken back is left alone"
    finally:
        for sleeper in sleepers:
            if sleeper.returncode is None:
                sleeper.kill()
                await sleeper.wait()
