"""The terminal as what is written to: it may vanish, and it may be slow. What it takes is measured."""

from __future__ import annotations

import os
import select
import termios
import threading
import time
from collections.abc import Callable
from typing import Final

LATE: Final = 0.15
"""Seconds that something waits to be taken after which the terminal counts as behind."""

LOADED: Final = 512 * 1024
"""Characters that wait at which it does, however short the time."""

_NEWEST: Final = 0.3
"""How much the newest measure counts in the drain."""


class Flow:
    """What waits for the terminal, and how long it takes things. Used from the screen's thread and the writer's."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting = 0
        self._since = 0.0
        self._drain = 0.0

    def queued(self, size: int) -> None:
        with self._lock:
            if not self._waiting:
                self._since = self._clock()
            self._waiting += size

    def taken(self, size: int, since: float) -> None:
        """So many characters, whose writing began at that time, are the terminal's."""
        with self._lock:
            now = self._clock()
            self._waiting = max(0, self._waiting - size)
            self._drain += _NEWEST * (now - since - self._drain)
            self._since = now

    def forget(self) -> None:
        """Nothing waits any more: the writer is over."""
        with self._lock:
            self._waiting = 0

    @property
    def waiting(self) -> int:
        return self._waiting

    @property
    def behind(self) -> bool:
        """Whether the terminal has not taken what was written for it."""
        with self._lock:
            return self._waiting > LOADED or (self._waiting > 0 and self._clock() - self._since > LATE)

    @property
    def drain(self) -> float:
        """Seconds that the terminal needs for one writing, smoothed; 0 where it takes everything at once."""
        return self._drain


class Output:
    """A file for the writer's thread. What cannot be written any more is dropped, and the loss told once.

    A terminal is opened anew, without waiting: a write that waits holds a lock against everybody else, so nothing could
    take the screen's modes back before the program ends.
    """

    def __init__(self, fileno: int, flow: Flow, on_lost: Callable[[], None]) -> None:
        self._fileno = fileno
        self._own = _opened(fileno)
        self._flow = flow
        self._on_lost = on_lost
        self._gone = False

    def write(self, text: str) -> None:
        self.write_bytes(text.encode("utf-8", "replace"), len(text))

    def write_bytes(self, written: bytes, size: int | None = None) -> None:
        """size: what the flow was told of it, as a rule its length."""
        began = time.monotonic()
        data = memoryview(written)
        while data and not self._gone:
            try:
                data = data[os.write(self.fileno(), data) :]
            except BlockingIOError:
                select.select([], [self.fileno()], [], 0.1)
                # It may say that it takes something, and take nothing: less than one character's room.
                time.sleep(0.002)
            except OSError:
                if not self._gone:
                    self._gone = True
                    self._on_lost()
        self._flow.taken(len(written) if size is None else size, began)

    def flush(self) -> None:
        """Nothing is held back here."""

    def fileno(self) -> int:
        return self._fileno if self._own is None else self._own

    def close(self) -> None:
        if self._own is not None:
            os.close(self._own)
            self._own = None

    def isatty(self) -> bool:
        return os.isatty(self.fileno())

    def abandon(self) -> None:
        """The terminal takes nothing: drop what is left, with what it holds and nobody reads."""
        self._gone = True
        try:
            termios.tcflush(self.fileno(), termios.TCOFLUSH)
        except termios.error:
            return


def _opened(fileno: int) -> int | None:
    """The same terminal, as a file of our own that never waits; None where there is no such thing."""
    try:
        return os.open(os.ttyname(fileno), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
