"""edit_files on real files: all of the edits or none, whatever goes wrong and whenever it does."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import ToolError, ToolInputError
from runner.tools import ToolContext
from runner.tools import files as files_module
from runner.tools.base import ToolOutcome
from runner.tools.builtin import EDIT_FILE, EDIT_FILES, READ_FILE, WRITE_FILE
from tests.processes.support import context, run

ONE = {"a.txt": "one\ntwo\n", "b/c.txt": "three\n", "d.txt": "four\n"}


def made(folder: Path, files: dict[str, str]) -> ToolContext:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return context(folder)


def edit(path: str, old: str, new: str, **more: Any) -> dict[str, Any]:
    return {"path": path, "old": old, "new": new, **more}


def present(folder: Path) -> dict[str, str]:
    """Every file below, and every empty folder."""
    found = {
        str(path.relative_to(folder)): path.read_text() if path.is_file() else "(folder)"
        for path in folder.rglob("*")
        if path.is_file() or not any(path.iterdir())
    }
    return dict(sorted(found.items()))


def preview(ctx: ToolContext, *edits: dict[str, Any]) -> dict[str, Any]:
    assert EDIT_FILES.preview is not None
    return EDIT_FILES.preview(ctx, EDIT_FILES.validate({"edits": list(edits)}))


async def change(ctx: ToolContext, *edits: dict[str, Any]) -> ToolOutcome:
    return await run(EDIT_FILES, ctx, edits=list(edits))


ALL = (
    edit("a.txt", "one", "1"),
    edit("./b/../a.txt", "two", "2"),
    edit("b/c.txt", "three\n", "3"),
    edit("new/deep/e.txt", "", "five\n"),
    edit("new/deep/e.txt", "five", "5"),
)


async def test_several_edits_are_one_step(tmp_path: Path) -> None:
    ctx = made(tmp_path, ONE)
    (tmp_path / "a.txt").chmod(0o640)
    shown = preview(ctx, *ALL)
    assert present(tmp_path) == ONE, "a preview changes nothing"
    assert shown["type"] == "diffs"
    assert [(file["path"], file["added"], file["removed"], file["new_file"]) for file in shown["files"]] == [
        ("a.txt", 2, 2, False),
        ("b/c.txt", 1, 1, False),
        ("new/deep/e.txt", 1, 0, True),
    ]
    assert shown["files"][0]["diff"] == "--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n-one\n-two\n+1\n+2\n"
    outcome = await change(ctx, *ALL)
    assert (outcome.status, outcome.side_effects) == ("ok", "done")
    assert outcome.display == shown
    assert outcome.output == (
        "Changed a.txt: 2 lines added, 2 lines removed.\n"
        "Changed b/c.txt: 1 line added, 1 line removed.\n"
        "Created new/deep/e.txt: 1 line added, 0 lines removed."
    )
    assert present(tmp_path) == {"a.txt": "1\n2\n", "b/c.txt": "3", "d.txt": "four\n", "new/deep/e.txt": "5\n"}
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ([edit("a.txt", "one", "1"), edit("d.txt", "nothing", "x")], "edits[1]: old was not found in d.txt."),
        ([edit("a.txt", "one", "1"), edit("a.txt", "one", "2")], "edits[1]: old was not found in a.txt."),
        ([edit("a.txt", "o", "0")], "edits[0]: old was found 2 times in a.txt"),
        ([edit("nowhere", "x", "y")], "edits[0]: nowhere does not exist"),
        ([edit("a.txt", "", "y")], "edits[0]: old: is empty"),
        ([edit("e.txt", "", "")], "edits[0]: new: is empty"),
        ([edit("a.txt", "one", "one")], "edits[0]: new: is the same as old"),
        ([edit("b", "x", "y")], "edits[0]: b is a folder"),
        ([edit("a.txt/x", "", "y")], "edits[0]: a.txt/x cannot be opened"),
        ([edit("../outside.txt", "", "y")], "Only files inside the workspace"),
        ([edit("a.txt", "one", "\ud800")], "half of a surrogate pair"),
        ([edit("x\0y", "one", "1")], "is not a path"),
        (
            [edit("a.txt", "x", "y"), edit("d.txt", "four", "4"), edit("e", "x", "y")],
            "edits[0]: old was not found in a.txt. It must match exactly; read the file again. Nothing was changed.\n"
            "edits[2]: e does not exist",
        ),
    ],
)
async def test_one_edit_that_cannot_be_made_stops_all(tmp_path: Path, edits: list[dict[str, Any]], words: str) -> None:
    ctx = made(tmp_path, ONE)
    outcome = await change(ctx, edit("b/c.txt", "three", "3"), *edits)
    assert (outcome.status, outcome.side_effects) == ("error", "none")
    assert outcome.output.startswith("Nothing was changed, in no file. ")
    shifted = words.replace("edits[2]", "edits[3]").replace("edits[1]", "edits[2]").replace("edits[0]", "edits[1]")
    assert shifted in outcome.output
    assert present(tmp_path) == ONE


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"edits": []}, "edits: expected 1 or more entries, got 0"),
        ({"edits": "x"}, 'edits: expected a list, got "x"'),
        ({"edits": [1]}, "edits[0]: expected an object, got 1"),
        ({"edits": [{"path": "a"}]}, "edits[0].old: is missing; edits[0].new: is missing"),
        ({"edits": [edit("a", "b", "c", x=1)]}, "edits[0].x: there is no such parameter"),
        ({"edits": [edit("a", "b", "c") | {"new": 5}]}, "edits[0].new: expected a string, got 5"),
        ({"edits": [edit("a", "b", "c")] * 101}, "edits: expected at most 100 entries, got 101"),
        ({}, "edits: is missing"),
    ],
)
def test_arguments_that_do_not_fit(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ToolInputError) as raised:
        EDIT_FILES.validate(arguments)
    assert words in str(raised.value)


def test_a_list_as_the_text_of_its_json_is_read() -> None:
    assert EDIT_FILES.validate({"edits": '[{"path": "a", "old": "b", "new": "c"}]'}) == {
        "edits": [{"path": "a", "old": "b", "new": "c", "all": False}]
    }


async def test_what_changed_since_it_was_shown_or_read_is_not_overwritten(tmp_path: Path) -> None:
    ctx = made(tmp_path, ONE)
    edits = (edit("a.txt", "one", "1"), edit("d.txt", "four", "4"))
    preview(ctx, *edits)
    (tmp_path / "d.txt").write_text("four and more\n")
    outcome = await change(ctx, *edits)
    assert outcome.output == "d.txt changed since you saw the diff; nothing was changed. Try again."
    ctx = context(tmp_path)
    assert (await run(READ_FILE, ctx, path="a.txt")).status == "ok"
    (tmp_path / "a.txt").write_text("one, two\n")
    outcome = await change(ctx, *edits)
    assert outcome.output == "a.txt changed on disk since it was read; nothing was changed. Read it again first."
    assert (tmp_path / "d.txt").read_text() == "four and more\n"


async def test_a_new_file_that_somebody_else_made_meanwhile_is_left_alone(tmp_path: Path) -> None:
    ctx = made(tmp_path, ONE)
    preview(ctx, *ALL)
    made(tmp_path, {"new/deep/e.txt": "five\n"})
    outcome = await change(ctx, *ALL)
    assert "edits[3]: old: is empty" in outcome.output
    assert present(tmp_path) == ONE | {"new/deep/e.txt": "five\n"}


async def test_the_book_knows_what_was_written(tmp_path: Path) -> None:
    ctx = made(tmp_path, ONE)
    assert (await change(ctx, *ALL)).status == "ok"
    assert (await run(EDIT_FILE, ctx, path="a.txt", old="1", new="uno")).status == "ok"
    (tmp_path / "b/c.txt").write_text("theirs")
    assert "changed on disk since it was read" in (await change(ctx, edit("b/c.txt", "theirs", "x"))).output


async def test_edits_of_parallel_calls_do_not_lose_one_another(tmp_path: Path) -> None:
    lines = "".join(f"line {number};\n" for number in range(12))
    first = made(tmp_path, {"x": lines, "y": lines})
    contexts = [context(tmp_path, call_id=f"call_{number}", scratch=first.scratch) for number in range(6)]
    edits = [
        [edit(name, f"line {number * 2 + add};", f"row {number * 2 + add};") for add in (0, 1) for name in ("x", "y")]
        for number in range(6)
    ]
    for ctx, wanted in zip(contexts, edits, strict=True):
        preview(ctx, *wanted)
    outcomes = await asyncio.gather(*(change(ctx, *wanted) for ctx, wanted in zip(contexts, edits, strict=True)))
    assert [outcome.status for outcome in outcomes] == ["ok"] * 6
    assert (tmp_path / "x").read_text() == (tmp_path / "y").read_text() == lines.replace("line", "row")


async def test_edits_that_come_to_nothing(tmp_path: Path) -> None:
    ctx = made(tmp_path, ONE)
    edits = (edit("a.txt", "one", "1"), edit("a.txt", "1", "one"))
    outcome = await change(ctx, *edits)
    assert (outcome.status, outcome.side_effects) == ("ok", "none")
    with pytest.raises(ToolError, match="come to nothing"):
        preview(ctx, *edits)


def test_every_path_is_a_concern_and_is_pinned_down(tmp_path: Path) -> None:
    inside = tmp_path / "work"
    ctx = made(inside, ONE)
    (inside / "link").symlink_to(tmp_path / "elsewhere.txt")
    assert EDIT_FILES.concern is not None
    arguments = EDIT_FILES.validate(
        {"edits": [edit("a.txt", "x", "y"), edit("link", "", "y"), edit(".git/x", "", "y")]}
    )
    concern = EDIT_FILES.concern(ctx, arguments) or ""
    assert "elsewhere.txt, which is outside the workspace" in concern
    assert ".git/x is inside .git" in concern
    assert EDIT_FILES.concern(ctx, EDIT_FILES.validate({"edits": [edit("a.txt", "x", "y")]})) is None
    assert EDIT_FILES.touches is not None
    assert EDIT_FILES.touches(ctx, arguments) == [inside / "a.txt", tmp_path / "elsewhere.txt", inside / ".git/x"]


async def test_a_link_that_leads_elsewhere_than_what_was_approved(tmp_path: Path) -> None:
    inside = tmp_path / "work"
    ctx = made(inside, ONE)
    (inside / "link").symlink_to(tmp_path / "one.txt")
    edits = [edit("a.txt", "one", "1"), edit("link", "", "y")]
    assert EDIT_FILES.concern is not None
    assert EDIT_FILES.concern(ctx, EDIT_FILES.validate({"edits": edits})) is not None
    (inside / "link").unlink()
    (inside / "link").symlink_to(tmp_path / "two.txt")
    outcome = await change(context(inside, scratch=ctx.scratch, allow_outside=True), *edits)
    assert "what was approved is" in outcome.output
    assert (inside / "a.txt").read_text() == ONE["a.txt"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
async def test_a_write_protected_file_in_the_middle(tmp_path: Path) -> None:
    ctx = made(tmp_path, ONE)
    (tmp_path / "b/c.txt").chmod(0o444)
    outcome = await change(ctx, *ALL)
    assert "b/c.txt is write-protected" in outcome.output
    assert "So none of the 3 files was changed." in outcome.output
    assert present(tmp_path) == ONE


async def test_a_folder_that_takes_no_files_in_the_middle(tmp_path: Path) -> None:
    """For root, who may write anywhere, a file stands where a folder would be needed."""
    ctx = made(tmp_path, ONE | {"new": "a file"})
    outcome = await change(ctx, edit("a.txt", "one", "1"), edit("new/e.txt", "", "x"), edit("d.txt", "four", "4"))
    assert outcome.status == "error"
    assert present(tmp_path) == ONE | {"new": "a file"}


async def test_a_file_that_grows_beyond_what_the_system_lets_us_write(tmp_path: Path) -> None:
    """A real refusal in the middle of a write, as of a full disk."""
    ctx = made(tmp_path, ONE)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        outcome = await change(ctx, edit("a.txt", "one", "1"), edit("d.txt", "four", "4" * 10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert outcome.output == "d.txt: File too large. So none of the 2 files was changed."
    assert present(tmp_path) == ONE


def _failing_at(count: int, real: Callable[..., Any], kind: int) -> Callable[..., Any]:
    calls = [0]

    def call(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] == count:
            raise OSError(kind, os.strerror(kind))
        return real(*args, **kwargs)

    return call


@pytest.mark.parametrize("name", ["write", "fsync", "replace", "link", "fchmod", "open", "unlink"])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 9, 12])
@pytest.mark.parametrize("kind", [errno.ENOSPC, errno.EIO])
async def test_a_disk_that_fails_at_any_step_leaves_all_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, count: int, kind: int
) -> None:
    ctx = made(tmp_path, ONE)
    with monkeypatch.context() as patched:
        patched.setattr(files_module.os, name, _failing_at(count, getattr(os, name), kind))
        outcome = await change(ctx, *ALL)
    after = present(tmp_path)
    if outcome.status == "ok":
        assert after["a.txt"] == "1\n2\n"
    else:
        assert after == ONE, "no file is changed, no temporary is left, no folder is left"
        assert "none of the 3 files" in outcome.output or "Nothing was changed" in outcome.output
        assert outcome.side_effects == "none"
    # The same edits can be made afterwards: nothing wrong is remembered.
    if outcome.status != "ok":
        assert (await change(ctx, *ALL)).status == "ok"


async def test_what_cannot_be_put_back_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second file fails, and by then somebody has changed the first one: their text is not overwritten."""
    ctx = made(tmp_path, ONE)
    real = os.replace
    calls = [0]

    def replace(*args: Any, **kwargs: Any) -> None:
        calls[0] += 1
        if calls[0] == 3:
            (tmp_path / "a.txt").write_text("somebody else's\n")
            raise OSError(errno.EIO, "Input/output error")
        real(*args, **kwargs)

    monkeypatch.setattr(files_module.os, "replace", replace)
    outcome = await change(ctx, edit("a.txt", "one", "1"), edit("b/c.txt", "three", "3"), edit("d.txt", "four", "4"))
    assert (outcome.status, outcome.side_effects) == ("error", "done")
    assert outcome.output == (
        "Not all of the 3 files could be changed: d.txt: Input/output error. a.txt has its new content and could not "
        "be put back (a.txt was changed by somebody else meanwhile; nothing was changed. Read it again.). "
        "1 of the other files changed before it were put back."
    )
    assert present(tmp_path) == ONE | {"a.txt": "somebody else's\n"}


class _Keeper:
    def __init__(self) -> None:
        self.told: list[tuple[str, str, bytes | None]] = []

    def before(self, ctx: ToolContext, path: str, content: bytes | None, mode: int | None, new: bytes | None) -> None:
        self.told.append(("before", Path(path).name, content))

    def after(self, ctx: ToolContext, path: str, content: bytes | None) -> None:
        self.told.append(("after", Path(path).name, content))

    def before_command(self, ctx: ToolContext) -> None: ...

    def after_command(self, ctx: ToolContext) -> None: ...


async def test_the_keeper_is_told_of_every_file_and_of_what_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = _Keeper()
    made(tmp_path, ONE)
    ctx = context(tmp_path, keeper=keeper)
    monkeypatch.setattr(files_module.os, "replace", _failing_at(2, os.replace, errno.EIO))
    await change(ctx, edit("e.txt", "", "five"), edit("a.txt", "one", "1"), edit("d.txt", "four", "4"))
    assert keeper.told == [
        *[("before", "e.txt", None), ("after", "e.txt", b"five")],
        *[("before", "a.txt", b"one\ntwo\n"), ("after", "a.txt", b"1\ntwo\n")],
        *[("before", "d.txt", b"four\n"), ("after", "d.txt", b"four\n")],
        *[("before", "a.txt", b"1\ntwo\n"), ("after", "a.txt", b"one\ntwo\n")],
        *[("before", "e.txt", b"five"), ("after", "e.txt", None)],
    ]
    assert present(tmp_path) == ONE


_TEXT = st.text(alphabet="ab\n", max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(_TEXT, min_size=1, max_size=3),
    edits=st.lists(st.tuples(st.integers(0, 3), _TEXT, _TEXT, st.booleans()), min_size=1, max_size=5),
)
def test_one_call_is_the_same_as_its_edits_one_after_the_other(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], edits: list[tuple[int, str, str, bool]]
) -> None:
    """Where each of them works alone, in turn, together they give the same files; else no file is changed."""
    start = {f"f{index}": text for index, text in enumerate(texts)}
    wanted = [edit(f"f{at}", old, new, all=every) for at, old, new, every in edits]
    one, other = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("other")

    async def in_turn(ctx: ToolContext) -> bool:
        for each in wanted:
            empty = not (one / each["path"]).exists() or not (one / each["path"]).read_text()
            if not each["old"] and each["new"] and empty:
                outcome = await run(WRITE_FILE, ctx, path=each["path"], content=each["new"])
            else:
                outcome = await run(EDIT_FILE, ctx, **each)
            if outcome.status != "ok":
                return False
        return True

    worked = asyncio.run(in_turn(made(one, start)))
    outcome = asyncio.run(change(made(other, start), *wanted))
    assert (outcome.status == "ok") is worked
    assert present(other) == (present(one) if worked else start)
