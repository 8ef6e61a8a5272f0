"""Messages that are not sent yet, kept in files of the person's own until they are: over other sessions, and crashes.

One small file for each draft, written in a thread of its own. Losing one is never worse than a start without it, so
nothing here is fatal.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tui.latest import Latest

FOLDER = Path("ui", "drafts")
LONGEST = 2 << 20
"""Bytes of a file that are read, and characters that are written; of a longer draft nothing is kept."""

KEPT = 100
"""Drafts of sessions that are kept, the newest."""

OLD = 60 * 86400.0
"""Seconds after which a draft that nobody came back to is forgotten."""


@dataclass(frozen=True, slots=True)
class Draft:
    """text: the whole message; folded: the parts of it that were shown as one token."""

    text: str = ""
    folded: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text.strip())


def session_key(session_id: str) -> str:
    return f"session-{_hash(session_id)}"


def new_key(workspace: str, pid: int | None = None) -> str:
    """For a session that does not exist yet: of this folder and this program, as two may write at once."""
    return f"new-{_hash(workspace)}-{os.getpid() if pid is None else pid}"


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:24]


class DraftFiles:
    """Reads at once, writes in the order of the calls. From any thread."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER
        self._latest = Latest(self._path, "quarterdeck-drafts")

    @property
    def failed(self) -> int:
        """How many writes did not succeed."""
        return self._latest.failed

    def read(self, key: str) -> Draft:
        text = self._latest.waiting(key)
        return _read(self._path(key)) if text is None else _draft(text)

    def write(self, key: str, draft: Draft) -> None:
        """Keep it, or forget what was kept where it is empty; returns at once."""
        kept = bool(draft) and len(draft.text) <= LONGEST
        self._latest.write(key, json.dumps({"text": draft.text, "folded": draft.folded}) if kept else "")

    def flush(self, seconds: float = 5.0) -> bool:
        """Wait until everything is written; whether it was in this time."""
        return self._latest.flush(seconds)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"

    def orphan(self, workspace: str) -> Draft:
        """The newest draft of a new session in the folder whose program is gone; it is then nobody's file any more."""
        own = new_key(workspace)
        found: list[tuple[float, Path]] = []
        with contextlib.suppress(OSError):
            for path in self._folder.glob(f"new-{_hash(workspace)}-*.json"):
                pid = path.stem.rpartition("-")[2]
                if pid.isdecimal() and (path.stem == own or not _lives(int(pid))):
                    found.append((path.stat().st_mtime, path))
        draft = Draft()
        for _, path in sorted(found, reverse=True):
            draft = draft or _read(path)
            if path.stem != own:
                path.unlink(missing_ok=True)
        return draft

    def tidy(self) -> None:
        """Forget the oldest drafts."""
        with contextlib.suppress(OSError):
            listed = sorted(((path.stat().st_mtime, path) for path in self._folder.glob("*.json")), reverse=True)
            limit = time.time() - OLD
            for at, (changed, path) in enumerate(listed):
                if at >= KEPT or changed < limit:
                    path.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _read(path: Path) -> Draft:
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST * 2 + 1)
    except OSError:
        return Draft()
    return _draft(data)


def _draft(data: str | bytes) -> Draft:
    with contextlib.suppress(ValueError, RecursionError):
        value: object = json.loads(data)
        if isinstance(value, dict):
            found = cast("Mapping[str, Any]", value)
            text, folded = found.get("text"), found.get("folded")
            parts = cast("list[object]", folded) if isinstance(folded, list) else []
            if isinstance(text, str):
                return Draft(text, tuple(part for part in parts if isinstance(part, str) and part in text))
    return Draft()
