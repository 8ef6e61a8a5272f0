"""Contents of files under their SHA-256, compressed, each once, readable by their owner only."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from runner.tools.files import EDITABLE

FOLDER = "kept"
LARGEST = EDITABLE
"""Bytes of the largest content that is kept."""

_LEVEL = 1
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def private_folder(folder: Path) -> None:
    """Make a folder, and those above it, that only its owner can enter. Raises OSError."""
    if folder.is_dir():
        return
    private_folder(folder.parent)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return
    # mkdir's mode is cut by the umask, which may even take the owner's own rights away.
    folder.chmod(0o700)


class Blobs:
    """Safe for any number of threads and programs at once. Making one does nothing."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / FOLDER

    def put(self, data: bytes, *, durable: bool = False) -> str:
        """Keep a content; returns its digest. durable: also where the power fails. Raises OSError."""
        digest = digest_of(data)
        with self._part(digest[:2]) as part:
            name = digest[2:]
            if not _renewed(name, part):
                _write(name, zlib.compress(data, _LEVEL), part, durable)
        return digest

    def get(self, digest: str) -> bytes | None:
        """The content, None where it is not kept, not any more, or damaged."""
        try:
            part = os.open(self.folder / digest[:2], _FOLDER)
        except OSError:
            return None
        try:
            fd = os.open(digest[2:], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=part)
        except OSError:
            return None
        finally:
            os.close(part)
        with os.fdopen(fd, "rb") as file:
            unpack = zlib.decompressobj()
            try:
                # One byte more than is ever kept: what would unpack to a giant is no content of ours.
                data = unpack.decompress(file.read(), LARGEST + 1)
            except (zlib.error, OSError):
                return None
        return data if digest_of(data) == digest else None

    def has(self, digest: str) -> bool:
        """Whether there is something under this digest, without reading it."""
        try:
            found = os.stat(self.folder / digest[:2] / digest[2:], follow_symlinks=False)
        except OSError:
            return False
        return stat.S_ISREG(found.st_mode) and found.st_size > 0

    @contextmanager
    def _part(self, name: str) -> Generator[int, None, None]:
        folder = self.folder / name
        try:
            fd = os.open(folder, _FOLDER)
        except FileNotFoundError:
            private_folder(folder)
            fd = os.open(folder, _FOLDER)
        try:
            yield fd
        finally:
            os.close(fd)


def _renewed(name: str, part: int) -> bool:
    """Whether it is there already; then it counts as kept now, so that it is not the next to be dropped."""
    try:
        found = os.stat(name, dir_fd=part, follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode) or found.st_size == 0:
            return False
        os.utime(name, dir_fd=part, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _write(name: str, packed: bytes, part: int, durable: bool) -> None:
    temporary = f".{secrets.token_hex(8)}.tmp"
    fd = os.open(temporary, _NEW, 0o600, dir_fd=part)
    try:
        try:
            view = memoryview(packed)
            while view:
                view = view[os.write(fd, view) :]
            if durable:
                os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(temporary, name, src_dir_fd=part, dst_dir_fd=part)
    except BaseException:
        os.unlink(temporary, dir_fd=part)
        raise
    if durable:
        os.fsync(part)
