"""Small text files that decide what may run: believed only where nobody else can write them, changed under a lock and
replaced in one step, so that any number of programs may use one.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from runner.errors import ConfigError
from runner.unfinished import unfinished_name


def read_owned(path: Path) -> str | None:
    """The text, None where there is no file. Raises ConfigError where it cannot be read or cannot be believed."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from error
    with open(fd, encoding="utf-8", errors="strict") as file:
        found = os.fstat(fd)
        if found.st_uid not in (os.geteuid(), 0) or stat.S_IMODE(found.st_mode) & 0o022:
            raise ConfigError("others can write it", where=str(path), expected="a file of yours with mode 0600")
        try:
            return file.read()
        except UnicodeDecodeError as error:
            raise ConfigError("is not UTF-8", where=str(path)) from error


def replace_owned(path: Path, text: str) -> None:
    """Write the whole file, readable by its owner only; text is ASCII."""
    temporary = path.with_name(unfinished_name(path.name))
    fd = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        with open(fd, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(fd)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def locked(path: Path) -> Generator[None, None, None]:
    """While a program reads a file to change it, no other one does; the folder is made where it is missing."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
