"""The shell tool with real commands; after each, nothing of the command's session is alive."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from runner.tools.builtin import SHELL
from runner.tools.execute import aborted_outcome, execute
from tests.processes.support import context, is_alive, living, recorder_of, run, until

IGNORES_TERM = "trap '' TERM; while :; do sleep 0.2; done"


async def test_output_of_both_streams_and_the_exit_code(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    outcome = await run(SHELL, ctx, command="echo out; sleep 0.1; echo err >&2; exit 3")
    assert outcome.output == "out\nerr\n[exit code 3]"
    assert outcome.status == "ok"
    assert outcome.side_effects == "done"
    assert outcome.display == {"type": "command_result", "exit_code": 3, "signal": None}
    seen = recorder_of(ctx)
    assert (seen.printed("stdout"), seen.printed("stderr")) == ("out\n", "err\n")
    [(pid, pgid, started)] = seen.started
    assert pid == pgid
    assert started is not None
    assert abs(started - time.time()) < 60
    assert [(end.pid, end.how, end.call_id) for end in seen.ended] == [(pid, "exited", "call_1")]
    assert seen.names == ["echo out; sleep 0.1; echo err >&2; exit 3"]
    assert living(pgid) == []


async def test_it_runs_in_the_workspace_without_input_and_without_a_terminal(tmp_path: Path) -> None:
    command = "pwd -P; cat; (tty < /dev/tty) 2> /dev/null || echo no-tty; cut -d' ' -f6 /proc/$$/stat; echo $$"
    outcome = await run(SHELL, context(tmp_path), command=command)
    folder, *_, session, shell, code = outcome.output.split("\n")
    assert folder == str(tmp_path)
    assert "no-tty" in outcome.output
    assert session == shell
    assert code == "[exit code 0]"


async def test_the_environment_is_quiet_and_has_no_keys(tmp_path: Path) -> None:
    env = {
        "PATH": os.environ["PATH"],
        "OPENAI_API_KEY": "sk-one",
        "lab_api_key": "two",
        "ANTHROPIC_AUTH_TOKEN": "three",
        "QUARTERDECK_DATA": "four",
        "FORCE_COLOR": "1",
        "MINE": "kept",
    }
    outcome = await run(SHELL, context(tmp_path, env=env), command="env")
    found = dict(line.split("=", 1) for line in outcome.output.split("\n") if "=" in line)
    given = {"PATH", "MINE", "TERM", "NO_COLOR", "PAGER", "GIT_PAGER", "QUARTERDECK_CALL"}
    assert set(found) - {"PWD", "SHLVL", "_", "OLDPWD"} == given
    assert (found["TERM"], found["PAGER"], found["GIT_PAGER"]) == ("dumb", "cat", "cat")


async def test_a_closed_pipe_ends_a_writer_quietly(tmp_path: Path) -> None:
    # Python ignores SIGPIPE; a command that inherited that would complain instead of ending.
    outcome = await run(SHELL, context(tmp_path), command="yes | head -n 1; echo ${PIPESTATUS[0]}")
    assert outcome.output == "y\n141\n[exit code 0]"


async def test_bytes_that_are_not_utf8_and_characters_cut_by_a_pause(tmp_path: Path) -> None:
    command = r"printf 'a\xff\xc3'; sleep 0.2; printf '\xa9\xe2\x82'"
    outcome = await run(SHELL, context(tmp_path), command=command)
    assert outcome.output == "a\ufffdé\ufffd\n[exit code 0]"


async def test_a_command_that_kills_itself(tmp_path: Path) -> None:
    outcome = await run(SHELL, context(tmp_path), command="kill -SEGV $$")
    assert outcome.output == "[ended by SIGSEGV]"
    assert outcome.display == {"type": "command_result", "exit_code": None, "signal": "SIGSEGV"}


@pytest.mark.parametrize("command", ["echo before; sleep 100", f"echo before; ({IGNORES_TERM}) & {IGNORES_TERM}"])
async def test_the_timeout_of_the_command(tmp_path: Path, command: str) -> None:
    ctx = context(tmp_path)
    outcome = await execute(SHELL, ctx, {"command": command, "timeout": 0.5}, timeout=None, max_output=16384)
    assert outcome.status == "timeout"
    assert outcome.side_effects == "unknown"
    assert outcome.output.startswith("before\n")
    assert "within 0.5 s" in outcome.output
    end = recorder_of(ctx).ended[0]
    assert end.how == ("killed" if "trap" in command else "terminated")
    assert living(end.pgid) == []


async def test_the_timeout_of_the_call_ends_the_processes_too(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    outcome = await run(SHELL, ctx, timeout=0.5, command=f"echo before; {IGNORES_TERM}")
    assert outcome.status == "timeout"
    assert outcome.side_effects == "unknown"
    assert "Its output until then:\nbefore\n" in outcome.output
    end = recorder_of(ctx).ended[0]
    assert end.how == "killed"
    assert living(end.pgid) == []


async def test_a_background_process_that_holds_the_pipe_does_not_hang_the_call(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    began = time.monotonic()
    outcome = await run(SHELL, ctx, command="sleep 1000 & echo started")
    assert time.monotonic() - began < 20
    assert outcome.status == "ok"
    assert outcome.output.startswith("started\n[exit code 0]\n[still running when the command had ended")
    assert "sleep 1000 (pid " in outcome.output
    leader, left = recorder_of(ctx).ended
    assert (leader.how, left.how, left.name) == ("exited", "terminated", "sleep 1000")
    assert living(leader.pgid) == []


async def test_a_background_process_that_closed_the_pipe_and_ignores_sigterm_dies_too(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    outcome = await run(SHELL, ctx, command=f"({IGNORES_TERM}) > /dev/null 2>&1 & echo started")
    assert "still running" in outcome.output
    leader, left, *_ = recorder_of(ctx).ended
    assert (leader.how, left.how) == ("exited", "killed")
    assert living(leader.pgid) == []


async def test_a_job_in_its_own_process_group_dies_too(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    await run(SHELL, ctx, command="set -m; sleep 1000 & echo $! > pid; echo started")
    pid = int((tmp_path / "pid").read_text())
    assert not is_alive(pid)
    leader, job = recorder_of(ctx).ended
    assert (job.pid, job.pgid, job.how) == (pid, pid, "terminated")
    assert living(leader.pgid) == []


@pytest.mark.parametrize("deaf", [False, True])
async def test_cancelling_ends_every_process_before_it_propagates(deaf: bool, tmp_path: Path) -> None:
    ctx = context(tmp_path)
    seen = recorder_of(ctx)
    loop = "while :; do sleep 0.2; done"
    command = f"trap '' TERM; ({loop}) & ({loop}) & echo ready; {loop}" if deaf else "echo ready; sleep 1000"
    task = asyncio.create_task(run(SHELL, ctx, command=command))
    await until(lambda: "ready" in seen.printed())
    [(_, group, _)] = seen.started
    assert living(group)
    task.cancel()
    await asyncio.sleep(0.05)
    task.cancel()  # A second one must not cut the cleaning up short.
    with pytest.raises(asyncio.CancelledError):
        await task
    assert living(group) == []
    assert seen.ended[0].pid == group
    hows = [end.how for end in seen.ended]
    # Of the loops' short-lived sleeps, those count that were met.
    assert (hows[0], hows.count("killed") >= 3) == (("killed", True) if deaf else ("terminated", False))
    outcome = aborted_outcome(SHELL, ctx, what="was interrupted by an abort", by_person=False, max_output=1000)
    assert (outcome.status, outcome.side_effects) == ("interrupted", "unknown")
    assert "Its output until then:\nready\n" in outcome.output


async def test_cancelling_before_the_command_prints_anything(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    task = asyncio.create_task(run(SHELL, ctx, command="sleep 1000"))
    await until(lambda: recorder_of(ctx).started)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    [end] = recorder_of(ctx).ended
    assert living(end.pgid) == []


async def test_a_stopped_process_is_ended(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    outcome = await run(SHELL, ctx, command="kill -STOP $$", timeout=0.5)
    assert outcome.status == "timeout"
    [end] = recorder_of(ctx).ended
    assert end.how == "terminated"


async def test_a_flood_is_bounded_live_and_kept_at_both_ends(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    command = "echo first; yes 0123456789012345678901234567890123456789 | head -c 300000000; echo; echo last"
    lags: list[float] = []

    async def watch() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.01)
            lags.append(time.monotonic() - began - 0.01)

    watching = asyncio.create_task(watch())
    outcome = await run(SHELL, ctx, command=command)
    watching.cancel()
    assert outcome.truncated
    assert len(outcome.output.encode()) <= 16 * 1024
    assert outcome.output.startswith("first\n")
    assert outcome.output.endswith("last\n[exit code 0]")
    assert outcome.full_output is not None
    assert len(outcome.full_output) < 9 * 1024 * 1024
    assert "bytes of output were not kept" in outcome.full_output
    seen = recorder_of(ctx)
    assert len(seen.printed()) < 2_000_000
    assert "characters are not shown live" in seen.printed()
    assert seen.printed().endswith("last\n")
    assert sorted(lags)[len(lags) // 2] < 0.25


async def test_small_outputs_arrive_while_the_command_runs(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    seen = recorder_of(ctx)
    task = asyncio.create_task(run(SHELL, ctx, command="echo one; until [ -e go ]; do sleep 0.02; done; echo two"))
    await until(lambda: seen.printed() == "one\n")
    (tmp_path / "go").touch()
    assert (await task).output == "one\ntwo\n[exit code 0]"


async def test_many_commands_at_once_do_not_mix(tmp_path: Path) -> None:
    contexts = [context(tmp_path, call_id=f"call_{index}") for index in range(12)]
    calls = [run(SHELL, ctx, command=f"echo {index}; echo {index} >&2") for index, ctx in enumerate(contexts)]
    for index, outcome in enumerate(await asyncio.gather(*calls)):
        assert sorted(outcome.output.split("\n")) == sorted([str(index), str(index), "[exit code 0]"])
        [(_, group, _)] = recorder_of(contexts[index]).started
        assert living(group) == []


async def test_what_cannot_be_started_is_told(tmp_path: Path) -> None:
    outcome = await run(SHELL, context(tmp_path / "gone"), command="true")
    assert outcome.status == "error"
    assert "could not be started" in outcome.output


async def test_no_descriptor_is_left_behind(tmp_path: Path) -> None:
    await run(SHELL, context(tmp_path), command="true")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        await run(SHELL, context(tmp_path), command="echo x")
    await run(SHELL, context(tmp_path), command="sleep 100", timeout=0.2)
    assert len(os.listdir("/proc/self/fd")) == before
