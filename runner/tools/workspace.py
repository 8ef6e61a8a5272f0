"""Where a path really leads, and opening it so that it cannot lead anywhere else in the meantime."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runner.errors import ToolError, ToolInputError
from runner.messages import SideEffects
from runner.tools.base import ToolContext

_PROTECTED = {
    ".git": "git runs commands that are configured there",
    ".quarterdeck": "it holds the settings that say what may run without asking",
}
_PLACES = "runner.tools.places"
_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)


class Refused(ToolError):
    """Nothing was done: the tool looked, and would not or could not."""

    side_effects: SideEffects = "none"


@dataclass(frozen=True, slots=True)
class Place:
    """A path as it was given and where it leads. shown: relative to the workspace where it is inside.

    real: absolute, without symbolic links; it need not exist. root: the workspace, or / for a place outside of it.
    """

    given: str
    real: str
    shown: str
    root: str
    inside: bool


def locate(ctx: ToolContext, given: str) -> Place:
    """Follow `..` and symbolic links to the real place. Raises ToolInputError where the text is no path at all."""
    if not given or "\0" in given:
        raise ToolInputError(f"path: {given!r} is not a path")
    root = os.path.realpath(ctx.workspace)
    spelled = os.path.expanduser(given) if given == "~" or given.startswith("~/") else given
    try:
        real = os.path.realpath(os.path.join(root, spelled))
        os.fsencode(real)
    except (OSError, ValueError) as error:
        raise ToolInputError(f"path: {given!r} is not a path: {error}") from error
    inside = real == root or real.startswith(root.rstrip("/") + "/")
    shown = os.path.relpath(real, root) if inside else real
    return Place(given, real, shown, root if inside else "/", inside)


def enter(ctx: ToolContext, given: str) -> Place:
    """The place for a tool that is about to use it. Raises ToolInputError where it is outside and not allowed."""
    place = locate(ctx, given)
    if place.inside:
        return place
    if not ctx.allow_outside:
        raise ToolInputError(f"path: {outside(place)} Only files inside the workspace can be used without approval.")
    approved = ctx.scratch.get(_key(ctx, given))
    if isinstance(approved, str) and approved != place.real:
        raise Refused(f"{given} leads to {place.real} now; what was approved is {approved}. Nothing was done.")
    return place


def outside(place: Place) -> str:
    if place.given == place.real:
        return f"{place.real} is outside the workspace."
    return f"{place.given} leads to {place.real}, which is outside the workspace."


def concern_about(ctx: ToolContext, given: str, *, writes: bool) -> str | None:
    """Why a person must be asked about this path whatever the mode, or None. Remembers where it leads now."""
    try:
        place = locate(ctx, given)
    except ToolInputError:
        return None  # The call itself will say so; there is nothing to allow.
    ctx.scratch[_key(ctx, given)] = place.real
    if not place.inside:
        return outside(place)
    if not writes:
        return None
    for part in Path(place.shown).parts:
        reason = _PROTECTED.get(part.casefold())
        if reason is not None:
            return f"{place.shown} is inside {part}: {reason}."
    return None


def _key(ctx: ToolContext, given: str) -> str:
    return f"{_PLACES}:{ctx.call_id}:{given}"


@contextmanager
def folder_of(place: Place, *, create: bool = False) -> Generator[tuple[int, str], None, None]:
    """A descriptor of the folder that holds the place, and the place's name in it.

    Every step from the root is opened without following links, so a folder that is swapped for a link after
    `locate` is an error rather than a way out. create: missing folders are made.
    """
    parts = [part for part in os.path.relpath(place.real, place.root).split("/") if part != "."]
    name = parts.pop() if parts else "."
    fd = os.open(place.root, _FOLDER & ~os.O_NOFOLLOW)
    try:
        for part in parts:
            if create:
                _make_folder(part, fd)
            inner = os.open(part, _FOLDER, dir_fd=fd)
            os.close(fd)
            fd = inner
        yield fd, name
    finally:
        os.close(fd)


def _make_folder(name: str, fd: int) -> None:
    try:
        os.mkdir(name, dir_fd=fd)
    except FileExistsError:
        return


@contextmanager
def open_file(place: Place) -> Generator[int, None, None]:
    """A descriptor of a regular file for reading. Raises Refused in words for a model where there is none."""
    with in_words(place), folder_of(place) as (folder, name):
        # Without O_NONBLOCK a named pipe would hold the thread for ever.
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        mode = os.fstat(fd).st_mode
        if stat.S_ISDIR(mode):
            raise Refused(f"{place.shown} is a folder; list_files shows what is in it.")
        if not stat.S_ISREG(mode):
            raise Refused(f"{place.shown} is not a regular file.")
        yield fd
    finally:
        os.close(fd)


@contextmanager
def in_words(place: Place) -> Generator[None, None, None]:
    """System errors about a place, as a model can use them."""
    try:
        yield
    except OSError as error:
        match error.errno:
            case errno.ENOENT:
                raise Refused(f"{place.shown} does not exist.") from error
            case errno.EACCES | errno.EPERM:
                raise Refused(f"{place.shown}: permission denied.") from error
            case errno.ENOTDIR | errno.ELOOP:
                why = "a part of it is not a folder, or became a link while it was opened"
                raise Refused(f"{place.shown} cannot be opened: {why}.") from error
            case _:
                raise ToolError(f"{place.shown}: {error.strerror or error}.") from error
