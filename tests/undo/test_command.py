"""`quarterdeck undo`, as a person and as a script call it."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pexpect
import pytest

from runner.store.paths import data_dir
from runner.testing import calls, reply
from tests.contract.sources import ROOT
from tests.undo.support import repository
from tests.undo.test_runs import Bench
from tui.cli import main_with


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder whose session changed a.txt in one turn, then a.txt, b.txt and new.txt by a command."""
    root = repository(tmp_path / "repo")

    async def story() -> None:
        bench = Bench(root, data_dir())
        try:
            await bench.run(
                reply(calls(("write_file", {"path": "a.txt", "content": "turn 1\n"}))),
                reply(calls(("shell", {"command": "echo turn 2 > a.txt; rm b.txt; echo x > new.txt"}))),
            )
        finally:
            bench.store.close()

    asyncio.run(story())
    return root


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


class Undo:
    """The command in this process, in the folder, with nobody at the terminal."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(root)
        monkeypatch.setattr("sys.stdin", io.StringIO())
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Done:
        code = main_with(["undo", *arguments])
        said = self._capsys.readouterr()
        return Done(code, said.out, said.err)


@pytest.fixture
def undo(root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Undo:
    return Undo(root, capsys, monkeypatch)


def test_dry_run_then_the_last_turn_then_all_of_it_then_again(root: Path, undo: Undo) -> None:
    shown = undo("--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert "+ brings back b.txt" in shown.stdout
    assert "- removes new.txt" in shown.stdout
    assert "  -turn 2\n  +turn 1\n" in shown.stdout
    assert "not what git ignores" in shown.stderr
    assert (root / "a.txt").read_text() == "turn 2\n"
    refused = undo()
    assert (refused.returncode, "nobody to ask" in refused.stderr) == (2, True)
    assert (root / "a.txt").read_text() == "turn 2\n"
    assert undo("--yes", "--file", "b.txt").returncode == 0
    assert (root / "b.txt").read_text() == "two\n"
    done = undo("--yes")
    assert (done.returncode, "2 files put back" in done.stdout) == (0, True), done.stdout + done.stderr
    assert (root / "a.txt").read_text() == "turn 1\n"
    assert undo("--yes").returncode == 0
    assert (root / "a.txt").read_text() == "one\n"
    again = undo("--yes")
    assert (again.returncode, "everything is as it was" in again.stdout) == (0, True)
    assert undo("--redo", "--yes").returncode == 0
    assert (root / "a.txt").read_text() == "turn 1\n"


def test_later_changes_are_left_alone_without_force(root: Path, undo: Undo) -> None:
    (root / "a.txt").write_text("my own\n")
    listed = json.loads(undo("--list", "--json").stdout)
    assert [turn["number"] for turn in listed["turns"]] == [1, 2]
    done = undo(listed["session"][:13], "--since", "1", "--json", "--yes")
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert {os.path.basename(file["path"]): file["state"] for file in found["files"]} == {
        "a.txt": "outside",
        "b.txt": "ready",
        "new.txt": "ready",
    }
    assert [os.path.basename(path) for path in found["left"]] == ["a.txt"]
    assert (root / "a.txt").read_text() == "my own\n"
    assert undo("--since", "1", "--yes", "--force").returncode == 0
    assert (root / "a.txt").read_text() == "one\n"
    assert undo("--redo", "--yes").returncode == 0
    assert (root / "a.txt").read_text() == "my own\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--turn", "9"], "there is no turn 9"),
        (["--json"], "--json does not ask"),
        (["--redo"], "nothing was put back"),
        (["--turn", "1", "--since", "1"], "not allowed with"),
        (["--turn", "0"], "expected 1 or more"),
        (["nope"], "nope"),
        (["--cwd", "/"], "there is no session of this folder"),
    ],
)
def test_wrong_arguments_change_nothing_and_say_what_is_wrong(
    root: Path, undo: Undo, arguments: list[str], said: str
) -> None:
    done = undo(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert (root / "a.txt").read_text() == "turn 2\n"


@pytest.mark.parametrize("answer", ["y", "n"])
def test_a_person_is_asked(root: Path, answer: str) -> None:
    child: pexpect.spawn[bytes] = pexpect.spawn(
        sys.executable, ["-m", "tui", "undo"], cwd=str(root), env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60
    )
    child.expect(r"Put back 3 files\? \[y/N\]")
    child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == (0 if answer == "y" else 1)
    assert (root / "a.txt").read_text() == ("turn 1\n" if answer == "y" else "turn 2\n")
