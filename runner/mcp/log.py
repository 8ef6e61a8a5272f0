"""What a server prints beside the protocol: its end in memory, and in a file where there is a folder for it."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections import deque
from pathlib import Path

from runner.mcp.text import plain

KEPT = 64 * 1024
"""Characters in memory."""

FILE_LIMIT = 2 * 1024 * 1024
"""Bytes of a log file; what comes after is not written. The file of the time before is kept as `.1`."""

_TAIL_LINES = 200
_TAIL = 16 * 1024


class ServerLog:
    """May be written from any thread. A file that cannot be written is none: the server matters more."""

    def __init__(self, folder: Path | None, server: str) -> None:
        name = re.sub(r"[^A-Za-z0-9_-]", "_", server)[:64]
        self._path = None if folder is None else folder / f"{name}.log"
        self._lock = threading.Lock()
        self._pieces: deque[str] = deque()
        self._size = 0
        self._fd: int | None = None
        self._room = 0

    def open(self) -> None:
        """Begin a file anew. Blocks."""
        if self._path is None:
            return
        with self._lock, contextlib.suppress(OSError):
            self._close()
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._path.exists():
                os.replace(self._path, self._path.with_suffix(".log.1"))
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
            self._fd, self._room = os.open(self._path, flags, 0o600), FILE_LIMIT

    def add(self, text: str) -> None:
        with self._lock:
            self._pieces.append(text)
            self._size += len(text)
            while self._size - len(self._pieces[0]) >= KEPT:
                self._size -= len(self._pieces.popleft())
            self._write(text)

    def note(self, text: str) -> None:
        """A line of ours, or of the protocol's own messages."""
        self.add(f"{text}\n")

    def tail(self) -> str:
        """The last lines, as plain text."""
        with self._lock:
            whole = "".join(self._pieces)[-_TAIL:]
        return "\n".join(plain(whole, _TAIL).splitlines()[-_TAIL_LINES:])

    def last_line(self) -> str:
        lines = [line.strip() for line in self.tail().splitlines() if line.strip()]
        return lines[-1] if lines else ""

    def close(self) -> None:
        with self._lock:
            self._close()

    def _write(self, text: str) -> None:
        if self._fd is None or self._room <= 0:
            return
        data = text.encode("utf-8", "replace")
        self._room -= len(data)
        if self._room <= 0:
            data = data[: self._room] + b"\n[... more is not written ...]\n" if self._room else data
        with contextlib.suppress(OSError):
            os.write(self._fd, data)

    def _close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
