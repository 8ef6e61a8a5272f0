"""What was put back in a session, so that it can itself be taken back: one file of JSON lines for each session."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

from runner.events import FileChange
from runner.undo.blobs import FOLDER, private_folder

_APPEND = os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC

TurnKey: TypeAlias = tuple[str, int]
"""A run's id and its turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """One time that files were put back. time: seconds since the epoch. turns: what was undone.

    reverts: the id of the one that this one took back, "" for an undo. files: what it changed. ended: False where the
    program died in the middle of it, so that some of the files may not have been put back.
    """

    id: str
    time: float
    files: tuple[FileChange, ...]
    turns: tuple[TurnKey, ...] = ()
    reverts: str = ""
    ended: bool = True


class RestoreLog:
    """Raises OSError where the disk does."""

    def __init__(self, data_dir: Path, session_id: str) -> None:
        name = hashlib.sha256(session_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self.path = data_dir / FOLDER / "undone" / f"{name}.jsonl"

    def begin(self, restored: Restored) -> None:
        """Written down before the first file changes."""
        self._add({"begin": asdict(restored)})

    def end(self, id: str, files: Sequence[FileChange]) -> None:
        """What was really put back."""
        self._add({"end": id, "files": [asdict(each) for each in files]})

    def read(self) -> list[Restored]:
        """Oldest first, without those that put back nothing; damaged lines are passed over."""
        found: dict[str, Restored] = {}
        try:
            lines = self.path.read_bytes().splitlines()
        except OSError:
            return []
        for line in lines:
            try:
                self._take(json.loads(line), found)
            except (ValueError, TypeError, KeyError, AttributeError):
                continue
        return [restored for restored in found.values() if restored.files]

    def _take(self, line: Any, found: dict[str, Restored]) -> None:
        if "begin" in line:
            given = cast("dict[str, Any]", line["begin"])
            restored = Restored(
                id=str(given["id"]),
                time=float(given["time"]),
                files=_changes(given["files"]),
                turns=tuple((str(run), int(turn)) for run, turn in given["turns"]),
                reverts=str(given["reverts"]),
                ended=False,
            )
            found[restored.id] = restored
        elif line["end"] in found:
            begun = found[line["end"]]
            found[begun.id] = Restored(
                id=begun.id, time=begun.time, files=_changes(line["files"]), turns=begun.turns, reverts=begun.reverts
            )

    def _add(self, line: dict[str, Any]) -> None:
        private_folder(self.path.parent)
        fd = os.open(self.path, _APPEND, 0o600)
        try:
            data = memoryview((json.dumps(line) + "\n").encode())
            while data:
                data = data[os.write(fd, data) :]
            os.fsync(fd)
        finally:
            os.close(fd)


def _changes(given: Any) -> tuple[FileChange, ...]:
    return tuple(FileChange(**each) for each in given)
