"""Where the data is, readable by its owner only whatever the umask says."""

from __future__ import annotations

import os
from pathlib import Path

from runner.errors import StoreError
from runner.folders import DATA_VARIABLE, data_dir

__all__ = ["DATABASE_NAME", "DATA_VARIABLE", "data_dir", "database_path", "prepare"]

DATABASE_NAME = "quarterdeck.db"


def database_path(path: Path | None) -> Path:
    """The database file: the given file, or the usual name in the given or the default folder."""
    if path is None:
        return data_dir() / DATABASE_NAME
    return path / DATABASE_NAME if path.is_dir() else path


def prepare(path: Path) -> None:
    """Make the folder (0700) and the file (0600). A folder that was there before keeps its mode.

    SQLite gives its -wal and -shm files the mode of the database file. Raises StoreError.
    """
    try:
        _make_folder(path.parent)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(handle, 0o600)
        finally:
            os.close(handle)
        for suffix in ("-wal", "-shm"):
            _tighten(Path(f"{path}{suffix}"))
    except OSError as error:
        raise StoreError(f"cannot use {path}: {error.strerror or error}") from error


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return
    # mkdir's mode is cut by the umask, which may even take the owner's own rights away.
    folder.chmod(0o700)


def _tighten(path: Path) -> None:
    try:
        path.chmod(0o600)
    except FileNotFoundError:
        return
