"""Files as they are now, and putting them in another state: whole or not at all, and through no link."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from dataclasses import dataclass
from typing import Literal

from runner.tools.workspace import Place, folder_of
from runner.undo.blobs import LARGEST, digest_of

Trouble = Literal["folder", "special", "large", "denied", "unreachable", "changed", "failed"]
"""A folder or something else is in its place; it is too large to be kept; its owner forbids it; a folder above it is a
link or a file now; it is not any more what it was a moment ago; the system says something else.
"""


class Blocked(Exception):
    """A file cannot be read or put back, and nothing was done. said: the system's own words."""

    def __init__(self, why: Trouble, said: str = "") -> None:
        super().__init__(said or why)
        self.why: Trouble = why
        self.said = said


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands under a name. digest: of the content, None where there is nothing.

    mode: the permissions; those of a link have its type with them, and its content is where it leads.
    """

    digest: str | None = None
    mode: int | None = None

    @property
    def is_link(self) -> bool:
        return self.mode is not None and stat.S_ISLNK(self.mode)


NOTHING = Entry()


def mode_of(status: os.stat_result) -> int:
    """The mode of an Entry: a regular file's permissions, or a link's type."""
    return stat.S_IFLNK if stat.S_ISLNK(status.st_mode) else stat.S_IMODE(status.st_mode)


def place_of(path: str) -> Place:
    """A real path, to be walked from the root without following a link on the way."""
    return Place(given=path, real=path, shown=path, root="/", inside=False)


def read(path: str) -> tuple[Entry, bytes]:
    """What stands under an absolute path without links, and its content. Raises Blocked."""
    try:
        with folder_of(place_of(path)) as (folder, name):
            return _read_at(folder, name)
    except FileNotFoundError:
        return NOTHING, b""
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.ELOOP):
            # Above it is no folder, so under this very path there is nothing.
            return NOTHING, b""
        raise _blocked(error) from error


def _read_at(folder: int, name: str) -> tuple[Entry, bytes]:
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        data = os.fsencode(os.readlink(name, dir_fd=folder))
        return Entry(digest_of(data), mode_of(status)), data
    if stat.S_ISDIR(status.st_mode):
        raise Blocked("folder")
    if not stat.S_ISREG(status.st_mode):
        raise Blocked("special")
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise Blocked("special")
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise Blocked("large")
    return Entry(digest_of(data), mode_of(status)), data


def put(path: str, target: Entry, data: bytes, *, expected: Entry) -> None:
    """Bring a path from the state that is expected there to another one, in one step. Raises Blocked.

    data: the target's content. A target without a mode keeps the present one.
    """
    try:
        if target.digest is None:
            _remove(path, expected)
        elif target.digest == expected.digest and target.is_link == expected.is_link:
            _set_mode(path, target, expected)
        else:
            _replace(path, target, data, expected)
    except OSError as error:
        raise _blocked(error) from error


def _remove(path: str, expected: Entry) -> None:
    with folder_of(place_of(path)) as (folder, name):
        _check(folder, name, expected)
        os.unlink(name, dir_fd=folder)
        _sync(folder)


def _replace(path: str, target: Entry, data: bytes, expected: Entry) -> None:
    _clear_empty_folder(path, expected)
    with folder_of(place_of(path), create=True) as (folder, name):
        temporary = f".{secrets.token_hex(8)}.tmp"
        try:
            if target.is_link:
                os.symlink(os.fsdecode(data), temporary, dir_fd=folder)
            else:
                _make_file(folder, temporary, data, target, _present(folder, name))
            _check(folder, name, expected)
            if expected.digest is None:
                _name_new(folder, temporary, name)
            else:
                os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            _forget(folder, temporary)
            raise
        _sync(folder)


def _present(folder: int, name: str) -> os.stat_result | None:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _make_file(folder: int, name: str, data: bytes, target: Entry, present: os.stat_result | None) -> None:
    """With its permissions from the first moment on: what is put back may be a secret."""
    mode = target.mode
    if mode is None:
        mode = 0o600 if present is None else stat.S_IMODE(present.st_mode)
    fd = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
    with os.fdopen(fd, "wb") as file:
        made = os.fstat(fd)
        if present is not None and (present.st_uid, present.st_gid) != (made.st_uid, made.st_gid):
            os.fchown(fd, present.st_uid, present.st_gid)
        file.write(data)
        file.flush()
        os.fchmod(fd, mode)
        os.fsync(fd)


def _name_new(folder: int, temporary: str, name: str) -> None:
    """Unlike a rename, a link fails where somebody made the file in the meantime; some file systems have no links."""
    try:
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError as error:
        raise Blocked("changed") from error
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
            raise
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    else:
        os.unlink(temporary, dir_fd=folder)


def _forget(folder: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return


def _sync(folder: int) -> None:
    """Make names durable; a descriptor that only stands for a path has to be opened again for that."""
    try:
        fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    except PermissionError:
        return
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _set_mode(path: str, target: Entry, expected: Entry) -> None:
    if target.mode is None:
        return
    with folder_of(place_of(path)) as (folder, name):
        _check(folder, name, expected)
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.fchmod(fd, target.mode)
        finally:
            os.close(fd)


def _clear_empty_folder(path: str, expected: Entry) -> None:
    """Where a file became a folder, its files are removed before it is put back; what is left are empty folders."""
    if expected.digest is not None:
        return
    try:
        with folder_of(place_of(path)) as (folder, name):
            if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                _remove_folders(name, folder)
    except FileNotFoundError:
        return


def _remove_folders(name: str, above: int) -> None:
    """Raises OSError where there is more than folders in it; those that were empty are gone then."""
    fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
    try:
        for inner in os.listdir(fd):
            if stat.S_ISDIR(os.stat(inner, dir_fd=fd, follow_symlinks=False).st_mode):
                _remove_folders(inner, fd)
    finally:
        os.close(fd)
    os.rmdir(name, dir_fd=above)


def _check(folder: int, name: str, expected: Entry) -> None:
    """In the last moment. Raises Blocked where something else stands there."""
    try:
        found, _ = _read_at(folder, name)
    except FileNotFoundError:
        found = NOTHING
    if found.digest != expected.digest or found.is_link != expected.is_link:
        raise Blocked("changed")


def _blocked(error: OSError) -> Blocked:
    said = error.strerror or str(error)
    match error.errno:
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return Blocked("denied", said)
        case errno.ENOTDIR | errno.ELOOP:
            return Blocked("unreachable", said)
        case errno.ENOTEMPTY | errno.EISDIR | errno.EEXIST:
            return Blocked("folder", said)
        case _:
            return Blocked("failed", said)
