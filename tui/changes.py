"""Which files a session changed, turn by turn and from its beginning to its end, and the diffs of that.

What is kept for undo tells it exactly. Where nothing is kept (an imported session, contents dropped since), what the
calls themselves said is shown, and marked as that.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from runner.events import Event, FileChange, RunStarted, ToolFinished, ToolProposed
from runner.undo.history import History, Step, TurnChanges
from runner.undo.log import TurnKey
from tui import copying

if TYPE_CHECKING:
    from runner.undo.blobs import Blobs

KINDS: Final = ("tool_proposed",)
"""The kinds of events that are needed besides those of a history of changes."""

MOST_TOLD: Final = 50
"""Calls whose words about one file are put together."""

NOT_KEPT = "what it was, or what it became, is not kept"
NO_TEXT = "no text, or not kept"
TOLD = "as its calls showed it: the contents are not kept"
BY_ARGUMENTS = "as its calls asked for it, lines counted from the changed place: the contents are not kept"

_Arguments: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Told:
    """What one call said of a change. guess: made of its arguments, with no places in the file."""

    diff: str
    new: bool = False
    guess: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFile:
    """path: absolute where it is known so. folder: the run's. change: from its first state to its last one, None where
    only calls told of it. put_back: a person undid something of it."""

    path: str
    folder: str
    change: FileChange | None = None
    told: tuple[Told, ...] = ()
    put_back: bool = False

    @property
    def unchanged(self) -> bool:
        """Whether it is in the end as it was in the beginning."""
        change = self.change
        return change is not None and (change.before, change.mode) == (change.after, change.mode_after)


@dataclass(frozen=True, slots=True)
class TurnFiles:
    turn: TurnChanges
    files: tuple[ChangedFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """turns: oldest first. files: of the whole session, by path."""

    turns: tuple[TurnFiles, ...] = ()
    files: tuple[ChangedFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileText:
    """text: a unified diff without the names, "" where there is none. added, removed: None where unknown. note: what
    is to be known of it."""

    file: ChangedFile
    text: str = ""
    added: int | None = None
    removed: int | None = None
    note: str = ""

    @property
    def counts(self) -> str:
        return "" if self.added is None else f"+{self.added} -{self.removed}"


# Which files


def changes_of(events: Iterable[Event], history: History) -> Changes:
    """events: of KINDS and those that the history was made of, run after run."""
    told = _Told()
    for event in events:
        told.take(event)
    put_back = {step.change.path for step in history.steps if step.restore}
    by_turn: dict[TurnKey, dict[str, list[Step]]] = {}
    by_path: dict[str, list[Step]] = {}
    for step in history.steps:
        by_path.setdefault(step.change.path, []).append(step)
        if step.turn is not None:
            by_turn.setdefault(step.turn, {}).setdefault(step.change.path, []).append(step)
    turns: list[TurnFiles] = []
    for turn in _with_told(history.turns, told):
        steps, said = by_turn.get(turn.key, {}), told.of(turn.key)
        paths = sorted({*steps, *said})
        turns.append(
            TurnFiles(
                turn, tuple(_file(path, turn.workspace, steps.get(path, ()), said.get(path, ())) for path in paths)
            )
        )
    folders = {file.path: file.folder for each in turns for file in each.files}
    all_told: dict[str, list[Told]] = {}
    for each in turns:
        for file in each.files:
            all_told.setdefault(file.path, []).extend(file.told)
    files = [
        replace(
            _file(path, folders.get(path, ""), by_path.get(path, ()), all_told.get(path, ())), put_back=path in put_back
        )
        for path in sorted({*by_path, *all_told})
    ]
    return Changes(turns=tuple(turns), files=tuple(files))


def _file(path: str, folder: str, steps: Sequence[Step], told: Sequence[Told]) -> ChangedFile:
    change = None
    if steps:
        first, last = steps[0].change, steps[-1].change
        change = replace(first, after=last.after, mode_after=last.mode_after)
    return ChangedFile(path=path, folder=folder, change=change, told=tuple(told))


def _with_told(turns: Sequence[TurnChanges], told: _Told) -> list[TurnChanges]:
    """With those of which only calls tell, in order, numbered anew."""
    known = {turn.key for turn in turns}
    found = [*turns, *(turn for turn in told.turns() if turn.key not in known)]
    found.sort(key=lambda turn: turn.time)
    return [replace(turn, number=number) for number, turn in enumerate(found, 1)]


@dataclass(slots=True)
class _Told:
    """What calls that succeeded said of the files they changed."""

    found: dict[TurnKey, dict[str, list[Told]]] = field(default_factory=dict[TurnKey, dict[str, list[Told]]])
    _runs: dict[str, RunStarted] = field(default_factory=dict[str, RunStarted])
    _asked: dict[tuple[str, str], ToolProposed] = field(default_factory=dict[tuple[str, str], ToolProposed])
    _last: dict[TurnKey, ToolFinished] = field(default_factory=dict[TurnKey, ToolFinished])
    _tools: dict[TurnKey, list[str]] = field(default_factory=dict[TurnKey, list[str]])

    def of(self, key: TurnKey) -> Mapping[str, list[Told]]:
        return self.found.get(key, {})

    def take(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._runs[event.run_id] = event
            case ToolProposed():
                self._asked[event.run_id, event.call_id] = event
            case ToolFinished(status="ok"):
                self._finished(event)
            case _:
                pass

    def _finished(self, event: ToolFinished) -> None:
        asked = self._asked.pop((event.run_id, event.call_id), None)
        run = self._runs.get(event.run_id)
        said = list(_shown(event.display or {}))
        if not said and asked is not None and run is not None and "imported" in run.config:
            said = list(_asked_for(asked))
        key, folder = (event.run_id, event.turn), run.workspace if run is not None else ""
        for path, told in said:
            entries = self.found.setdefault(key, {}).setdefault(_absolute(path, folder), [])
            if len(entries) < MOST_TOLD:
                entries.append(told)
        if said:
            self._last[key] = event
            self._tools.setdefault(key, []).append(event.tool or (asked.tool if asked is not None else ""))

    def turns(self) -> Iterator[TurnChanges]:
        for key, event in self._last.items():
            run = self._runs.get(key[0])
            said = [getattr(message, "text", "") for message in run.input] if run is not None else []
            yield TurnChanges(
                key=key,
                number=0,
                time=event.time.timestamp(),
                prompt=said[-1] if said else "",
                workspace=run.workspace if run is not None else "",
                tools=tuple(dict.fromkeys(filter(None, self._tools[key]))),
                paths=tuple(self.found[key]),
            )


def _absolute(path: str, folder: str) -> str:
    return os.path.realpath(Path(folder) / path) if folder else path


def _shown(display: _Arguments) -> Iterator[tuple[str, Told]]:
    """The diffs that the result of one of our own tools shows."""
    match display.get("type"):
        case "diff":
            found: list[object] = [display]
        case "diffs":
            files = display.get("files")
            found = cast("list[object]", files) if isinstance(files, list) else []
        case _:
            return
    for each in found:
        file = _table(each)
        path, diff = file.get("path"), file.get("diff")
        if isinstance(path, str) and path and isinstance(diff, str):
            yield path, Told(diff=copying.without_names(diff), new=bool(file.get("new_file")))


def _table(value: object) -> _Arguments:
    return cast("_Arguments", value) if isinstance(value, Mapping) else {}


def _asked_for(asked: ToolProposed) -> Iterator[tuple[str, Told]]:
    """What a call of another program's editing tool was to change, by its arguments."""
    from runner.tools.preview import unified

    given = asked.arguments
    if isinstance(given, str):
        return
    path = given.get("file_path", given.get("path"))
    edits = given.get("edits")
    pairs = cast("list[object]", edits) if isinstance(edits, list) else [given]
    for each in pairs:
        pair = _table(each)
        old, new = pair.get("old_string"), pair.get("new_string", pair.get("content"))
        if isinstance(path, str) and path and isinstance(new, str):
            lines, _, _ = unified(old if isinstance(old, str) else "", new)
            if lines:
                yield path, Told(diff="\n".join(lines) + "\n", guess=True)
    patch = next((given[name] for name in ("input", "patch") if isinstance(given.get(name), str)), "")
    if isinstance(patch, str) and "*** Begin Patch" in patch:
        yield from _of_patch(patch)


def _of_patch(patch: str) -> Iterator[tuple[str, Told]]:
    """The files of a patch as Codex writes it."""
    path, new, rows = "", False, list[str]()
    for row in [*patch.splitlines(), "*** End Patch"]:
        if row.startswith("*** "):
            if path and rows:
                yield path, Told(diff="\n".join(_counted(rows)) + "\n", new=new, guess=True)
                path, rows = "", []
            what, _, name = row.removeprefix("*** ").partition(" File: ")
            if name and what in ("Add", "Update", "Delete"):
                path, new, rows = name.strip(), what == "Add", []
        elif path and row[:1] in ("+", "-", " "):
            rows.append(row)


def _counted(rows: Sequence[str]) -> list[str]:
    """With a head that says how many lines each side has."""
    old, new = (sum(row[:1] in (sign, " ") for row in rows) for sign in "-+")
    return [f"@@ -1,{old} +1,{new} @@", *rows]


# Their diffs


def diff_of(file: ChangedFile, blobs: Blobs) -> FileText:
    """The diff of a file, from what is kept of it and from the disk as it is. Blocks."""
    from runner.tools.preview import unified

    change = file.change
    if change is not None:
        if file.unchanged:
            return FileText(file=file, added=0, removed=0, note="in the end as it was in the beginning")
        before = copying.kept_text(change.before, blobs, None)
        after = copying.kept_text(change.after, blobs, change.path)
        if before is not None and after is not None:
            lines, added, removed = unified(before, after)
            text = "".join(f"{line}\n" for line in lines)
            return FileText(file=file, text=text, added=added, removed=removed, note=_only(change, text))
    if not file.told:
        return FileText(file=file, note=NOT_KEPT if change is not None and change.before is None else NO_TEXT)
    text = "".join(each.diff if each.diff.endswith("\n") else f"{each.diff}\n" for each in file.told)
    note = BY_ARGUMENTS if any(each.guess for each in file.told) else TOLD
    return FileText(file=file, text=text, added=_signs(text, "+"), removed=_signs(text, "-"), note=note)


def _only(change: FileChange, text: str) -> str:
    if text:
        return ""
    return "an empty file" if change.before is None or change.after is None else "only its permissions"


def _signs(text: str, sign: str) -> int:
    return sum(row.startswith(sign) for row in text.splitlines())


def patch_of(files: Sequence[ChangedFile], blobs: Blobs) -> copying.Patch:
    """A patch for git of what is kept of the files; what is not is left out, and said. Blocks."""
    patches: list[copying.Patch] = []
    for file in files:
        if file.unchanged:
            continue
        folder, exact = Path(file.folder), bool(file.told) and not any(each.guess for each in file.told)
        kept = None if file.change is None else copying.kept_patch([file.change], blobs, folder)
        if (kept is None or not kept.text) and exact:
            kept = copying.told_patch(file.path, folder, ((each.diff, each.new) for each in file.told))
        patches.append(kept or copying.Patch("", 0, (file.path,)))
    return copying.Patch(
        "".join(patch.text for patch in patches),
        sum(patch.files for patch in patches),
        tuple(path for patch in patches for path in patch.left_out),
        next((patch.note for patch in patches if patch.note), ""),
    )
