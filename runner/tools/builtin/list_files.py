"""list_files: what is in a folder."""

from __future__ import annotations

import os
import stat

from runner.messages import JsonObject
from runner.tools.base import Tool, ToolContext, ToolOutput
from runner.tools.builtin.make import threaded
from runner.tools.builtin.params import Param, checker, schema_of
from runner.tools.workspace import Refused, concern_about, enter, folder_of, in_words

LISTED = 1000
"""Entries of one folder that are named."""

_PARAMS = (Param(name="path", type="string", description="The folder, relative to the working folder.", default="."),)


def _list(ctx: ToolContext, arguments: JsonObject) -> ToolOutput:
    place = enter(ctx, str(arguments["path"]))
    with in_words(place), folder_of(place) as (folder, name):
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        try:
            if not stat.S_ISDIR(os.fstat(fd).st_mode):
                raise Refused(f"{place.shown} is a file, not a folder; read_file shows it.")
            entries = _entries(fd)
        finally:
            os.close(fd)
    title = f"{place.shown}/" if place.shown != "." else "The working folder"
    if not entries:
        return ToolOutput(text=f"{title} is empty.")
    lines = [f"{title} has {len(entries)} {'entry' if len(entries) == 1 else 'entries'}:", *entries[:LISTED]]
    if len(entries) > LISTED:
        lines.append(f"[... {len(entries) - LISTED:,} more are not listed ...]")
    return ToolOutput(text="\n".join(lines))


def _entries(fd: int) -> list[str]:
    """Folders first, then the rest by name, each with its size in bytes; a link says where it points."""
    folders: list[str] = []
    others: list[str] = []
    with os.scandir(fd) as found:
        for entry in sorted(found, key=lambda item: item.name):
            name = _one_line(entry.name)
            try:
                if entry.is_symlink():
                    others.append(f"{name} -> {_one_line(os.readlink(entry.name, dir_fd=fd))}")
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(f"{name}/")
                else:
                    size = entry.stat(follow_symlinks=False).st_size
                    others.append(f"{name}  ({size:,} bytes)")
            except OSError as error:
                others.append(f"{name}  ({error.strerror})")
    return folders + others


def _one_line(name: str) -> str:
    """A name with a line feed must not look like two files."""
    return name.replace("\r", "\\r").replace("\n", "\\n")


LIST_FILES = Tool(
    name="list_files",
    description="List the files and folders in a folder, with sizes. Does not look into the folders below it.",
    parameters=schema_of(_PARAMS),
    run=threaded(_list),
    validate=checker(_PARAMS),
    kind="read",
    read_only=True,
    idempotent=True,
    concern=lambda ctx, arguments: concern_about(ctx, str(arguments["path"]), writes=False),
)
