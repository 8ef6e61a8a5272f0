"""The built-in file tools on real files."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import ToolError, ToolInputError
from runner.tools import Tool, ToolContext
from runner.tools.builtin import EDIT_FILE, LIST_FILES, READ_FILE, WRITE_FILE, builtin_tools
from runner.tools.builtin import read_file as read_file_module
from runner.tools.preview import diff_preview
from tests.conftest import need
from tests.processes.support import context, run


def preview(tool: Tool, ctx: ToolContext, **arguments: Any) -> dict[str, Any]:
    assert tool.preview is not None
    return tool.preview(ctx, tool.validate(arguments))


def test_the_built_in_tools_and_their_parameters() -> None:
    assert {tool.name: list(tool.parameters["properties"]) for tool in builtin_tools()} == {
        "list_files": ["path"],
        "read_file": ["path", "start", "end"],
        "search": ["pattern", "path", "glob"],
        "write_file": ["path", "content"],
        "edit_file": ["path", "old", "new", "all"],
        "edit_files": ["edits"],
        "shell": ["command", "timeout", "network"],
        "start_process": ["command", "name", "network"],
        "read_process": ["id", "wait"],
        "stop_process": ["id"],
        "web_fetch": ["url", "start", "raw"],
        "todo": ["items"],
        "ask_user": ["question", "choices", "several"],
    }
    reading = {tool.name for tool in builtin_tools() if tool.read_only}
    assert reading == {"list_files", "read_file", "search", "read_process", "todo", "ask_user"}
    kinds = {tool.name: tool.kind for tool in builtin_tools()}
    assert {name for name, kind in kinds.items() if kind == "read"} == {
        "list_files",
        "read_file",
        "search",
        "read_process",
    }
    assert {name for name, kind in kinds.items() if kind == "edit"} == {"write_file", "edit_file", "edit_files"}
    assert {name for name, kind in kinds.items() if kind == "shell"} == {"shell", "start_process"}
    assert {name for name, kind in kinds.items() if kind == "net"} == {"web_fetch"}


@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        ({"path": "a"}, {"path": "a", "start": None, "end": None}),
        ({"path": "a", "start": "5", "end": 6.0}, {"path": "a", "start": 5, "end": 6}),
        ({}, "path: is missing"),
        ({"path": 5}, "path: expected a string, got 5"),
        ({"path": "a", "start": True}, "start: expected a whole number, got true"),
        ({"path": "a", "start": 1.5}, "start: expected a whole number, got 1.5"),
        ({"path": "a", "start": 0}, "start: must be 1 or more, got 0"),
        ({"path": "a", "line": 1}, "line: there is no such parameter. The parameters are: path, start, end"),
        ({"path": None, "end": "x"}, 'path: expected a string, got null; end: expected a whole number, got "x"'),
    ],
)
def test_arguments_of_built_in_tools_are_checked(arguments: dict[str, Any], result: dict[str, Any] | str) -> None:
    if isinstance(result, dict):
        assert READ_FILE.validate(arguments) == result
        return
    with pytest.raises(ToolInputError) as raised:
        READ_FILE.validate(arguments)
    assert str(raised.value) == f"The arguments do not fit. {result}"


async def test_listing(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("12345")
    (tmp_path / ".hidden").touch()
    (tmp_path / "zfolder").mkdir()
    (tmp_path / "link").symlink_to("b.txt")
    (tmp_path / "two\nlines").touch()
    (tmp_path / os.fsdecode(b"bad\xff")).touch()
    outcome = await run(LIST_FILES, context(tmp_path))
    assert outcome.output.split("\n") == [
        "The working folder has 6 entries:",
        "zfolder/",
        ".hidden  (0 bytes)",
        "b.txt  (5 bytes)",
        "bad\\udcff  (0 bytes)",
        "link -> b.txt",
        "two\\nlines  (0 bytes)",
    ]
    assert (await run(LIST_FILES, context(tmp_path), path="zfolder")).output == "zfolder/ is empty."
    assert "is a file" in (await run(LIST_FILES, context(tmp_path), path="b.txt")).output
    assert (await run(LIST_FILES, context(tmp_path), path="gone")).output == "gone does not exist."


async def test_reading_ranges(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("".join(f"line {number}\n" for number in range(1, 13)))
    ctx = context(tmp_path)
    assert (await run(READ_FILE, ctx, path="f")).output.split("\n")[8:10] == [" 9\tline 9", "10\tline 10"]
    assert (await run(READ_FILE, ctx, path="f", start=3, end=4)).output == "3\tline 3\n4\tline 4\n[lines 3-4 of 12]"
    assert (await run(READ_FILE, ctx, path="f", start=12)).output == "12\tline 12\n[lines 12-12 of 12]"
    assert (await run(READ_FILE, ctx, path="f", end=99)).output.endswith("12\tline 12")
    assert (await run(READ_FILE, ctx, path="f", start=13)).output == "start: f has only 12 lines"
    assert (await run(READ_FILE, ctx, path="f", start=3, end=2)).output == "end: 2 is before start (3)"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "f is empty."),
        (b"\xef\xbb\xbfone\r\ntwo", "1\tone\n2\ttwo"),
        ("zwölf\n".encode("utf-16"), "1\tzwölf"),
        (b"a\xffb\n", "1\ta\ufffdb\n[some bytes are not valid UTF-8 and are shown as \ufffd]"),
        (b"\x89PNG\r\n\x1a\n\0\0", "f is a PNG picture (10 bytes). Its content is not shown."),
        (b"abc\0def", "f is a binary file (7 bytes). Its content is not shown."),
    ],
)
async def test_reading_odd_files(data: bytes, text: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(data)
    assert (await run(READ_FILE, context(tmp_path), path="f")).output == text


async def test_reading_large_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "long").write_text("x" * 300_000 + "\nnext\n")
    text = (await run(READ_FILE, context(tmp_path), path="long", max_output=10**6)).output
    assert text == f"1\t{'x' * 2000} [... this line goes on; it has 300,001 bytes ...]\n2\tnext"
    (tmp_path / "many").write_text("x\n" * 5000)
    text = (await run(READ_FILE, context(tmp_path), path="many", max_output=10**6)).output
    assert text.endswith("2000\tx\n[lines 1-2000 of 5000; go on with start=2001]")
    monkeypatch.setattr(read_file_module, "READABLE", 1000)
    assert "too large to read (10,000 bytes)" in (await run(READ_FILE, context(tmp_path), path="many")).output


async def test_writing_a_new_file_with_its_folders(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    assert preview(WRITE_FILE, ctx, path="a/b/c.txt", content="one\ntwo") == {
        "type": "diff",
        "path": "a/b/c.txt",
        "diff": "--- /dev/null\n+++ b/a/b/c.txt\n@@ -0,0 +1,2 @@\n+one\n+two\n\\ No newline at end of file\n",
        "added": 2,
        "removed": 0,
        "new_file": True,
    }
    assert not (tmp_path / "a").exists()
    umask = os.umask(0o022)
    try:
        outcome = await run(WRITE_FILE, ctx, path="a/b/c.txt", content="one\ntwo")
    finally:
        os.umask(umask)
    assert outcome.output == "Created a/b/c.txt: 2 lines added, 0 lines removed."
    assert outcome.side_effects == "done"
    assert outcome.display is not None
    assert outcome.display["new_file"] is True
    assert (tmp_path / "a/b/c.txt").read_text() == "one\ntwo"
    assert stat.S_IMODE((tmp_path / "a/b/c.txt").stat().st_mode) == 0o644
    assert os.listdir(tmp_path / "a/b") == ["c.txt"]


async def test_overwriting_keeps_the_mode_and_follows_a_link_inside(tmp_path: Path) -> None:
    script = tmp_path / "script.sh"
    script.write_text("old\n")
    script.chmod(0o750)
    (tmp_path / "link").symlink_to("script.sh")
    outcome = await run(WRITE_FILE, context(tmp_path), path="link", content="new\n")
    assert outcome.output == "Changed script.sh: 1 line added, 1 line removed."
    assert script.read_text() == "new\n"
    assert stat.S_IMODE(script.stat().st_mode) == 0o750
    assert (tmp_path / "link").is_symlink()


async def test_writing_what_is_there_already_does_nothing(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("same")
    before = file.stat()
    outcome = await run(WRITE_FILE, context(tmp_path), path="f", content="same")
    assert (outcome.status, outcome.side_effects) == ("ok", "none")
    assert file.stat().st_ino == before.st_ino


async def test_overwriting_an_unread_file_is_a_concern(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("old\n")
    ctx = context(tmp_path)
    assert WRITE_FILE.concern is not None
    assert WRITE_FILE.concern(ctx, {"path": "f", "content": "x"}) == (
        "f exists, was not read in this run, and would be overwritten."
    )
    assert WRITE_FILE.concern(ctx, {"path": "new", "content": "x"}) is None
    await run(READ_FILE, ctx, path="f")
    assert WRITE_FILE.concern(ctx, {"path": "f", "content": "x"}) is None


async def test_a_folder_and_a_lone_surrogate_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    assert "is a folder" in (await run(WRITE_FILE, context(tmp_path), path="d", content="x")).output
    outcome = await run(WRITE_FILE, context(tmp_path), path="f", content="\ud800")
    assert outcome.output == "content: character 0 is half of a surrogate pair"
    assert not (tmp_path / "f").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
async def test_a_write_protected_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("old")
    (tmp_path / "f").chmod(0o444)
    outcome = await run(WRITE_FILE, context(tmp_path), path="f", content="x")
    assert (outcome.output, outcome.side_effects) == ("f is write-protected.", "none")


async def test_editing(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("one\ntwo\nthree\ntwo\n")
    ctx = context(tmp_path)
    outcome = await run(EDIT_FILE, ctx, path="f", old="three", new="3")
    assert outcome.output == "Changed f: 1 line added, 1 line removed."
    assert outcome.display is not None
    assert outcome.display["diff"] == "--- a/f\n+++ b/f\n@@ -1,4 +1,4 @@\n one\n two\n-three\n+3\n two\n"
    assert (await run(EDIT_FILE, ctx, path="f", old="two", new="2", all=True)).status == "ok"
    assert (tmp_path / "f").read_text() == "one\n2\n3\n2\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"old": "none", "new": "x"}, "old was not found in f"),
        ({"old": "two", "new": "x"}, "old was found 2 times in f, so nothing was changed"),
        ({"old": "", "new": "x"}, "old: is empty; write_file makes a new file"),
        ({"old": "two", "new": "two"}, "new: is the same as old"),
        ({"path": "g", "old": "two", "new": "x"}, "g does not exist; write_file makes a new file"),
    ],
)
async def test_an_edit_that_does_not_fit(arguments: dict[str, Any], said: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("two\ntwo\n")
    arguments = {"path": "f", **arguments}
    outcome = await run(EDIT_FILE, context(tmp_path), **arguments)
    assert said in outcome.output
    assert (outcome.status, outcome.side_effects) == ("error", "none")
    assert (tmp_path / "f").read_text() == "two\ntwo\n"
    with pytest.raises(ToolError, match=said[:20]):
        preview(EDIT_FILE, context(tmp_path), **arguments)


@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        (b"\xef\xbb\xbfa\r\nb\r\nc\r\n", "a\nb", "x\ny\nz", b"\xef\xbb\xbfx\r\ny\r\nz\r\nc\r\n"),
        (b"a\r\nb\r\n", "a\r\nb", "x\r\ny", b"x\r\ny\r\n"),
        (b"a\nb\nc\r\n", "a\nb", "x\ny", b"x\ny\nc\r\n"),
        (b"a\nb\n", "a\nb", "x\r\ny", b"x\r\ny\n"),
        (b"caf\xe9 one\n", "one", "two", b"caf\xe9 two\n"),
        (b"a.c abc\n", "a.c", r"\1\g<0>", b"\\1\\g<0> abc\n"),
    ],
    ids=["bom and crlf", "crlf given", "mixed", "lf", "latin-1", "no pattern"],
)
async def test_an_edit_keeps_all_other_bytes(before: bytes, old: str, new: str, after: bytes, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(before)
    assert (await run(EDIT_FILE, context(tmp_path), path="f", old=old, new=new)).status == "ok"
    assert (tmp_path / "f").read_bytes() == after


@pytest.mark.parametrize("tool", [EDIT_FILE, WRITE_FILE], ids=lambda tool: tool.name)
@pytest.mark.parametrize("happening", ["changed", "removed"])
async def test_a_file_that_changed_since_it_was_read_is_refused(tmp_path: Path, tool: Tool, happening: str) -> None:
    file = tmp_path / "f"
    file.write_text("old\n")
    ctx = context(tmp_path)
    await run(READ_FILE, ctx, path="f")
    os.utime(file, (1, 1))
    arguments: dict[str, Any] = {"content": "new\n"} if tool is WRITE_FILE else {"old": "old", "new": "new"}
    if happening == "changed":
        file.write_text("old, by somebody else\n")
    else:
        file.unlink()
    outcome = await run(tool, ctx, path="f", **arguments)
    assert (outcome.status, outcome.side_effects) == ("error", "none")
    assert "since it was read; nothing was changed" in outcome.output
    assert file.exists() == (happening == "changed")


@pytest.mark.parametrize("tool", [EDIT_FILE, WRITE_FILE], ids=lambda tool: tool.name)
async def test_touching_a_file_is_no_change(tmp_path: Path, tool: Tool) -> None:
    file = tmp_path / "f"
    file.write_text("old\n")
    ctx = context(tmp_path)
    await run(READ_FILE, ctx, path="f")
    os.utime(file, (1, 1))
    arguments: dict[str, Any] = {"content": "new\n"} if tool is WRITE_FILE else {"old": "old", "new": "new"}
    assert (await run(tool, ctx, path="f", **arguments)).status == "ok"


@pytest.mark.parametrize("tool", [EDIT_FILE, WRITE_FILE], ids=lambda tool: tool.name)
async def test_a_file_that_changed_since_the_diff_was_shown_is_refused(tmp_path: Path, tool: Tool) -> None:
    file = tmp_path / "f"
    file.write_text("old\n")
    ctx = context(tmp_path)
    arguments: dict[str, Any] = {"content": "new\n"} if tool is WRITE_FILE else {"old": "old", "new": "new"}
    preview(tool, ctx, path="f", **arguments)
    file.write_text("old and more\n")
    outcome = await run(tool, ctx, path="f", **arguments)
    assert outcome.output.startswith("f changed since you saw the diff")
    assert file.read_text() == "old and more\n"


async def test_a_new_file_that_came_into_being_since_the_diff_is_not_overwritten(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    preview(WRITE_FILE, ctx, path="f", content="mine")
    (tmp_path / "f").write_text("theirs")
    outcome = await run(WRITE_FILE, ctx, path="f", content="mine")
    assert "changed since you saw the diff" in outcome.output
    assert (tmp_path / "f").read_text() == "theirs"


async def test_two_edits_of_one_batch_are_both_made(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("".join(f"line {number};\n" for number in range(40)))
    base = context(tmp_path)
    contexts = [context(tmp_path, call_id=f"call_{number}", scratch=base.scratch) for number in range(40)]
    for number, ctx in enumerate(contexts):
        preview(EDIT_FILE, ctx, path="f", old=f"line {number};", new=f"row {number};")
    calls = [
        run(EDIT_FILE, ctx, path="f", old=f"line {number};", new=f"row {number};")
        for number, ctx in enumerate(contexts)
    ]
    assert {outcome.status for outcome in await asyncio.gather(*calls)} == {"ok"}
    assert file.read_text() == "".join(f"row {number};\n" for number in range(40))


async def test_overwriting_after_an_edit_of_the_same_batch_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("one\n")
    first = context(tmp_path, call_id="first")
    second = context(tmp_path, call_id="second", scratch=first.scratch)
    preview(EDIT_FILE, first, path="f", old="one", new="two")
    preview(WRITE_FILE, second, path="f", content="three\n")
    assert (await run(EDIT_FILE, first, path="f", old="one", new="two")).status == "ok"
    outcome = await run(WRITE_FILE, second, path="f", content="three\n")
    assert "changed since you saw the diff" in outcome.output
    assert (tmp_path / "f").read_text() == "two\n"


async def test_a_failed_write_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_text("old")

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    outcome = await run(WRITE_FILE, context(tmp_path), path="f", content="new")
    assert outcome.output == "f: No space left on device."
    assert os.listdir(tmp_path) == ["f"]
    assert (tmp_path / "f").read_text() == "old"


LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n", "d\r\n", "é\n"]), max_size=30)


@settings(deadline=None, max_examples=60)
@given(LINES, LINES, st.booleans(), st.booleans())
def test_a_shown_diff_is_the_change(
    tmp_path_factory: pytest.TempPathFactory, old: list[str], new: list[str], cut_old: bool, cut_new: bool
) -> None:
    """Git makes the new file of the old one and the diff."""
    git = need("git")
    folder = tmp_path_factory.mktemp("diff")
    before = "".join(old)[: -1 if cut_old else None]
    after = "".join(new)[: -1 if cut_new else None]
    found = diff_preview("f", before, after)
    if before == after:
        assert (found["diff"], found["added"], found["removed"]) == ("", 0, 0)
        return
    (folder / "f").write_bytes(before.encode())
    (folder / "d").write_bytes(found["diff"].encode())
    done = subprocess.run(
        [git, "apply", "--whitespace=nowarn", "d"], cwd=folder, capture_output=True, check=False, timeout=20
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "f").read_bytes() == after.encode()


def test_a_huge_diff_is_quick_and_says_that_it_is_cut() -> None:
    old = "".join(f"{number}\n" for number in range(100_000))
    new = "".join(f"{number + 1}.\n" for number in range(100_000))
    found = diff_preview("f", old, new)
    assert (found["added"], found["removed"]) == (100_000, 100_000)
    assert len(found["diff"]) < 300_000
    assert found["diff"].endswith("more lines of this diff are not shown ...]\n")
