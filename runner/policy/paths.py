"""Paths below a folder. An allowance compares exactly; a denial loosely, as the most careless file system would."""

from __future__ import annotations

import os
import posixpath
import unicodedata
from pathlib import Path

from runner.policy.base import PathFact


def resolved(folder: str, workspace: Path) -> str:
    """The folder of a rule as an absolute path with its links followed. Reads links, so do it when rules are loaded."""
    spelled = os.path.expanduser(folder) if folder == "~" or folder.startswith("~/") else folder
    return os.path.realpath(os.path.join(workspace, spelled))


def folder_path(folder: str, workspace: str) -> str | None:
    """The folder as an absolute path; None where that cannot be said without looking (see `resolved`)."""
    if folder.startswith("~") or not (posixpath.isabs(folder) or workspace):
        return None
    return posixpath.normpath(posixpath.join(workspace, folder))


def is_below(real: str, folder: str) -> bool:
    """Whether a real path is the folder or in it, byte for byte. No odd character is ever covered by an allowance."""
    if not real.isprintable():
        return False
    return real == folder or real.startswith(folder.rstrip("/") + "/")


def may_be_below(real: str, folder: str) -> bool:
    """The same for a denial: letter case, Unicode forms, and odd or trailing characters make no difference."""
    one, other = _loose(real), _loose(folder)
    return one == other or one.startswith(other.rstrip("/") + "/") or other == "/"


def all_below(paths: tuple[PathFact, ...], folder: str, workspace: str) -> bool:
    found = folder_path(folder, workspace)
    return bool(paths) and found is not None and all(is_below(path.real, found) for path in paths)


def any_below(paths: tuple[PathFact, ...], folder: str, workspace: str) -> bool:
    """Whether one of the paths may lie in the folder, by where it leads or by how it is written."""
    found = folder_path(folder, workspace)
    if found is None:
        return bool(paths)
    for path in paths:
        written = posixpath.normpath(posixpath.join(workspace or "/", path.given))
        if may_be_below(path.real, found) or may_be_below(written, found):
            return True
    return False


def _loose(path: str) -> str:
    folded = unicodedata.normalize("NFKC", path).casefold()
    kept = "".join(char for char in folded if char.isprintable() and unicodedata.category(char) != "Cf")
    return "/".join(part.strip().rstrip(".") or part.strip() for part in kept.split("/")).rstrip("/") or "/"
