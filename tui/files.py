"""The files of the workspace for completion: gathered in a thread, without git and without starting anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tui.render.clean import visible

MOST = 20_000
"""Files offered at most; a larger folder is completed from its upper levels."""

_NEVER = frozenset({".git", ".hg", ".svn", "__pycache__", "node_modules", ".venv"})


class _Spec(Protocol):
    def match_file(self, file: str) -> bool: ...


def gather(workspace: Path, limit: int = MOST) -> list[str]:
    """Paths relative to the workspace, "/" as separator, nearer ones first.

    Left out: what .gitignore names, and names with characters that nobody could see in the message.
    """
    found: list[str] = []
    level: list[tuple[str, tuple[tuple[str, _Spec], ...]]] = [("", ())]
    while level and len(found) < limit:
        deeper: list[tuple[str, tuple[tuple[str, _Spec], ...]]] = []
        for folder, specs in level:
            here = _with_own(workspace, folder, specs)
            for name, is_folder in _entries(workspace / folder):
                path = f"{folder}{name}"
                if name in _NEVER or not _legible(name) or _ignored(path + ("/" if is_folder else ""), here):
                    continue
                if is_folder:
                    deeper.append((f"{path}/", here))
                elif len(found) < limit:
                    found.append(path)
        level = deeper
    return found


def _legible(name: str) -> bool:
    return name.isprintable() if name.isascii() else visible(name) == name


def _entries(folder: Path) -> Iterator[tuple[str, bool]]:
    try:
        with os.scandir(folder) as entries:
            yield from sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    except OSError:
        return


def _with_own(workspace: Path, folder: str, specs: tuple[tuple[str, _Spec], ...]) -> tuple[tuple[str, _Spec], ...]:
    try:
        lines = (workspace / folder / ".gitignore").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return specs
    from pathspec import GitIgnoreSpec

    return (*specs, (folder, GitIgnoreSpec.from_lines(lines)))


def _ignored(path: str, specs: tuple[tuple[str, _Spec], ...]) -> bool:
    return any(spec.match_file(path[len(folder) :]) for folder, spec in specs)
