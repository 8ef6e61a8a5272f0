"""write_file and edit_file: changes to one file that a person saw as a diff, made whole or not at all."""

from __future__ import annotations

from pathlib import Path

from runner.errors import ToolInputError
from runner.messages import JsonObject
from runner.tools.base import Tool, ToolContext, ToolOutput
from runner.tools.builtin.file_edits import (
    FileNow,
    edited,
    encoded,
    look,
    refuse_changed,
    remember_shown,
    replace_file,
)
from runner.tools.builtin.make import threaded
from runner.tools.builtin.params import Param, checker, schema_of
from runner.tools.files import book_of
from runner.tools.preview import diff_preview
from runner.tools.workspace import Refused, concern_about, enter, locate

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


def _for_preview(ctx: ToolContext, path: str) -> FileNow:
    """The file that a person is about to be asked about, outside the workspace or not."""
    return look(locate(ctx, path))


def _write(ctx: ToolContext, arguments: JsonObject) -> ToolOutput:
    new = encoded("content", arguments["content"])
    place = enter(ctx, str(arguments["path"]))
    book = book_of(ctx)
    with book.lock:
        file = look(place)
        # The content was written against the file as it was: an own edit in between would be lost as well.
        refuse_changed(ctx, book, file, own_writes_allowed=False)
        if file.data == new:
            return ToolOutput(text=f"{place.shown} has this content already.", side_effects="none")
        return replace_file(ctx, book, file, new)


def _write_preview(ctx: ToolContext, arguments: JsonObject) -> JsonObject:
    new = encoded("content", arguments["content"])
    file = _for_preview(ctx, str(arguments["path"]))
    old = None if file.data is None else file.data.decode("utf-8", "replace")
    preview = diff_preview(file.place.shown, old, new.decode("utf-8"))
    remember_shown(ctx, file)
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


def _edit(ctx: ToolContext, arguments: JsonObject) -> ToolOutput:
    place = enter(ctx, str(arguments["path"]))
    book = book_of(ctx)
    with book.lock:
        file = look(place)
        # Two edits of one batch are both fine: each replaces just the text that the person saw replaced.
        refuse_changed(ctx, book, file, own_writes_allowed=True)
        return replace_file(ctx, book, file, edited(file, arguments))


def _edit_preview(ctx: ToolContext, arguments: JsonObject) -> JsonObject:
    file = _for_preview(ctx, str(arguments["path"]))
    new = edited(file, arguments)
    assert file.data is not None
    preview = diff_preview(file.place.shown, file.data.decode("utf-8", "replace"), new.decode("utf-8", "replace"))
    remember_shown(ctx, file)
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
