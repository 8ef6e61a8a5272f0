"""write_file and edit_file: changes to one file that a person saw as a diff, made whole or not at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from runner.errors import ToolInputError
from runner.messages import JsonObject
from runner.tools.base import Tool, ToolContext, ToolOutput
from runner.tools.builtin.make import threaded
from runner.tools.builtin.params import Param, checker, schema_of
from runner.tools.files import Book, book_of, read_whole, version_of, write_whole
from runner.tools.preview import diff_preview
from runner.tools.workspace import Place, Refused, concern_about, enter, locate, open_file

_WRITE_PARAMS = (
    Param(name="path", type="string", description="The file, relative to the working folder.", required=True),
    Param(name="content", type="string", description="The whole new content.", required=True),
)
_EDIT_PARAMS = (
    Param(name="path", type="string", description="The file, relative to the working folder.", required=True),
    Param(name="old", type="string", description="The exact text to replace, with its indentation.", required=True),
    Param(name="new", type="string", description="The text to put in its place.", required=True),
    Param(name="all", type="boolean", description="Replace every occurrence of old.", default=False),
)


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it is now. data None: it does not exist."""

    place: Place
    data: bytes | None

    @property
    def version(self) -> str | None:
        return None if self.data is None else version_of(self.data)


def _now(place: Place) -> _File:
    try:
        with open_file(place) as fd:
            return _File(place, read_whole(fd, place.shown))
    except Refused as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return _File(place, None)
        raise


def _for_preview(ctx: ToolContext, path: str) -> _File:
    """The file that a person is about to be asked about, outside the workspace or not."""
    return _now(locate(ctx, path))


def _remember_shown(ctx: ToolContext, file: _File) -> None:
    book = book_of(ctx)
    with book.lock:
        book.shown[ctx.call_id, file.place.real] = file.version


def _refuse_changed(ctx: ToolContext, book: Book, file: _File, *, own_writes_allowed: bool) -> None:
    """Raises Refused where the file is not what was shown to the person, or not what the model read."""
    path, version = file.place.real, file.version
    key = (ctx.call_id, path)
    if key in book.shown and version != book.shown[key]:
        own = own_writes_allowed and book.came_from(path, version, book.shown[key])
        if not own:
            raise Refused(f"{file.place.shown} changed since you saw the diff; nothing was changed. Try again.")
    read = book.read.get(path)
    if read is not None and version != read:
        what = "was removed" if version is None else "changed on disk"
        raise Refused(f"{file.place.shown} {what} since it was read; nothing was changed. Read it again first.")


def _replace(ctx: ToolContext, book: Book, file: _File, new: bytes) -> ToolOutput:
    path, before = file.place.real, file.version
    write_whole(file.place, new, expected=before)
    after = version_of(new)
    book.written[path, after] = before
    book.read[path] = after
    old_text = None if file.data is None else file.data.decode("utf-8", "replace")
    display = diff_preview(file.place.shown, old_text, new.decode("utf-8", "replace"))
    made = "Created" if file.data is None else "Changed"
    text = f"{made} {file.place.shown}: {_lines(display['added'])} added, {_lines(display['removed'])} removed."
    return ToolOutput(text=text, display=display)


def _lines(count: int) -> str:
    return f"{count} line" if count == 1 else f"{count} lines"


def _encoded(name: str, text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ToolInputError(f"{name}: character {error.start} is half of a surrogate pair") from error


def _write(ctx: ToolContext, arguments: JsonObject) -> ToolOutput:
    new = _encoded("content", arguments["content"])
    place = enter(ctx, str(arguments["path"]))
    book = book_of(ctx)
    with book.lock:
        file = _now(place)
        # The content was written against the file as it was: an own edit in between would be lost as well.
        _refuse_changed(ctx, book, file, own_writes_allowed=False)
        if file.data == new:
            return ToolOutput(text=f"{place.shown} has this content already.", side_effects="none")
        return _replace(ctx, book, file, new)


def _write_preview(ctx: ToolContext, arguments: JsonObject) -> JsonObject:
    new = _encoded("content", arguments["content"])
    file = _for_preview(ctx, str(arguments["path"]))
    old = None if file.data is None else file.data.decode("utf-8", "replace")
    preview = diff_preview(file.place.shown, old, new.decode("utf-8"))
    _remember_shown(ctx, file)
    return preview


def _write_concern(ctx: ToolContext, arguments: JsonObject) -> str | None:
    """Besides where it is: overwriting what nobody read in this run is never done unseen."""
    path = str(arguments["path"])
    found = concern_about(ctx, path, writes=True)
    if found is not None:
        return found
    try:
        file = _for_preview(ctx, path)
    except (ToolInputError, Refused):
        return None  # It will fail for that reason when it runs.
    if file.data is not None and file.place.real not in book_of(ctx).read:
        return f"{file.place.shown} exists, was not read in this run, and would be overwritten."
    return None


def _edited(file: _File, arguments: JsonObject) -> bytes:
    """The new content. Raises ToolInputError or Refused with what is wrong, in words for the model."""
    old, new = _encoded("old", arguments["old"]), _encoded("new", arguments["new"])
    shown = file.place.shown
    if not old:
        raise ToolInputError("old: is empty; write_file makes a new file")
    if old == new:
        raise ToolInputError("new: is the same as old")
    if file.data is None:
        raise Refused(f"{shown} does not exist; write_file makes a new file.")
    if file.data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refused(f"{shown} is UTF-16, which this tool cannot edit.")
    pattern, ending = _pattern(file.data, old)
    matches = len(pattern.findall(file.data))
    if matches == 0:
        raise Refused(f"old was not found in {shown}. It must match exactly; read the file again. Nothing was changed.")
    if matches > 1 and not arguments["all"]:
        hint = "Give more of the text around it, or all=true."
        raise Refused(f"old was found {matches} times in {shown}, so nothing was changed. {hint}")
    if ending is not None:
        new = re.sub(rb"\r?\n", ending, new)
    return pattern.sub(lambda _: new, file.data)


def _pattern(data: bytes, old: bytes) -> tuple[re.Pattern[bytes], bytes | None]:
    """What to look for, and the line ending of the new text (None: as given).

    The model is shown lines, not their endings, so a line feed of `old` matches either ending of a file that has both.
    """
    windows = data.count(b"\r\n")
    if not windows:
        return re.compile(re.escape(old)), None
    parts = re.split(rb"\r?\n", old)
    ending = b"\r\n" if windows * 2 >= data.count(b"\n") else b"\n"
    return re.compile(rb"\r?\n".join(re.escape(part) for part in parts)), ending


def _edit(ctx: ToolContext, arguments: JsonObject) -> ToolOutput:
    place = enter(ctx, str(arguments["path"]))
    book = book_of(ctx)
    with book.lock:
        file = _now(place)
        # Two edits of one batch are both fine: each replaces just the text that the person saw replaced.
        _refuse_changed(ctx, book, file, own_writes_allowed=True)
        return _replace(ctx, book, file, _edited(file, arguments))


def _edit_preview(ctx: ToolContext, arguments: JsonObject) -> JsonObject:
    file = _for_preview(ctx, str(arguments["path"]))
    new = _edited(file, arguments)
    assert file.data is not None
    preview = diff_preview(file.place.shown, file.data.decode("utf-8", "replace"), new.decode("utf-8", "replace"))
    _remember_shown(ctx, file)
    return preview


def _touches(ctx: ToolContext, arguments: JsonObject) -> list[Path]:
    return [Path(locate(ctx, str(arguments["path"])).real)]


WRITE_FILE = Tool(
    name="write_file",
    description=(
        "Create a file with this content, with the folders above it, or replace a whole file. "
        "To change a part of a file, use edit_file."
    ),
    parameters=schema_of(_WRITE_PARAMS),
    run=threaded(_write),
    validate=checker(_WRITE_PARAMS),
    kind="edit",
    idempotent=True,
    concern=_write_concern,
    preview=_write_preview,
    touches=_touches,
)

EDIT_FILE = Tool(
    name="edit_file",
    description=(
        "Replace a text in a file. old must occur exactly once, unless all is true, and must match exactly, "
        "without the line numbers that read_file shows."
    ),
    parameters=schema_of(_EDIT_PARAMS),
    run=threaded(_edit),
    validate=checker(_EDIT_PARAMS),
    kind="edit",
    concern=lambda ctx, arguments: concern_about(ctx, str(arguments["path"]), writes=True),
    preview=_edit_preview,
    touches=_touches,
)
