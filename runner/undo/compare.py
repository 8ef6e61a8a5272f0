"""The files of a work tree that are not what they were before a command, and what they were."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from runner.events import FileChange
from runner.undo import words
from runner.undo.births import births
from runner.undo.blobs import LARGEST
from runner.undo.disk import NOTHING, Blocked, Entry, read
from runner.undo.git import Git, GitError
from runner.undo.stamps import not_before
from runner.undo.tree import KEPT_BYTES, Budget, Look, Sig, Snapshot, Source, Tree, same

MOST_CHANGED = 5_000
"""Changed files that one command's record names."""


@dataclass(slots=True)
class Others:
    """What others are known to have done to a file while a command ran, who tell it themselves.

    first: what they found there; last: what they left there; possible: what may be there if they are not done yet.
    """

    first: str | None
    last: str | None
    possible: frozenset[str | None]

    def left(self, digest: str | None) -> None:
        self.last, self.possible = digest, frozenset({digest})

    def will(self, found: str | None, leave: str | None) -> None:
        self.possible = frozenset({found, leave, self.last})


Written = Mapping[str, Others]
NOTHING_WRITTEN: Written = {}


@dataclass(slots=True)
class Found:
    """What a command changed, and what of it is not covered."""

    files: list[FileChange] = field(default_factory=list[FileChange])
    uncovered: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class Gaps:
    """Names of what is not covered, by why."""

    large: list[str] = field(default_factory=list[str])
    many: list[str] = field(default_factory=list[str])
    unreadable: list[str] = field(default_factory=list[str])
    converted: list[str] = field(default_factory=list[str])
    elsewhere: list[str] = field(default_factory=list[str])
    unnameable: int = 0

    def said(self) -> list[str]:
        ways: tuple[tuple[list[str], Callable[[Sequence[str]], str]], ...] = (
            (self.large, words.large),
            (self.many, words.too_much),
            (self.unreadable, words.unreadable),
            (self.converted, words.converted),
            (self.elsewhere, words.came_from_elsewhere),
        )
        found = [say(names) for names, say in ways if names]
        return [*found, words.unnameable(self.unnameable)] if self.unnameable else found


def changes_since(tree: Tree, snapshot: Snapshot, written: Written = NOTHING_WRITTEN) -> Found:
    """Compare the tree with what it was; what it is now is kept as well. Raises GitError, OSError."""
    with tree.lock:
        git = Git(tree.root)
        return _Comparison(tree, snapshot, tree.look(git, snapshot.files), written).made(git)


class _Comparison:
    def __init__(self, tree: Tree, snapshot: Snapshot, look: Look, written: Written) -> None:
        self._tree = tree
        self._snapshot = snapshot
        self._look = look
        self._written = written
        self._gaps = Gaps()
        self._budget = Budget()
        self._objects: dict[str, bytes] = {}

    def made(self, git: Git) -> Found:
        names = self._changed()
        if len(names) > MOST_CHANGED:
            self._gaps.many += [os.fsdecode(name) for name in names[MOST_CHANGED:]]
            names = names[:MOST_CHANGED]
        names = self._covered(names)
        self._ask_for_objects(git, names)
        found = Found()
        found.files = [change for name in names for change in self._changes(name)]
        found.uncovered = self._gaps.said()
        now, before = self._look.state, self._snapshot.state
        if self._snapshot.partial:
            return found
        if now.head != before.head:
            found.uncovered.append(words.MOVED_ON)
        elif now.staged != before.staged:
            found.uncovered.append(words.STAGED)
        return found

    def _changed(self) -> list[bytes]:
        """Names whose file is not the one it was, those that are gone first."""
        before, now, partial = self._snapshot.files, self._look.files, self._snapshot.partial
        for name in self._behind_new_links():
            now.pop(name, None)
        gone = [name for name in before if name not in now]
        return [*gone, *(name for name, sig in now.items() if not same(before.get(name), sig, partial=partial))]

    def _behind_new_links(self) -> list[bytes]:
        """Files that seem unchanged only because a link stands in the place of their folder now."""
        before, now, partial = self._snapshot.files, self._look.files, self._snapshot.partial
        links = tuple(
            name + b"/"
            for name, sig in now.items()
            if stat.S_ISLNK(sig[0]) and not same(before.get(name), sig, partial=partial)
        )
        return [name for name in now if name.startswith(links)] if links else []

    def _covered(self, names: Sequence[bytes]) -> list[bytes]:
        """Without those that git merely had not shown before, and those that nobody can name.

        What is new to git was made now, or was moved from a name that is known; anything else was out of sight.
        """
        before, now, began = self._snapshot.files, self._look.files, self._snapshot.began
        moved = {before[name][4] for name in names if name in before}
        unknown = [name for name in names if name not in before and now[name][4] not in moved]
        recent = [name for name in unknown if not_before(now[name][3], began)]
        hidden = set(unknown) - set(recent)
        born = births([self._tree.path_of(name) for name in recent])
        came = {name for name in recent if not self._is_new(born.get(self._tree.path_of(name)), now[name], names)}
        self._gaps.elsewhere += [os.fsdecode(name) for name in came]
        kept = [name for name in names if name not in hidden and name not in came]
        named = [name for name in kept if _is_text(name)]
        self._gaps.unnameable = len(kept) - len(named)
        return named

    def _is_new(self, born: int | None, sig: Sig, names: Sequence[bytes]) -> bool:
        """Whether a file was made since. born: nanoseconds, None where the file system does not tell."""
        began = self._snapshot.began
        if born is not None:
            return not_before(born, began)
        if not self._snapshot.partial and self._look.state.exclude != self._snapshot.state.exclude:
            return False
        return not_before(sig[2], began) and not any(os.path.basename(name) == b".gitignore" for name in names)

    def _ask_for_objects(self, git: Git, names: Sequence[bytes]) -> None:
        """What git has of what the files were, all at once."""
        sources = self._snapshot.sources
        keys = sorted({sources[name].key for name in names if name in sources and sources[name].kind == "git"})
        try:
            for key, data in zip(keys, git.blobs(keys, largest=LARGEST, total=KEPT_BYTES), strict=True):
                if data is not None:
                    self._objects[key] = data
        except GitError:
            # The command may have removed the repository itself; then nobody knows any more.
            self._objects.clear()

    def _changes(self, name: bytes) -> list[FileChange]:
        path = self._tree.path_of(name)
        now = self._now(name, path)
        was = None if now is None else self._was(name)
        if now is None or was is None:
            return []
        others = self._written.get(path)
        if others is None:
            return _change(path, was, now)
        # What others did they say themselves; the command's part is what came before it, and what came after.
        found: list[FileChange] = []
        if was.digest not in others.possible:
            found += _change(path, was, Entry(others.first))
        if now.digest not in others.possible:
            found += _change(path, Entry(others.last), now)
        return found

    def _was(self, name: bytes) -> Entry | None:
        """What it was, None where that is not known, which is noted."""
        sig = self._snapshot.files.get(name)
        if sig is None:
            return NOTHING
        mode = stat.S_IFLNK if stat.S_ISLNK(sig[0]) else stat.S_IMODE(sig[0])
        source = self._snapshot.sources.get(name, Source("unreadable"))
        shown = os.fsdecode(name)
        match source.kind:
            case "kept":
                return Entry(source.key, mode)
            case "git":
                data = as_on_disk(self._objects.get(source.key), sig[1])
                if data is not None:
                    return Entry(self._tree.blobs.put(data), mode)
                self._gaps.converted.append(shown)
            case "large":
                self._gaps.large.append(shown)
            case "many":
                self._gaps.many.append(shown)
            case "unreadable":
                self._gaps.unreadable.append(shown)
        return None

    def _now(self, name: bytes, path: str) -> Entry | None:
        """What stands there now, kept for the next command; None where that cannot be told, which is noted."""
        sig = self._look.files.get(name)
        if sig is None:
            return NOTHING
        try:
            if sig[1] > LARGEST:
                raise Blocked("large")
            entry, data = read(path)
        except Blocked as error:
            (self._gaps.large if error.why == "large" else self._gaps.unreadable).append(os.fsdecode(name))
            return None
        if entry.digest is not None and self._budget.has(len(data)):
            self._tree.remember(name, sig, Source("kept", self._tree.blobs.put(data)))
        return entry


def _change(path: str, was: Entry, now: Entry) -> list[FileChange]:
    if was.digest == now.digest and (None in (was.mode, now.mode) or was.mode == now.mode):
        return []
    return [FileChange(path=path, before=was.digest, after=now.digest, mode=was.mode, mode_after=now.mode)]


def as_on_disk(data: bytes | None, size: int) -> bytes | None:
    """A git object as the file of that size that it was: as it is, or with every line ending made two characters.

    None where only some were, because it is not known which.
    """
    if data is None or len(data) == size:
        return data
    if b"\r\n" not in data and len(data) + data.count(b"\n") == size:
        return data.replace(b"\n", b"\r\n")
    return None


def _is_text(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
