"""A ring of output on disk: as much as is worth keeping of a process that nobody may ever read."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

CAP: Final = 8 * 1024 * 1024
"""Bytes on disk for one process; what is older is overwritten."""

TAIL: Final = 64 * 1024
"""Bytes that are in memory besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """text: from start to end, positions in all that was ever printed. lost: bytes before it that are gone."""

    text: str
    start: int
    end: int
    lost: int = 0


class Spool:
    """Written by one thread, read by any. total: bytes that were printed so far."""

    def __init__(self, cap: int = CAP) -> None:
        self.total = 0
        self._cap = cap
        self._lock = threading.Lock()
        self._file = _nameless_file()
        self._broken = self._file is None
        self._closed = False
        self._tail = bytearray()
        self._waiting: list[Callable[[], None]] = []

    def add(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        with self._lock:
            self._write(data[-self._cap :], self.total + max(0, len(data) - self._cap))
            self.total += len(data)
            self._tail += data[-TAIL:]
            del self._tail[:-TAIL]
            told, self._waiting = self._waiting, []
        for tell in told:
            tell()

    def text(self) -> str:
        """The end of a command's collecting: what it printed stays here."""
        return ""

    def read(self, start: int, most: int) -> Piece:
        """At most `most` bytes from start on, the newest of them where there are more."""
        with self._lock:
            kept = len(self._tail) if self._broken or self._closed else min(self.total, self._cap)
            first = max(start, self.total - kept, self.total - most)
            data = self._slice(first)
        return Piece(text=data.decode("utf-8", "replace"), start=first, end=first + len(data), lost=first - start)

    def end(self, most: int = 4096) -> str:
        """The last bytes, from memory."""
        with self._lock:
            return bytes(self._tail[-most:]).decode("utf-8", "replace")

    def when_more(self, seen: int, tell: Callable[[], None]) -> bool:
        """Have tell called once, from the writing thread, when more than seen was printed. False: it is so already."""
        with self._lock:
            if self.total > seen:
                return False
            self._waiting.append(tell)
            return True

    def wake(self) -> None:
        """There will be no more."""
        with self._lock:
            told, self._waiting = self._waiting, []
        for tell in told:
            tell()

    def close(self) -> None:
        """Give the disk back; the end stays in memory."""
        with self._lock:
            if not self._closed:
                self._closed = True
                if self._file is not None:
                    os.close(self._file)

    def _write(self, data: bytes, at: int) -> None:
        if self._broken or self._closed or self._file is None:
            return
        place = at % self._cap
        first = min(len(data), self._cap - place)
        try:
            _write_all(self._file, data[:first], place)
            _write_all(self._file, data[first:], 0)
        except OSError:
            # No room on the disk: from here on only what is in memory is kept.
            self._broken = True

    def _slice(self, first: int) -> bytes:
        length = self.total - first
        if length <= len(self._tail):
            return bytes(self._tail[len(self._tail) - length :])
        assert self._file is not None, "what is not in memory is in the file"
        place = first % self._cap
        here = min(length, self._cap - place)
        found = os.pread(self._file, here, place)
        return found + os.pread(self._file, length - here, 0)


def _nameless_file() -> int | None:
    """A file that is gone when it is closed, in whatever way; None where there is no room for one."""
    try:
        fd, name = tempfile.mkstemp(prefix="quarterdeck-output-")
        os.unlink(name)
    except OSError:
        return None
    return fd


def _write_all(fd: int, data: bytes, place: int) -> None:
    while data:
        written = os.pwrite(fd, data, place)
        data, place = data[written:], place + written
