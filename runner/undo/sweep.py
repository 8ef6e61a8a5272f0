"""Dropping what was kept too long ago, or too much of it: off the hot path, and never what was kept a moment ago."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

MOST_BYTES = 1024 * 1024 * 1024
MOST_DAYS = 60.0
YOUNG_SECONDS = 3600.0
"""What was kept this recently is never dropped: a call may be about to need it."""

_NOT_BLOBS = frozenset({"pending", "undone"})


def sweep(
    folder: Path,
    now: float,
    *,
    most_bytes: int = MOST_BYTES,
    most_days: float = MOST_DAYS,
    young: float = YOUNG_SECONDS,
) -> int:
    """Drop old contents and pending records, then the oldest until the rest fits; returns how many contents went.

    folder: of the blobs. now: seconds since the epoch. Another program may do the same at the same time.
    """
    found: list[tuple[float, int, str]] = []
    for part in _folders(folder):
        if part.name not in _NOT_BLOBS:
            found += _files(part)
    for run in _folders(folder / "pending"):
        _forget_run(run, now - most_days * 86400)
    for kept, _, path in _files(folder / "undone"):
        if now - kept > most_days * 86400:
            _drop(path, kept)
    found.sort()
    total = sum(size for _, size, _ in found)
    dropped = 0
    for kept, size, path in found:
        if now - kept < young or (total <= most_bytes and now - kept <= most_days * 86400):
            break
        dropped += _drop(path, kept)
        total -= size
    return dropped


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _files(part: Path) -> list[tuple[float, int, str]]:
    """When each content was kept last, its bytes on disk, and where it is."""
    found: list[tuple[float, int, str]] = []
    try:
        with os.scandir(part) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    found.append((status.st_mtime, status.st_size, entry.path))
    except OSError:
        # Another program swept it away while we looked.
        return found
    return found


def _drop(path: str, kept: float) -> int:
    try:
        if os.stat(path, follow_symlinks=False).st_mtime != kept:
            return 0
        os.unlink(path)
    except OSError:
        return 0
    return 1


def _forget_run(folder: Path, before: float) -> None:
    try:
        old = os.stat(folder, follow_symlinks=False).st_mtime < before
    except OSError:
        return
    if old:
        shutil.rmtree(folder, ignore_errors=True)
