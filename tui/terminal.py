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
    """How often the screen follows a run: fewer frames over a network."""
    remote = any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "MOSH_CONNECTION"))
    return 10.0 if remote else 25.0


RESTORE = "\x1b[?2004l\x1b[?7h\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1004l\x1b[<u\x1b[?1049l\x1b[?25h"
"""Takes back all that the screen switches on: paste mode, mouse, focus reports, the keyboard protocol, the second
screen, the hidden cursor."""


def restore(fileno: int) -> None:
    """Write RESTORE to a terminal that may be gone already."""
    try:
        os.write(fileno, RESTORE.encode())
    except OSError:
        return
