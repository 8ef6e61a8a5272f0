"""`quarterdeck themes`: a theme is begun, checked, and what is wrong in it is said with its line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui.cli import main_with
from tui.commands.themes import folder
from tui.settings.load import user_file


def test_a_theme_is_begun_checked_and_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main_with(["themes", "new", "night-sea", "--from", "fjord"]) == 0
    file = folder() / "night-sea.toml"
    assert file.parent == user_file(os.environ).parent / "themes"
    assert main_with(["themes", "check", "night-sea"]) == 0
    assert "all text reaches 4.5 to 1" in capsys.readouterr().out
    assert main_with(["themes", "new", "night-sea"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main_with(["themes", "new", "paper"]) == 2
    assert main_with(["themes", "new", "../paper"]) == 2
    text = file.read_text()
    muted = next(line for line in text.splitlines() if line.startswith("muted = "))
    file.write_text(text.replace(muted, 'muted = "#333333"'))
    capsys.readouterr()
    assert main_with(["themes", "check", str(file)]) == 1
    said = capsys.readouterr()
    assert "muted on background: 1." in said.out
    assert "harder to read than 4.5 to 1" in said.err
    file.write_text(text.replace(muted, 'muted = "grey"'))
    line = text.splitlines().index(muted) + 1
    assert main_with(["themes"]) == 1
    said = capsys.readouterr()
    assert f"{file}:{line}: base.muted: expected a colour" in said.err
    assert "paper" in said.out
    assert "night-sea" not in said.out
    file.write_text(text + "oops = [")
    assert main_with(["themes", "check", "night-sea"]) == 1
    assert f"{file}:{text.count(chr(10)) + 1}: " in capsys.readouterr().err
