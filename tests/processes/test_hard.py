"""Processes that make it hard to end them: many, deaf, stopped, dead but unburied, faster than a look at them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

import psutil
import pytest

from runner.errors import ToolError
from runner.tools.base import ToolContext
from runner.tools.builtin import SHELL
from runner.tools.child import Child, Limits
from runner.tools.marker import new_marker
from runner.tools.process import run_process
from runner.tools.spawn import can_supervise
from tests.contract.sources import ROOT
from tests.processes.support import context, is_alive, living, no_trace_of, recorder_of, run, running, sleeper, until

linux_only = pytest.mark.skipif(not can_supervise(), reason="supervisors are for Linux")


async def python(ctx: ToolContext, code: str, *arguments: str) -> None:
    await run_process([sys.executable, "-I", "-S", "-c", code, *arguments], ctx, name="program")


async def abort(task: asyncio.Task[object]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def named(text: str) -> list[int]:
    """Living processes with the text among their arguments, but for supervisors."""
    found: list[int] = []
    for process in psutil.process_iter(["name", "status", "cmdline"]):
        dead = process.info["status"] in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
        if not dead and process.info["name"] != "quarterdeck-sup" and text in (process.info["cmdline"] or ()):
            found.append(process.pid)
    return found


BOMB = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for number in range(100):
    if os.fork() == 0:
        if number % 2:
            os.setsid()
        if number % 3 == 0:
            os.setpgid(0, 0) if number % 2 == 0 else None
        time.sleep(1000)
time.sleep(1000)
"""


@linux_only
async def test_a_hundred_deaf_processes_in_many_sessions(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    tag = sleeper()
    task = asyncio.create_task(python(ctx, BOMB, tag))
    await until(lambda: len(named(tag)) == 101)
    await abort(task)
    assert named(tag) == []
    ends = recorder_of(ctx).ended
    # A receipt lists a hundred; the last of them counts the rest.
    assert len(ends) == 100
    assert {end.how for end in ends} == {"killed"}
    assert ends[0].pid == recorder_of(ctx).started[0][0]
    assert [end.more for end in ends] == [0] * 99 + [1]


HOPS = """
import os, sys, time
until = time.monotonic() + 100
while time.monotonic() < until:
    if os.fork():
        os._exit(0)
    os.setsid()
    open(sys.argv[2], "w").close()
"""


@linux_only
@pytest.mark.parametrize("hoppers", [1, 5])
async def test_a_process_that_is_another_one_all_the_time(hoppers: int, tmp_path: Path) -> None:
    """Each forks a child in a new session and ends: no number that was looked up is still the right one."""
    ctx = context(tmp_path)
    tag = sleeper()
    code = f"import os\nfor _ in range({hoppers - 1}):\n    if os.fork() == 0:\n        break\n{HOPS}"
    task = asyncio.create_task(python(ctx, code, tag, str(tmp_path / "hopping")))
    await until(lambda: (tmp_path / "hopping").exists())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not named(tag))
    assert recorder_of(ctx).ended


@linux_only
async def test_stopped_processes_in_every_session(tmp_path: Path) -> None:
    one, two = sleeper(), sleeper()
    ctx = context(tmp_path)
    with no_trace_of(one, two):
        command = (
            f"{one} & setsid {two} &\n"
            f"for name in '{one}' '{two}'; do until pkill -STOP -fx \"$name\"; do sleep 0.01; done; done; kill -STOP $$"
        )
        task = asyncio.create_task(run(SHELL, ctx, command=command))
        await until(lambda: all(status_of(name) == psutil.STATUS_STOPPED for name in (one, two)))
        await abort(task)
        assert running(one) == running(two) == []
    # What SIGTERM ends has to be woken for it.
    assert {end.how for end in recorder_of(ctx).ended} == {"terminated"}


def status_of(command: str) -> str | None:
    return psutil.Process(pid).status() if (pid := next(iter(running(command)), None)) is not None else None


@linux_only
async def test_a_pipe_that_a_stranger_holds_open_does_not_hold_the_call(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    task = asyncio.create_task(run(SHELL, ctx, command="echo begun; until [ -e go ]; do sleep 0.02; done; echo ended"))
    await until(lambda: recorder_of(ctx).printed() == "begun\n")
    held = os.open(f"/proc/{recorder_of(ctx).started[0][0]}/fd/1", os.O_WRONLY)
    try:
        (tmp_path / "go").touch()
        outcome = await task
    finally:
        os.close(held)
    assert outcome.output == "begun\nended\n[exit code 0]"


@linux_only
async def test_the_dead_that_nobody_buries_are_nobodys_leftovers(tmp_path: Path) -> None:
    code = "import os, time\nif os.fork() == 0:\n    os._exit(0)\nopen('there', 'w').close()\ntime.sleep(1000)"
    ctx = context(tmp_path)
    task = asyncio.create_task(python(ctx, code))
    await until(lambda: (tmp_path / "there").exists())
    parent = psutil.Process(recorder_of(ctx).started[0][0])
    await until(lambda: [child.status() for child in parent.children()] == [psutil.STATUS_ZOMBIE])
    await abort(task)
    assert [(end.pid, end.how) for end in recorder_of(ctx).ended] == [(parent.pid, "terminated")]


@linux_only
@pytest.mark.skipif(os.uname().machine not in ("x86_64", "aarch64"), reason="the number of the system call")
async def test_a_process_whose_first_thread_ended_is_alive(tmp_path: Path) -> None:
    number = 60 if os.uname().machine == "x86_64" else 93
    code = (
        "import ctypes, os, sys, threading, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    threading.Thread(target=lambda: (open('there', 'w').close(), time.sleep(1000))).start()\n"
        f"    ctypes.CDLL(None).syscall({number}, 0)\n"
        "while not os.path.exists('there'):\n"
        "    time.sleep(0.01)\n"
    )
    ctx = context(tmp_path)
    tag = sleeper()
    argv = [sys.executable, "-c", code, tag]
    ending = await run_process(argv, ctx, name="program")
    assert ending.exit_code == 0
    assert len(ending.left_over) == 1
    assert [end.how for end in recorder_of(ctx).ended] == ["exited", "terminated"]
    assert not is_alive(recorder_of(ctx).ended[1].pid)


UNKILLABLE = """
import asyncio, ctypes, os, sys
if ctypes.CDLL(None).prctl(23, 5, 0, 0, 0):
    # Without the capability, root is a user like any other; it is lost with the next program.
    ctypes.CDLL(None).prctl(24, 5, 0, 0, 0)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
from dataclasses import replace
from pathlib import Path
from tests.processes.support import context, recorder_of, run, running, until
from runner.tools.builtin import SHELL

OTHER = "import os; os.setuid(65534); os.execv('/bin/sleep', ['sleep', '{}'])"

async def main(folder, mine, theirs):
    ctx = context(Path(folder))
    other = OTHER.format(theirs.split()[1])
    command = f'{mine} & {sys.executable} -I -S -c "{other}" & wait'
    call = asyncio.create_task(run(SHELL, ctx, command=command))
    await until(lambda: running(mine) and running(theirs))
    call.cancel()
    await asyncio.wait({call})
    print([(end.name, end.how) for end in recorder_of(ctx).ended[1:]], [bool(running(mine)), bool(running(theirs))])

asyncio.run(main(*sys.argv[1:]))
"""


@linux_only
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start another user's process")
async def test_what_may_not_be_killed_is_said_and_holds_nobody_up(tmp_path: Path) -> None:
    mine, theirs = sleeper(), sleeper()
    with no_trace_of(mine, theirs):
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", UNKILLABLE, str(tmp_path), mine, theirs),
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await program.communicate()
    assert said.decode().strip() == f"{[(mine, 'terminated'), (theirs, 'survived')]} [False, True]"


async def test_names_that_are_long_or_would_be_obeyed_by_a_terminal(tmp_path: Path) -> None:
    odd = "\x1b]0;title\x07\x1b[31m\nsecond line"
    (tmp_path / odd).symlink_to("/bin/sleep")
    ctx = context(tmp_path)
    command = f"# {'x' * 100_000}\n\"$PWD/$(printf '{odd}')\" 1000 & touch ready; wait"
    task = asyncio.create_task(run(SHELL, ctx, command=command))
    await until(lambda: (tmp_path / "ready").exists() and recorder_of(ctx).names)
    group = recorder_of(ctx).started[0][1]
    await until(lambda: len(living(group)) == 2)
    await abort(task)
    names = [*recorder_of(ctx).names, *(end.name for end in recorder_of(ctx).ended)]
    assert len(names) == 3
    assert all(name.isprintable() and 0 < len(name) <= 60 for name in names)
    assert names[2] == "]0;title [31m second line 1000"


async def test_a_command_line_that_is_too_long_is_said(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    with pytest.raises(ToolError, match="could not be started"):
        await run_process(["/bin/echo", "x" * 3_000_000], ctx, name="echo")
    assert recorder_of(ctx).started == []


async def test_a_stop_at_any_moment_of_the_start_leaves_nothing(tmp_path: Path) -> None:
    tag = sleeper()
    argv = ["/bin/sh", "-c", f"{tag} & {tag} & wait"]
    with no_trace_of(tag):
        for turn in range(30):
            child = Child(
                argv,
                name="sleepers",
                cwd=tmp_path,
                env=dict(os.environ),
                marker=new_marker("run", "call"),
                limits=Limits(timeout=None, grace=5.0),
                emit=lambda stream, text: None,
            )
            # From before the interpreter of the supervisor runs to after the command's first fork.
            threading.Timer(turn * 0.001, child.stop).start()
            ending = await asyncio.to_thread(child.watch, lambda pid, started: None)
            assert running(tag) == []
            assert ending.how in ("exited", "terminated")
            assert ending.signal == "SIGTERM"


async def test_a_cancellation_before_the_command_runs_is_no_process_ended(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    task = asyncio.create_task(run(SHELL, ctx, command="echo ran > ran; sleep 1000"))
    await asyncio.sleep(0)
    await abort(task)
    seen = recorder_of(ctx)
    assert [end.pid for end in seen.ended] == [pid for pid, _, _ in seen.started]


@linux_only
async def test_who_reports_when_the_reporter_fails(tmp_path: Path) -> None:
    tag = sleeper()

    class Broken:
        def process_started(self, pid: int, pgid: int, started: float | None, *, name: str, marker: str) -> None:
            raise RuntimeError("no room")

        def activity(self, activity: object) -> None: ...
        def output(self, text: str, stream: str = "stdout") -> None: ...
        def process_ended(self, end: object) -> None: ...

    with no_trace_of(tag):
        with pytest.raises(RuntimeError, match="no room"):
            await run_process(
                ["/bin/sh", "-c", f"setsid {tag} & {tag}"], context(tmp_path, reporter=Broken()), name="x"
            )
        assert running(tag) == []


@linux_only
def test_the_kill_signal_of_this_machine_is_the_one_that_the_helpers_send() -> None:
    from runner.tools.minder import scan

    assert scan.KILL == signal.SIGKILL
