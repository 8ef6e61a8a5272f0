"""Children die with the program: the parent-death signal, and what the launcher leaves as it was."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runner.tools.launcher import supports_parent_death, with_parent_death
from tests.contract.sources import ROOT
from tests.processes.support import is_alive, until

linux_only = pytest.mark.skipif(not supports_parent_death(), reason="the parent-death signal is Linux's")

PROGRAM = """
import asyncio, sys
from pathlib import Path
from tests.processes.support import context, run
from runner.tools.builtin import SHELL

async def main():
    await run(SHELL, context(Path(sys.argv[1])), command="echo $$ > pid.new; mv pid.new pid; exec sleep 1000")

asyncio.run(main())
"""


@linux_only
async def test_killing_the_program_kills_its_command(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    program = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, str(tmp_path), env=env)
    try:
        await until(lambda: (tmp_path / "pid").exists())
        pid = int((tmp_path / "pid").read_text())
        assert is_alive(pid)
        program.send_signal(signal.SIGKILL)
        await program.wait()
        await until(lambda: not is_alive(pid))
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()


@linux_only
def test_a_command_whose_parent_is_gone_already_is_not_started(tmp_path: Path) -> None:
    env = dict(os.environ)
    argv = with_parent_death(["/bin/sh", "-c", "echo ran > ran"], env)
    # The first number is the parent it expects; no process has number 1 more than the largest.
    place = argv.index("-c") + 2
    argv[place] = "0" + argv[place][argv[place].index(",") :]
    done = subprocess.run(argv, env=env, cwd=tmp_path, check=False, timeout=20)
    assert done.returncode == 137
    assert not (tmp_path / "ran").exists()


@linux_only
@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C"}, {"LC_CTYPE": "C"}])
def test_the_command_gets_its_environment_and_signals_as_they_were(locale: dict[str, str], tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "ODD": "a\udcffb", **locale}
    command = ["/bin/sh", "-c", "env; grep SigIgn /proc/self/status"]
    plain = subprocess.run(command, env=env, capture_output=True, check=True, timeout=20)
    wrapped = subprocess.run(with_parent_death(command, env), env=env, capture_output=True, check=True, timeout=20)
    kept = [line for line in plain.stdout.split(b"\n") if not line.startswith(b"_=")]
    assert [line for line in wrapped.stdout.split(b"\n") if not line.startswith(b"_=")] == kept
    assert wrapped.stderr == b""


@linux_only
def test_a_program_that_does_not_exist_is_said(tmp_path: Path) -> None:
    done = subprocess.run(
        with_parent_death([str(tmp_path / "none")], os.environ), capture_output=True, text=True, check=False, timeout=20
    )
    assert done.returncode == 126
    assert done.stderr == f"{tmp_path}/none: No such file or directory\n"


@linux_only
def test_what_the_launcher_costs() -> None:
    """A figure, not a judgement: the median of a few starts with and without the launcher."""

    def median(argv: list[str]) -> float:
        times: list[float] = []
        for _ in range(9):
            began = time.perf_counter()
            subprocess.run(argv, check=True, timeout=20)
            times.append(time.perf_counter() - began)
        return sorted(times)[4]

    bare, launched = median(["/bin/true"]), median(with_parent_death(["/bin/true"], os.environ))
    print(f"a bare start {bare * 1e3:.1f} ms, with the launcher {launched * 1e3:.1f} ms")
    assert launched < 5.0
