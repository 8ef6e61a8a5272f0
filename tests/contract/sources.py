"""The project's own files, for the tests that read them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("runner", "tui", "themes", "tests")

_NOT_OURS = frozenset({".git", ".venv", "node_modules", "__pycache__", "build", "dist"})
_CACHES = (".cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".import_linter_cache")


def _walk(folder: Path) -> Iterator[Path]:
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in _NOT_OURS and name not in _CACHES and not name.endswith(".egg-info")
        )
        yield from (Path(base) / name for name in sorted(names))


def python_files(*rooms: str) -> list[Path]:
    """Every Python file in the given rooms, or in all of them."""
    return [path for room in rooms or ROOMS for path in _walk(ROOT / room) if path.suffix == ".py"]


def text_files() -> list[tuple[Path, str]]:
    """Every text file of the project with its text."""
    found: list[tuple[Path, str]] = []
    for path in _walk(ROOT):
        if path.is_symlink() or not path.is_file():
            continue
        data = path.read_bytes()
        if b"\0" not in data[:8192]:
            found.append((path, data.decode("utf-8", errors="replace")))
    return found


def name_of(path: Path) -> str:
    """A file's path as it is shown in messages and in lists of exceptions."""
    return path.relative_to(ROOT).as_posix()
