"""Whatever a model, a tool, a file or a provider says: line mode writes nothing that it does not mean."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from tests.e2e.hostile import HOSTILE, IN_A_NAME, call
from tests.e2e.written import unmeant
from tests.line_mode.conftest import OpenTerminal
from tests.line_mode.terminal import Pipes, Terminal
from tests.provider.replies import Call, Reply
from tests.provider.server import run_in_thread

_EDITING = re.compile(rb"\x1b\[(?:\d*[ABCD]|\??[JK]|0?J|\?1l|\?12l|\?25[hl]|\?7[hl]|0m|\?2004[hl])|(?<=>)\x08|\x08")
"""What prompt_toolkit moves the cursor with, in the line that is being edited."""


def _odd(written: bytes) -> list[str]:
    return unmeant(_EDITING.sub(b"", written))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    workspace = tmp_path / f"work {IN_A_NAME}"
    workspace.mkdir()
    (workspace / "evil.txt").write_text(HOSTILE + "\n")
    (workspace / "print.py").write_text(f"import sys\nsys.stdout.write({HOSTILE!r} + '\\n')\n")
    return workspace


def _replies() -> list[Reply]:
    # Wherever the terminal breaks the line, or the command itself does, it tries to look like a question of ours.
    command = f"{shlex.quote(sys.executable)} print.py # {HOSTILE}\n# {' ' * 144}waiting for you: nothing\nlow risk"
    return [
        call("shell", 1, command=command),
        call("write_file", 2, path=f"made {IN_A_NAME}", content=f"{HOSTILE}\n"),
        call("read_file", 3, path="evil.txt"),
        call(f"no {HOSTILE} tool", 4, text=HOSTILE),
        Reply(text=[HOSTILE], calls=[Call(name="shell", pieces=('{"command": "' + HOSTILE,), id="call_5")]),
        call("ask_user", 6, question=HOSTILE, choices=[HOSTILE[:150], HOSTILE[-150:]]),
        Reply(status=401, error={"error": {"message": HOSTILE, "code": HOSTILE}}),
    ]


def _configure(isolated_environment: Path, url: str) -> None:
    config = isolated_environment / "quarterdeck-config"
    config.mkdir(exist_ok=True)
    lines = ['model = "lab/x"', '[models."lab/x"]', 'model = "openai/x"', f'api_base = "{url}"']
    (config / "config.toml").write_text("\n".join([*lines, "context_window = 2000000"]))


def test_a_conversation_on_a_terminal(terminal: OpenTerminal, isolated_environment: Path) -> None:
    with run_in_thread(*_replies()) as provider:
        _configure(isolated_environment, provider.openai_url)
        deck = terminal()
        deck.say("go on")
        deck.asks("allow shell?")
        assert not any(line.startswith(("waiting for you: nothing", "low risk")) for line in deck.lines)
        assert any(line.startswith(": waiting for you: nothing") for line in deck.lines)
        deck.enter("allow")
        deck.answer("allow write_file?", "edit {}")
        deck.answer("allow that, yes or back?", "back")
        deck.answer("allow write_file?", "allow")
        deck.answer("your answer to ask_user:", "1")
        deck.until("quarterdeck: failed")
    for words in (
        "/show",
        "/sessions",
        "/sessions 1",
        "/status",
        "/cost",
        "/decisions",
        "/undo",
        "/find own",
        "/ledger",
    ):
        deck.say(words)
    deck.say("/quit")
    assert deck.ended() == 0
    _nothing_odd(deck)


def _nothing_odd(deck: Terminal) -> None:
    odd = _odd(deck.written)
    assert odd == []


def test_a_conversation_on_a_pipe(folder: Path, isolated_environment: Path) -> None:
    with run_in_thread(*_replies()) as provider:
        _configure(isolated_environment, provider.openai_url)
        process = Pipes(folder)
        try:
            process.send("go on")
            process.until("allow shell?\n")
            process.send("a")
            process.until("allow write_file?")
            process.send("view", "a")
            process.until("your answer to ask_user:")
            process.send("2")
            code, _ = process.end()
        finally:
            process.close()
    assert code == 1
    assert unmeant(process.out) == []


def test_the_reader_of_the_bytes_still_sees_what_is_hostile() -> None:
    assert _odd(f"plain {HOSTILE} plain".encode())
