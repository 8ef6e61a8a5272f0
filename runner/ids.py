"""Ids come in as an argument, so that tests are repeatable."""

from __future__ import annotations

import os
import threading
import time
import uuid
from typing import Protocol


class IdSource(Protocol):
    def run_id(self) -> str: ...

    def session_id(self) -> str: ...

    def short_id(self, prefix: str) -> str:
        """An id for a call, a request, a message: unique within the process and across programs."""
        ...


class Uuid7Ids:
    """RFC 9562 version 7: sorts by time; a counter in rand_a keeps ids of one millisecond in order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last_ms = 0
        self._counter = 0

    def _next(self) -> uuid.UUID:
        with self._lock:
            now = time.time_ns() // 1_000_000
            if now > self._last_ms:
                self._last_ms, self._counter = now, 0
            elif self._counter < 0xFFF:
                self._counter += 1
            else:
                self._last_ms, self._counter = self._last_ms + 1, 0
            ms, counter = self._last_ms, self._counter
        tail = int.from_bytes(os.urandom(8)) & ((1 << 62) - 1)
        return uuid.UUID(int=(ms << 80) | (0x7 << 76) | (counter << 64) | (0b10 << 62) | tail)

    def run_id(self) -> str:
        return str(self._next())

    def session_id(self) -> str:
        return str(self._next())

    def short_id(self, prefix: str) -> str:
        return f"{prefix}_{os.urandom(8).hex()}"


class SequentialIds:
    """Deterministic ids for tests: run-1, run-2, call_1, ..."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def _take(self, prefix: str) -> int:
        self._counts[prefix] = self._counts.get(prefix, 0) + 1
        return self._counts[prefix]

    def run_id(self) -> str:
        return f"run-{self._take('run')}"

    def session_id(self) -> str:
        return f"session-{self._take('session')}"

    def short_id(self, prefix: str) -> str:
        return f"{prefix}_{self._take(prefix)}"
