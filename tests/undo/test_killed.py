"""kill -9 between keeping a file, changing it, and recording that it changed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runner.undo.keeper import Keeper
from runner.undo.words import NOT_ENDED
from tests.contract.sources import ROOT
from tests.undo.support import RUN, Desk, repository


def killed(root: Path, data: Path, point: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.undo.crash_child", str(root), str(data), point],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def after_the_crash(root: Path, data: Path) -> Desk:
    """The next program, which finds the run without any fact of the change."""
    desk = Desk(root, data)
    desk.finish()
    return desk


@pytest.mark.parametrize("point", ["before the change", "after the change", "before the fact"])
def test_a_file_tool(tmp_path: Path, point: str) -> None:
    root, data = tmp_path / "root", tmp_path / "data"
    root.mkdir()
    (root / "a.txt").write_text("one\n")
    killed(root, data, point)
    assert (root / "a.txt").read_text() == ("one\n" if point == "before the change" else "by the tool\n")
    desk = after_the_crash(root, data)
    plan = desk.plan(1)
    if point == "before the change":
        assert plan.files == ()
    else:
        assert [file.state for file in plan.files] == ["ready"]
        assert desk.undo(1).left == ()
    assert (root / "a.txt").read_text() == "one\n"


def test_a_command(tmp_path: Path) -> None:
    root, data = repository(tmp_path / "repo"), tmp_path / "data"
    (root / "loose.txt").write_text("untracked\n")
    killed(root, data, "in a command")
    desk = after_the_crash(root, data)
    Keeper(data).recover([RUN])
    # What others change after the program was started again is no part of it any more.
    (root / "b.txt").write_text("by somebody else\n")
    [turn] = desk.turns()
    assert turn.commands
    assert turn.uncovered == (NOT_ENDED,)
    assert desk.undo(1).left == ()
    assert (root / "a.txt").read_text() == "one\n"
    assert (root / "loose.txt").read_text() == "untracked\n"
    assert not (root / "new.txt").exists()
    assert (root / "b.txt").read_text() == "by somebody else\n"


def test_a_run_that_goes_on_is_not_looked_into(tmp_path: Path) -> None:
    root, data = repository(tmp_path / "repo"), tmp_path / "data"
    killed(root, data, "in a command")
    assert Desk(root, data).turns() == ()


def test_in_the_middle_of_putting_back(tmp_path: Path) -> None:
    """The record says what was meant; which of the files were put back the disk says."""
    root, data = tmp_path / "root", tmp_path / "data"
    root.mkdir()
    (root / "a.txt").write_text("one\n")
    (root / "b.txt").write_text("one\n")
    desk = Desk(root, data)
    desk.write("a.txt", "two\n")
    desk.write("b.txt", "two\n")
    assert desk.undo(1).left == ()
    log = next((data / "kept" / "undone").iterdir())
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(lines[0])
    (root / "b.txt").write_text("two\n")
    last = desk.history().redoable
    assert last is not None
    assert {file.path: file.state for file in desk.plan(redo=last.id).files} == {str(root / "a.txt"): "ready"}
    assert desk.redo().left == ()
    assert (root / "a.txt").read_text() == "two\n"
    assert desk.undo(1).left == ()
    assert (root / "a.txt").read_text() == (root / "b.txt").read_text() == "one\n"


def test_between_the_fact_and_the_removal_of_the_record(tmp_path: Path) -> None:
    """What is both a fact and a record counts once, and what others change later is not looked for."""
    root, data = repository(tmp_path / "repo"), tmp_path / "data"
    desk = Desk(root, data)
    desk.keeper.stored = lambda run_id, call_ids: None
    desk.write("b.txt", "by the tool\n")
    desk.shell("echo x >> a.txt")
    (root / "c.txt").write_text("by somebody else\n")
    desk.finish()
    assert list((data / "kept" / "pending").rglob("*.tree"))
    [turn] = desk.turns()
    assert turn.uncovered == ()
    assert sorted(Path(path).name for path in turn.paths) == ["a.txt", "b.txt"]
    assert len(desk.history().steps) == 2
    assert desk.undo(1).left == ()
    assert (root / "c.txt").exists()
