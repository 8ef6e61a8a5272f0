"""`quarterdeck policy ledger`, `grants` and `revoke`, on what real runs decided."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from runner import RunConfig, Runner
from runner.control.commands import Decide
from runner.events import ApprovalRequested, Pattern, Scope, ToolPattern
from runner.policy import GrantFile
from runner.store import Store
from runner.store.paths import data_dir
from runner.testing import ScriptedModel, calls, reply
from runner.tools.builtin import builtin_tools
from tests.loop.harness import Models, agent_for
from tui.cli import main_with

SCOPES: dict[str, Scope] = {"echo one": "session", "printf two": "project", "printf \x1b[2Jthree": "user"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.setenv("QUARTERDECK_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("QUARTERDECK_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(folder)
    return folder


def answer(asked: ApprovalRequested) -> Decide:
    command = str(asked.arguments["command"])
    if command == "rm x":
        return Decide(request_id=asked.request_id, decision="deny", reason="not \x1b[31mthat")
    if command == "echo old":
        return Decide(request_id=asked.request_id, decision="edit", arguments={"command": "echo new"})
    if command == "echo one":
        prefix = (ToolPattern(tool="shell", pattern=Pattern(prefix=("echo",))),)
        return Decide(request_id=asked.request_id, decision="allow", scope="session", patterns=prefix, calls=5)
    return Decide(request_id=asked.request_id, decision="allow", scope=SCOPES[command], match="exact")


async def run(here: Path) -> None:
    lines = ["rm x", "echo old", "echo one", "echo two", "printf two", "printf \x1b[2Jthree"]
    model = ScriptedModel([*(reply(calls(("shell", {"command": line}))) for line in lines), "done"])
    with Store.open() as store:
        runner = Runner(models=Models([model]), store=store, grants=GrantFile(data_dir() / "grants.json"))
        await runner.run(agent_for(model, list(builtin_tools())), "go", RunConfig(workspace=here, approver=answer))


def as_json(capsys: pytest.CaptureFixture[str], *args: str) -> dict[str, Any]:
    assert main_with(["policy", *args, "--json"]) == 0
    return cast("dict[str, Any]", json.loads(capsys.readouterr().out))


async def test_the_ledger_tells_and_finds_decisions(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await run(here)
    assert main_with(["policy", "ledger"]) == 0
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert len(lines) == 6
    assert "\x1b" not in text
    assert "denied    you          shell  rm x" in lines[0]
    assert "reason: not ␛that" in lines[0]
    assert "edited    you          shell  echo old  →  echo new" in lines[1]
    assert "for this session: shell, commands that begin with: echo, for 5 calls" in lines[2]
    assert "allowed   grant        shell  echo two" in lines[3]

    def commands(*args: str) -> list[str]:
        return [row["arguments"]["command"] for row in as_json(capsys, "ledger", *args)["decisions"]]

    assert commands("--decision", "deny") == ["rm x"]
    assert commands("--by", "grant") == ["echo two"]
    assert commands("--text", "ECHO new") == ["echo new"]
    assert commands("--tool", "write_file") == []
    assert len(commands("--since", "today")) == 6
    assert commands("--since", f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}") == []
    assert commands("--limit", "1") == ["printf \x1b[2Jthree"]
    (edited,) = as_json(capsys, "ledger", "--decision", "edit")["decisions"]
    assert (edited["proposed"]["command"], edited["arguments"]["command"]) == ("echo old", "echo new")
    assert main_with(["policy", "ledger", "--since", "soon"]) == 2
    assert "'soon' is no day" in capsys.readouterr().err


async def test_grants_are_listed_and_taken_back(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await run(here)
    assert main_with(["policy", "grants"]) == 0
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "shell, commands that begin with: echo; 3 of 5 calls left; 2 so far" in text
    found = {entry["scope"]: entry for entry in as_json(capsys, "grants")["grants"]}
    assert set(found) == {"session", "project", "user"}
    assert (found["session"]["calls_allowed"], found["project"]["calls_allowed"]) == (2, 0)
    assert main_with(["policy", "revoke", found["session"]["key"][:10]]) == 0
    assert "taken back" in capsys.readouterr().out
    assert [entry["scope"] for entry in as_json(capsys, "grants")["grants"]] == ["project", "user"]
    assert main_with(["policy", "revoke", found["session"]["key"]]) == 2
    assert "is the key of no grant here" in capsys.readouterr().err
    assert main_with(["policy", "revoke"]) == 2
    assert main_with(["policy", "revoke", "x", "--all"]) == 2
    capsys.readouterr()
    assert main_with(["policy", "revoke", "--all"]) == 0
    assert capsys.readouterr().out.count("taken back") == 2
    assert as_json(capsys, "grants") == {"grants": []}
    assert not GrantFile(data_dir() / "grants.json").load(here)


def test_nothing_is_said_to_be_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for args, words in (
        (("ledger",), "no decision"),
        (("grants",), "nothing is granted"),
        (("revoke", "--all"), "nothing"),
    ):
        assert main_with(["policy", *args]) == 0
        told = capsys.readouterr()
        assert (told.out, words in told.err) == ("", True)
