"""What the tests of tools share: a reporter that remembers, a context, and looking for processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from runner.messages import JsonObject
from runner.tools.base import Activity, ProcessEnd, Sandbox, Tool, ToolContext, ToolOutcome
from runner.tools.execute import execute
from runner.tools.sandbox import status
from tests.conftest import missing, need

MAX_OUTPUT = 16 * 1024


PYTHON = os.path.realpath(sys.executable)
"""Not the one of the environment: where the project lies in /tmp, a sandbox does not show that."""

_FORK_TWICE = """
import os, sys
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
null = os.open(os.devnull, os.O_RDWR)
for fd in (0, 1, 2):
    os.dup2(null, fd)
os.execve("/bin/sleep", ["sleep", sys.argv[1]], {})
"""

ESCAPES = {
    "setsid": "setsid COMMAND &",
    "nohup": "nohup setsid COMMAND > /dev/null 2>&1 &",
    "own group": "set -m; COMMAND &",
    "orphan": "(setsid setsid COMMAND > /dev/null 2>&1 &) ; (true)",
    "daemon without its environment": f"{PYTHON} -I -S -c '{_FORK_TWICE}' $(echo COMMAND | cut -d' ' -f2)",
}
"""Ways to start a command (a `sleep`) where a kill of the session does not find it."""


def escape(way: str, command: str) -> str:
    return ESCAPES[way].replace("COMMAND", command)


class Recorder:
    """A ToolReporter that keeps everything it is told."""

    def __init__(self) -> None:
        self.activities: list[Activity] = []
        self.outputs: list[tuple[str, str]] = []
        self.started: list[tuple[int, int, float | None]] = []
        self.names: list[str] = []
        self.markers: list[str] = []
        self.ended: list[ProcessEnd] = []

    def activity(self, activity: Activity) -> None:
        self.activities.append(activity)

    def output(self, text: str, stream: str = "stdout") -> None:
        self.outputs.append((stream, text))

    def process_started(self, pid: int, pgid: int, started: float | None, *, name: str = "", marker: str = "") -> None:
        self.names.append(name)
        self.markers.append(marker)
        self.started.append((pid, pgid, started))

    def process_ended(self, end: ProcessEnd) -> None:
        self.ended.append(end)

    def printed(self, stream: str = "stdout") -> str:
        return "".join(text for name, text in self.outputs if name == stream)


def context(workspace: Path, **changes: Any) -> ToolContext:
    """A call's context; its reporter is a Recorder unless another one is given."""
    ctx = ToolContext(
        run_id="run-1",
        call_id="call_1",
        agent="tester",
        workspace=workspace,
        reporter=Recorder(),
        scratch={},
        abort_grace=0.3,
    )
    return replace(ctx, **changes)


def recorder_of(ctx: ToolContext) -> Recorder:
    assert isinstance(ctx.reporter, Recorder)
    return ctx.reporter


async def run(
    tool: Tool, ctx: ToolContext, timeout: float | None = None, max_output: int = MAX_OUTPUT, **arguments: Any
) -> ToolOutcome:
    """A call as the loop makes it: validated, then executed."""
    return await execute(tool, ctx, tool.validate(arguments), timeout=timeout, max_output=max_output)


async def call(tool: Tool, ctx: ToolContext, arguments: JsonObject) -> ToolOutcome:
    return await execute(tool, ctx, tool.validate(arguments), timeout=None, max_output=MAX_OUTPUT)


def need_sandbox() -> str:
    """The path of bubblewrap where it works; a machine may have it and forbid it. Also at the top of a module."""
    path = need("bwrap")
    found = status(Sandbox(mode="require"))
    if not found.on:
        missing(f"{found.why}, and this test runs commands in a real sandbox")
    return path


def sleeper() -> str:
    """A command line that no other process has, for finding its processes wherever they went."""
    return f"sleep 1000.{secrets.randbelow(10**12):012d}"


def running(command: str) -> list[int]:
    """The living processes with just this command line, found with psutil rather than with the code under test."""
    found: list[int] = []
    for process in psutil.process_iter(["status", "cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if line == command and process.info["status"] not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            found.append(process.pid)
    return found


@contextlib.contextmanager
def no_trace_of(*commands: str) -> Generator[None, None, None]:
    """Whatever a failing test leaves running is ended."""
    try:
        yield
    finally:
        for pid in [pid for command in commands for pid in running(command)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def living(group: int) -> list[str]:
    """The living processes of a process group or session, found with psutil rather than with the code under test."""
    found: list[str] = []
    for process in psutil.process_iter(["status", "cmdline"]):
        try:
            ids = (os.getpgid(process.pid), os.getsid(process.pid))
        except OSError:
            continue
        if group in ids and process.info["status"] not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            found.append(f"{process.pid}: {process.info['cmdline']}")
    return found


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.Error:
        return False


async def until(what: Callable[[], Any], seconds: float = 20.0) -> None:
    """Wait for a state. The time is only there so that a broken program does not hang the tests."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "the awaited state did not come"
        await asyncio.sleep(0.01)
