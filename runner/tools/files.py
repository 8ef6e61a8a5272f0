"""What a run knows of files: what it read, what it was shown, what it wrote; and writing them whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from runner.errors import ToolError
from runner.tools.base import ToolContext
from runner.tools.workspace import Place, Refused, folder_of, in_words
from runner.unfinished import unfinished_name

EDITABLE = 16 * 1024 * 1024
"""Bytes of the largest file that is compared, edited or overwritten."""

_BOOK = "runner.tools.files"
_BLOCK = 1024 * 1024


@dataclass(slots=True)
class Book:
    """The files of one run, by real path. A version is the hash of the content, None where there is no file.

    read: the version last read or written. shown: per call and path, the version its preview was made of.
    written: for each version that the run itself wrote, the one it replaced.
    """

    read: dict[str, str] = field(default_factory=dict[str, str])
    shown: dict[tuple[str, str], str | None] = field(default_factory=dict[tuple[str, str], "str | None"])
    written: dict[tuple[str, str], str | None] = field(default_factory=dict[tuple[str, str], "str | None"])
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held from looking at a file to replacing it: two edits of one batch must not lose one another."""

    def came_from(self, path: str, now: str | None, earlier: str | None) -> bool:
        """Whether only this run's own writes lie between an earlier version and the present one."""
        seen: set[str | None] = set()
        while now != earlier:
            if now is None or now in seen or (path, now) not in self.written:
                return False
            seen.add(now)
            now = self.written[path, now]
        return True


def book_of(ctx: ToolContext) -> Book:
    book = ctx.scratch.setdefault(_BOOK, Book())
    assert isinstance(book, Book)
    return book


def version_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read_whole(fd: int, shown: str) -> bytes:
    """All bytes of an open file. Raises Refused where it is larger than EDITABLE."""
    size = os.fstat(fd).st_size
    data = bytearray()
    while block := os.read(fd, _BLOCK):
        data += block
        if len(data) > EDITABLE:
            raise Refused(f"{shown} is too large for this tool ({max(size, len(data)):,} bytes).")
    return bytes(data)


def write_whole(place: Place, data: bytes, *, expected: str | None) -> None:
    """Replace the file in one step, keeping its mode and owner, or make it with its folders.

    expected: the version that is there now; anything else there is refused and nothing is changed.
    """
    with staged(place, data, expected=expected) as put_in_place:
        put_in_place()


@contextmanager
def staged(place: Place, data: bytes, *, expected: str | None) -> Generator[Callable[[], None], None, None]:
    """As `write_whole`, in two steps: the new content is on the disk beside the file, and a call puts it in its place.

    So that of several files all can be made ready before the first one changes. Without the call nothing changes.
    """
    with ExitStack() as open_folder:
        with in_words(place):
            folder, name = open_folder.enter_context(folder_of(place, create=expected is None))
            before = _present(folder, name, place, expected)
            temporary = _temporary(folder, name, data, before)

        def put_in_place() -> None:
            with in_words(place):
                _put_in_place(folder, name, temporary, place, expected)

        try:
            yield put_in_place
        finally:
            _forget(temporary, folder)


def _temporary(folder: int, name: str, data: bytes, before: os.stat_result | None) -> str:
    temporary = unfinished_name(name)
    mode = 0o666 if before is None else stat.S_IMODE(before.st_mode)
    fd = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=folder)
    try:
        try:
            _fill(fd, data, before)
        finally:
            os.close(fd)
    except BaseException:
        _forget(temporary, folder)
        raise
    return temporary


def _put_in_place(folder: int, name: str, temporary: str, place: Place, expected: str | None) -> None:
    # Looked at once more: writing and syncing took its time.
    before = _present(folder, name, place, expected)
    if before is not None:
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    else:
        try:
            _name_new(temporary, name, folder)
        except FileExistsError as error:
            raise Refused(f"{place.shown} came into being while it was written; nothing was changed.") from error
    _sync_folder(folder)


def remove_whole(place: Place, *, expected: str) -> None:
    """Remove a file that has this version; anything else there is refused and nothing is changed."""
    with in_words(place), folder_of(place) as (folder, name):
        _present(folder, name, place, expected)
        os.unlink(name, dir_fd=folder)
        _sync_folder(folder)


def _present(folder: int, name: str, place: Place, expected: str | None) -> os.stat_result | None:
    """The file as it is now, checked against the expected version in the last moment."""
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        if expected is None:
            return None
        raise Refused(f"{place.shown} was removed meanwhile; nothing was changed.") from None
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise Refused(f"{place.shown} is not a regular file.")
        if expected is None or version_of(read_whole(fd, place.shown)) != expected:
            raise Refused(f"{place.shown} was changed by somebody else meanwhile; nothing was changed. Read it again.")
    finally:
        os.close(fd)
    if not os.access(name, os.W_OK, dir_fd=folder):
        raise Refused(f"{place.shown} is write-protected.")
    return found


def _name_new(temporary: str, name: str, folder: int) -> None:
    """Unlike a rename, a link fails where somebody made the file in the meantime; some file systems have no links."""
    try:
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
            raise
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    else:
        _forget(temporary, folder)


def _fill(fd: int, data: bytes, before: os.stat_result | None) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    if before is not None:
        made = os.fstat(fd)
        if (before.st_uid, before.st_gid) != (made.st_uid, made.st_gid):
            _give(fd, before)
        os.fchmod(fd, stat.S_IMODE(before.st_mode))
    os.fsync(fd)


def _give(fd: int, before: os.stat_result) -> None:
    try:
        os.fchown(fd, before.st_uid, before.st_gid)
    except PermissionError as error:
        raise ToolError("The file belongs to somebody else and cannot be replaced without changing that.") from error


def _forget(temporary: str, folder: int) -> None:
    try:
        os.unlink(temporary, dir_fd=folder)
    except OSError:
        return  # It is gone already, or it stays behind: the change is made, or was not, whatever becomes of it.


def _sync_folder(folder: int) -> None:
    """Make the new name durable; a descriptor that only stands for a path has to be opened again for that.

    The change is there already, so a disk that refuses this does not make it one that failed.
    """
    try:
        fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return
    try:
        os.fsync(fd)
    except OSError:
        return
    finally:
        os.close(fd)
