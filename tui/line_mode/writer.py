"""Writes what is said, in a thread of its own: a reader who stands still never holds up Ctrl+C."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue

from tui.headless import write_all

BEHIND = 256 * 1024
"""Bytes that may wait for the reader before nothing more is taken from the runs."""


class Writer:
    """Everything but run belongs to one thread. broken: called there once when nobody can read any more."""

    def __init__(self, descriptor: int, encoding: str, broken: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._encoding = encoding
        self._broken = broken
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[bytes | asyncio.Event | None] = SimpleQueue()
        self._waiting = 0
        self._lock = threading.Lock()
        self._gone = False
        self._line_open = False
        self._thread = threading.Thread(target=self._run, name="output", daemon=True)
        self._thread.start()

    @property
    def behind(self) -> bool:
        return self._waiting > BEHIND

    @property
    def line_open(self) -> bool:
        """Whether the last line has not ended yet."""
        return self._line_open

    def write(self, text: str) -> None:
        """Clean text, as it is."""
        if not text:
            return
        self._line_open = not text.endswith("\n")
        data = text.encode(self._encoding, errors="backslashreplace")
        with self._lock:
            self._waiting += len(data)
        self._queue.put(data)

    def newline(self) -> None:
        """The terminal is at the beginning of a line, because the person pressed enter."""
        self._line_open = False

    async def drained(self) -> None:
        """All that was written so far has left."""
        done = asyncio.Event()
        self._queue.put(done)
        await done.wait()

    async def close(self, patience: float) -> None:
        """What waits is written, as long as somebody reads it within so many seconds."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join, patience)

    def _run(self) -> None:
        while (found := self._queue.get()) is not None:
            if isinstance(found, bytes):
                self._put(found)
            else:
                self._tell(found.set)

    def _put(self, data: bytes) -> None:
        try:
            if not self._gone:
                write_all(self._descriptor, data)
        except OSError:
            self._gone = True
            self._tell(self._broken)
        finally:
            with self._lock:
                self._waiting -= len(data)

    def _tell(self, function: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:
            # The program has ended before its last words were read.
            self._gone = True
