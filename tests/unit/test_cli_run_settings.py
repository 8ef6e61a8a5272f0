"""`quarterdeck run --effort --temperature`, and the marks of favourites in `quarterdeck models`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.cli import main_with as main
from tui.model_memory import ModelMemory
from tui.remembered import Remembered


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--effort", "hihg"], "--effort: no effort is called 'hihg'; did you mean high?"),
        (["--effort", "low"], "--effort: demo/pilot takes no reasoning effort"),
        (["--temperature", "warm"], "--temperature: 'warm' is no temperature; it is 0 to 2, or default"),
        (["--temperature", "3"], "--temperature: temperature is 3; it is 0 to 2"),
    ],
)
def test_a_setting_that_cannot_be_is_a_usage_error(
    options: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUARTERDECK_DATA", str(tmp_path / "data"))
    assert main(["run", "hello", "--model", "demo/pilot", *options]) == 2
    assert said in capsys.readouterr().err


def test_favourites_come_first_and_are_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUARTERDECK_DATA", str(tmp_path))
    remembered = Remembered(tmp_path)
    ModelMemory(remembered).toggle("openai/gpt-4o")
    assert remembered.flush()
    assert main(["models"]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("openai/gpt-4o ")
    assert "; favourite" in first
    assert "favourite" not in "".join(rest)
