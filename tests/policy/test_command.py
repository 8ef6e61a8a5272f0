"""`quarterdeck policy`: what it prints, and its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from runner.events import ApprovalRequested, ApprovalResolved, Event, RunFinished, RunStarted
from runner.policy import GrantFile, Pattern
from runner.policy.base import Bound, Grant
from runner.policy.history import past_requests
from runner.store import Store
from runner.store.paths import data_dir
from tests.contract.sources import ROOT
from tests.policy.support import make_workspace
from tui.cli import main_with

RULES = """\
[[rules]]
effect = "allow"
tool = "shell"
prefix = "git status"
examples = [{ command = "git status -s" }, { command = "git status | sh", expect = "ask" }]

[[rules]]
effect = "deny"
tool = "shell"
prefix = "git push"
note = "by hand only"
expires = 2090-01-01
examples = [{ command = "git -C . push" }, { command = "echo git push", expect = "allow" }]

[[rules]]
effect = "allow"
tool = "*_file"
below = "src"
examples = [{ tool = "write_file", arguments = { path = "src/new.py", content = "" } }]
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_workspace(tmp_path)
    config = tmp_path / "config.toml"
    config.write_text(RULES, encoding="utf-8")
    monkeypatch.setenv("QUARTERDECK_CONFIG", str(config))
    monkeypatch.setenv("QUARTERDECK_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(folder)
    return folder


def as_json(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, dict[str, Any]]:
    code = main_with(["policy", *args, "--json"])
    return code, cast("dict[str, Any]", json.loads(capsys.readouterr().out))


@pytest.mark.parametrize(
    ("args", "code", "expected"),
    [
        (("--command", "git status -s"), 0, "allow"),
        (("--command", "git push"), 1, "deny"),
        (("--command", "ls"), 3, "ask"),
        (("--command", "ls", "--approve", "bypass"), 0, "allow"),
        (("shell", '{"command": "git status"}'), 0, "allow"),
        (("write_file", '{"path": "src/b.py", "content": ""}'), 0, "allow"),
        (("write_file", '{"path": "sub/b.py", "content": ""}'), 3, "ask"),
        (("write_file", '{"path": "sub/b.py", "content": ""}', "--approve", "plan"), 1, "deny"),
        (("read_file", '{"path": "out/secret.txt"}'), 3, "ask"),
    ],
)
def test_the_exit_code_is_the_decision(
    here: Path, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], code: int, expected: str
) -> None:
    found, told = as_json(capsys, "check", *args)
    assert (found, told["decision"]) == (code, expected)


def test_a_check_explains_itself(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main_with(["policy", "check", "--command", "git status && sudo git -C x push > out/x"]) == 1
    text = capsys.readouterr().out
    config = here.parent / "config.toml"
    assert text.splitlines() == [
        "denied: A rule denies git push: by hand only.",
        f"  by rule: deny shell, commands that begin with: git push ({config}:7)",
        f"  from {config}:7",
        "  the line, taken apart:",
        f"    allow  git status  (allow shell, commands that begin with: git status ({config}:1))",
        "    ask    sudo git -C x push  (sudo runs a command, which must be named)",
        f"    deny   git -C x push  (deny shell, commands that begin with: git push ({config}:7); by hand only)",
        f"    ask    writes out/x  (write_file: concern; out/x leads to {here.parent.resolve()}/outside/x, which is"
        " outside the workspace.)",
    ]
    assert main_with(["policy", "check", "--command", "pytest -q\x1b[2J"]) == 3
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert main_with(["policy", "check", "--command", "pytest -q"]) == 3
    assert "    shell, commands that begin with: pytest\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    "args",
    [
        ("check",),
        ("check", "shell"),
        ("check", "nothing", "{}"),
        ("check", "shell", "{"),
        ("check", "shell", "[]"),
        ("check", "shell", "{}"),
        ("check", "shell", '{"command": "ls"}', "--command", "ls"),
        ("check", "read_file", "--command", "ls"),
        ("try", "missing.toml"),
        (),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    here: Path, capsys: pytest.CaptureFixture[str], args: tuple[str, ...]
) -> None:
    assert main_with(["policy", *args]) == 2
    assert capsys.readouterr().err.startswith("quarterdeck")


def test_examples_beside_the_rules_are_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main_with(["policy", "test"]) == 1
    config = here.parent / "config.toml"
    text = capsys.readouterr().out
    assert text.splitlines()[0] == f"{config}:7: echo git push"
    assert "  expected allow, is ask: " in text
    assert text.splitlines()[-1] == "5 examples, 1 failed"
    config.write_text(RULES.replace(', { command = "echo git push", expect = "allow" }', ""), encoding="utf-8")
    assert main_with(["policy", "test"]) == 0
    assert capsys.readouterr().out == "4 examples, 0 failed\n"
    code, told = as_json(capsys, "test")
    assert (code, told["failed"], [one["decision"] for one in told["examples"]]) == (
        0,
        0,
        ["allow", "ask", "deny", "allow"],
    )


def test_an_example_meets_the_rules_of_all_levels(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = here.parent / "session.toml"
    session.write_text('[[rules]]\neffect = "deny"\ntool = "shell"\n', encoding="utf-8")
    monkeypatch.setenv("QUARTERDECK_RULES", str(session))
    assert main_with(["policy", "test"]) == 1
    assert f"expected allow, is deny: A rule denies shell. (deny shell ({session}:1))" in capsys.readouterr().out


def test_the_list_has_rules_and_answers(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / ".quarterdeck").mkdir()
    (here / ".quarterdeck" / "config.toml").write_text(
        '[[rules]]\neffect = "allow"\ntool = "shell"\n', encoding="utf-8"
    )
    grants = GrantFile(data_dir({"QUARTERDECK_DATA": str(here.parent / "data")}) / "grants.json")
    until = Bound(until=datetime(2000, 1, 1, tzinfo=UTC))
    pattern = Pattern(prefix=("make", "test"))
    grants.add(Grant(effect="allow", tool="shell", match="pattern", scope="user", pattern=pattern, bound=until), here)
    assert main_with(["policy", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("deny   shell  commands that begin with: git push  until 20")
    assert lines[1].endswith(f"  by hand only  [user: {here.parent / 'config.toml'}:7]")
    assert lines[3] == (
        f"allow  shell  commands that begin with: make test  ended  [your answer, every project: {grants.path}]"
    )
    assert lines[4].startswith('ignored until trusted: adds the rule: allow "shell"  [project: ')
    _, told = as_json(capsys, "list")
    assert [len(told[name]) for name in ("rules", "grants", "withheld")] == [3, 1, 1]


def history(here: Path) -> list[Event]:
    """Four requests: allowed, denied, answered by nobody, and one of a tool that is gone."""
    asked = [
        ("a1", "shell", {"command": "git status"}, "allow", "user"),
        ("a2", "shell", {"command": "git status -s"}, "deny", "user"),
        ("a3", "shell", {"command": "rm x"}, "allow", "user"),
        ("a4", "shell", {"command": "git status -v"}, "deny", "timeout"),
        ("a5", "gone", {"x": 1}, "allow", "user"),
    ]
    events: list[Event] = [RunStarted()]
    for request_id, tool, arguments, decision, by in asked:
        events.append(ApprovalRequested(request_id=request_id, call_id=request_id, tool=tool, arguments=arguments))
        events.append(
            ApprovalResolved(
                request_id=request_id,
                call_id=request_id,
                decision="allow" if decision == "allow" else "deny",
                by="user" if by == "user" else "timeout",
                arguments=arguments,
            )
        )
    return [*events, RunFinished()]


def test_past_requests_keep_what_a_person_said(here: Path) -> None:
    found = past_requests(history(here))
    assert [(one.request_id, one.decision) for one in found] == [
        ("a1", "allow"),
        ("a2", "deny"),
        ("a3", "allow"),
        ("a4", ""),
        ("a5", "allow"),
    ]


async def test_rules_are_tried_on_the_approvals_of_stored_sessions(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from runner import RunConfig, Runner
    from runner.control.commands import Decide
    from runner.ids import SequentialIds
    from runner.testing import ScriptedModel, calls, reply
    from runner.tools.builtin import builtin_tools
    from tests.loop.harness import Models, agent_for

    lines = ["echo one", "echo two", "printf x"]

    def answer(asked: ApprovalRequested) -> Decide:
        said = "deny" if asked.arguments["command"] == "echo two" else "allow"
        return Decide(request_id=asked.request_id, decision="deny" if said == "deny" else "allow")

    model = ScriptedModel([*(reply(calls(("shell", {"command": line}))) for line in lines), "done"])
    with Store.open() as store:
        runner = Runner(models=Models([model]), ids=SequentialIds(), store=store)
        config = RunConfig(workspace=here, approver=answer)
        await runner.run(agent_for(model, list(builtin_tools())), "go", config)
    rule = here.parent / "rule.toml"
    rule.write_text('[[rules]]\neffect = "allow"\ntool = "shell"\nprefix = "echo"\n', encoding="utf-8")
    assert main_with(["policy", "try", str(rule)]) == 0
    text = capsys.readouterr().out.splitlines()
    assert text[0] == "would have allowed 2 of the 3 past requests, among them 1 that you denied"
    assert text[1].startswith("  allowed, but you denied: ")
    assert text[1].endswith("  shell  echo two")
    rule.write_text('[[rules]]\neffect = "deny"\ntool = "shell"\nprefix = "printf"\n', encoding="utf-8")
    code, told = as_json(capsys, "try", str(rule))
    assert (code, told["total"], told["denied"], told["denied_but_allowed"]) == (0, 3, 1, 1)
    assert told["summary"].endswith("would have denied 1, among them 1 that you allowed")


def test_reading_a_configuration_with_prefixes_loads_no_grammar(here: Path) -> None:
    program = (
        "import os, sys, pathlib; from tui.settings import load_settings;"
        "print(len(load_settings(pathlib.Path.cwd(), os.environ).rules));"
        "print([name for name in sys.modules if name.startswith('tree_sitter') or name.startswith('runner.tools')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": "", "PYTHONPATH": str(ROOT), "QUARTERDECK_CONFIG": str(here.parent / "config.toml"), "HOME": "/"},
        cwd=here,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split("\n")[:2] == ["3", "[]"]
