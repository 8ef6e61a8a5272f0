"""Putting files back as a plan says, and remembering it, so that it can be taken back."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from runner.errors import StoreError
from runner.events import FileChange
from runner.undo.blobs import Blobs
from runner.undo.disk import Blocked, Entry, Trouble, put, read
from runner.undo.log import Restored, RestoreLog
from runner.undo.plan import ASKS, SETTLED, FilePlan, FileState, Plan


@dataclass(frozen=True, slots=True)
class NotDone:
    """A file that was left as it is: its state in the plan, or what came between."""

    path: str
    state: FileState
    blocked: Trouble | None = None
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """done: as changes, so that they read like any other. left: what was not done. id: of the record, "" where nothing
    was done.
    """

    done: tuple[FileChange, ...] = ()
    left: tuple[NotDone, ...] = ()
    id: str = ""


_NOBODY: frozenset[str] = frozenset()


def restore(
    plan: Plan,
    data_dir: Path,
    *,
    force: Collection[str] = _NOBODY,
    now: Callable[[], float] = time.time,
) -> Outcome:
    """Put back what is ready, and of what conflicts the paths in `force`.

    What each file is now is kept before it changes. A file that is not any more what the plan saw is left alone. Raises
    StoreError where it cannot be recorded; then no file was changed.
    """
    blobs, log = Blobs(data_dir), RestoreLog(data_dir, plan.session_id)
    left: list[NotDone] = []
    chosen: list[tuple[FilePlan, Entry]] = []
    for file in plan.files:
        if file.state in SETTLED:
            continue
        if file.state != "ready" and not (file.state in ASKS and file.path in force):
            left.append(NotDone(file.path, file.state, file.blocked, file.said))
            continue
        try:
            chosen.append((file, _kept(file, blobs)))
        except Blocked as error:
            left.append(NotDone(file.path, "blocked", error.why, error.said))
    if not chosen:
        return Outcome(left=tuple(left))
    record = Restored(
        id=secrets.token_hex(8),
        time=now(),
        files=tuple(_change(file, was) for file, was in chosen),
        turns=tuple(sorted(plan.selection.turns)),
        reverts=plan.selection.restore,
    )
    try:
        log.begin(record)
    except OSError as error:
        raise StoreError(f"nothing was put back, because it cannot be recorded: {error.strerror or error}") from error
    done: list[FileChange] = []
    for file, was in sorted(chosen, key=_order):
        try:
            _put_back(file, was, blobs)
        except Blocked as error:
            left.append(NotDone(file.path, "blocked", error.why, error.said))
        else:
            done.append(_change(file, was))
    try:
        log.end(record.id, done)
    except OSError:
        # What is on the disk tells the next reader which files were put back.
        return Outcome(done=tuple(done), left=tuple(left), id=record.id)
    return Outcome(done=tuple(done), left=tuple(left), id=record.id if done else "")


def _kept(file: FilePlan, blobs: Blobs) -> Entry:
    """What the file is now, kept, so that nothing that anybody wrote is lost. Raises Blocked."""
    entry, data = _present(file)
    if entry != file.now:
        raise Blocked("changed")
    if entry.digest is not None:
        try:
            blobs.put(data, durable=True)
        except OSError as error:
            raise Blocked("failed", error.strerror or str(error)) from error
    return entry


def _present(file: FilePlan) -> tuple[Entry, bytes]:
    try:
        return read(file.path)
    except Blocked as error:
        if error.why == "folder" and file.now is not None and file.now.digest is None:
            # A folder that stands where a file was, and is going to be empty.
            return file.now, b""
        raise


def _put_back(file: FilePlan, was: Entry, blobs: Blobs) -> None:
    data = b""
    if file.target.digest is not None and file.target.digest != was.digest:
        found = blobs.get(file.target.digest)
        if found is None:
            raise Blocked("failed", "what it was is not kept any more")
        data = found
    put(file.path, file.target, data, expected=was)


def _change(file: FilePlan, was: Entry) -> FileChange:
    target = file.target
    after = target.mode if target.mode is not None or target.digest is None else was.mode
    return FileChange(path=file.path, before=was.digest, after=target.digest, mode=was.mode, mode_after=after)


def _order(chosen: tuple[FilePlan, Entry]) -> tuple[bool, int, str]:
    """What is removed goes first, from the inside out: a file may come back where a folder stands now."""
    path = chosen[0].path
    depth = path.count("/")
    return (True, depth, path) if chosen[0].target.digest is not None else (False, -depth, path)
