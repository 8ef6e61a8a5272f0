"""When a bug of ours ends the program: a log without secrets, and a few last words in the terminal.

The words name the kind of fault and its place, never a message or a value: those may hold what nobody should see on a
shared screen. The log has the messages too, with secrets masked, and no values of variables.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shlex
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

FOLDER: Final = "crashes"
KEPT: Final = 20
"""Logs that are kept; older ones are removed when a new one is written."""

LONGEST: Final = 200_000
"""Characters of a log."""

_OURS: Final = ("tui", "runner", "themes")
_ROOT: Final = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash:
    """session_id: of the session on the screen, None where it has no run yet. live: a run was going on. saved: the runs
    ended in time. folder: the option --cwd that the program was started with, as a path."""

    error: BaseException
    session_id: str | None = None
    live: bool = False
    saved: bool = True
    folder: str | None = None


def kind(error: BaseException) -> str:
    """Its type and where it was raised: "KeyError in tui/deck.py, line 88"."""
    name = type(error).__name__
    at: tuple[str, int] | None = None
    own: tuple[str, int] | None = None
    trace = error.__traceback__
    while trace is not None:
        at = (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
        own = at if _ours(at[0]) else own
        trace = trace.tb_next
    found = own or at
    return f"{name} in {_short(found[0])}, line {found[1]}" if found else name


def _ours(file: str) -> bool:
    return any(file.startswith(f"{_ROOT}{os.sep}{name}{os.sep}") for name in _OURS)


def _short(file: str) -> str:
    return str(Path(file).relative_to(_ROOT)) if _ours(file) else Path(file).name


def trace_of(error: BaseException, environ: Mapping[str, str]) -> str:
    """The traceback without values of variables, secrets masked."""
    from runner.store.redact import Redactor

    lines = traceback.TracebackException.from_exception(error, capture_locals=False).format()
    return Redactor(environ).text("".join(lines)[:LONGEST])


def write_log(error: BaseException, data_dir: Path, environ: Mapping[str, str], *, note: str = "") -> Path | None:
    """Keep what is known of a fault in a file for its owner only; None where that cannot be."""
    from importlib.metadata import version

    now = datetime.now(UTC)
    # What the interpreter itself runs out of (memory, stack) may fail again here.
    try:
        head = [
            f"quarterdeck {version('quarterdeck')}, textual {version('textual')}, Python {platform.python_version()}",
            f"{platform.system()} {platform.release()}, TERM={environ.get('TERM', '')}",
            now.isoformat(timespec="seconds"),
            *([note] if note else []),
        ]
        text = "\n".join([*head, "", trace_of(error, environ)])
        folder = data_dir / FOLDER
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{now:%Y%m%d-%H%M%S}-{os.getpid()}.log"
        handle = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with open(handle, "w", encoding="utf-8", errors="replace") as file:
            os.fchmod(handle, 0o600)
            file.write(text)
    except (OSError, MemoryError, RecursionError):
        return None
    _thin(folder)
    return path


def _thin(folder: Path) -> None:
    with contextlib.suppress(OSError):
        for old in sorted(folder.glob("*.log"))[:-KEPT]:
            old.unlink(missing_ok=True)


def last_words(crash: Crash, log: Path | None) -> Sequence[str]:
    lines = [f"a fault of the program ended it: {kind(crash.error)}"]
    if crash.live:
        lines.append(
            "The run that went on was aborted; what it did is saved."
            if crash.saved
            else "The run that went on could not be ended in time; the next start closes it."
        )
    if log is None:
        lines.append("A log could not be written; the same command with --debug shows more.")
    else:
        lines.append(f"The log, without values and with secrets masked: {log}")
    if crash.session_id is not None:
        where = f" --cwd {shlex.quote(crash.folder)}" if crash.folder else ""
        lines.append(f"To go on with this session: quarterdeck{where} --session {crash.session_id}")
    return lines
