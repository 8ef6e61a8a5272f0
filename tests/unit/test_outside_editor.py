"""A text in a person's own editor: how it is found, what the file is like, and what is said when nothing comes back."""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from textual.app import SuspendNotSupported

from tui.outside_editor import EditorError, edit


def editor(folder: Path, body: str) -> str:
    script = folder / "editor.py"
    script.write_text(f"import pathlib, sys\npath = pathlib.Path(sys.argv[-1])\n{body}\n")
    return shlex.join([sys.executable, str(script)])


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_the_file_is_the_owners_only_and_gone_afterwards(tmp_path: Path, own_folder: Path) -> None:
    body = "path.write_text(oct(path.stat().st_mode & 0o777) + path.suffix + path.read_text())"
    found = edit("text", ".json", {**os.environ, "EDITOR": editor(tmp_path, body)}, nullcontext)
    assert found == "0o600.jsontext"
    assert os.listdir(own_folder) == []


def test_visual_comes_before_editor(tmp_path: Path) -> None:
    environ = {**os.environ, "VISUAL": editor(tmp_path, "path.write_text('visual')"), "EDITOR": "false"}
    assert edit("", ".txt", environ, nullcontext) == "visual"


def test_an_editor_that_replaces_the_file_is_read_too(tmp_path: Path) -> None:
    body = "other = path.with_name('other'); other.write_text('replaced'); other.replace(path)"
    assert edit("", ".txt", {**os.environ, "EDITOR": editor(tmp_path, body)}, nullcontext) == "replaced"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("", "no editor is set"),
        ("  ", "no editor is set"),
        ("/nowhere/editor --wait", "/nowhere/editor cannot be started"),
        ("vi 'unfinished", "cannot be understood"),
    ],
)
def test_what_is_wrong_with_the_editor_is_said(wanted: str, words: str, own_folder: Path) -> None:
    with pytest.raises(EditorError, match=words):
        edit("text", ".txt", {"EDITOR": wanted}, nullcontext)
    assert os.listdir(own_folder) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("sys.exit(3)", "ended with code 3"),
        ("path.unlink()", "cannot be read"),
        ("path.write_bytes(bytes([255]))", "is not UTF-8"),
        ("path.write_bytes(bytes(4 * 1024 * 1024 + 1))", "longer than 4 MB"),
    ],
)
def test_what_does_not_come_back_is_said(tmp_path: Path, own_folder: Path, body: str, words: str) -> None:
    with pytest.raises(EditorError, match=words):
        edit("text", ".txt", {**os.environ, "EDITOR": editor(tmp_path, body)}, nullcontext)
    assert os.listdir(own_folder) == []


def test_a_terminal_that_cannot_be_lent(own_folder: Path) -> None:
    def suspend() -> AbstractContextManager[None]:
        raise SuspendNotSupported("no")

    with pytest.raises(EditorError, match="cannot be lent"):
        edit("text", ".txt", {"EDITOR": "true"}, suspend)
    assert os.listdir(own_folder) == []
