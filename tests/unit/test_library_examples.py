"""The example of the library's documentation runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runner.review.cases import from_jsonl
from runner.testing import ScriptedModel
from tests.contract.sources import ROOT

EXAMPLE = Path(__file__).with_name("library_example.py").read_text(encoding="utf-8")


def test_the_example_of_looking_back_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    # The demo types as slowly as a model does; nothing else is another one.
    source = EXAMPLE.replace('model="demo/pilot"', "model=MODEL")
    assert source != EXAMPLE
    exec(compile(source, "example", "exec"), {"MODEL": ScriptedModel(["Hello to you."], loop_last=True)})
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "hello 1 None complete"
    assert "5 model_responded" in printed
    assert any(line.endswith(" said") for line in printed)
    assert "test/scripted 1 0 1" in printed
    with open("cases.jsonl", encoding="utf-8") as file:
        (case,) = from_jsonl(file)
    assert printed[-1] == f"{case.id} True ('it should have said which folder',)"


def test_the_documentation_shows_that_very_example() -> None:
    blocks = re.findall(r"```python\n(# Look back.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert blocks == [EXAMPLE]
