"""`quarterdeck keys`: what it prints is what the screen takes, and who says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tui.actions import ACTIONS
from tui.cli import main_with
from tui.keymap import keymap


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUARTERDECK_CONFIG", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "config.toml"


def test_every_action_is_listed_with_who_says_so(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text('keymap = "vim"\n\n[keys]\nmodel = "f7"\n')
    assert main_with(["keys", "--json"]) == 0
    rows = {row["action"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert list(rows) == [action.id for action in ACTIONS]
    keys = keymap({"model": "f7"}, preset="vim")
    assert {name: tuple(row["keys"]) for name, row in rows.items()} == {a.id: keys.of(a.id) for a in ACTIONS}
    assert rows["model"]["by"] == f"user ({file}:4)"
    assert rows["list.down"]["by"] == "preset vim"
    assert rows["quit"]["by"] == "default"
    assert rows["quit"]["reserved"]
    assert "less a key" in rows["cancel_tool"]["by"]


def test_a_preset_is_shown_without_the_changes_and_a_query_narrows_it(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text('[keys]\npalette = "f7"\n')
    assert main_with(["keys", "--preset", "emacs", "find", "command"]) == 2
    capsys.readouterr()
    assert main_with(["keys", "--preset", "emacs", "find a command"]) == 0
    assert capsys.readouterr().out.split() == ["palette", "alt+x", "/commands", "everywhere", "preset", "emacs"]
    assert main_with(["keys", "nothing has this name"]) == 1


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('[keys]\nmodel = "ctrl+q"\n', "config.toml:2: keys.model: ctrl+q is reserved for quit"),
        ('keymap = "vi"\n', "config.toml:1"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    file: Path, capsys: pytest.CaptureFixture[str], text: str, wrong: str
) -> None:
    file.write_text(text)
    assert main_with(["keys"]) == 2
    assert wrong in capsys.readouterr().err
