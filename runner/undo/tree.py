"""A git work tree before and after a command: which files changed, and what they were.

Everything is compared by what the file system says of a file (size, times, inode), so that no content is read that did
not change. What a clean file was is in git; what an untracked or changed one was is kept before the command.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from runner.undo.blobs import LARGEST, Blobs
from runner.undo.disk import Blocked, read
from runner.undo.git import Git, Listed, Paths, TooMuchError, finish
from runner.undo.stamps import next_tick
from runner.unfinished import is_unfinished

MOST_FILES = 60_000
"""Files of a work tree that are compared; a larger one is not covered."""

REST_SECONDS = 600.0
"""How long a tree that was too much is not looked at again: every command would wait for it in vain."""

KEPT_FILES = 5_000
KEPT_BYTES = 128 * 1024 * 1024
"""What is kept before one command; what is more is not covered."""

_LOW = 0xFFFF_FFFF

Sig: TypeAlias = tuple[int, int, int, int, int]
"""mode, size, mtime, ctime, inode."""

Kind = Literal["git", "kept", "large", "many", "unreadable"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where the content of a file is: a git object, a blob of ours, or nowhere (the other kinds say why).

    listed: the index itself says so, by the file's size and times.
    """

    kind: Kind
    key: str = ""
    listed: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """What git knows besides files. staged: a number that changes with what is staged."""

    head: tuple[bytes, int, int]
    exclude: tuple[int, int]
    staged: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """began: nanoseconds since the epoch; what changed before has an earlier stamp, what changes since a later one.

    index, tracked: of git, as they were. partial: made of a record, so that only size, times and the low half of the
    inode are known.
    """

    root: str
    began: int
    files: Mapping[bytes, Sig]
    sources: Mapping[bytes, Source]
    state: State
    index: Path
    index_ns: int
    tracked: Mapping[bytes, Listed] = field(repr=False)
    partial: bool = False


class Tree:
    """One folder inside a work tree. Safe for threads; one look at a time."""

    def __init__(self, root: str, blobs: Blobs) -> None:
        self.root = root
        self.lock = threading.RLock()
        self.blobs = blobs
        self._prefix = os.fsencode(root.rstrip("/") + "/")
        self._known: dict[bytes, tuple[Sig, Source]] = {}
        self._index: Index | None = None
        self._rests_until = 0.0

    def before(self) -> Snapshot:
        """The tree as it is, with everything kept that git could not give back. Raises GitError, OSError."""
        with self.lock:
            if time.monotonic() < self._rests_until:
                raise TooMuchError
            git = Git(self.root)
            try:
                look = self.look(git, ())
            except TooMuchError:
                self._rests_until = time.monotonic() + REST_SECONDS
                raise
            known: dict[bytes, tuple[Sig, Source]] = {}
            fresh: list[bytes] = []
            for name, sig in look.files.items():
                had = self._known.get(name)
                if had is not None and had[0] == sig:
                    known[name] = had
                else:
                    fresh.append(name)
            known.update(self._classify(git, look, fresh))
            self._known = known
            return Snapshot(
                root=self.root,
                began=next_tick(),
                files=look.files,
                sources={name: source for name, (_, source) in known.items()},
                state=look.state,
                index=look.paths.index,
                index_ns=look.index_ns,
                tracked=look.tracked,
            )

    def look(self, git: Git, also: Iterable[bytes]) -> Look:
        """Every file that git tracks or would offer to, and those named. Raises GitError."""
        others = git.start("ls-files", "-o", "--exclude-standard", "-z")
        try:
            paths = git.paths()
            index = self._tracked(git, paths)
            tracked = index.entries
            wanted = [name for name, entry in tracked.items() if not entry.submodule]
            if len(wanted) > MOST_FILES:
                raise TooMuchError
            files = self._stat(wanted, {})
            # A nested repository is listed as a folder, and is none of ours; what another call writes just now has no
            # name of its own yet.
            listed = finish(others).split(b"\0")
            names = [name for name in listed if name and not name.endswith(b"/") and not is_unfinished(name)]
        except BaseException:
            others.kill()
            others.communicate()
            raise
        if len(names) + len(files) > MOST_FILES:
            raise TooMuchError
        self._stat(names, files)
        self._stat([name for name in also if name not in files and name not in tracked], files)
        return Look(files, tracked, paths, index.written, State(_head(paths), _stamp(paths.exclude), index.staged))

    def remember(self, name: bytes, sig: Sig, source: Source) -> None:
        self._known[name] = (sig, source)

    def path_of(self, name: bytes) -> str:
        return os.fsdecode(self._prefix + name)

    def _tracked(self, git: Git, paths: Paths) -> Index:
        """The index, read again only when it was written."""
        try:
            found = os.stat(paths.index)
        except FileNotFoundError:
            return Index(("", 0, 0, 0), 0, {}, 0)
        sign = (str(paths.index), found.st_mtime_ns, found.st_size, found.st_ino)
        if self._index is None or self._index.sign != sign:
            entries = git.listed()
            staged = hash(frozenset((name, each.blob, each.executable) for name, each in entries.items()))
            self._index = Index(sign, found.st_mtime_ns, entries, staged)
        return self._index

    def _stat(self, names: Iterable[bytes], into: dict[bytes, Sig]) -> dict[bytes, Sig]:
        lstat, prefix = os.lstat, self._prefix
        for name in names:
            try:
                found = lstat(prefix + name)
            except OSError:
                continue
            mode = found.st_mode
            if stat.S_ISREG(mode) or stat.S_ISLNK(mode):
                into[name] = (mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        return into

    def _classify(self, git: Git, look: Look, fresh: Sequence[bytes]) -> dict[bytes, tuple[Sig, Source]]:
        """Say of each file where its content is, and keep it where it is nowhere else."""
        found: dict[bytes, tuple[Sig, Source]] = {}
        clean = [name for name in fresh if _is_clean(look, name)]
        filtered = git.filtered(clean)
        for name in clean:
            if name not in filtered:
                found[name] = (look.files[name], Source("git", look.tracked[name].blob, listed=True))
        budget = Budget()
        for name in fresh:
            if name not in found:
                sig = look.files[name]
                found[name] = (sig, self._keep(name, sig, look.tracked.get(name), budget))
        return found

    def _keep(self, name: bytes, sig: Sig, entry: Listed | None, budget: Budget) -> Source:
        if sig[1] > LARGEST:
            return Source("large")
        if not budget.has(sig[1]):
            return Source("many")
        try:
            _, data = read(self.path_of(name))
        except Blocked as error:
            return Source("large" if error.why == "large" else "unreadable")
        if entry is not None and entry.blob and _object_name(data, len(entry.blob)) == entry.blob:
            return Source("git", entry.blob)
        return Source("kept", self.blobs.put(data))


@dataclass(frozen=True, slots=True)
class Index:
    """git's index, as it was written at that moment (nanoseconds)."""

    sign: tuple[str, int, int, int]
    written: int
    entries: Mapping[bytes, Listed]
    staged: int


@dataclass(frozen=True, slots=True)
class Look:
    files: dict[bytes, Sig]
    tracked: Mapping[bytes, Listed]
    paths: Paths
    index_ns: int
    state: State


class Budget:
    """How much is kept before one command."""

    def __init__(self, files: int = KEPT_FILES, size: int = KEPT_BYTES) -> None:
        self._files = files
        self._size = size

    def has(self, size: int) -> bool:
        """Whether there is room for one more file, and takes it."""
        if self._files < 1 or self._size < size:
            return False
        self._files -= 1
        self._size -= size
        return True


def _is_clean(look: Look, name: bytes) -> bool:
    """Whether git would call the file unchanged without reading it, and is right."""
    entry = look.tracked.get(name)
    if entry is None or not entry.blob:
        return False
    mode, size, mtime, ctime, inode = look.files[name]
    return (
        (size & _LOW, mtime, ctime, inode & _LOW) == (entry.size, entry.mtime_ns, entry.ctime_ns, entry.inode)
        and stat.S_ISLNK(mode) == entry.link
        # Written in the very moment that the index was: it may have changed since without showing it.
        and mtime < look.index_ns
    )


def same(one: Sig | None, other: Sig | None, *, partial: bool) -> bool:
    """Whether nothing changed between two looks at a file."""
    if not partial or one is None or other is None:
        return one == other
    return (one[1] & _LOW, one[2], one[3], one[4] & _LOW) == (other[1] & _LOW, other[2], other[3], other[4] & _LOW)


def _object_name(data: bytes, length: int) -> str:
    """The name that git gives a content, in a repository with names of that length."""
    whole = b"blob %d\0" % len(data) + data
    return hashlib.sha256(whole).hexdigest() if length == 64 else hashlib.sha1(whole, usedforsecurity=False).hexdigest()


def _head(paths: Paths) -> tuple[bytes, int, int]:
    try:
        head = paths.head.read_bytes()[:4096]
    except OSError:
        head = b""
    return (head, *_stamp(paths.head_log))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
