"""The card in the real program on a pseudo-terminal: an editor that takes the screen, and pastes into a form."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.hostile import HOSTILE
from tests.e2e.written import unmeant
from tests.tui.test_real_terminal import Terminal

EDITOR = """\
import json, pathlib, sys
path = pathlib.Path(sys.argv[-1])
print("the editor has the screen", flush=True)
line = sys.stdin.readline()
arguments = json.loads(path.read_text())
arguments["path"] = line.strip()
path.write_text(json.dumps(arguments))
"""


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    script = tmp_path / "editor.py"
    script.write_text(EDITOR)
    monkeypatch.setenv("VISUAL", shlex.join([sys.executable, str(script)]))
    workspace = tmp_path / "work"
    workspace.mkdir()
    opened = Terminal(workspace)
    try:
        opened.until("ready")
        yield opened
    finally:
        opened.child.close(force=True)


def test_an_editor_gets_the_terminal_and_gives_it_back(terminal: Terminal, tmp_path: Path) -> None:
    terminal.child.send(b"create hello.txt with a greeting\r")
    terminal.until("armed")
    terminal.child.send(b"E")
    terminal.until("the editor has the screen")
    terminal.child.send(b"edited.txt\r")
    terminal.until("changed: path")
    terminal.until("edited.txt")
    terminal.child.send(b"\x13")
    terminal.until("done in")
    assert (tmp_path / "work" / "edited.txt").exists()
    assert not (tmp_path / "work" / "hello.txt").exists()


def test_no_paste_into_a_form_saves_it_or_reaches_the_terminal_as_control(terminal: Terminal, tmp_path: Path) -> None:
    terminal.child.send(b"create hello.txt with a greeting\r")
    terminal.until("armed")
    terminal.child.send(b"e")
    terminal.until("nothing is changed yet")
    # Once as terminals that know pastes send it, once as the others do.
    terminal.child.send(b"\x1b[200~" + f"one {HOSTILE}\x13\r".encode() + b"\x1b[201~")
    terminal.until("changed: path")
    terminal.child.send(b"two\x13\rthree")
    terminal.until("three")
    terminal.until("waiting for you: 1 approval")
    terminal.child.send(b"\x03")
    terminal.until("stopped")
    assert list((tmp_path / "work").iterdir()) == []
    terminal.child.send(b"\x11")
    assert terminal.ended() == 0
    assert unmeant(terminal.written) == []
