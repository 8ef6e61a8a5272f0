"""The person's own theme files: whether one changed, and what they say now."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

import themes

Signature: TypeAlias = tuple[tuple[str, int, int], ...]


def signature(folder: Path) -> Signature:
    """What tells one state of the folder from another: names, times and sizes. () where there is no folder."""
    try:
        with os.scandir(folder) as found:
            files = [entry for entry in found if entry.name.endswith(".toml")]
            return tuple(sorted(_state(entry) for entry in files))
    except OSError:
        return ()


def _state(entry: os.DirEntry[str]) -> tuple[str, int, int]:
    try:
        state = entry.stat()
    except OSError:
        return entry.name, 0, 0
    return entry.name, state.st_mtime_ns, state.st_size


def read_all(folder: Path) -> tuple[dict[str, themes.Theme], list[themes.ThemeError]]:
    """Every theme that can be used, and what is wrong with the others."""
    problems: list[themes.ThemeError] = []
    return themes.load_all(folder, problems=problems), problems
