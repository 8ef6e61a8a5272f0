"""A record of every background process that runs, for the next start to end what this program could not."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from pathlib import Path
from typing import Final, cast

from runner.messages import JsonObject
from runner.tools import table
from runner.tools.base import ProcessEnd
from runner.tools.leftovers import Recorded, end_leftovers

_SUFFIX: Final = ".process.json"


class Records:
    """One small file for each process, gone when the process is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mine = f"{os.getpid()}-{secrets.token_hex(4)}"

    def add(self, process_id: str, pid: int, started: float | None, marker: str, name: str, call_id: str) -> None:
        """A record that cannot be written costs only the second net: the first are the supervisor and the guard."""
        record = {
            "pid": pid,
            "started": started,
            "marker": marker,
            "name": name,
            "call_id": call_id,
            "place": table.place(),
            "owner": os.getpid(),
            "owner_birth": table.birth(os.getpid()),
        }
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(self._path(process_id), os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            with open(fd, "w", encoding="utf-8") as file:
                file.write(json.dumps(record))

    def remove(self, process_id: str) -> None:
        with contextlib.suppress(OSError):
            self._path(process_id).unlink()

    def _path(self, process_id: str) -> Path:
        return self._folder / f"{self._mine}-{process_id}{_SUFFIX}"


def end_recorded(folder: Path, grace: float = 2.0) -> list[ProcessEnd]:
    """End what programs that are gone left running, and drop their records. Blocks for the grace and a second at most.

    Records of another boot are dropped, those of another pid namespace (a container) are left to who understands them.
    """
    records: list[Recorded] = []
    read: list[Path] = []
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        found = _read(path)
        if found is None:
            continue
        here, there = table.place().split(" "), str(found.get("place", "")).split(" ")
        if here == there:
            if _owner_lives(found):
                continue
            record = _as_recorded(found)
            records += [record] if record is not None else []
        elif here[0] == there[0]:
            continue
        read.append(path)
    ends = end_leftovers(records, grace)
    for path in read:
        with contextlib.suppress(OSError):
            path.unlink()
    return [end for end in ends if end.how != "gone"]


def _read(path: Path) -> JsonObject | None:
    """A file that is no record is no record of a process: None."""
    try:
        found: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return cast("JsonObject", found) if isinstance(found, dict) else None


def _owner_lives(found: JsonObject) -> bool:
    owner = found.get("owner")
    return isinstance(owner, int) and table.birth(owner) == found.get("owner_birth")


def _as_recorded(found: JsonObject) -> Recorded | None:
    pid, started = found.get("pid"), found.get("started")
    if not isinstance(pid, int) or isinstance(pid, bool) or pid <= 1:
        return None
    return Recorded(
        pid=pid,
        pgid=pid,
        started=float(started) if isinstance(started, (int, float)) else None,
        place=str(found.get("place", "")),
        marker=str(found.get("marker", "")),
        name=str(found.get("name", "")),
        call_id=str(found.get("call_id", "")),
    )
