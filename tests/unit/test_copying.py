"""What is copied: blocks of code as they were written, and patches that git takes."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from runner.events import FileChange
from runner.messages import JsonObject
from runner.state import CallItem
from runner.tools.preview import diff_preview
from runner.undo.blobs import Blobs
from tests.tui.transcript_runs import BEGINNING
from tui import copying

CALL = CallItem(
    item_id="c",
    call_id="c",
    tool="edit_file",
    time=BEGINNING,
    mono=1.0,
    phase="finished",
    status="ok",
    started_mono=1.0,
    arguments={"path": "a"},
)


def test_blocks_of_code_keep_their_tabs_and_lose_what_a_terminal_would_obey() -> None:
    text = (
        "Make:\n\n```make\nall:\n\techo \x1b[31mred\n```\n\n1. item\n\n   ~~~ {.python}\n   if x:\n       y\n   ~~~\n\n"
        "> ```\n> quoted\n> ```\n\nnot `code`\n\n    indented\n"
    )
    found = copying.code_blocks(text)
    assert [(block.language, block.text) for block in found] == [
        ("make", "all:\n\techo ␛red"),
        ("python", "if x:\n    y"),
        ("", "quoted"),
        ("", "indented"),
    ]
    assert copying.code_blocks("plain\r\nwords") == []


def test_the_command_of_a_call() -> None:
    call = replace(CALL, tool="shell", arguments={"command": "printf 'a\tb'\nls"})
    assert copying.command_of(call) == "printf 'a\tb'\nls"
    assert copying.command_of(CALL) is None
    assert copying.command_of(replace(CALL, arguments='{"command": "cut')) is None


def git(folder: Path, *arguments: str, given: str = "") -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], input=given, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, (done.stderr, given)
    return done.stdout


def applied(folder: Path, before: dict[str, str], patch: str) -> dict[str, str]:
    """The files after the patch, in a folder that has those of before."""
    folder.mkdir()
    for name, text in before.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, newline="")
    git(folder, "init", "-q")
    git(folder, "apply", "-", given=patch)
    files = [file for file in folder.rglob("*") if file.is_file() and ".git" not in file.parts]
    return {str(file.relative_to(folder)): file.read_text() for file in files}


CASES = {
    "plain.txt": ("one\ntwo\n", "one\n2\n"),
    "no newline": ("a", "b"),
    "new file.txt": (None, "new\n"),
    'dir with space/ä "q".txt': ("x\n" * 20, "x\n" * 10 + "y\n" + "x\n" * 10),
    "empty.txt": (None, ""),
}


@pytest.mark.parametrize("several", [False, True])
def test_shown_diffs_are_patches_that_git_applies(tmp_path: Path, several: bool) -> None:
    files = [diff_preview(name, old, new) for name, (old, new) in CASES.items()]
    displays: list[JsonObject] = [{"type": "diffs", "files": [*files]}] if several else files
    text = ""
    for display in displays:
        patch = copying.shown_patch(replace(CALL, display=display))
        assert patch is not None
        assert not patch.note
        text += patch.text
    before = {name: old for name, (old, _) in CASES.items() if old is not None}
    assert applied(tmp_path / "work", before, text) == {name: new for name, (_, new) in CASES.items()}


def test_a_diff_that_was_cut_is_no_patch_and_what_was_not_done_says_so() -> None:
    cut = diff_preview("a", "old\n" * 500, "new\n" * 500, shown=200)
    assert copying.shown_patch(replace(CALL, display=cut)) is None
    asked = replace(CALL, status="denied", display=diff_preview("a", "old\n", "new\n"))
    patch = copying.shown_patch(asked)
    assert patch is not None
    assert patch.note == "it was not done"


def test_what_a_command_changed_becomes_a_patch_from_what_is_kept(tmp_path: Path) -> None:
    blobs, folder = Blobs(tmp_path / "data"), tmp_path / "here"
    folder.mkdir()

    def kept(text: str) -> str:
        return blobs.put(text.encode())

    from runner.undo.blobs import digest_of

    (folder / "changed").write_text("after\n")
    (folder / "other").write_text("somebody else's\n")
    changes = [
        FileChange(path=str(folder / "changed"), before=kept("before\n"), after=digest_of(b"after\n")),
        FileChange(path=str(folder / "gone"), before=kept("bye\n"), mode=0o100755),
        FileChange(path=str(folder / "made"), after=kept("made\n"), mode_after=0o100755),
        FileChange(path=str(folder / "other"), before=kept("mine\n"), after=digest_of(b"lost\n")),
        FileChange(path=str(folder / "binary"), before=kept("a\0b"), after=kept("c")),
        FileChange(path="/elsewhere", after=kept("x")),
    ]
    patch = copying.kept_patch(changes, blobs, folder)
    assert patch.files == 3
    assert [Path(name).name for name in patch.left_out] == ["other", "binary", "elsewhere"]
    assert "deleted file mode 100755" in patch.text
    assert "new file mode 100755" in patch.text
    assert applied(tmp_path / "work", {"changed": "before\n", "gone": "bye\n"}, patch.text) == {
        "changed": "after\n",
        "made": "made\n",
    }


def test_control_characters_in_a_patch_become_marks_and_that_is_said() -> None:
    patch = copying.shown_patch(replace(CALL, display=diff_preview("a", "x\n", "\x1b[2Jy\ttab\n")))
    assert patch is not None
    assert "\x1b" not in patch.text
    assert "\ty" not in patch.text
    assert "y\ttab" in patch.text
    assert "may not apply" in patch.note


def test_the_amount_is_said_in_lines_where_there_are_several() -> None:
    assert copying.amount("one") == "3 characters"
    assert copying.amount("one\ntwo\n") == "2 lines, 8 characters"
