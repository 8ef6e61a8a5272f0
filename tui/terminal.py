"""What a terminal can do, asked before the screen is taken, and the wall against control characters behind it."""

from __future__ import annotations

import codecs
import locale
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

MIN_COLUMNS, MIN_LINES = 40, 10


class Stream(Protocol):
    def isatty(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Streams:
    """stdin is read, stderr is written to; size: columns and lines, None = ask the terminal."""

    stdin: Stream | None
    stderr: Stream | None
    size: tuple[int, int] | None = None


def can_open(environ: Mapping[str, str], streams: Streams) -> str | None:
    """Why the full screen cannot be opened here, in one line with what to do; None where it can."""
    if streams.stdin is None or not streams.stdin.isatty():
        return "standard input is not a terminal; use `quarterdeck run` in pipes and scripts"
    if streams.stderr is None or not streams.stderr.isatty():
        return "standard error is not a terminal, and the screen is drawn there; do not redirect it"
    term = environ.get("TERM", "")
    if term in ("", "dumb", "unknown"):
        return f"TERM is {term or 'not set'}, so the screen cannot be drawn; set TERM, for example to xterm-256color"
    if not _utf8(environ):
        return "the locale is not UTF-8; set LC_ALL=C.UTF-8 (or another UTF-8 locale)"
    columns, lines = streams.size or tuple(shutil.get_terminal_size())
    if columns < MIN_COLUMNS or lines < MIN_LINES:
        return f"the terminal has {columns}x{lines} characters; at least {MIN_COLUMNS}x{MIN_LINES} are needed"
    return None


SERVED = "QUARTERDECK_SERVED"
"""Set by `quarterdeck serve` for the program that it starts for a browser."""


def is_served(environ: Mapping[str, str], stdin: Stream | None) -> bool:
    """Whether the program draws for a browser; never on a terminal, which would show the packets as text."""
    return environ.get(SERVED) == "1" and (stdin is None or not stdin.isatty())


def _utf8(environ: Mapping[str, str]) -> bool:
    named = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "")
    if "." in named:
        return _is_utf8(named.partition(".")[2].partition("@")[0])
    # The C locale: Python itself switches to UTF-8 there (PEP 538 and 540), and says so here.
    return _is_utf8(locale.getpreferredencoding(False))


def _is_utf8(name: str) -> bool:
    try:
        return codecs.lookup(name).name == "utf-8"
    except LookupError:
        return False


def frames_per_second(environ: Mapping[str, str]) -> float:
    """How often the screen follows a run at most: fewer frames over a network."""
    remote = any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "MOSH_CONNECTION"))
    return 10.0 if remote else 25.0


def frame_time(at_least: float, drain: float) -> float:
    """Seconds from one frame to the next on a terminal that needs `drain` seconds for one: half of the link is left for
    what is typed, and a very slow one still sees something every second."""
    return max(at_least, min(1.0, 2 * drain))


RESTORE = (
    "\x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1016l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1004l"
    "\x1b[<u\x1b[?1049l\x1b[?25h"
)
"""Takes back all that the screen switches on: a frame that was not finished, colours, paste mode, reports of sizes, the
mouse and the focus, the keyboard protocol, the second screen, the hidden cursor."""


def restore(fileno: int, farewell: str = "") -> None:
    """Write RESTORE, after the farewell, to a terminal that may be gone already, or take nothing."""
    data = (farewell + RESTORE).encode()
    try:
        blocking = os.get_blocking(fileno)
        os.set_blocking(fileno, False)
        try:
            os.write(fileno, data)
        finally:
            os.set_blocking(fileno, blocking)
    except OSError:
        return
