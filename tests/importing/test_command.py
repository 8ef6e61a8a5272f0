"""`quarterdeck sessions import`, as a person would type it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.importing.test_reading import SAMPLES, said, sample
from tui.cli import main_with


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which the programs keep their logs where they do."""
    home = tmp_path / "home"
    projects = home / ".claude" / "projects" / "-home-user-code-logproj"
    projects.mkdir(parents=True)
    (projects / "ef37993f.jsonl").write_text("".join(sample("claude-code")))
    days = home / ".codex" / "sessions" / "2026" / "11" / "20"
    days.mkdir(parents=True)
    (days / "rollout-2026-11-20.jsonl").write_text("".join(sample("codex")))
    (days / "notes.jsonl").write_text("{}\n")
    for name, value in {"HOME": home, "QUARTERDECK_DATA": home / "data", "QUARTERDECK_CONFIG": home / "config"}.items():
        monkeypatch.setenv(name, str(value))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    return home


def sessions(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    capsys.readouterr()
    assert main_with(["sessions", "list", "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_all_of_a_program_from_where_it_keeps_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main_with(["sessions", "import", "--from", "claude-code"]) == 0
    assert "2 new runs  (Claude Code ef37993f" in capsys.readouterr().out
    assert main_with(["sessions", "import", "--from", "claude-code"]) == 0
    assert "nothing new" in capsys.readouterr().out
    assert main_with(["sessions", "import", "--from", "codex", "--json"]) == 0
    (row,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (row["from"], row["added"], row["damaged"], row["unknown"]) == ("codex", 2, [], {})
    assert {row["imported"] for row in sessions(capsys)} == {"codex", "claude-code"}
    assert main_with(["sessions", "search", "hello from logprobe", "--limit", "3"]) == 0
    text = capsys.readouterr().out
    assert text.count("output of Bash") + text.count("output of exec_command") + text.count("call of ") == 3
    assert "echo hello-from-logprobe > logprobe.txt" in text or "Output: hello-from-logprobe" in text
    assert main_with(["usage"]) == 0
    assert "no requests" in "".join(capsys.readouterr())


def test_without_being_asked_nothing_is_read_and_a_dry_run_keeps_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main_with(["sessions", "import"]) == 2
    assert "say what to import" in capsys.readouterr().err
    assert main_with(["sessions", "import", str(SAMPLES), "--dry-run"]) == 0
    assert capsys.readouterr().out.count("would take") == 2
    assert sessions(capsys) == []


def test_what_cannot_be_read_is_said_and_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "1.jsonl").write_text('{"hello": 1}\n')
    (logs / "2.jsonl").write_text(
        said("hello \x1b[31m") + "\n{broken\n" + '{"type": "dream\\u001b", "sessionId": "s"}\n'
    )
    (logs / "3.jsonl").write_bytes(said("bad").encode() + b"\n\xff\xfe\n")
    assert main_with(["sessions", "import", str(logs)]) == 1
    output = capsys.readouterr()
    assert output.out.count("1 new run") == 1
    assert output.out.count("nothing new") + output.out.count("longer than before") == 1
    assert "1.jsonl: it is no log of a program that is known here" in output.err
    assert "2.jsonl, line 2: not JSON" in output.err
    assert "2 damaged lines passed over" in output.err
    assert "dream" in output.err
    assert "\x1b" not in output.out + output.err
    assert len(sessions(capsys)) == 1


@pytest.mark.parametrize("words", [["nowhere.jsonl"], ["--from", "nobody"], ["empty"]])
def test_a_wrong_place_is_an_error_of_one_line(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    try:
        code = main_with(["sessions", "import", *words])
    except SystemExit as error:
        code = error.code
    assert code == 2
    assert capsys.readouterr().err.startswith("quarterdeck")
