"""The /tmp that boxed commands see: a folder for each session, gone with this program."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import re
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Final

_PREFIX: Final = "quarterdeck-tmp-"
_LOCK: Final = "lock"
EMPTY: Final = "empty"
"""A file without content, beside the folders."""

_UNFIT: Final = re.compile(r"[^A-Za-z0-9_-]")


class _Scratch:
    """One folder of the program's, locked while it lives, with one for each session in it. From any thread."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._root: Path | None = None
        self._held: int | None = None

    def folder(self, key: str) -> Path:
        """Raises OSError where there is no room for it."""
        with self._guard:
            if self._root is None:
                self._root = self._make_root()
            found = self._root / f"s-{_UNFIT.sub('_', key)[:100]}"
            found.mkdir(mode=0o700, exist_ok=True)
            return found

    def forget(self, key: str) -> None:
        with self._guard:
            if self._root is not None:
                shutil.rmtree(self._root / f"s-{_UNFIT.sub('_', key)[:100]}", ignore_errors=True)

    def close(self) -> None:
        with self._guard:
            root, self._root = self._root, None
            held, self._held = self._held, None
            if root is not None:
                shutil.rmtree(root, ignore_errors=True)
            if held is not None:
                os.close(held)

    def _make_root(self) -> Path:
        _sweep(Path(tempfile.gettempdir()))
        root = Path(os.path.realpath(tempfile.mkdtemp(prefix=_PREFIX)))
        self._held = os.open(root / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._held, fcntl.LOCK_EX)
        (root / EMPTY).touch(mode=0o444)
        return root


def _sweep(folder: Path) -> None:
    """Remove what programs left that were killed: nobody holds its lock any more."""
    for root in folder.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if root.stat().st_uid != os.geteuid():
                continue
            fd = os.open(root / _LOCK, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(root, ignore_errors=True)
            finally:
                os.close(fd)


SCRATCH: Final = _Scratch()
atexit.register(SCRATCH.close)
