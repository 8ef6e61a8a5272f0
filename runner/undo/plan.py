"""What putting files back would do: for each file what it is, what it will be, and what speaks against it."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from runner.tools.preview import DIFF_SHOWN, unified
from runner.tools.truncate import encodable
from runner.undo.blobs import Blobs
from runner.undo.disk import NOTHING, Blocked, Entry, Trouble, read
from runner.undo.history import History, Step, TurnChanges
from runner.undo.log import TurnKey

FileState = Literal["ready", "same", "undone", "outside", "later", "lost", "blocked"]
"""It can be put back; it is so already; it was put back before, and went on from there; somebody else changed it since;
another turn of the session changed it since; what it was is not kept (any more); it cannot be read or written.
"""

SETTLED: frozenset[FileState] = frozenset({"same", "undone"})
"""States in which there is nothing to do."""

ASKS: frozenset[FileState] = frozenset({"outside", "later"})
"""States in which a file is put back only where a person says so for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What to put back: of these turns, or of one earlier restore; and only these paths, None for all of them."""

    turns: frozenset[TurnKey] = frozenset()
    restore: str = ""
    paths: frozenset[str] | None = None

    def takes(self, step: Step) -> bool:
        chosen = step.restore == self.restore if self.restore else step.turn in self.turns
        return chosen and (self.paths is None or step.change.path in self.paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlan:
    """now: as it was read, None where it cannot be. target: what it will be. blocked, said: why it cannot be."""

    path: str
    target: Entry
    now: Entry | None
    state: FileState
    blocked: Trouble | None = None
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """files: by path. turns: those it is about, oldest first, with what of them is not covered."""

    session_id: str
    selection: Selection
    files: tuple[FilePlan, ...] = ()
    turns: tuple[TurnChanges, ...] = ()

    @property
    def conflicts(self) -> tuple[FilePlan, ...]:
        return tuple(file for file in self.files if file.state in ASKS)

    @property
    def ready(self) -> tuple[FilePlan, ...]:
        return tuple(file for file in self.files if file.state == "ready")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDiff:
    """From what a file is to what it will be. text: a unified diff, "" where there is none to show.

    binary: one of the two is no text. sizes: in bytes, before and after; None where there is no file.
    mode: permissions before and after, where only they change.
    """

    text: str = ""
    added: int = 0
    removed: int = 0
    binary: bool = False
    sizes: tuple[int | None, int | None] = (None, None)
    mode: tuple[int, int] | None = None


def undo_plan(history: History, blobs: Blobs, selection: Selection) -> Plan:
    """Reads the files that it is about, and changes nothing."""
    by_path: dict[str, list[Step]] = {}
    for step in history.steps:
        by_path.setdefault(step.change.path, []).append(step)
    chosen = {path for path, steps in by_path.items() if any(selection.takes(step) for step in steps)}
    files = [_file_plan(path, by_path[path], history, selection, blobs, chosen) for path in sorted(chosen)]
    turns = tuple(turn for turn in history.turns if turn.key in selection.turns)
    return Plan(session_id=history.session_id, selection=selection, files=tuple(files), turns=turns)


def _file_plan(
    path: str,
    steps: Sequence[Step],
    history: History,
    selection: Selection,
    blobs: Blobs,
    also: Collection[str],
) -> FilePlan:
    """also: every path that the plan is about."""
    asked = [index for index, step in enumerate(steps) if selection.takes(step)]
    places = [index for index in asked if not history.is_undone(steps[index])]
    chosen = [steps[index].change for index in places or asked]
    before = Entry(chosen[0].before, chosen[0].mode)
    try:
        now, _ = read(path)
    except Blocked as error:
        if error.why != "folder" or before.digest is None or not _holds_only(path, also):
            return FilePlan(path=path, target=before, now=None, state="blocked", blocked=error.why, said=error.said)
        now = NOTHING
    permissions = any(
        None not in (change.mode, change.mode_after) and change.mode != change.mode_after for change in chosen
    )
    keeps_mode = not (permissions or now.digest is None or before.is_link or now.is_link)
    target = NOTHING if before.digest is None else Entry(before.digest, None if keeps_mode else before.mode)
    if now.digest == target.digest and (target.mode is None or now.mode == target.mode):
        state: FileState = "same"
    elif not places:
        state = "undone"
    elif target.digest is not None and target.digest != now.digest and not blobs.has(target.digest):
        state = "lost"
    else:
        others = [
            step for step in steps[places[0] : places[-1]] if step.turn is not None and not history.is_undone(step)
        ]
        between = any(not selection.takes(step) for step in others)
        state = _state(now, steps, places[0], places[-1], between=between, permissions=permissions)
    return FilePlan(path=path, target=target, now=now, state=state)


def _state(now: Entry, steps: Sequence[Step], first: int, last: int, *, between: bool, permissions: bool) -> FileState:
    """Whether somebody's change would be lost: one between those that are taken back, or one after them.

    between: another turn changed it in between. permissions: they are put back too.
    """
    within, left = steps[first : last + 1], steps[last].change
    if not _linked(within):
        return "outside"
    if between:
        return "later"
    if now.digest == left.after:
        moved = permissions and left.mode_after is not None and now.mode != left.mode_after
        return "outside" if moved else "ready"
    return "later" if now.digest == steps[-1].change.after and _linked(steps[last:]) else "outside"


def _linked(steps: Sequence[Step]) -> bool:
    """Whether each change began with what the one before it had left."""
    return all(one.change.after == other.change.before for one, other in pairwise(steps))


def _holds_only(folder: str, paths: Collection[str]) -> bool:
    """Whether a folder stands in a file's place that will be empty when these paths are put back."""
    for base, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(base, name))]
        if any(os.path.join(base, name) not in paths for name in (*files, *links)):
            return False
    return True


def file_diff(file: FilePlan, blobs: Blobs) -> FileDiff:
    """What putting a file back changes in it. Reads it again."""
    if file.now is None:
        return FileDiff()
    try:
        now, data = read(file.path)
    except Blocked:
        return FileDiff()
    old = None if now.digest is None else data
    new = None if file.target.digest is None else blobs.get(file.target.digest)
    if file.target.digest is not None and new is None:
        return FileDiff()
    sizes = (None if old is None else len(old), None if new is None else len(new))
    if old == new:
        modes = None if file.target.mode is None or now.mode is None else (now.mode, file.target.mode)
        return FileDiff(sizes=sizes, mode=modes)
    before, after = _as_text(old), _as_text(new)
    if before is None or after is None:
        return FileDiff(binary=True, sizes=sizes)
    lines, added, removed = unified(before, after)
    names = ("/dev/null" if old is None else f"a{file.path}", "/dev/null" if new is None else f"b{file.path}")
    text = "\n".join([f"--- {names[0]}", f"+++ {names[1]}", *_within(lines)]) + "\n"
    return FileDiff(text=encodable(text), added=added, removed=removed, sizes=sizes)


def _as_text(data: bytes | None) -> str | None:
    """None where it is no text."""
    if data is None:
        return ""
    if b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _within(lines: Sequence[str]) -> list[str]:
    size = 0
    for index, line in enumerate(lines):
        size += len(line) + 1
        if size > DIFF_SHOWN:
            return [*lines[:index], f"[... {len(lines) - index:,} more lines of this diff are not shown ...]"]
    return list(lines)
