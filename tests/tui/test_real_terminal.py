"""The real program on a pseudo-terminal: signals, the end of its input, pastes, what is left behind."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pyte
import pytest

from tests.contract.sources import ROOT

PATIENCE = 30.0


class Terminal:
    """The program and the screen that its output makes."""

    def __init__(self, folder: Path, *arguments: str, columns: int = 100, lines: int = 30) -> None:
        environ = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)}
        self.child: pexpect.spawn[bytes] = pexpect.spawn(
            sys.executable,
            ["-m", "tui", *arguments],
            cwd=str(folder),
            env=environ,
            dimensions=(lines, columns),
            timeout=PATIENCE,
        )
        self.written = b""
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def text(self) -> str:
        return "\n".join(self._screen.display)

    def read(self) -> bool:
        """Take what the program wrote; False when it has ended."""
        try:
            data = self.child.read_nonblocking(65536, timeout=0.05)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.written += data
        # pyte does not know the keyboard protocol's private sequences.
        self._stream.feed(data.replace(b"\x1b[>25u", b"").replace(b"\x1b[<u", b""))
        return True

    def until(self, words: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while words not in self.text:
            assert self.read(), f"ended without {words!r}:\n{self.text}"
            assert time.monotonic() < deadline, f"never saw {words!r}:\n{self.text}"

    def ended(self) -> int:
        """The exit code, a signal's number as a negative one."""
        deadline = time.monotonic() + PATIENCE
        while self.read():
            assert time.monotonic() < deadline, "never ended"
        self.child.close(force=False)
        return self.child.exitstatus if self.child.exitstatus is not None else -(self.child.signalstatus or 0)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path)
    try:
        opened.until("ready")
        yield opened
    finally:
        opened.child.close(force=True)


def test_a_message_is_answered_and_the_program_left(terminal: Terminal) -> None:
    terminal.child.send(b"what is in this folder?\r")
    terminal.until("done in")
    terminal.child.send(b"\x11")
    assert terminal.ended() == 0
    for mode in (b"1049", b"1000", b"2004", b"1004"):
        assert terminal.written.rfind(b"\x1b[?%bl" % mode) > terminal.written.rfind(b"\x1b[?%bh" % mode)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_run_and_gives_the_terminal_back(terminal: Terminal, number: int, code: int) -> None:
    terminal.child.send(b"run the command: sleep 60\r")
    terminal.until("waiting for you")
    terminal.until("armed")
    terminal.child.send(b"y")
    terminal.until("running shell")
    terminal.child.kill(number)
    assert terminal.ended() == code
    for back in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?2004l", b"\x1b[?1000l"):
        assert back in terminal.written
    assert b"Traceback" not in terminal.written


def test_the_end_of_the_input_ends_the_program(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.until("ready")
    pid = terminal.child.pid
    assert pid is not None
    os.close(terminal.child.child_fd)
    deadline = time.monotonic() + PATIENCE
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            break
        assert time.monotonic() < deadline, "still running without a terminal"
        time.sleep(0.02)
    assert os.waitstatus_to_exitcode(status) in (129, -signal.SIGHUP)


def test_a_paste_never_becomes_keys_even_on_an_armed_card(terminal: Terminal) -> None:
    terminal.child.send(b"create hello.txt with a greeting\r")
    terminal.until("armed")
    terminal.child.send(b"\x1b[200~abc\x1b[31my\x1b[201~")
    terminal.until("abc[31my")
    terminal.until("to answer")
    assert "waiting for you" in terminal.text
    terminal.child.send(b"\x03")
    terminal.until("stopped")


def test_input_that_is_not_text_does_not_end_the_program(terminal: Terminal) -> None:
    terminal.child.send(b"\x1b[M\xff\xfe\xfd\xc3\x28\x1b[<999;1")
    terminal.child.send(b"\x1b]0;\x1b[[[\xf0\x9f")
    terminal.child.send(b"still here")
    terminal.until("still here")


def test_escape_is_a_key_of_its_own(terminal: Terminal) -> None:
    terminal.child.send(b"\x12")
    terminal.until("newest first")
    terminal.child.send(b"\x1b")
    terminal.until("ready")
    deadline = time.monotonic() + PATIENCE
    while "newest first" in terminal.text:
        terminal.read()
        assert time.monotonic() < deadline


def test_stopped_from_outside_and_continued_the_screen_comes_back(terminal: Terminal) -> None:
    terminal.child.kill(signal.SIGSTOP)
    time.sleep(0.1)
    terminal.child.kill(signal.SIGCONT)
    terminal.child.send(b"typed after")
    terminal.until("typed after")
