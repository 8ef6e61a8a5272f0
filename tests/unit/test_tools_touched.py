"""Which files a call that was cut may have touched."""

from __future__ import annotations

import os
import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from runner.messages import JsonObject
from runner.tools import Tool, ToolContext, tool
from runner.tools.builtin import EDIT_FILE, READ_FILE, SHELL, WRITE_FILE
from runner.tools.touched import Touched, files_touched, touched_since, when_changed
from tests.processes.support import context, run

BEFORE = 1_000_000_000.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace."""
    for name in ("one.txt", "two.txt", "src/three.py", "src/deep/four.py", ".git/index", "node_modules/m/index.js"):
        path = tmp_path / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return tmp_path / "work"


def now(folder: Path) -> float:
    """A moment after every change in the folder, by the clock of its file system, and before every change to come."""
    latest = max(path.lstat().st_ctime_ns for path in [folder, *folder.rglob("*")])
    probe = folder.parent / "probe"
    while True:
        probe.touch()
        moment = probe.stat().st_ctime_ns
        # A look goes back a little, because that clock ticks slowly.
        if moment > latest + 40_000_000:
            return moment / 1e9
        time.sleep(0.005)


def test_nothing_changed(folder: Path) -> None:
    assert touched_since(folder, now(folder)) == Touched((), True)


def test_changed_and_new_files_the_latest_first(folder: Path) -> None:
    began = now(folder)
    for place, name in enumerate(("one.txt", "src/deep/new.py", "src/three.py")):
        (folder / name).write_text("y")
        os.utime(folder / name, (began + 100 + place, began + 100 + place))
    assert touched_since(folder, began) == Touched(("src/three.py", "src/deep/new.py", "one.txt"), True)
    assert touched_since(folder, began, limit=2) == Touched(("src/three.py", "src/deep/new.py"), False)


def test_a_stamp_that_was_set_back_hides_nothing(folder: Path) -> None:
    began = now(folder)
    os.utime(folder / "one.txt", (BEFORE, BEFORE))
    (folder / "two.txt").chmod(0o600)
    assert set(touched_since(folder, began).files) == {"one.txt", "two.txt"}


def test_what_was_removed_is_told_by_its_folder(folder: Path) -> None:
    began = now(folder)
    (folder / "src/three.py").unlink()
    assert touched_since(folder, began) == Touched(("src/",), True)
    (folder / "one.txt").rename(folder / "src/one.txt")
    assert set(touched_since(folder, began).files) == {"./", "src/one.txt"}


def test_what_no_person_edits_is_passed_over(folder: Path) -> None:
    began = now(folder)
    for name in (".git/index", "node_modules/m/index.js"):
        (folder / name).write_text("y")
    (folder / "src/__pycache__").mkdir()
    (folder / "src/__pycache__/three.pyc").write_text("y")
    (folder / ".venv/lib").mkdir(parents=True)
    assert touched_since(folder, began) == Touched((), True)


def test_links_are_not_followed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (folder / "link").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    began = now(folder)
    (outside / "file").write_text("y")
    assert touched_since(folder, began) == Touched((), True)


def test_it_says_when_it_did_not_look_at_everything(folder: Path) -> None:
    began = now(folder)
    (folder / "one.txt").write_text("y")
    (folder / "src/deep/four.py").write_text("y")
    assert touched_since(folder, began, entries=5).complete is False
    assert touched_since(folder, began, seconds=0.0) == Touched((), False)
    ticks = count()
    # Two folders' worth of time: the nearest ones come first.
    near = touched_since(folder, began, seconds=2.5, clock=lambda: float(next(ticks)))
    assert near == Touched(("one.txt",), False)


def test_a_folder_that_is_gone_is_not_complete(tmp_path: Path) -> None:
    assert touched_since(tmp_path / "gone", 0.0) == Touched((), False)


def test_names_that_are_no_text(folder: Path) -> None:
    began = now(folder)
    Path(os.fsdecode(os.fsencode(folder) + b"/bad\xff\n")).write_text("y")
    assert touched_since(folder, began).files == ("bad\ufffd\n",)


@pytest.mark.parametrize(
    ("mtime", "ctime", "found"),
    [
        (10.4, 10.4, None),
        (10.5, 10.4, 10.5),
        (10.4, 10.6, 10.6),
        (10.0, 10.0, 10.0),
        (9.0, 9.0, None),
        # One of them is exact, so the other one is as well.
        (10.0, 10.25, None),
    ],
)
def test_some_file_systems_only_know_whole_seconds(mtime: float, ctime: float, found: float | None) -> None:
    assert when_changed(int(mtime * 1e9), int(ctime * 1e9), 10.5) == found


@tool
def unknown(path: str) -> str:
    """Does something."""
    return path


def touches_of(found: Any) -> Tool:
    def named(ctx: ToolContext, arguments: JsonObject) -> list[Path] | None:
        if isinstance(found, Exception):
            raise found
        return found

    @tool(name="named", touches=named)
    def inner(path: str) -> str:
        """Does something."""
        return path

    return inner


@pytest.mark.parametrize("cut", [WRITE_FILE, EDIT_FILE])
def test_a_tool_that_names_its_file_is_believed(cut: Tool, folder: Path) -> None:
    began = now(folder)
    (folder / "two.txt").write_text("by somebody else")
    (folder / "link.txt").symlink_to("src/three.py")
    arguments = {"path": "link.txt", "content": "x", "old": "x", "new": "y", "all": False}
    assert files_touched(cut, context(folder), arguments, began) == Touched(("src/three.py",), True)


def test_a_file_outside_has_its_whole_name(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "file"
    found = files_touched(WRITE_FILE, context(folder), {"path": str(outside), "content": ""}, 0.0)
    assert found == Touched((str(outside),), True)


def test_who_only_reads_touches_nothing(folder: Path) -> None:
    assert files_touched(READ_FILE, context(folder), {"path": "one.txt"}, 0.0) == Touched((), True)


@pytest.mark.parametrize("cut", [SHELL, unknown, touches_of(None), touches_of(RuntimeError("no idea"))])
def test_who_does_not_say_is_looked_after(cut: Tool, folder: Path) -> None:
    began = now(folder)
    (folder / "src/three.py").write_text("y")
    found = files_touched(cut, context(folder), {"path": "x", "command": "x"}, began)
    assert found == Touched(("src/three.py",), True)


def test_a_tool_of_ones_own_says_it(folder: Path) -> None:
    cut = touches_of([folder / "b", folder / "a", folder / "b"])
    assert files_touched(cut, context(folder), {"path": "x"}, 0.0) == Touched(("b", "a"), True)


async def test_a_real_command(folder: Path) -> None:
    began = now(folder)
    await run(SHELL, context(folder), command="echo y > src/new.py; echo y >> one.txt; rm two.txt; mkdir -p .git/x")
    assert set(files_touched(SHELL, context(folder), {}, began).files) == {"src/new.py", "one.txt"}
