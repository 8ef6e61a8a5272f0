"""How servers live and die: late starts, crashes, restarts, switches, the end of the program in every way."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from runner.errors import ConfigError
from runner.mcp import McpError, McpHub, McpServer, Timing
from runner.tools.minder.scan import VARIABLE
from tests.contract.sources import ROOT
from tests.mcp import support
from tests.mcp.support import QUICK, environment, hostile, running, state, tool
from tests.processes.support import context, is_alive, no_trace_of, run, sleeper, until
from tests.processes.support import running as processes


def ready(hub: McpHub, name: str = "bad") -> Callable[[], bool]:
    return lambda: state(hub, name).phase == "ready"


async def test_starting_returns_at_once_and_a_run_waits_only_so_long(tmp_path: Path) -> None:
    timing = replace(QUICK, prepare=0.3)
    changes: list[str] = []
    servers = (hostile("mute", name="mute"), hostile("working"))
    hub = McpHub(servers, workspace=tmp_path, timing=timing, on_change=lambda: changes.append("x"))
    began = time.monotonic()
    await hub.start()
    assert time.monotonic() - began < 0.2
    assert {one.phase for one in hub.servers()} == {"starting"}
    assert hub.toolset().tools() == []
    began = time.monotonic()
    await hub.toolset().prepare()
    assert time.monotonic() - began < 2
    await until(ready(hub))
    assert state(hub, "mute").phase == "starting"
    assert changes
    began = time.monotonic()
    await hub.close()
    assert time.monotonic() - began < 5
    assert {one.phase for one in hub.servers()} == {"off"}


async def test_a_run_waits_for_a_server_that_is_nearly_there(tmp_path: Path) -> None:
    async with running(hostile("working"), workspace=tmp_path, settle=False) as hub:
        await hub.toolset().prepare()
        assert len(hub.toolset().tools()) > 10


async def test_one_that_is_switched_off_is_not_started(tmp_path: Path) -> None:
    async with running(hostile("working", enabled=False), workspace=tmp_path) as hub:
        assert state(hub).phase == "off"
        await hub.switch("bad", True)
        await until(ready(hub))
        pid = state(hub).pid
        assert pid is not None
        await hub.switch("bad", False)
        await until(lambda: state(hub).phase == "off")
        assert hub.toolset().tools() == []
        assert not is_alive(pid)
        with pytest.raises(McpError):
            await hub.switch("nobody", True)


async def test_a_killed_server_is_started_again_and_the_next_call_waits_for_it(tmp_path: Path) -> None:
    async with running(hostile("working"), workspace=tmp_path) as hub:
        pid = state(hub).pid
        assert pid is not None
        ctx = context(tmp_path)
        hanging = asyncio.create_task(run(tool(hub, "hang"), ctx))
        echo = tool(hub, "echo")
        assert (await run(echo, ctx, text="a")).status == "ok"
        os.kill(pid, signal.SIGKILL)
        cut = await hanging
        assert (cut.status, cut.side_effects) == ("interrupted", "unknown")
        assert "was interrupted. It may have had effects" in cut.output
        # The tool of the request before the crash, called after it.
        again = await run(echo, ctx, text="b")
        assert again.output == 'echo {"text": "b"}'
        assert state(hub).restarts == 1
        assert state(hub).pid != pid


async def test_a_server_that_keeps_crashing_fails_until_it_is_started_by_hand(tmp_path: Path) -> None:
    async with running(hostile("once", str(tmp_path / "ran")), workspace=tmp_path) as hub:
        echo = tool(hub, "echo")
        assert (await run(tool(hub, "crash"), context(tmp_path))).status == "interrupted"
        await until(lambda: state(hub).phase == "failed")
        found = state(hub)
        assert found.restarts == len(QUICK.backoff)
        assert found.problem.startswith("it ended with exit code 4")
        assert hub.toolset().tools() == []
        refused = await run(echo, context(tmp_path), text="x")
        assert (refused.status, refused.side_effects) == ("error", "none")
        assert "is not running: it ended with exit code 4" in refused.output
        (tmp_path / "ran").unlink()
        await hub.restart("bad")
        await until(ready(hub))
        assert state(hub).restarts == 0


async def test_one_that_closes_its_output_but_lives_on_is_ended_and_started_again(tmp_path: Path) -> None:
    async with running(hostile("working"), workspace=tmp_path) as hub:
        pid = state(hub).pid
        assert pid is not None
        assert (await run(tool(hub, "silence"), context(tmp_path), timeout=20)).status == "interrupted"
        await until(lambda: state(hub).restarts == 1 and ready(hub)())
        assert not is_alive(pid)


async def test_closing_ends_all_that_a_server_started_wherever_it_hides(tmp_path: Path) -> None:
    command = sleeper()
    with no_trace_of(command):
        async with running(hostile("working"), workspace=tmp_path) as hub:
            await run(tool(hub, "spawn"), context(tmp_path), argv=command.split())
            await until(lambda: processes(command))
            assert VARIABLE in psutil.Process(processes(command)[0]).environ()
            server = state(hub).pid
            assert server is not None
            assert os.getsid(server) == server
        assert processes(command) == []
        assert not is_alive(server)


async def test_one_that_will_not_go_is_killed_in_bounded_time(tmp_path: Path) -> None:
    async with running(hostile("stubborn"), workspace=tmp_path) as hub:
        pid = state(hub).pid
        assert pid is not None
        began = time.monotonic()
        await hub.close()
        assert time.monotonic() - began < 5
        assert not is_alive(pid)


PROGRAM = """
import asyncio, json, sys
from pathlib import Path
from runner.mcp import McpHub, McpServer
from tests.mcp.support import hostile, tool
from tests.processes.support import context, run

async def main():
    here = Path(sys.argv[1])
    hub = McpHub([hostile("working")], workspace=here)
    await hub.start()
    await hub.settle(30)
    await run(tool(hub, "spawn"), context(here), argv=sys.argv[2].split())
    print(hub.servers()[0].pid, flush=True)
    await asyncio.sleep(1000)

asyncio.run(main())
"""


async def test_servers_die_with_a_program_that_is_killed(tmp_path: Path) -> None:
    command = sleeper()
    with no_trace_of(command):
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM, str(tmp_path), command, stdout=subprocess.PIPE, cwd=ROOT
        )
        assert program.stdout is not None
        server = int(await program.stdout.readline())
        await until(lambda: processes(command))
        program.kill()
        await program.wait()
        await until(lambda: not is_alive(server))
        await until(lambda: not processes(command))


async def test_a_start_that_is_given_up_leaves_nothing_running(tmp_path: Path) -> None:
    command = sleeper()
    servers = [McpServer(name=f"s{n}", command="sh", args=("-c", f"{command}; true")) for n in range(3)]
    with no_trace_of(command):
        hub = McpHub(servers, workspace=tmp_path, timing=QUICK)
        await hub.start()
        await until(lambda: len(processes(command)) == 3)
        await hub.close()
        assert processes(command) == []
        hub = McpHub(servers, workspace=tmp_path, timing=QUICK)
        await hub.start()
        await asyncio.sleep(0)
        await hub.close()
        await hub.close()
        await until(lambda: not processes(command))


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (McpServer(name="bad", command="no-such-program"), "its command 'no-such-program' was not found"),
        (McpServer(name="bad", command="./no-such-program"), "it ended with exit code 126"),
        (McpServer(name="bad", command="true", cwd=Path("nowhere")), "does not exist"),
        (McpServer(name="bad", command="true", env={"A": "${NOT_SET}"}), "variable NOT_SET, which is not set"),
        (McpServer(name="bad", command="true"), "it ended with exit code 0"),
        (McpServer(name="bad", command="cat"), "it answered with an error"),
        (McpServer(name="bad", command="yes", connect_timeout=0.5), "it was not ready within 0.5 s"),
    ],
    ids=lambda value: getattr(value, "command", ""),
)
async def test_what_keeps_a_server_from_starting_is_said(config: McpServer, problem: str, tmp_path: Path) -> None:
    async with running(config, workspace=tmp_path) as hub:
        assert state(hub).phase == "failed"
        assert problem in state(hub).problem


async def test_a_server_may_have_a_limit_of_its_own_for_each_call(tmp_path: Path) -> None:
    async with running(hostile("working", call_timeout=0.2), workspace=tmp_path) as hub:
        done = await run(tool(hub, "hang"), context(tmp_path), timeout=100)
        assert (done.status, done.side_effects) == ("timeout", "unknown")
        assert (await run(tool(hub, "echo"), context(tmp_path), text="x")).status == "ok"


async def test_its_environment_may_name_a_secret_of_the_program(tmp_path: Path) -> None:
    environ = environment(tmp_path, SOME_API_KEY="sk-1")
    config = hostile("working", env={"TOKEN": "key ${SOME_API_KEY}", "PLAIN": "x"})
    async with running(config, workspace=tmp_path, environ=environ) as hub:
        found = json.loads((await run(tool(hub, "environment"), context(tmp_path))).output)
        assert (found["TOKEN"], found["PLAIN"]) == ("key sk-1", "x")
        assert "SOME_API_KEY" not in found


async def test_what_it_prints_goes_to_a_file_of_its_owners_that_is_bounded(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    async with running(hostile("working", name="../a b"), workspace=tmp_path, log_dir=logs) as hub:
        for _ in range(5):
            assert (await run(tool(hub, "flood", "../a b"), context(tmp_path))).status == "ok"
    (log,) = logs.iterdir()
    assert log.name == "___a_b.log"
    assert log.stat().st_mode & 0o777 == 0o600
    assert "eeee" in log.read_text()
    assert log.stat().st_size < 3 * 1024 * 1024
    async with running(hostile("exit", name="../a b"), workspace=tmp_path, log_dir=logs):
        pass
    assert sorted(path.name for path in logs.iterdir()) == ["___a_b.log", "___a_b.log.1"]
    assert "cannot start" in log.read_text()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"command": ""},
        {"url": "http://127.0.0.1/"},
        {"command": "", "url": "ftp://127.0.0.1/"},
        {"command": "", "url": "http://127.0.0.1/", "args": ("x",)},
        {"command": "", "url": "http://127.0.0.1/", "headers": {"a b": "c"}},
        {"command": "", "url": "http://127.0.0.1/", "headers": {"a": "c\r\nd: e"}},
        {"headers": {"a": "b"}},
        {"env": {"A=B": "c"}},
        {"call_timeout": 0},
    ],
    ids=str,
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        McpServer(**dict[str, Any]({"name": "a", "command": "b", **wrong}))


def test_two_servers_need_two_names(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        McpHub([hostile("working"), hostile("exit")], workspace=tmp_path)


def test_importing_it_loads_nothing_heavy() -> None:
    """Neither does making a hub; the protocol's package comes with the first server that starts."""
    program = """
import sys
import runner.mcp
from pathlib import Path
from runner.mcp import McpHub, McpServer
McpHub([McpServer(name="a", command="b")], workspace=Path("."))
heavy = {"mcp", "mcp_types", "pydantic", "anyio", "httpx2", "jsonschema", "referencing", "starlette", "psutil"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("forbidden", [False, True])
def test_missing_servers_are_a_loud_skip_or_a_failure(
    forbidden: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(support, "INSTALLED", tmp_path)
    monkeypatch.setattr(support, "NO_SKIP", forbidden)
    outcome = pytest.fail.Exception if forbidden else pytest.skip.Exception
    with pytest.raises(outcome, match=r"run \.ci/mcp-servers"):
        support.everything()


def test_default_timing_is_bounded() -> None:
    timing = Timing()
    assert timing.prepare <= 5
    assert 0 < len(timing.backoff) <= 10
    assert timing.goodbye + timing.grace < 3
