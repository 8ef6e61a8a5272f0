"""Writes exports to files: new ones only, and for their owner alone."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from runner.errors import ConfigError
from runner.store.base import ExportFormat

ENDINGS: Final[dict[ExportFormat, str]] = {"markdown": "md", "html": "html", "jsonl": "jsonl"}
MOST_NAME: Final = 48
"""Characters of a title in the name of a file."""

_WORD = re.compile(r"[^\W_]+")


def file_name(title: str, session_id: str, format: ExportFormat) -> str:
    """A name from a title, in letters and digits; the end of the id tells sessions of one title apart."""
    words = "-".join(_WORD.findall(title.lower()))
    short = words[:MOST_NAME].rpartition("-")[0] or words[:MOST_NAME] if len(words) > MOST_NAME else words
    last = "".join(_WORD.findall(session_id))[-6:]
    return f"{'-'.join(filter(None, (short or 'session', last)))}.{ENDINGS[format]}"


def path_of(text: str, folder: Path) -> Path:
    """The file that a person named."""
    return folder / Path(text.strip()).expanduser()


def free_name(path: Path) -> Path:
    """The path itself, or with a number where something has that name."""
    for number in range(2, 1000):
        if not os.path.lexists(path):
            return path
        stem = re.sub(r"-\d{1,3}$", "", path.stem) if number > 2 else path.stem
        path = path.with_name(f"{stem}-{number}{path.suffix}")
    return path


def write_new(path: Path, pieces: Iterable[str]) -> int:
    """The bytes written. Raises ConfigError where the file exists or cannot be written; then nothing is left of it."""
    try:
        # A session may hold anything that was on the screen, so its export is its owner's alone.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise ConfigError(f"{path} exists; remove it, or export to another file") from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}") from error
    done = False
    try:
        with open(descriptor, "w", encoding="utf-8", errors="replace", newline="\n") as file:
            file.writelines(pieces)
            file.flush()
            size = os.fstat(file.fileno()).st_size
        done = True
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        if not done:
            with contextlib.suppress(OSError):
                path.unlink()
    return size
