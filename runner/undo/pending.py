"""What is about to change, written down before it does, so that a crash between the change and its fact loses nothing.

One folder for each run, one file of JSON lines for each call that changes files; for a command also what the tree was,
with a copy of git's index. All of a call goes when its fact is stored.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from runner.events import FileChange
from runner.undo.blobs import FOLDER, private_folder
from runner.undo.git import Git, Listed
from runner.undo.tree import Sig, Snapshot, Source, State

_APPEND = os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_KINDS = frozenset({"git", "kept", "large", "many", "unreadable"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """What was written down of a call. time: seconds since the epoch. command: its tree was not compared yet."""

    run_id: str
    call_id: str
    turn: int
    time: float
    files: tuple[FileChange, ...] = ()
    by_command: bool = False
    command: bool = False
    uncovered: str = ""


class Pending:
    """The records of calls that may still lack their fact. Raises OSError where the disk does."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / FOLDER / "pending"

    def add(self, run_id: str, call_id: str, line: Mapping[str, object]) -> None:
        """Add a line to the call's record; in one write, so that it is there whole or not at all."""
        path = self._path(run_id, call_id, ".jsonl")
        private_folder(path.parent)
        data = (json.dumps({"run_id": run_id, "call_id": call_id, **line}) + "\n").encode()
        fd = os.open(path, _APPEND, 0o600)
        try:
            os.write(fd, data)
        finally:
            os.close(fd)

    def add_tree(self, run_id: str, call_id: str, snapshot: Snapshot) -> None:
        """What the tree was before a command: git's index, and all that differs from it."""
        index = self._path(run_id, call_id, ".index")
        private_folder(index.parent)
        with suppress(FileNotFoundError):
            shutil.copyfile(snapshot.index, index, follow_symlinks=False)
            index.chmod(0o600)
        tracked = snapshot.tracked
        apart = {
            os.fsdecode(name): (snapshot.files[name], source.kind, source.key)
            for name, source in snapshot.sources.items()
            if not (source.listed and name in tracked and tracked[name].blob == source.key)
        }
        absent = [os.fsdecode(name) for name in tracked.keys() - snapshot.files.keys() if not tracked[name].submodule]
        known = {"root": snapshot.root, "began": snapshot.began, "apart": apart, "absent": absent}
        fd = os.open(self._path(run_id, call_id, ".tree"), _NEW, 0o600)
        with os.fdopen(fd, "w", encoding="ascii") as file:
            json.dump(known, file)

    def tree(self, run_id: str, call_id: str) -> Snapshot | None:
        """What the tree was before a command of a program that died. Raises GitError, OSError."""
        try:
            text = self._path(run_id, call_id, ".tree").read_text(encoding="ascii")
            known = cast("dict[str, Any]", json.loads(text))
            root, began = str(known["root"]), int(known["began"])
            absent = {os.fsencode(str(name)) for name in known["absent"]}
            apart = {os.fsencode(str(name)): _apart(value) for name, value in known["apart"].items()}
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return None
        index = self._path(run_id, call_id, ".index")
        tracked = Git(root, index=str(index)).listed() if index.exists() else {}
        files: dict[bytes, Sig] = {}
        sources: dict[bytes, Source] = {}
        for name, entry in tracked.items():
            if name not in absent and not entry.submodule:
                files[name], sources[name] = _sig_of(entry), Source("git", entry.blob)
        for name, (sig, source) in apart.items():
            files[name], sources[name] = sig, source
        state = State((b"", 0, 0), (0, 0), 0)
        return Snapshot(root, began, files, sources, state, index, 0, tracked, partial=True)

    def compared(self, run_id: str, call_id: str, files: Sequence[FileChange], uncovered: str) -> None:
        """The comparison that was still open is made; from now on it stands, whatever changes later."""
        changed = [[each.path, each.before, each.after, each.mode, each.mode_after] for each in files]
        self.add(run_id, call_id, {"compared": changed, "uncovered": uncovered})
        self._drop_tree(run_id, call_id)

    def drop(self, run_id: str, call_id: str) -> None:
        """The call's fact is stored."""
        self._drop_tree(run_id, call_id)
        with suppress(FileNotFoundError):
            self._path(run_id, call_id, ".jsonl").unlink()
        with suppress(OSError):
            # Only an empty folder goes; other calls of the run may have records.
            self._path(run_id, call_id, "").parent.rmdir()

    def records(self, run_id: str) -> list[CallRecord]:
        """What was written down of the run's calls and is still there; damaged lines are passed over."""
        found: list[CallRecord] = []
        folder = self.folder / _hashed(run_id)
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            return []
        for name in names:
            if name.endswith(".jsonl"):
                lines = _lines(folder / name)
                if lines:
                    tree = (folder / name).with_suffix(".tree").exists()
                    found.append(_record(run_id, lines, command=tree))
        return sorted(found, key=lambda record: record.time)

    def _drop_tree(self, run_id: str, call_id: str) -> None:
        for suffix in (".tree", ".index"):
            with suppress(FileNotFoundError):
                self._path(run_id, call_id, suffix).unlink()

    def _path(self, run_id: str, call_id: str, suffix: str) -> Path:
        return self.folder / _hashed(run_id) / f"{_hashed(call_id)}{suffix}"


def _hashed(name: str) -> str:
    """Ids of calls come from providers, and those of runs may be anybody's; neither is a name for a file."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _sig_of(entry: Listed) -> Sig:
    mode = 0o120777 if entry.link else 0o100755 if entry.executable else 0o100644
    return (mode, entry.size, entry.mtime_ns, entry.ctime_ns, entry.inode)


def _apart(value: Any) -> tuple[Sig, Source]:
    (mode, size, mtime, ctime, inode), kind, key = value
    if kind not in _KINDS:
        raise ValueError(kind)
    return (int(mode), int(size), int(mtime), int(ctime), int(inode)), Source(kind, str(key))


def _lines(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    try:
        data = path.read_bytes()
    except OSError:
        return []
    for line in data.splitlines():
        try:
            value: object = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(cast("dict[str, Any]", value))
    return found


def _record(run_id: str, lines: Sequence[dict[str, Any]], *, command: bool) -> CallRecord:
    files: list[FileChange] = []
    uncovered: list[str] = []
    by_command = command
    for line in lines:
        if "path" in line:
            files.append(
                FileChange(path=line["path"], before=line.get("before"), after=line.get("new"), mode=line.get("mode"))
            )
        for path, before, after, mode, mode_after in line.get("compared", ()):
            files.append(FileChange(path=path, before=before, after=after, mode=mode, mode_after=mode_after))
        by_command = by_command or "compared" in line or "command" in line
        if line.get("uncovered"):
            uncovered.append(str(line["uncovered"]))
    first = lines[0]
    return CallRecord(
        run_id=run_id,
        call_id=str(first.get("call_id", "")),
        turn=int(first.get("turn", 0)),
        time=float(first.get("time", 0.0)),
        files=tuple(files),
        by_command=by_command,
        command=command,
        uncovered="; ".join(uncovered),
    )
