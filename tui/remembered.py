"""What the screen keeps from one start to the next and is no configuration: one small file of JSON for each purpose.

Losing one is never worse than a start without it, so nothing here is fatal: a missing, damaged or foreign file reads as
{}, and a folder that cannot be written is only counted.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

FOLDER = "ui"
MOST = 4 << 20
"""Bytes of a file that are read at most."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}\Z")


class Remembered:
    """Reads at once, writes in a thread of its own in the order of the calls; what was written last is what is read.

    Usable from any thread. failed: how many writes did not succeed.
    """

    def __init__(self, data_dir: Path) -> None:
        self.failed = 0
        self._folder = data_dir / FOLDER
        self._lock = threading.Condition()
        self._waiting: dict[str, str] = {}
        self._writing = False

    def path(self, name: str) -> Path:
        """Where a purpose is kept. Raises ValueError for a name that is none: lower case letters, digits, - and _."""
        if _NAME.match(name) is None:
            raise ValueError(f"{name!r} is no name of something remembered")
        return self._folder / f"{name}.json"

    def read(self, name: str) -> dict[str, Any]:
        """What was written last, {} where that is nothing or cannot be read."""
        path = self.path(name)
        with self._lock:
            text = self._waiting.get(name)
        return _object(_text(path) if text is None else text)

    def write(self, name: str, value: Mapping[str, Any]) -> None:
        """Keep a value that JSON can hold, in the place of the last one; returns at once."""
        import json

        self.path(name)
        text = json.dumps(dict(value), ensure_ascii=True, separators=(",", ":"))
        with self._lock:
            self._waiting[name] = text
            if not self._writing:
                self._writing = True
                # Not a daemon: the interpreter waits for it, so the last change before the end is not lost.
                threading.Thread(target=self._write_all, name="quarterdeck-remembered", daemon=False).start()

    def flush(self, seconds: float = 5.0) -> bool:
        """Wait until everything is written; whether it was in this time."""
        with self._lock:
            return self._lock.wait_for(lambda: not self._writing, seconds)

    def _write_all(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._writing = False
                    self._lock.notify_all()
                    return
                name, text = next(iter(self._waiting.items()))
            try:
                _replace(self.path(name), text)
            except OSError:
                self.failed += 1
            with self._lock:
                # A newer value came meanwhile: it is written by the next round.
                if self._waiting.get(name) == text:
                    del self._waiting[name]


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MOST).decode("utf-8", errors="replace")
    except OSError:
        return ""


def _object(text: str) -> dict[str, Any]:
    if not text:
        return {}
    import json

    # RecursionError: brackets nested without end, in a file that something else wrote.
    with contextlib.suppress(ValueError, RecursionError):
        found: object = json.loads(text)
        if isinstance(found, dict):
            return cast("dict[str, Any]", found)
    return {}


def _replace(path: Path, text: str) -> None:
    """Write the whole file in one step, readable by its owner only whatever the umask says."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    handle = os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with open(handle, "w", encoding="ascii") as file:
            os.fchmod(handle, 0o600)
            file.write(text)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
