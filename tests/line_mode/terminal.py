"""The real program in line mode: on a pseudo-terminal with the screen that it makes, and on pipes."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pexpect
import pyte

from tests.contract.sources import ROOT

PATIENCE = 30.0


def environ_of(**more: str) -> dict[str, str]:
    # The size of the terminal is the terminal's own.
    return {
        **{name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")},
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "QUARTERDECK_DEMO_SPEED": "8",
        **more,
    }


class Terminal:
    """lines: of the screen; large, so that nothing that is waited for scrolls away."""

    def __init__(
        self, folder: Path, *arguments: str, environ: Mapping[str, str], columns: int = 150, lines: int = 120
    ) -> None:
        """arguments: those of the program, or with -c first those of Python."""
        self.child: pexpect.spawn[bytes] = pexpect.spawn(
            sys.executable,
            [*(() if arguments[0] == "-c" else ("-m", "tui")), *arguments],
            cwd=str(folder),
            env=environ_of(**environ),
            dimensions=(lines, columns),
            timeout=PATIENCE,
        )
        self.child.delaybeforesend = None
        self.written = b""
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines).rstrip()

    @property
    def last(self) -> str:
        """The line that the cursor stands in."""
        return self.lines[self._screen.cursor.y]

    def read(self) -> bool:
        """Take what the program wrote; False when it has ended."""
        try:
            data = self.child.read_nonblocking(65536, timeout=0.05)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.written += data
        self._stream.feed(data)
        return True

    def until(self, words: str, *, times: int = 1) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.text.count(words) < times:
            assert self.read(), f"ended without {words!r}:\n{self.text}"
            assert time.monotonic() < deadline, f"never saw {words!r}:\n{self.text}"

    def asks(self, prompt: str) -> None:
        """The cursor stands behind this prompt, with nothing written there."""
        deadline = time.monotonic() + PATIENCE
        while self.last != prompt:
            assert self.read(), f"ended without asking {prompt!r}:\n{self.text}"
            assert time.monotonic() < deadline, f"never asked {prompt!r}:\n{self.text}"

    def type(self, text: str) -> None:
        self.child.send(text.encode())

    def enter(self, text: str) -> None:
        self.type(f"{text}\r")

    def say(self, text: str) -> None:
        """A line at the message's prompt."""
        self.asks(">")
        self.enter(text)

    def answer(self, prompt: str, text: str) -> None:
        self.asks(prompt)
        self.enter(text)

    def ended(self) -> int:
        """The exit code, a signal's number as a negative one."""
        deadline = time.monotonic() + PATIENCE
        while self.read():
            assert time.monotonic() < deadline, f"never ended:\n{self.text}"
        self.child.close(force=False)
        return self.child.exitstatus if self.child.exitstatus is not None else -(self.child.signalstatus or 0)

    def gone(self) -> int:
        """The terminal is closed, as when its window is; the exit code."""
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), self.child.child_fd)
        deadline = time.monotonic() + PATIENCE
        while self.child.isalive():
            assert time.monotonic() < deadline, "it went on without a terminal"
            time.sleep(0.01)
        return self.child.exitstatus if self.child.exitstatus is not None else -(self.child.signalstatus or 0)

    def close(self) -> None:
        self.child.close(force=True)


class Pipes:
    """The program with pipes for its input and output."""

    def __init__(self, folder: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tui", *arguments],
            cwd=folder,
            env=environ_of(**(environ or {})),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._stdin, self._stdout = self.process.stdin, self.process.stdout
        self.out = b""

    def send(self, *lines: str) -> None:
        self._stdin.write("".join(f"{line}\n" for line in lines).encode())
        self._stdin.flush()

    def until(self, words: str, *, times: int = 1) -> None:
        deadline = time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(self._stdout, selectors.EVENT_READ)
            while self.out.count(words.encode()) < times:
                assert time.monotonic() < deadline, f"never saw {words!r}:\n{self.text}"
                if selector.select(0.5):
                    data = os.read(self._stdout.fileno(), 65536)
                    assert data, f"ended without {words!r}:\n{self.text}"
                    self.out += data

    @property
    def text(self) -> str:
        return self.out.decode()

    def end(self) -> tuple[int, str]:
        """Close the input and wait: the exit code, and what was said on stderr."""
        rest, error = self.process.communicate(timeout=PATIENCE)
        self.out += rest
        return self.process.returncode, error.decode()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
