"""The real program on a real terminal: a shell in tmux that starts it, keys in, the screen out.

Every Terminal has a tmux server of its own. Tests wait for states of the screen, the disk and the processes, never
for time to pass; a state that does not come fails with the screen in the message.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

import pexpect
import psutil

PATIENCE = 40.0
"""Seconds until a test gives up waiting for a state; a loaded machine needs a few of them, a sound one is quick."""

POLL = 0.05
PROMPT = "deck-shell>"
ARMED = "armed: your next key decides"
"""Said by the approval card from the moment when its keys count."""

PASTE_START, PASTE_END = b"\x1b[200~", b"\x1b[201~"

Screen: TypeAlias = str
Wanted: TypeAlias = str | re.Pattern[str] | Callable[[Screen], bool]

_MODE = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")
_KITTY = re.compile(rb"\x1b\[([><])[0-9;]*u")
_OFF_AT_THE_END = frozenset({9, 47, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 1047, 1048, 1049, 2004, 2026, 2048})
_numbers = itertools.count()


class OpenTerminal(Protocol):
    """Opens a terminal of a size, with more variables in its environment."""

    def __call__(self, columns: int = 120, rows: int = 36, /, **environ: str) -> Terminal: ...


class Terminal:
    """A shell in a window of tmux. start() types the program's command; the rest drives what is in front."""

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str],
        *,
        log: Path,
        columns: int = 120,
        rows: int = 36,
    ) -> None:
        """folder: where the shell works. environ: all of its environment. log: a file for all that is written to the
        terminal, byte by byte."""
        self.folder = folder
        self._log = log
        self._columns, self._rows = columns, rows
        self._socket = f"qd-e2e-{os.getpid()}-{next(_numbers)}"
        self._environ = {name: value for name, value in environ.items() if name not in ("TMUX", "TMUX_PANE")}
        rc = log.with_suffix(".sh")
        rc.write_text(f"PS1='{PROMPT} '\n")
        self._environ |= {"ENV": str(rc), "INPUTRC": "/dev/null", "HISTFILE": ""}
        self._commands = 0
        self._started: list[psutil.Process] = []
        options = "default-terminal tmux-256color ; escape-time 0 ; status off ; remain-on-exit on ; exit-empty off"
        settings = [word for option in options.split(" ; ") for word in ("set", "-g", *option.split(), ";")]
        size = ["-x", str(columns), "-y", str(rows)]
        self.tmux("start-server", ";", *settings, "new-session", "-d", *size, "-c", str(folder), "exec sh -i")
        self._socket_file = Path(self.tmux("display", "-p", "#{socket_path}"))
        self.tmux("set", "-w", "window-size", "manual")
        self.tmux("pipe-pane", "-O", f"exec cat >> {shlex.quote(str(log))}")
        self.shell = psutil.Process(int(self.tmux("display", "-p", "#{pane_pid}")))
        self._started.append(self.shell)
        self.wait_for(PROMPT)

    def tmux(self, *words: str, data: bytes | None = None, check: bool = True) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._socket, "-f", "/dev/null", *words],
            env=self._environ,
            input=data,
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )
        if check and done.returncode:
            raise AssertionError(f"tmux {shlex.join(words)}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode(errors="replace").rstrip("\n")

    def close(self) -> None:
        """End everything that was started here."""
        self._note_programs()
        self.tmux("kill-server", check=False)
        self._socket_file.unlink(missing_ok=True)
        end = time.monotonic() + 10
        while (alive := [process for process in self._started if _lives(process)]) and time.monotonic() < end:
            time.sleep(0.01)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def start(self, *arguments: str, **environ: str) -> None:
        """Start the program; its exit code is shown when it is left."""
        self.command(shlex.join([sys.executable, "-m", "tui", *arguments]), **environ)

    def command(self, line: str, **environ: str) -> None:
        """Type a command at the shell's prompt."""
        assert self.program is None, f"the program is in front:\n{self.screen()}"
        given = "".join(f"{name}={shlex.quote(value)} " for name, value in environ.items())
        self._commands += 1
        self.type(f"clear; {given}{line}; echo left {self._commands} with $?")
        self.press("Enter")

    def type(self, text: str) -> None:
        """Characters, as fast as they can be written."""
        self.tmux("send-keys", "-l", "--", text)

    def press(self, *keys: str) -> None:
        """Keys by tmux's names: Enter, Escape, C-c, F9, PageUp."""
        # A semicolon alone would separate commands of tmux.
        self.tmux("send-keys", *("\\;" if key == ";" else key for key in keys))

    def send_bytes(self, data: bytes) -> None:
        """Exactly these bytes, whatever they mean to the program."""
        self.tmux("load-buffer", "-", ";", "paste-buffer", "-r", "-d", data=data)

    def paste(self, data: bytes) -> None:
        """A paste as a terminal delivers it that does not look into it."""
        self.send_bytes(PASTE_START + data + PASTE_END)

    def send(self, text: str) -> None:
        """Write a message, send it, and see it leave the message's box."""
        self.type(text)
        self.wait_for(lambda screen: text[-20:] in composer(screen), hint=f"{text!r} in the message")
        self.press("Enter")
        self.wait_for(lambda screen: text[-20:] not in composer(screen), hint=f"{text!r} sent")

    def resize(self, columns: int, rows: int) -> None:
        self._columns, self._rows = columns, rows
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def attach(self) -> pexpect.spawn[bytes]:
        """A terminal of its own that shows the session until it is closed; it need not be read."""
        words = ["-L", self._socket, "-f", "/dev/null", "attach"]
        return pexpect.spawn("tmux", words, env={**self._environ, "TERM": "xterm-256color"}, dimensions=(30, 90))

    def screen(self) -> Screen:
        return self.tmux("capture-pane", "-p")

    def wait_for(self, *wanted: Wanted, timeout: float = PATIENCE, hint: str = "") -> Screen:
        """The screen that has all that is wanted: texts, patterns, or what a function says of it."""
        end = time.monotonic() + timeout
        while True:
            screen = self.screen()
            missing = [one for one in wanted if not _holds(one, screen)]
            if not missing:
                return screen
            if time.monotonic() > end:
                state = hint or "the state"
                shown = [one if isinstance(one, str) else getattr(one, "pattern", state) for one in missing]
                late = f"{shown} did not come within {timeout:g} s"
                raise AssertionError(f"{late}; the screen:\n{screen}\n{self._tail()}")
            time.sleep(POLL)

    def until(self, holds: Callable[[], object], what: str, timeout: float = PATIENCE) -> None:
        """Wait for a state outside of the screen."""
        end = time.monotonic() + timeout
        while not holds():
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not come within {timeout:g} s; the screen:\n{self.screen()}")
            time.sleep(POLL)

    def left(self, timeout: float = PATIENCE) -> int:
        """Wait until the program is left, and give its exit code."""
        end = re.compile(rf"left {self._commands} with (\d+)$", re.MULTILINE)
        screen = self.wait_for(end, PROMPT, timeout=timeout)
        found = end.search(screen)
        assert found is not None
        if code := int(found[1]):
            # What it said when it was left; pytest shows it beside a test that did not expect the code.
            print(screen)
        return code

    @property
    def program(self) -> psutil.Process | None:
        """The process of the program, while there is one."""
        self._note_programs()
        return next((process for process in self._children() if _is_program(process)), None)

    def running(self) -> psutil.Process:
        program = self.program
        assert program is not None, f"the program does not run; the screen:\n{self.screen()}"
        return program

    def _children(self) -> list[psutil.Process]:
        try:
            return self.shell.children()
        except psutil.Error:
            return []

    def _note_programs(self) -> None:
        with contextlib.suppress(psutil.Error):
            self._started += [one for one in self.shell.children(recursive=True) if one not in self._started]

    @property
    def written(self) -> bytes:
        """All that was written to the terminal so far."""
        return self._log.read_bytes() if self._log.exists() else b""

    def left_on(self) -> set[str]:
        """What a program should have switched off again, and did not: modes of the terminal."""
        state: dict[int, bool] = {}
        written = self.written
        for found in _MODE.finditer(written):
            for number in found[1].split(b";"):
                state[int(number)] = found[2] == b"h"
        bad = {f"mode {number}" for number, on in state.items() if on and number in _OFF_AT_THE_END}
        if not state.get(25, True):
            bad.add("hidden cursor")
        turns = [found[1] for found in _KITTY.finditer(written)]
        if turns.count(b">") > turns.count(b"<"):
            bad.add("keyboard protocol")
        if written.count(b"\x1b[22;2t") != written.count(b"\x1b[23;2t"):
            bad.add("title")
        flags = {"alternate_on": "second screen", "mouse_any_flag": "mouse", "mouse_sgr_flag": "mouse reports"}
        said = self.tmux("display", "-p", " ".join(f"#{{{name}}}" for name in (*flags, "cursor_flag"))).split()
        bad |= {words for words, flag in zip(flags.values(), said, strict=False) if flag == "1"}
        if said[-1] != "1":
            bad.add("hidden cursor")
        return bad

    def settings(self) -> str:
        """The line settings of the terminal, read from outside as `stty -a` shows them."""
        tty = self.tmux("display", "-p", "#{pane_tty}")
        with open(tty, "rb") as terminal:
            return subprocess.run(["stty", "-a"], stdin=terminal, capture_output=True, text=True, check=True).stdout

    def _tail(self) -> str:
        return f"the last bytes: {self.written[-400:]!r}"


def _holds(wanted: Wanted, screen: Screen) -> bool:
    match wanted:
        case str():
            return wanted in screen or wanted in transcript(screen)
        case re.Pattern():
            return wanted.search(screen) is not None
        case _:
            return wanted(screen)


def _lives(process: psutil.Process) -> bool:
    """A zombie is dead: whoever adopted it may take its time to notice."""
    try:
        return process.is_running() and process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.Error:
        return False


def _is_program(process: psutil.Process) -> bool:
    try:
        return "tui" in process.cmdline()[1:4] and _lives(process)
    except psutil.Error:
        return False


def transcript(screen: Screen) -> str:
    """The words left of the side pane, as one line, so that a text is found wherever it was wrapped."""
    return " ".join(" ".join(line.partition("▏")[0] for line in screen.splitlines()).split())


def composer(screen: Screen) -> str:
    """What is written in the message: the last box of the screen, on a low one the line above the status line."""
    lines = screen.splitlines()
    ends = [number for number, line in enumerate(lines) if line.lstrip().startswith("╰")]
    starts = [number for number, line in enumerate(lines) if line.lstrip().startswith("╭")]
    if starts and ends:
        return "\n".join(line.strip(" │") for line in lines[starts[-1] + 1 : ends[-1]])
    dots = [number for number, line in enumerate(lines) if "● " in line]
    return lines[dots[-1] - 1].strip() if dots and dots[-1] else ""


def status(screen: Screen) -> str:
    """The status line: the last line with the state's dot."""
    return next((line for line in reversed(screen.splitlines()) if "● " in line), "")


def listed(screen: Screen) -> list[str]:
    """The models in the open list, as they are called there, best first."""
    return re.findall(r"│ (?:[★•] |  )(\S+) .*(?:free|price unknown|\$\S+ / \$\S+) ", screen)


def alive_with(marker: str) -> list[str]:
    """Living processes whose command line has the marker, found by looking at all processes."""
    found: list[str] = []
    for process in psutil.process_iter(["pid", "status", "cmdline"]):
        words: Sequence[str] = process.info["cmdline"] or ()
        dead = process.info["status"] in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
        if not dead and any(marker in word for word in words):
            found.append(f"{process.info['pid']}: {shlex.join(words)}")
    return found
