"""Telling a model that its command failed because of the sandbox, where that can be checked."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from runner.tools.sandbox.places import Places
from runner.tools.sandbox.wrap import Boxed

_LOOKED_AT: Final = 64 * 1024
_NAMED: Final = 20

_READ_ONLY: Final = re.compile(r"Read-only file system|EROFS|Device or resource busy|EBUSY")
_PATH: Final = re.compile(r"(?<![\w/.])(?:~|\.{1,2})?/[^\s:'\"`,;()<>|]+|(?<![\w/])\.git/[\w./-]+")
_NO_NETWORK: Final = re.compile(
    r"Network is unreachable|ENETUNREACH|Could not resolve host|Temporary failure in name resolution|EAI_AGAIN|"
    r"Name or service not known|ENOTFOUND|No address associated with hostname|nodename nor servname provided|"
    r"dial tcp: lookup|failed to lookup address information",
)

OUTSIDE: Final = (
    "commands run in a sandbox here: {path} is read-only for them. They may write below {workspace} and in /tmp. If it "
    "has to be written, say so to the user."
)
GUARDED: Final = (
    "commands run in a sandbox here: {path} may not be changed by them, because it holds what is run or obeyed later "
    "(hooks, configuration). Do without, or ask the user to do it."
)
OFFLINE: Final = (
    "commands run in a sandbox without network here. If this one needs it, call the tool again with network=true; the "
    "user is then asked."
)


def hints(output: str, boxed: Boxed) -> list[str]:
    """For the output of a command that failed in its sandbox. What it complains about is looked at from outside, so
    that an old disk or a missing cable are not blamed on the sandbox. Blocks.
    """
    text = output[-_LOOKED_AT:]
    found: list[str] = []
    if boxed.places is not None and _READ_ONLY.search(text) is not None:
        found += _about_files(text, boxed.places)
    if not boxed.network and _NO_NETWORK.search(text) is not None and _machine_has_network():
        found.append(OFFLINE)
    return found


def _about_files(text: str, places: Places) -> Iterator[str]:
    for path in _paths(text, places.workspace):
        if any(path == guarded or path.is_relative_to(guarded) for guarded in places.guarded):
            yield GUARDED.format(path=path)
            return
        inside = any(path.is_relative_to(writable) for writable in places.writable)
        if not inside and os.access(_nearest(path), os.W_OK):
            yield OUTSIDE.format(path=path, workspace=places.workspace)
            return


def _paths(text: str, workspace: Path) -> list[Path]:
    """The paths in the lines that complain."""
    found: dict[Path, None] = {}
    for line in text.split("\n"):
        if _READ_ONLY.search(line) is not None:
            for word in _PATH.findall(line):
                path = os.path.realpath(workspace / os.path.expanduser(word))
                # git writes a new file beside the old one and then puts it in its place.
                found[Path(path.removesuffix(".lock"))] = None
    return list(found)[:_NAMED]


def _nearest(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    return next((place for place in (path, *path.parents) if place.exists()), path)


def _machine_has_network() -> bool:
    """Whether there is a way out of this machine; True where nobody can tell."""
    try:
        routes = Path("/proc/net/route").read_text(encoding="ascii").splitlines()[1:]
        routes6 = [line for line in Path("/proc/net/ipv6_route").read_text(encoding="ascii").splitlines() if line]
    except (OSError, UnicodeDecodeError):
        return True
    return bool(routes) or any(not line.endswith(" lo") for line in routes6)
