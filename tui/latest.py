"""Small files of the person's own, of which only the newest state counts: written whole, off the thread that asks."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path


class Latest:
    """Writes texts by name in a thread of its own, in the order of the calls; of several for one name the last one.

    Usable from any thread. failed: how many writes did not succeed.
    """

    def __init__(self, path: Callable[[str], Path], thread_name: str) -> None:
        """path: the file of a name; a text of "" means no file."""
        self.failed = 0
        self._path = path
        self._thread_name = thread_name
        self._lock = threading.Condition()
        self._waiting: dict[str, str] = {}
        self._writing = False

    def waiting(self, name: str) -> str | None:
        """What is still to be written, None where nothing is."""
        with self._lock:
            return self._waiting.get(name)

    def write(self, name: str, text: str) -> None:
        """Returns at once. text: ASCII."""
        with self._lock:
            self._waiting[name] = text
            if not self._writing:
                self._writing = True
                # Not a daemon: the interpreter waits for it, so the last change before the end is not lost.
                threading.Thread(target=self._write_all, name=self._thread_name, daemon=False).start()

    def flush(self, seconds: float) -> bool:
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
                _put(self._path(name), text)
            except OSError:
                self.failed += 1
            with self._lock:
                # A newer one came meanwhile: it is written by the next round.
                if self._waiting.get(name) is text:
                    del self._waiting[name]


def _put(path: Path, text: str) -> None:
    """The whole file in one step, readable by its owner only whatever the umask says."""
    if not text:
        path.unlink(missing_ok=True)
        return
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
