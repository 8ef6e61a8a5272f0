"""Starting a command: what it gets as it was, what it is told, and that it dies with the program."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil
import pytest

from runner.tools.minder.supervise import NOT_STARTED
from runner.tools.spawn import MINDERS, Spawned, can_supervise, spawn, supervised
from tests.contract.sources import ROOT
from tests.processes.support import is_alive, until

linux_only = pytest.mark.skipif(not can_supervise(), reason="supervisors are for Linux")

PROGRAM = """
import asyncio, sys
from pathlib import Path
from tests.processes.support import context, run
from runner.tools.builtin import SHELL

async def main():
    await run(SHELL, context(Path(sys.argv[1])), command="echo $$ > pid.new; mv pid.new pid; exec sleep 1000")

asyncio.run(main())
"""


def launch(
    argv: Sequence[str], env: Mapping[str, str], cwd: Path | None = None
) -> tuple[subprocess.CompletedProcess[bytes], list[str]]:
    """A supervised command, run to its end, and what its supervisor said."""
    told, status = os.pipe()
    try:
        done = subprocess.run(
            supervised(argv, env, status), env=env, cwd=cwd, capture_output=True, pass_fds=(status,), timeout=20
        )
    finally:
        os.close(status)
    with os.fdopen(told, "rb") as file:
        return done, file.read().decode().splitlines()


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
def test_a_command_whose_program_is_gone_already_is_not_started(tmp_path: Path) -> None:
    told, status = os.pipe()
    argv = supervised(["/bin/sh", "-c", "echo ran > ran"], {}, status)
    # The first number is the parent it expects; no process has number 0.
    place = argv.index("/bin/sh") - 2
    argv[place] = "0" + argv[place][argv[place].index(",") :]
    done = subprocess.run(argv, env=dict(os.environ), cwd=tmp_path, check=False, pass_fds=(status,), timeout=20)
    os.close(status)
    assert done.returncode == NOT_STARTED
    assert os.read(told, 100) == b""
    os.close(told)
    assert not (tmp_path / "ran").exists()


@linux_only
@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C"}, {"LC_CTYPE": "C"}])
def test_the_command_gets_its_environment_and_signals_as_they_were(locale: dict[str, str], tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "ODD": "a\udcffb", **locale}
    command = ["/bin/sh", "-c", "env; grep -E 'Sig(Ign|Blk|Cgt)' /proc/self/status; ls /proc/self/fd; pwd"]
    plain = subprocess.run(command, env=env, capture_output=True, check=True, timeout=20, cwd=tmp_path)
    wrapped, said = launch(command, env, tmp_path)
    kept = [line for line in plain.stdout.split(b"\n") if not line.startswith(b"_=")]
    assert [line for line in wrapped.stdout.split(b"\n") if not line.startswith(b"_=")] == kept
    assert wrapped.stderr == b""
    # The last word: orphans are handed to the supervisor.
    assert said[0].split()[::3] == ["started", "1"]
    assert said[1:] == ["exited 0", "empty"]


@linux_only
def test_signals_that_the_program_ignores_or_blocks_reach_the_command(tmp_path: Path) -> None:
    program = (
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN);"
        "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals());"
        "from tests.processes.test_spawn import launch; import os;"
        "done, said = launch(['/bin/sh', '-c', 'grep -E \"Sig(Ign|Blk)\" /proc/self/status; kill $$'], os.environ);"
        # Signals 32 and 33 belong to the C library, which lets nobody change them.
        "sets = [int(word, 16) & ~(3 << 31) for word in done.stdout.decode().split()[1::2]];"
        "print(sets, said[1:])"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[0, 0] ['exited -15', 'empty']", done.stderr


@linux_only
def test_a_program_that_does_not_exist_is_said(tmp_path: Path) -> None:
    done, said = launch([str(tmp_path / "none")], os.environ)
    assert done.stderr.decode() == f"{tmp_path}/none: No such file or directory\n"
    assert said[1:] == ["exited 126", "empty"]


@linux_only
@pytest.mark.parametrize("number", ["SIGTERM", "SIGUSR1"])
def test_a_command_that_is_called_off_before_its_start_never_runs(number: str, tmp_path: Path) -> None:
    told, status = os.pipe()
    held = (
        "import os, signal, sys; number = getattr(signal, sys.argv[1]); signal.pthread_sigmask(0, [number]);"
        "os.kill(os.getpid(), number); os.execv(sys.argv[2], sys.argv[2:])"
    )
    argv = [sys.executable, "-c", held, number, *supervised(["/bin/sh", "-c", "echo ran > ran"], os.environ, status)]
    done = subprocess.run(argv, cwd=tmp_path, check=False, pass_fds=(status,), timeout=20)
    os.close(status)
    assert done.returncode == NOT_STARTED
    assert os.read(told, 100) == b""
    os.close(told)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("plain", [False, True], ids=["supervised", "plain"])
def test_the_start_is_to_the_digit_what_psutil_tells(plain: bool, tmp_path: Path) -> None:
    start = Spawned if plain else spawn
    spawned = start(["/bin/sleep", "1000"], cwd=tmp_path, env=os.environ, marker="a/b/c")
    descriptor = spawned.descriptor()
    if descriptor is not None:
        os.set_blocking(descriptor, True)
        spawned.hear()
    assert spawned.pid is not None
    try:
        assert spawned.started == psutil.Process(spawned.pid).create_time()
        assert os.getsid(spawned.pid) == os.getpgid(spawned.pid) == spawned.pid
    finally:
        os.kill(spawned.pid, signal.SIGKILL)
        spawned.process.wait(20)
        spawned.close()


@pytest.mark.parametrize("minder", ["supervise", "watchdog"])
def test_the_helpers_load_next_to_nothing(minder: str) -> None:
    """They start with every command, and go on without this program's libraries."""
    code = f"import os, sys; had = set(sys.modules); sys.path.append({MINDERS!r}); import minder.{minder}"
    code += "; print(*sorted({name.split('.')[0] for name in set(sys.modules) - had}))"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, timeout=60)
    assert set(done.stdout.split()) <= {"__future__", "minder", "ctypes", "_ctypes", "struct", "_struct", "types"}
    assert done.stderr == ""


@linux_only
def test_what_a_supervisor_costs() -> None:
    """A figure, not a judgement: the median of a few starts with and without one."""

    def median(argv: list[str]) -> float:
        times: list[float] = []
        for _ in range(9):
            began = time.perf_counter()
            subprocess.run(argv, check=True, timeout=20)
            times.append(time.perf_counter() - began)
        return sorted(times)[4]

    bare, launched = median(["/bin/true"]), median(supervised(["/bin/true"], os.environ, 2))
    print(f"a bare start {bare * 1e3:.1f} ms, with a supervisor {launched * 1e3:.1f} ms")
    assert launched < 5.0
