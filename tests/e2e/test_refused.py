"""Where the screen cannot be opened, the program says why in one line; line mode then leaves the terminal as it was."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.terminal import PATIENCE, OpenTerminal, Terminal

PROMPT = re.compile(r"^> ?$", re.MULTILINE)


def test_without_a_terminal(folder: Path, environ: Mapping[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui"],
        cwd=folder,
        env={**environ, "TERM": "xterm-256color"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "quarterdeck: standard input is not a terminal; use `quarterdeck run` in pipes and scripts; this is line mode"
    ]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"TERM": "dumb"}, "TERM is dumb, so the screen cannot be drawn"),
        ({"TERM": ""}, "TERM is not set, so the screen cannot be drawn"),
        ({"LC_ALL": "en_US.ISO-8859-1"}, "the locale is not UTF-8"),
    ],
)
def test_with_a_terminal_that_cannot_draw(terminal: OpenTerminal, variables: dict[str, str], said: str) -> None:
    shell = terminal()
    shell.start(**variables)
    _leave(shell)
    _one_line(shell.screen(), said, until="quarterdeck, line mode")


def test_with_a_theme_that_is_not_there(terminal: OpenTerminal) -> None:
    shell = terminal()
    shell.start(QUARTERDECK_THEME="nowhere")
    assert shell.left() == 2
    _one_line(shell.screen(), "nowhere", until="left ")
    assert b"\x1b[?1049h" not in shell.written


def test_with_a_terminal_that_is_too_small(terminal: OpenTerminal) -> None:
    shell = terminal(30, 5)
    shell.start()
    shell.wait_for("be typed.", PROMPT)
    shell.resize(120, 30)
    shell.wait_for("the terminal has 30x5 characters; at least 40x10 are needed")
    _leave(shell)


def test_with_the_screen_redirected(terminal: OpenTerminal, folder: Path) -> None:
    shell = terminal()
    shell.command(f"{sys.executable} -m tui 2> said.txt")
    _leave(shell)
    (line,) = (folder / "said.txt").read_text().splitlines()
    assert "standard error is not a terminal" in line


def _leave(shell: Terminal) -> None:
    """Out of line mode, with the terminal as it was."""
    shell.wait_for("be typed.", PROMPT)
    shell.press("C-d")
    assert shell.left() == 0
    assert b"\x1b[?1049h" not in shell.written
    assert shell.left_on() == set()


def _one_line(screen: str, said: str, *, until: str) -> None:
    """One line of the program's, however the terminal wraps it."""
    lines = screen.splitlines()
    end = next(number for number, line in enumerate(lines) if line.startswith(until))
    start = next(number for number, line in enumerate(lines) if line.startswith("quarterdeck: "))
    text = "".join(lines[start:end])
    assert said in text
    assert text.count("quarterdeck: ") == 1
    assert len(text) < 240
