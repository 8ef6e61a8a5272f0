"""edit_files: several edits in one or many files as one approval and one step: all of them, or none.

Everything is read, checked and made ready on the disk before the first file changes. Where putting one in its place
fails all the same, those that were changed before it are put back, and what could not be is said.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from runner.errors import ToolError, ToolInputError
from runner.messages import JsonObject, SideEffects
from runner.tools.base import Tool, ToolContext, ToolOutput
from runner.tools.builtin.file_edits import (
    FileNow,
    diff_of,
    edited,
    encoded,
    kept_while,
    lines_of,
    look,
    note_written,
    refuse_changed,
    remember_shown,
)
from runner.tools.builtin.make import threaded
from runner.tools.builtin.params import ListParam, Param, checker, schema_of
from runner.tools.files import book_of, remove_whole, staged, version_of, write_whole
from runner.tools.preview import DIFF_SHOWN
from runner.tools.workspace import Place, Refused, concern_about, enter, locate

MOST = 100
"""Edits of one call."""

_PARAMS = (
    ListParam(
        name="edits",
        description="The edits, made in this order; a later one sees the text that an earlier one left.",
        fields=(
            Param(name="path", type="string", description="The file, relative to the working folder.", required=True),
            Param(
                name="old",
                type="string",
                description="The exact text to replace, with its indentation. Empty makes a new file.",
                required=True,
            ),
            Param(name="new", type="string", description="The text to put in its place.", required=True),
            Param(name="all", type="boolean", description="Replace every occurrence of old.", default=False),
        ),
        required=True,
        least=1,
        most=MOST,
    ),
)


@dataclass(slots=True)
class _Change:
    """One file: as it is, and what all the edits of the call make of it."""

    file: FileNow
    new: bytes | None

    @property
    def changes(self) -> bool:
        return self.new is not None and self.new != self.file.data


class _HalfDone(ToolError):
    """Some files could not be put back."""

    side_effects: SideEffects = "done"


def _planned(edits: Sequence[JsonObject], place_of: Callable[[str], Place]) -> list[_Change]:
    """What the edits come to, one entry a file. Raises Refused with every problem that there is."""
    found: dict[str, _Change] = {}
    problems: list[str] = []
    for index, edit in enumerate(edits):
        try:
            place = place_of(str(edit["path"]))
            change = found.setdefault(place.real, _Change(_looked(found, place), None))
            change.new = _after(change, edit)
        except ToolError as error:
            problems.append(f"edits[{index}]: {error}")
    if problems:
        raise Refused("Nothing was changed, in no file. " + "\n".join(problems))
    return [change for change in found.values() if change.changes]


def _looked(found: dict[str, _Change], place: Place) -> FileNow:
    return found[place.real].file if place.real in found else look(place)


def _after(change: _Change, edit: JsonObject) -> bytes:
    now = change.file.data if change.new is None else change.new
    if edit["old"] or now:
        return edited(FileNow(change.file.place, now), edit)
    if not edit["new"]:
        raise ToolInputError("new: is empty; there is nothing to put into the new file")
    return encoded("new", edit["new"])


def _run(ctx: ToolContext, arguments: JsonObject) -> ToolOutput:
    book = book_of(ctx)
    with book.lock:
        changes = _planned(arguments["edits"], lambda path: enter(ctx, path))
        for change in changes:
            refuse_changed(ctx, book, change.file, own_writes_allowed=True)
        if not changes:
            return ToolOutput(text="The files are like that already; nothing was changed.", side_effects="none")
        _change_all(ctx, changes)
        for change in changes:
            assert change.new is not None
            note_written(book, change.file, change.new)
    display = _diffs(changes)
    return ToolOutput(text=_in_words(display["files"]), display=display)


def _change_all(ctx: ToolContext, changes: Sequence[_Change]) -> None:
    """Raises ToolError, and then every file is as it was, unless the error names those that are not."""
    missing = _missing_folders(changes)
    done: list[_Change] = []
    try:
        with ExitStack() as ready:
            steps: list[tuple[_Change, Callable[[], None]]] = []
            for change in changes:
                assert change.new is not None
                stage = staged(change.file.place, change.new, expected=change.file.version)
                steps.append((change, ready.enter_context(stage)))
            for change, put_in_place in steps:
                kept_while(ctx, change.file, change.new, put_in_place)
                done.append(change)
    except (ToolError, OSError) as error:
        left = _put_back(ctx, done)
        _remove_folders(missing)
        raise _failed(error, len(changes), done, left) from error
    except BaseException:
        _put_back(ctx, done)
        raise


def _put_back(ctx: ToolContext, done: Sequence[_Change]) -> list[str]:
    """Undo what was done, the last first. What could not be, in words."""
    left: list[str] = []
    for change in reversed(done):
        try:
            _put_one_back(ctx, change)
        except (ToolError, OSError) as error:
            left.append(f"{change.file.place.shown} has its new content and could not be put back ({error})")
    return left


def _put_one_back(ctx: ToolContext, change: _Change) -> None:
    place, old, new = change.file.place, change.file.data, change.new
    assert new is not None
    written = FileNow(place, new)
    if old is None:
        kept_while(ctx, written, None, lambda: remove_whole(place, expected=version_of(new)))
    else:
        kept_while(ctx, written, old, lambda: write_whole(place, old, expected=version_of(new)))


def _missing_folders(changes: Iterable[_Change]) -> list[str]:
    """The folders that new files need and that are not there yet, the deepest first."""
    missing: dict[str, None] = {}
    for change in changes:
        folder = os.path.dirname(change.file.place.real)
        while change.file.data is None and folder not in missing and not os.path.lexists(folder):
            missing[folder] = None
            folder = os.path.dirname(folder)
    return sorted(missing, key=len, reverse=True)


def _remove_folders(folders: Sequence[str]) -> None:
    for folder in folders:
        try:
            os.rmdir(folder)
        except OSError:
            continue  # It was not made, or somebody put something into it.


def _failed(error: Exception, count: int, done: Sequence[_Change], left: Sequence[str]) -> ToolError:
    why = str(error).rstrip(".")
    if left:
        others = len(done) - len(left)
        back = f" {others} of the other files changed before it were put back." if others else ""
        return _HalfDone(f"Not all of the {count} files could be changed: {why}. {'; '.join(left)}.{back}")
    if done:
        names = ", ".join(change.file.place.shown for change in done)
        return Refused(f"{why}. So none of the {count} files is changed: {names} had been and was put back.")
    return Refused(f"{why}. So none of the {count} files was changed.")


def _diffs(changes: Sequence[_Change]) -> JsonObject:
    """A call shows as many characters of its diffs as one file may have, each file a fair part."""
    files: list[JsonObject] = []
    room = DIFF_SHOWN * 2
    for index, change in enumerate(changes):
        assert change.new is not None
        shown = diff_of(change.file, change.new, shown=min(DIFF_SHOWN, room // (len(changes) - index)))
        room -= len(shown["diff"])
        files.append({name: shown[name] for name in ("path", "diff", "added", "removed", "new_file")})
    return {"type": "diffs", "files": files}


def _in_words(files: Sequence[JsonObject]) -> str:
    lines = [
        f"{'Created' if file['new_file'] else 'Changed'} {file['path']}: "
        f"{lines_of(file['added'])} added, {lines_of(file['removed'])} removed."
        for file in files
    ]
    return "\n".join(lines)


def _preview(ctx: ToolContext, arguments: JsonObject) -> JsonObject:
    changes = _planned(arguments["edits"], lambda path: locate(ctx, path))
    if not changes:
        raise Refused("The edits come to nothing: the files are like that already.")
    shown = _diffs(changes)
    for change in changes:
        remember_shown(ctx, change.file)
    return shown


def _paths(arguments: JsonObject) -> list[str]:
    return list(dict.fromkeys(str(edit["path"]) for edit in arguments["edits"]))


def _concern(ctx: ToolContext, arguments: JsonObject) -> str | None:
    # Each is looked at, because that also pins down where it leads now.
    found = [concern_about(ctx, path, writes=True) for path in _paths(arguments)]
    return " ".join(words for words in found if words is not None) or None


def _touches(ctx: ToolContext, arguments: JsonObject) -> list[Path]:
    return [Path(locate(ctx, path).real) for path in _paths(arguments)]


def _amounts_to(arguments: JsonObject) -> list[tuple[str, JsonObject]]:
    """So that what denies edit_file or write_file for a file denies it here."""
    found: list[tuple[str, JsonObject]] = []
    for edit in arguments["edits"]:
        found.append(("edit_file", dict(edit)))
        if not edit["old"]:
            found.append(("write_file", {"path": edit["path"], "content": edit["new"]}))
    return found


EDIT_FILES = Tool(
    name="edit_files",
    description=(
        "Make several edits, in one file or in many, as one step: all of them or, where one cannot be made, none. "
        "Each works as in edit_file: old must occur exactly once, unless all is true, and must match exactly. "
        "An empty old makes a new file."
    ),
    parameters=schema_of(_PARAMS),
    run=threaded(_run),
    validate=checker(_PARAMS),
    kind="edit",
    concern=_concern,
    preview=_preview,
    touches=_touches,
    amounts_to=_amounts_to,
)
