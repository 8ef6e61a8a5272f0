"""What a process prints: kept whole up to a cap, shown live at a bounded rate, in bounded memory."""

from __future__ import annotations

import codecs
import tempfile
from collections import deque
from collections.abc import Callable
from typing import Protocol

FULL_OUTPUT_CAP = 8 * 1024 * 1024
"""Bytes of one command's output that are kept; of more, the middle is left out."""

_TAIL = 1024 * 1024
_IN_MEMORY = 256 * 1024

LIVE_INTERVAL = 0.05
"""Seconds between two live updates."""

LIVE_BURST = 256 * 1024
LIVE_RATE = 32 * 1024
"""Characters a command may show live at once, and per second after that."""


def _spool() -> tempfile.SpooledTemporaryFile[bytes]:
    """A file without a name, readable by nobody else, gone when it is closed."""
    return tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)


class Decoder:
    """UTF-8 as it comes in pieces; what is not UTF-8 becomes the replacement character."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes) -> str:
        return self._decoder.decode(data)

    def finish(self) -> str:
        return self._decoder.decode(b"", final=True)


class Collector(Protocol):
    """Takes a command's output as it comes, in one thread. total: bytes so far. text: once, at the end."""

    total: int

    def add(self, text: str) -> None: ...

    def text(self) -> str: ...


class Kept:
    """The output of one command: its beginning in a file of its own (in memory while small), its end in a ring."""

    def __init__(self, cap: int = FULL_OUTPUT_CAP, tail: int = _TAIL) -> None:
        self._head = _spool()
        self._head_room = max(cap - tail, 0)
        self._head_size = 0
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self._tail_limit = tail
        self._lost = ""
        self.total = 0

    def add(self, text: str) -> None:
        data = text.encode("utf-8")
        self.total += len(data)
        # Once something went to the tail, all that follows does, so that the order is kept.
        if self._tail_size == 0 and len(data) <= self._head_room - self._head_size and self._write(data):
            return
        self._tail.append(data)
        self._tail_size += len(data)
        while self._tail_size - len(self._tail[0]) >= self._tail_limit:
            self._tail_size -= len(self._tail.popleft())

    def _write(self, data: bytes) -> bool:
        try:
            self._head.write(data)
        except OSError as error:
            self._lost = f"; its beginning could not be kept: {error.strerror}"
            self._head_room = 0
            return False
        self._head_size += len(data)
        return True

    def text(self) -> str:
        """All that is kept, with a line that says what is not. Ends the collecting."""
        try:
            self._head.seek(0)
            head = self._head.read()[: self._head_size]
        except OSError as error:
            head, self._lost = b"", f"; its beginning could not be read again: {error.strerror}"
        self._head.close()
        left_out = self.total - len(head) - self._tail_size
        marker = f"\n[... {left_out:,} bytes of output were not kept{self._lost} ...]\n".encode() if left_out else b""
        return (head + marker + b"".join(self._tail)).decode("utf-8", "replace")


class LiveFeed:
    """Live output in bounded pieces: small pieces are joined, and of a flood only the newest part is shown."""

    def __init__(self, emit: Callable[[str, str], None], now: float) -> None:
        self._emit = emit
        self._pieces: deque[tuple[str, str]] = deque()
        self._size = 0
        self._dropped = 0
        self._allowance = float(LIVE_BURST)
        self._last = now - LIVE_INTERVAL

    def add(self, stream: str, text: str) -> None:
        self._pieces.append((stream, text))
        self._size += len(text)
        while self._size - len(self._pieces[0][1]) > LIVE_BURST:
            self._drop()

    def _drop(self) -> None:
        size = len(self._pieces.popleft()[1])
        self._size -= size
        self._dropped += size

    def due(self) -> float | None:
        """The time of the next update; None where nothing waits."""
        return self._last + LIVE_INTERVAL if self._pieces else None

    def flush(self, now: float) -> None:
        """Emit what waits, as much as the rate allows: stream and text, in order."""
        self._allowance = min(LIVE_BURST, self._allowance + (now - self._last) * LIVE_RATE)
        self._last = now
        while self._pieces and self._size > self._allowance:
            stream, text = self._pieces[0]
            excess = self._size - int(self._allowance)
            self._drop()
            if len(text) > excess:
                self._pieces.appendleft((stream, text[excess:]))
                self._size += len(text) - excess
                self._dropped -= len(text) - excess
        self._allowance -= self._size
        joined: list[tuple[str, list[str]]] = []
        for stream, text in self._pieces:
            if not joined or joined[-1][0] != stream:
                joined.append((stream, []))
            joined[-1][1].append(text)
        if joined and self._dropped:
            joined[0][1].insert(0, f"\n[... {self._dropped:,} characters are not shown live ...]\n")
            self._dropped = 0
        self._pieces.clear()
        self._size = 0
        for stream, texts in joined:
            self._emit(stream, "".join(texts))
