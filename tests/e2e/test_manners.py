"""The terminal is given back: after ctrl+z, after a stall, after a bug; and what is told around the screen meanwhile.

One story on a real pseudo-terminal whose reader is this test, so that it can stop reading.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
import stat
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pexpect
import psutil
import pyte
import pytest

from tests.conftest import need
from tests.contract.sources import ROOT
from tests.e2e.records import Records, text_of
from tests.e2e.terminal import PATIENCE
from tests.e2e.written import unmeant

BOOT = """
import sys
from tui.app import QuarterdeckApp

def invoke(self, action_id, copies=False, before=QuarterdeckApp.action_invoke):
    if action_id != "theme":
        return before(self, action_id, copies)
    async def fails():
        value = "a-value-that-nobody-may-see"
        raise RuntimeError(value)
    self.work(fails(), "story")

QuarterdeckApp.action_invoke = invoke
from tui.__main__ import main
main()
"""
ON = {b"1049", b"1000", b"1003", b"1006", b"2004", b"1004"}
STALL_GROWS = 24 * 1024 * 1024
"""Bytes that the program may grow by while nobody reads: a frame that waits, and what a run needs anyway."""


class Shell:
    """A shell with job control on a terminal that is read only while somebody waits for something."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.child: pexpect.spawn[bytes] = pexpect.spawn(
            need("bash"),
            ["--norc", "--noprofile", "-i"],
            cwd=str(folder),
            env={**environ, "PS1": "deck-shell> ", "PYTHONPATH": str(ROOT)},
            dimensions=(30, 100),
        )
        self.written = b""
        self._screen = pyte.Screen(100, 30)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def text(self) -> str:
        return "\n".join(self._screen.display)

    def read(self) -> None:
        try:
            data = self.child.read_nonblocking(1 << 16, timeout=0.05)
        except pexpect.TIMEOUT:
            return
        self.written += data
        self._stream.feed(re.sub(rb"\x1b\[(?:>25|<)u|\x1b\[2[23];2t|\x1b\]22;\w+\x1b\\", b"", data))

    def until(self, wanted: str | Callable[[], object], since: int = 0) -> None:
        """Read until a text is on the screen, or bytes were written, or a state is there."""
        end = time.monotonic() + PATIENCE
        while not (wanted in self.text if isinstance(wanted, str) else wanted()):
            assert time.monotonic() < end, f"never saw {wanted}:\n{self.text}\n{self.written[-300:]!r}"
            self.read()

    def send(self, data: bytes) -> None:
        self.child.send(data)

    def command(self, line: str) -> None:
        self.send(line.encode() + b"\r")

    def program(self) -> psutil.Process:
        found = psutil.Process(self.child.pid).children()
        assert len(found) == 1
        return found[0]

    def on(self) -> set[bytes]:
        """Modes that are on."""
        written = self.written
        modes = {mode for mode in ON if written.rfind(b"\x1b[?%bh" % mode) > written.rfind(b"\x1b[?%bl" % mode)}
        title = written.count(b"\x1b[22;2t") > written.count(b"\x1b[23;2t")
        keys = written.count(b"\x1b[>25u") > written.count(b"\x1b[<u")
        others = {name for name, on in ((b"title", title), (b"keys", keys)) if on}
        return modes | others

    def stall(self) -> float:
        """Read nothing until the terminal takes nothing more; gives when to lose patience."""
        end = time.monotonic() + PATIENCE
        before, same = -1, 0
        while same < 12 or before < 1000:
            assert time.monotonic() < end, f"{before} bytes wait"
            time.sleep(0.05)
            waiting = struct.unpack("i", fcntl.ioctl(self.child.child_fd, termios.FIONREAD, b"\0" * 4))[0]
            before, same = waiting, same + 1 if waiting == before else 0
        return end

    def settings(self) -> list[object]:
        return termios.tcgetattr(self.child.child_fd)


@pytest.fixture
def shell(folder: Path, environ: dict[str, str]) -> Iterator[Shell]:
    ghostty = {"TERM": "xterm-ghostty", "TERM_PROGRAM": "ghostty", "TERM_PROGRAM_VERSION": "1.2.0"}
    opened = Shell(folder, environ | ghostty | {"QUARTERDECK_DEMO_SPEED": "6"})
    try:
        opened.until("deck-shell>")
        yield opened
    finally:
        for process in psutil.Process(opened.child.pid).children(recursive=True):
            process.kill()
        opened.child.close(force=True)


def _suspended(shell: Shell, stop: Callable[[], None]) -> None:
    """Stopped, the terminal is the shell's; continued, the screen is there again and takes keys."""
    mark = len(shell.written)
    stop()
    shell.until(lambda: b"deck-shell>" in shell.written[mark:])
    assert shell.on() == set()
    assert b"is stopped" in shell.written[mark:]
    shell.command("fg")
    shell.until(lambda: shell.on() == ON | {b"title", b"keys"})
    shell.until("Write a message")


def _told_while_away(shell: Shell) -> None:
    """The window loses the focus after a message was sent; what then waits is told by a notice, once."""
    shell.send(b"create some.txt with words\r\x1b[O")
    shell.until(lambda: b"777;notify;Quarterdeck;waiting for you: 1 approval - work" in shell.written)
    shell.until(lambda: b"]2;Quarterdeck: waiting for you (1) - work" in shell.written)
    shell.send(b"\x1b[I\x07")
    shell.until("armed")
    shell.send(b"y")
    shell.until("done in")


def _stalled(shell: Shell, records: Records, program: psutil.Process) -> str:
    """Nobody reads, in the middle of a long answer: keys are heard all the same, and the last state is shown after it.
    Gives the session."""
    shell.send(b"/model demo/slow")
    shell.until("/model demo/slow")
    shell.send(b"\r")
    shell.until("demo/slow (not real)")
    shell.command("hello there")
    shell.until(lambda: b"This is a long answer" in shell.written)
    before = program.memory_info().rss
    deadline = shell.stall()
    shell.send(b"typed while it stalled\x1b[20~")
    while not (runs := records.runs())[-1].finished:
        assert time.monotonic() < deadline, "the abort was not heard during the stall"
        time.sleep(0.05)
    assert runs[-1].reason == "aborted"
    assert "This is a long answer" in text_of(runs[-1])
    assert program.memory_info().rss - before < STALL_GROWS
    shell.until("typed while it stalled")
    shell.until("aborted")
    return runs[-1].session_id


def test_the_terminal_is_given_back_whatever_happens(
    shell: Shell, records: Records, environ: dict[str, str], tmp_path: Path
) -> None:
    boot = tmp_path / "boot.py"
    boot.write_text(BOOT)
    settings = shell.settings()
    shell.command(f"{sys.executable} {boot}")
    shell.until("ready")
    program = shell.program()
    shell.until(lambda: b"]2;Quarterdeck: ready - work" in shell.written)

    _suspended(shell, lambda: shell.send(b"\x1a"))
    _suspended(shell, lambda: program.send_signal(signal.SIGTSTP))
    program.send_signal(signal.SIGSTOP)
    shell.until(lambda: program.status() == psutil.STATUS_STOPPED)
    mark = len(shell.written)
    shell.command("fg")
    # The shell showed its prompt over the screen, which is taken and drawn again.
    shell.until(lambda: b"]2;Quarterdeck: ready" in shell.written[mark:])
    shell.send(b"one word")
    shell.until("one word")
    shell.send(b"\x15\x7f")

    _told_while_away(shell)
    session = _stalled(shell, records, program)

    shell.send(b"\x15")
    mark = len(shell.written)
    shell.send(b"\x14")
    shell.until(lambda: b"deck-shell>" in shell.written[mark:])
    shell.command("echo left with $?.")
    shell.until(lambda: b"left with 1." in shell.written[mark:])
    assert shell.on() == set()
    # The shell sets it for its own line when it shows the next prompt.
    shell.until(lambda: shell.settings() == settings)
    screen, _, words = shell.written.rpartition(b"\x1b[?1049l")
    said = words.decode()
    assert "a fault of the program ended it: RuntimeError in boot.py" in said
    assert f"--session {session}" in said
    assert "Traceback" not in said
    assert "a-value-that" not in said
    log = next((Path(environ["QUARTERDECK_DATA"]) / "crashes").iterdir())
    assert str(log) in said.replace("\r\n", "")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert unmeant(screen) == []


def test_the_end_does_not_wait_for_a_terminal_that_takes_nothing(shell: Shell) -> None:
    settings = shell.settings()
    shell.command(f"{sys.executable} -m tui --model demo/slow; echo left with $?.")
    shell.until("ready")
    shell.command("hello there")
    shell.until(lambda: b"This is a long answer" in shell.written)
    program = shell.program()
    shell.stall()
    program.send_signal(signal.SIGTERM)
    program.wait(PATIENCE)
    shell.until("left with 143.")
    assert shell.on() == set()
    shell.until("deck-shell>")
    # The shell sets it for its own line when it shows the next prompt.
    shell.until(lambda: shell.settings() == settings)
    assert os.isatty(shell.child.child_fd)
