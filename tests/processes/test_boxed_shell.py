"""What holds of commands holds of them in a sandbox: tests of the shell tool and of processes that hide, once more."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.tools.base import Sandbox, ToolContext
from runner.tools.builtin import SHELL
from tests.processes import support, test_escape, test_hard, test_shell
from tests.processes.support import (
    ESCAPES,
    escape,
    need_sandbox,
    no_trace_of,
    recorder_of,
    run,
    running,
    sleeper,
    until,
)

need_sandbox()

BOXED = Sandbox(mode="require")

_ALIKE: list[Callable[..., Any]] = [
    test_shell.test_a_closed_pipe_ends_a_writer_quietly,
    test_shell.test_bytes_that_are_not_utf8_and_characters_cut_by_a_pause,
    test_shell.test_the_timeout_of_the_call_ends_the_processes_too,
    test_shell.test_a_background_process_that_holds_the_pipe_does_not_hang_the_call,
    test_shell.test_a_background_process_that_closed_the_pipe_and_ignores_sigterm_dies_too,
    test_shell.test_a_stopped_process_is_ended,
    test_shell.test_no_descriptor_is_left_behind,
    test_escape.test_nothing_of_one_call_is_ended_with_another,
    test_escape.test_no_supervisor_and_no_zombie_is_left,
    test_hard.test_stopped_processes_in_every_session,
    test_hard.test_a_cancellation_before_the_command_runs_is_no_process_ended,
]


@pytest.fixture(autouse=True)
def in_a_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    def context(workspace: Path, **changes: Any) -> ToolContext:
        return support.context(workspace, **{"sandbox": BOXED, **changes})

    for module in (test_shell, test_escape, test_hard):
        monkeypatch.setattr(module, "context", context)


@pytest.mark.parametrize("case", _ALIKE, ids=[case.__name__ for case in _ALIKE])
async def test_as_without_one(case: Callable[..., Any], tmp_path: Path) -> None:
    assert list(inspect.signature(case).parameters) in ([], ["tmp_path"])
    await (case(tmp_path) if inspect.signature(case).parameters else case())


@pytest.mark.parametrize("deaf", [False, True])
async def test_a_cancellation(deaf: bool, tmp_path: Path) -> None:
    await test_shell.test_cancelling_ends_every_process_before_it_propagates(deaf, tmp_path)


@pytest.mark.parametrize("way", sorted(ESCAPES))
async def test_what_hides_is_ended_with_the_call_and_named(way: str, tmp_path: Path) -> None:
    away = sleeper()
    ctx = support.context(tmp_path, sandbox=BOXED)
    with no_trace_of(away):
        wait = f"until pgrep -fx '{away}' > seen; do sleep 0.01; done"
        outcome = await run(SHELL, ctx, command=f"{escape(way, away)}\n{wait}\necho started")
        assert running(away) == []
    # Its number inside is another one; the one that is told is what this machine calls it.
    leader, other = recorder_of(ctx).ended
    assert other.pid != int((tmp_path / "seen").read_text())
    assert f"and ended with it: {away} (pid {other.pid})]" in outcome.output
    assert (leader.how, leader.pid) == ("exited", recorder_of(ctx).started[0][0])
    assert (other.name, other.how) == (away, "terminated")


async def test_what_hides_is_ended_early(tmp_path: Path) -> None:
    await test_escape.test_an_abort_and_a_timeout_end_it_too("daemon without its environment", "abort", tmp_path)


@pytest.mark.parametrize(
    ("command", "exit_code", "signal", "said"),
    [
        ("exit 3", 3, None, "[exit code 3]"),
        ("exit 129", 129, None, "[exit code 129]"),
        ("kill -SEGV $$", None, "SIGSEGV", "[ended by SIGSEGV]"),
        ("kill -KILL $$", None, "SIGKILL", "[ended by SIGKILL]"),
    ],
)
async def test_how_it_ended(command: str, exit_code: int | None, signal: str | None, said: str, tmp_path: Path) -> None:
    outcome = await run(SHELL, support.context(tmp_path, sandbox=BOXED), command=command)
    assert outcome.output == said
    assert outcome.display == {
        "type": "command_result",
        "exit_code": exit_code,
        "signal": signal,
        "sandbox": {"on": True, "network": False, "why": ""},
    }


async def test_a_command_gets_its_grace_to_clean_up(tmp_path: Path) -> None:
    ctx = support.context(tmp_path, sandbox=BOXED, abort_grace=10.0)
    command = "trap 'echo done > cleaned; exit 0' TERM; touch ready; while :; do sleep 0.05; done"
    task = asyncio.create_task(run(SHELL, ctx, command=command))
    await until(lambda: (tmp_path / "ready").exists())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (tmp_path / "cleaned").read_text() == "done\n"
    assert recorder_of(ctx).ended[0].how == "terminated"
