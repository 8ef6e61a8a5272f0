"""What was written before in a folder, for the composer's up and down keys; kept in a file of the user's own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path

KEPT = 500
"""Messages kept for one folder."""


def history_file(data_dir: Path, workspace: Path) -> Path:
    """One file a folder, named by a hash, so that the names of folders are not spread."""
    name = hashlib.sha256(str(workspace).encode()).hexdigest()[:24]
    return data_dir / "history" / f"{name}.jsonl"


def load(file: Path) -> list[str]:
    """The messages, oldest first; damaged lines are left out, a missing file is empty."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found: list[str] = []
    for line in lines[-KEPT:]:
        with contextlib.suppress(ValueError):
            value: object = json.loads(line)
            if isinstance(value, str) and value:
                found.append(value)
    return found


def load_all(folder: Path) -> list[str]:
    """The messages of all folders, those of the folder that was written in last at the end."""
    found: list[tuple[float, Path]] = []
    with contextlib.suppress(OSError):
        found = [(path.stat().st_mtime, path) for path in folder.glob("*.jsonl")]
    return [text for _, path in sorted(found) for text in load(path)]


def append(file: Path, text: str) -> None:
    """Add a message; the file is shortened now and then. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as stream:
        stream.write(json.dumps(text, ensure_ascii=False) + "\n")
    if file.stat().st_size > 4 * KEPT * 1024:
        _shorten(file)


def _shorten(file: Path) -> None:
    kept = load(file)
    draft = file.with_suffix(f".{os.getpid()}.tmp")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(text, ensure_ascii=False) + "\n" for text in kept)
    draft.replace(file)


class History:
    """Walks through earlier messages; what is being written is kept and comes back at the end."""

    def __init__(self, entries: list[str] | None = None) -> None:
        self._entries = list(entries or ())
        self._at = len(self._entries)
        self._draft = ""

    @property
    def entries(self) -> list[str]:
        """Oldest first."""
        return list(self._entries)

    def extend_older(self, entries: list[str]) -> None:
        """Put loaded entries before those of this program."""
        self._entries = [*entries, *self._entries]
        self._at += len(entries)

    def add(self, text: str) -> bool:
        """Remember a sent message; whether it is new, because the same twice in a row is kept once."""
        fresh = not self._entries or self._entries[-1] != text
        if fresh:
            self._entries.append(text)
        self._at = len(self._entries)
        self._draft = ""
        return fresh

    def older(self, current: str) -> str | None:
        """The message before, None at the oldest."""
        if self._at == 0:
            return None
        if self._at == len(self._entries):
            self._draft = current
        self._at -= 1
        return self._entries[self._at]

    def newer(self) -> str | None:
        """The message after, the draft after the newest, None when already at the draft."""
        if self._at >= len(self._entries):
            return None
        self._at += 1
        return self._draft if self._at == len(self._entries) else self._entries[self._at]
