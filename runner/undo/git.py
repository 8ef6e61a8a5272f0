"""Asking git about a work tree without letting the repository run anything or be changed.

Only `rev-parse`, `ls-files`, `check-attr` and `cat-file` are used: they never run filters, hooks, diff drivers or
pagers, and write neither the index nor a reference. What a repository's configuration could still start is off.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = 5.0
"""For one question; a tree for which that is too little is not covered."""

_PASSED = ("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "USER", "LOGNAME", "SYSTEMROOT")
_QUIET = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    # A partial clone would fetch what it lacks, with whatever transport is configured.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}
_OPTIONS = ("--no-pager", "-c", "core.fsmonitor=false", "-c", "core.untrackedCache=keep", "-c", "core.quotePath=false")

_ENTRY = re.compile(
    rb"(\d+) ([0-9a-f]+) (\d)\t([^\0]+)\0  ctime: (\d+):(\d+)\n  mtime: (\d+):(\d+)\n"
    rb"  dev: \d+\tino: (\d+)\n  uid: \d+\tgid: \d+\n  size: (\d+)\tflags: [0-9a-f]+\n"
)


class GitError(Exception):
    """git is not there, says that this is no work tree of its, or cannot answer."""


class TooMuchError(GitError):
    """The work tree is larger than what is compared, or takes too long."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of the index, with what git saw of it last. blob: its object, "" where it has none that counts."""

    blob: str
    link: bool
    submodule: bool
    executable: bool
    mtime_ns: int
    ctime_ns: int
    inode: int
    size: int


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the repository keeps what says which files it has and which it ignores."""

    git_dir: Path
    index: Path
    exclude: Path
    head: Path
    head_log: Path


class Git:
    """git for one folder. index: another index file than the repository's own, only to be read."""

    def __init__(self, folder: str, index: str | None = None) -> None:
        self._folder = folder
        self._program = _program(folder)
        self._environment = {name: os.environ[name] for name in _PASSED if name in os.environ} | _QUIET
        if index is not None:
            self._environment["GIT_INDEX_FILE"] = index

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Raises GitError."""
        try:
            return subprocess.Popen(
                [self._program, *_OPTIONS, *arguments],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise GitError(str(error)) from error

    def run(self, *arguments: str, given: bytes = b"") -> bytes:
        """What it prints. Raises GitError where it fails or takes too long."""
        return finish(self.start(*arguments), given)

    def paths(self) -> Paths:
        """Raises GitError where the folder is in no work tree."""
        found = self.run(
            *("rev-parse", "--is-inside-work-tree", "--git-dir"),
            *("--git-path", "index", "--git-path", "info/exclude", "--git-path", "HEAD", "--git-path", "logs/HEAD"),
        )
        lines = os.fsdecode(found).split("\n")
        if len(lines) < 6 or lines[0] != "true":
            raise GitError("this is no work tree")
        folder, index, exclude, head, log = (Path(self._folder, line) for line in lines[1:6])
        chosen = self._environment.get("GIT_INDEX_FILE")
        return Paths(folder, Path(chosen) if chosen else index, exclude, head, log)

    def listed(self) -> dict[bytes, Listed]:
        """The files of the index that are below the folder, by their names relative to it."""
        found: dict[bytes, Listed] = {}
        for match in _ENTRY.finditer(self.run("ls-files", "-s", "--debug", "-z")):
            mode, blob, stage, name, c_seconds, c_nanos, m_seconds, m_nanos, inode, size = match.groups()
            found[name] = Listed(
                blob=blob.decode() if stage == b"0" else "",
                link=mode == b"120000",
                submodule=mode == b"160000",
                executable=mode == b"100755",
                mtime_ns=int(m_seconds) * 1_000_000_000 + int(m_nanos),
                ctime_ns=int(c_seconds) * 1_000_000_000 + int(c_nanos),
                inode=int(inode),
                size=int(size),
            )
        return found

    def filtered(self, names: Sequence[bytes]) -> set[bytes]:
        """Those of the names whose content git does not keep as it is on disk."""
        if not names:
            return set()
        attributes = ("filter", "ident", "working-tree-encoding")
        parts = self.run("check-attr", "-z", "--stdin", *attributes, given=b"\0".join(names) + b"\0").split(b"\0")
        triples = zip(parts[0::3], parts[1::3], parts[2::3], strict=False)
        return {name for name, _, value in triples if value not in (b"unspecified", b"unset")}

    def blobs(self, wanted: Sequence[str], *, largest: int, total: int) -> Iterator[bytes | None]:
        """The content of each object, None where it is not there, larger than that, or where all are more than that."""
        sizes = self.run("cat-file", "--batch-check=%(objecttype) %(objectsize)", given=_lines(wanted)).splitlines()
        small: list[str] = []
        for blob, size in zip(wanted, sizes, strict=True):
            bytes_of = int(size[5:]) if size.startswith(b"blob ") else largest + 1
            if bytes_of <= min(largest, total):
                small.append(blob)
                total -= bytes_of
        contents = self._contents(small)
        chosen = set(small)
        for blob in wanted:
            yield contents.get(blob) if blob in chosen else None

    def _contents(self, wanted: Sequence[str]) -> dict[str, bytes]:
        printed = self.run("cat-file", "--batch", given=_lines(wanted)) if wanted else b""
        found: dict[str, bytes] = {}
        at = 0
        for blob in wanted:
            end = printed.index(b"\n", at)
            head = printed[at:end].split(b" ")
            if len(head) != 3:
                at = end + 1
                continue
            size = int(head[2])
            found[blob] = printed[end + 1 : end + 1 + size]
            at = end + 1 + size + 1
        return found


def finish(process: subprocess.Popen[bytes], given: bytes = b"") -> bytes:
    """Raises GitError."""
    try:
        printed, _ = process.communicate(given, timeout=SECONDS)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.communicate()
        raise TooMuchError("git took too long") from error
    if process.returncode != 0:
        raise GitError(f"git ended with {process.returncode}")
    return printed


def _lines(names: Sequence[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode()


def _program(folder: str) -> str:
    """git by its absolute path, and never one that lies in the folder itself."""
    found = shutil.which("git")
    if found is None or not os.path.isabs(found):
        raise GitError("git is not installed")
    real = os.path.realpath(found)
    if real.startswith(folder.rstrip("/") + "/"):
        raise GitError("git is not installed")
    return found
