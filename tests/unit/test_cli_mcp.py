"""`quarterdeck mcp`, and the other commands, with real servers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.sources import ROOT
from tui import cli
from tui.commands.doctor_mcp import mcp_servers

SERVER = ROOT / "tests" / "tui" / "tides_server.py"
TIDES = f'[mcp.tides]\ncommand = "{sys.executable}"\nargs = ["{SERVER}"]\ntrusted = true\n'
BROKEN = '[mcp.broken]\ncommand = "sh"\nargs = ["-c", "echo no database >&2; exit 3"]\n'
OFF = '[mcp.far]\nurl = "http://127.0.0.1:9/mcp"\nheaders = { Authorization = "hunter2" }\nenabled = false\n'


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration that is the person's own."""
    config = tmp_path / "config.toml"
    config.write_text(TIDES + BROKEN + OFF)
    monkeypatch.setenv("QUARTERDECK_CONFIG", str(config))
    monkeypatch.setenv("QUARTERDECK_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_list_says_what_is_configured_and_starts_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main_with(["mcp", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["tides", sys.executable, str(SERVER), "(trusted)"]
    assert lines[1].split() == ["user", f"({place}/config.toml:1)"]
    assert lines[4].split() == ["far", "http://127.0.0.1:9/mcp", "(off)"]
    assert cli.main_with(["mcp", "list", "--json"]) == 0
    shown = capsys.readouterr().out
    servers = {server["name"]: server for server in json.loads(shown)["servers"]}
    assert (servers["tides"]["trusted"], servers["far"]["enabled"]) == (True, False)
    assert servers["far"]["headers"] == ["Authorization"]
    assert "hunter2" not in shown
    assert not (place / "data").exists()


def test_without_a_server_list_says_how_to_add_one(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "config.toml").write_text("")
    assert cli.main_with(["mcp", "list"]) == 0
    assert "[mcp.NAME]" in capsys.readouterr().err


def test_show_starts_the_server_and_lists_what_it_offers(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main_with(["mcp", "show", "tides"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("tides: ready, stdio, tides 1.2, offers 2 tools, 1 prompt, 2 resources\n")
    for expected in ("mcp__tides__height", "/tides:forecast [harbour day?]", "@tides:tides://oslo"):
        assert expected in shown
    assert all(char == "\n" or char.isprintable() for char in shown)


def test_show_fails_with_the_reason_for_one_that_cannot_be_reached(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main_with(["mcp", "show", "broken", "--json"]) == 1
    state = json.loads(capsys.readouterr().out)
    assert (state["phase"], state["stderr"].strip()) == ("failed", "no database")
    assert "exit code 3" in state["problem"]
    assert cli.main_with(["mcp", "show", "tide"]) == 2
    assert "did you mean tides?" in capsys.readouterr().err


def test_the_doctor_starts_what_is_on(place: Path) -> None:
    findings = {finding.name: (finding.level, finding.value) for finding in mcp_servers()}
    assert findings["tides"] == ("ok", "ready, offers 2 tools, 1 prompt, 2 resources")
    assert findings["far"] == ("note", "switched off")
    level, value = findings["broken"]
    assert level == "warning"
    assert "no database" in value


def test_a_run_without_the_screen_has_the_servers_says_which_failed_and_ends_them(place: Path) -> None:
    pids = place / "pids"
    wrapped = f'[mcp.tides]\ncommand = "sh"\nargs = ["-c", "echo $$ >> {pids}; exec {sys.executable} {SERVER}"]\n'
    (place / "config.toml").write_text(wrapped + BROKEN)
    done = subprocess.run(
        [sys.executable, "-m", "tui", "run", "hello", "--json"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    asked = next(event for event in events if event["kind"] == "model_requested")
    without = len(next(event for event in events if event["kind"] == "run_started")["config"]["tools"])
    assert asked["tools"] == without + 2, "the request names the server's tools too"
    assert "the server broken cannot be used" in done.stderr
    [pid] = pids.read_text().split()
    assert not Path("/proc", pid).exists()
