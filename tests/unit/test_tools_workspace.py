"""Staying inside the workspace: where paths lead, what is a concern, and races against links."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import ToolInputError
from runner.tools import Tool
from runner.tools.builtin import EDIT_FILE, LIST_FILES, READ_FILE, SEARCH, WRITE_FILE
from runner.tools.files import version_of, write_whole
from runner.tools.workspace import Refused, concern_about, enter, locate, open_file
from tests.processes.support import call, context

SECRET = "the secret outside"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace beside a secret, with every kind of link out of it."""
    inside, outside = tmp_path / "work", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.txt").write_text(SECRET + "\n")
    (inside / "sub").mkdir()
    (inside / "sub" / "file.txt").write_text("inside\n")
    (inside / "link.txt").symlink_to(outside / "secret.txt")
    (inside / "folder").symlink_to(outside)
    (inside / "twice").symlink_to("folder")
    (inside / "good").symlink_to("sub/file.txt")
    (inside / "loop").symlink_to("loop")
    return inside


LEAVING = [
    "../outside/secret.txt",
    "sub/../../outside/secret.txt",
    "link.txt",
    "folder/secret.txt",
    "twice/secret.txt",
    "sub/../folder/secret.txt",
    "/etc/hostname",
    "~/x",
    "..",
    "folder/new.txt",
]

ARGUMENTS = {
    "read_file": {},
    "list_files": {},
    "search": {"pattern": "secret"},
    "write_file": {"content": "overwritten"},
    "edit_file": {"old": "secret", "new": "changed"},
}


@pytest.mark.parametrize("path", LEAVING)
@pytest.mark.parametrize("tool", [READ_FILE, LIST_FILES, SEARCH, WRITE_FILE, EDIT_FILE], ids=lambda tool: tool.name)
async def test_leaving_is_refused_and_is_a_concern(workspace: Path, path: str, tool: Tool) -> None:
    ctx = context(workspace)
    arguments = tool.validate({"path": path, **ARGUMENTS[tool.name]})
    assert tool.concern is not None
    concern = tool.concern(ctx, arguments)
    assert concern is not None
    assert "outside the workspace" in concern
    outcome = await call(tool, ctx, arguments)
    assert (outcome.status, outcome.side_effects) == ("error", "none")
    assert "outside the workspace" in outcome.output
    assert SECRET not in outcome.output
    assert (workspace.parent / "outside" / "secret.txt").read_text() == SECRET + "\n"
    assert sorted(os.listdir(workspace.parent / "outside")) == ["secret.txt"]


@pytest.mark.parametrize("path", ["sub/file.txt", "./sub//file.txt", "good", "sub/../sub/file.txt", "ABSOLUTE"])
async def test_staying_is_neither(workspace: Path, path: str) -> None:
    path = str(workspace / "sub" / "file.txt") if path == "ABSOLUTE" else path
    ctx = context(workspace)
    assert READ_FILE.concern is not None
    assert READ_FILE.concern(ctx, {"path": path}) is None
    outcome = await call(READ_FILE, ctx, {"path": path})
    assert outcome.output == "1\tinside"


async def test_an_approved_call_may_leave(workspace: Path) -> None:
    ctx = context(workspace, allow_outside=True)
    assert SECRET in (await call(READ_FILE, ctx, {"path": "link.txt"})).output
    assert "secret.txt" in (await call(LIST_FILES, ctx, {"path": "folder"})).output
    assert SECRET in (await call(SEARCH, ctx, {"path": "folder", "pattern": "secret"})).output
    outcome = await call(WRITE_FILE, ctx, {"path": "folder/new.txt", "content": "x"})
    assert outcome.status == "ok"
    assert (workspace.parent / "outside" / "new.txt").read_text() == "x"


async def test_a_link_that_changes_after_the_approval_is_not_followed(workspace: Path) -> None:
    ctx = context(workspace)
    assert READ_FILE.concern is not None
    concern = READ_FILE.concern(ctx, {"path": "link.txt"})
    assert concern == f"link.txt leads to {workspace.parent}/outside/secret.txt, which is outside the workspace."
    (workspace / "link.txt").unlink()
    (workspace / "link.txt").symlink_to("/etc/hostname")
    outcome = await call(READ_FILE, replace(ctx, allow_outside=True), {"path": "link.txt"})
    assert (outcome.status, outcome.side_effects) == ("error", "none")
    assert "what was approved is" in outcome.output


async def test_an_approval_of_something_else_is_no_leave_to_go_outside(workspace: Path) -> None:
    """Overwriting an unread file was approved; a link put in its place later must not be written through."""
    ctx = context(workspace)
    assert WRITE_FILE.concern is not None
    assert "would be overwritten" in (WRITE_FILE.concern(ctx, {"path": "sub/file.txt", "content": "x"}) or "")
    (workspace / "sub" / "file.txt").unlink()
    (workspace / "sub" / "file.txt").symlink_to(workspace.parent / "outside" / "secret.txt")
    outcome = await call(WRITE_FILE, replace(ctx, allow_outside=True), {"path": "sub/file.txt", "content": "x"})
    assert "what was approved is" in outcome.output
    assert (workspace.parent / "outside" / "secret.txt").read_text() == SECRET + "\n"


@pytest.mark.parametrize("path", ["", "a\0b"])
async def test_what_is_no_path(workspace: Path, path: str) -> None:
    outcome = await call(READ_FILE, context(workspace), {"path": path})
    assert "is not a path" in outcome.output


async def test_a_loop_of_links_and_a_missing_file(workspace: Path) -> None:
    ctx = context(workspace)
    assert "cannot be opened" in (await call(READ_FILE, ctx, {"path": "loop"})).output
    assert (await call(READ_FILE, ctx, {"path": "none/at/all"})).output == "none/at/all does not exist."
    assert "cannot be opened" in (await call(READ_FILE, ctx, {"path": "good/x"})).output


async def test_a_named_pipe_does_not_hang(workspace: Path) -> None:
    os.mkfifo(workspace / "pipe")
    ctx = context(workspace)
    assert "not a regular file" in (await call(READ_FILE, ctx, {"path": "pipe"})).output
    assert "not a regular file" in (await call(WRITE_FILE, ctx, {"path": "pipe", "content": "x"})).output


@pytest.mark.parametrize(
    "path", [".git/config", ".GIT/hooks/pre-commit", "sub/.git/config", ".quarterdeck/config.toml", ".git"]
)
def test_writing_where_commands_and_permissions_are_kept_is_a_concern(workspace: Path, path: str) -> None:
    ctx = context(workspace)
    for tool in (WRITE_FILE, EDIT_FILE):
        assert tool.concern is not None
        assert tool.concern(ctx, {"path": path, "content": "", "old": "a", "new": "b"})
    assert concern_about(ctx, path, writes=False) is None


@pytest.mark.parametrize("swapped", ["swap", "swap/deep", "swap/deep/secret.txt"])
@pytest.mark.parametrize("writes", [False, True])
def test_what_is_swapped_for_a_link_after_the_look_is_not_followed(workspace: Path, swapped: str, writes: bool) -> None:
    deep, outside = workspace / "swap" / "deep", workspace.parent / "outside"
    deep.mkdir(parents=True)
    (deep / "secret.txt").write_text("harmless\n")
    (outside / "deep").mkdir()
    for folder in (outside, outside / "deep"):
        (folder / "secret.txt").write_text(SECRET + "\n")
    place = enter(context(workspace), "swap/deep/secret.txt")
    with open_file(place) as fd:
        assert os.read(fd, 100) == b"harmless\n"

    (workspace / swapped).rename(workspace / "away")
    (workspace / swapped).symlink_to(outside / "secret.txt" if swapped.endswith(".txt") else outside)

    def use() -> None:
        if writes:
            write_whole(place, b"overwritten", expected=version_of((SECRET + "\n").encode()))
        with open_file(place) as fd:
            os.read(fd, 100)

    with pytest.raises(Refused, match="cannot be opened"):
        use()
    assert {path.read_text() for path in outside.rglob("*.txt")} == {SECRET + "\n"}
    assert len(list(outside.rglob("*"))) == 3


PARTS = st.sampled_from(["..", ".", "sub", "file.txt", "folder", "twice", "good", "link.txt", "loop", "new", "/", "~"])


@settings(max_examples=200, deadline=None)
@given(st.lists(PARTS, min_size=1, max_size=6))
def test_no_path_opens_a_file_outside(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    base = tmp_path_factory.getbasetemp() / "paths"
    inside, outside = base / "work", base / "outside"
    if not base.exists():
        outside.mkdir(parents=True)
        (outside / "file.txt").write_text(SECRET)
        (inside / "sub").mkdir(parents=True)
        (inside / "sub" / "file.txt").write_text("inside")
        (inside / "folder").symlink_to("../outside")
        (inside / "twice").symlink_to("sub/../folder")
        (inside / "link.txt").symlink_to("folder/file.txt")
        (inside / "good").symlink_to("sub")
        (inside / "loop").symlink_to("loop")
    ctx = context(inside)
    path = "/".join(parts)
    try:
        place = enter(ctx, path)
    except ToolInputError:
        assert not locate(ctx, path).inside
        return
    try:
        with open_file(place) as fd:
            assert os.read(fd, 100) == b"inside"
    except Refused:
        return
