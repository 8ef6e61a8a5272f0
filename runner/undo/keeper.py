"""The keeper of files: what a call is about to change is kept first, and what it changed is told when it is over."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.events import ChangedBy, FileChange, FilesChanged
from runner.undo import words
from runner.undo.blobs import LARGEST, Blobs, digest_of
from runner.undo.git import GitError, TooMuchError
from runner.undo.stamps import next_tick

if TYPE_CHECKING:
    from runner.tools.base import ToolContext
    from runner.undo.compare import Found, Others
    from runner.undo.pending import Pending
    from runner.undo.tree import Snapshot, Tree

SWEEP_AFTER = 64 * 1024 * 1024
"""Bytes put by this program after which the kept contents are looked through once more."""

LOOKED_SECONDS = 0.15
"""For finding out what a command changed where nothing of it is kept."""

_Call = tuple[str, str]


@dataclass(slots=True)
class _Kept:
    """A call while it runs. before: by path, what it found there first; latest: what it found there last; after: what
    it left there last.
    """

    turn: int
    before: dict[str, tuple[str | None, int | None]] = field(default_factory=dict[str, "tuple[str | None, int | None]"])
    latest: dict[str, str | None] = field(default_factory=dict[str, "str | None"])
    after: dict[str, str | None] = field(default_factory=dict[str, "str | None"])
    found: list[FileChange] = field(default_factory=list[FileChange])
    by: ChangedBy = "tool"
    uncovered: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class _Window:
    """A command from before to after. written: by path, what others are known to have done meanwhile."""

    root: str
    snapshot: Snapshot | None
    started: float
    written: dict[str, Others] = field(default_factory=dict[str, "Others"])
    shared: bool = False
    processes: int = 0
    problem: str = ""


class Keeper:
    """Implements runner.tools.base.FileKeeper. One for any number of runs; making one touches nothing."""

    def __init__(self, data_dir: Path, *, sweep_bytes: int | None = None) -> None:
        self.blobs = Blobs(data_dir)
        self._data_dir = data_dir
        self._sweep_bytes = sweep_bytes
        self._lock = threading.Lock()
        self._calls: dict[_Call, _Kept] = {}
        self._windows: dict[_Call, _Window] = {}
        self._trees: dict[str, Tree] = {}
        self._pending: Pending | None = None
        self._put = SWEEP_AFTER
        self._sweeping: threading.Thread | None = None

    def before(self, ctx: ToolContext, path: str, content: bytes | None, mode: int | None, new: bytes | None) -> None:
        kept = self._kept(ctx)
        digest: str | None = None
        if content is not None:
            problem = "" if len(content) <= LARGEST else "too large"
            try:
                digest = digest_of(content) if problem else self.blobs.put(content, durable=True)
            except OSError as error:
                problem, digest = error.strerror or str(error), digest_of(content)
            if problem:
                kept.uncovered.append(words.could_not_keep([path], problem))
            self._count(len(content))
        planned = None if new is None else digest_of(new)
        with self._lock:
            first = path not in kept.before
            kept.before.setdefault(path, (digest, mode))
            kept.latest[path] = digest
            for window in self._windows_around(path):
                _others(window, path, digest).will(digest, planned)
        line = {"path": path, "before": digest, "mode": mode, "new": planned, **_when(ctx)}
        self._write_down(kept, lambda pending: pending.add(ctx.run_id, ctx.call_id, line), [path] if first else [])

    def after(self, ctx: ToolContext, path: str, content: bytes | None) -> None:
        kept = self._kept(ctx)
        digest = None if content is None else digest_of(content)
        with self._lock:
            kept.after[path] = digest
            open_here = self._windows_around(path)
            for window in open_here:
                _others(window, path, kept.latest.get(path)).left(digest)
        if open_here and content is not None and len(content) <= LARGEST:
            # Should the command change it further, this is what the file was before that.
            self._try(kept, [path], lambda: self.blobs.put(content))

    def before_command(self, ctx: ToolContext) -> None:
        root = os.path.realpath(ctx.workspace)
        window = _Window(root, None, time.time(), processes=_processes(ctx))
        kept = self._kept(ctx)
        kept.by = "shell"
        with self._lock:
            for other in self._windows.values():
                if _overlap(other.root, root):
                    other.shared = window.shared = True
            self._windows[ctx.run_id, ctx.call_id] = window
        try:
            snapshot = self._tree(root).before()
        except (GitError, OSError) as error:
            window.problem = _in_words(error, root)
            # What looks for changed files allows for the clock's tick, which has just been waited for.
            window.started = next_tick() / 1e9 + 0.02
            return
        window.snapshot = snapshot

        def write_down(pending: Pending) -> None:
            pending.add(ctx.run_id, ctx.call_id, {"command": True, **_when(ctx)})
            pending.add_tree(ctx.run_id, ctx.call_id, snapshot)

        self._write_down(kept, write_down, [])

    def after_command(self, ctx: ToolContext) -> None:
        window = self._windows.get((ctx.run_id, ctx.call_id))
        if window is None:
            return
        kept = self._kept(ctx)
        if window.snapshot is None:
            kept.uncovered += _uncovered_changes(window)
        else:
            try:
                self._compare(window, window.snapshot, kept)
            except (GitError, OSError) as error:
                kept.uncovered.append(_in_words(error, window.root))
        with self._lock:
            self._windows.pop((ctx.run_id, ctx.call_id), None)
        if window.shared and kept.found:
            kept.uncovered.append(words.SHARED)
        running = _processes(ctx)
        if running > window.processes or (running and kept.found):
            kept.uncovered.append(words.BACKGROUND)

    def take(self, ctx: ToolContext) -> FilesChanged | None:
        key = ctx.run_id, ctx.call_id
        with self._lock:
            cut = self._windows.pop(key, None) is not None
            kept = self._calls.pop(key, None)
            if kept is None:
                return None
            files = [*_of_tools(kept), *kept.found]
        if not files and not kept.uncovered:
            return None
        return FilesChanged(
            call_id=ctx.call_id,
            # What a cut command changed is still to be found out, by its record.
            by="tool" if cut else kept.by,
            files=tuple(files),
            uncovered="; ".join(dict.fromkeys(kept.uncovered)),
        )

    def stored(self, run_id: str, call_ids: Sequence[str]) -> None:
        pending = self._records()
        for call_id in call_ids:
            with self._lock:
                busy = (run_id, call_id) in self._calls
            if not busy:
                try:
                    pending.drop(run_id, call_id)
                except OSError:
                    # It is passed over as long as its fact is there, and swept away when it is old.
                    continue

    def recover(self, run_ids: Sequence[str]) -> None:
        """Say now what commands changed whose program died, before others change more. Blocks; raises nothing."""
        pending = self._records()
        for run_id in run_ids:
            for record in pending.records(run_id):
                if record.command:
                    self._recover(pending, run_id, record.call_id)

    def close(self) -> None:
        """Wait a moment for what goes on in the background; it may be cut at any point."""
        if self._sweeping is not None:
            self._sweeping.join(0.5)

    def _recover(self, pending: Pending, run_id: str, call_id: str) -> None:
        from runner.undo.compare import Found, changes_since

        try:
            snapshot = pending.tree(run_id, call_id)
            if snapshot is None:
                found = Found(uncovered=[words.NO_ANSWER])
            else:
                found = changes_since(self._tree(snapshot.root), snapshot)
                if found.files:
                    found.uncovered.append(words.NOT_ENDED)
        except (GitError, OSError):
            found = Found(uncovered=[words.NO_ANSWER])
        try:
            pending.compared(run_id, call_id, found.files, "; ".join(found.uncovered))
        except OSError:
            return  # It is tried again at the next start.

    def _compare(self, window: _Window, snapshot: Snapshot, kept: _Kept) -> None:
        from runner.undo.compare import changes_since

        tree = self._tree(window.root)
        with tree.lock:
            with self._lock:
                written = {path: replace(others) for path, others in window.written.items()}
            found: Found = changes_since(tree, snapshot, written)
            # Still under the tree's lock: the next command to end must know what this one has told already.
            with self._lock:
                for other in self._windows.values():
                    if other is not window and _overlap(other.root, window.root):
                        for change in found.files:
                            _others(other, change.path, change.before).left(change.after)
        kept.found += found.files
        kept.uncovered += found.uncovered
        self._count(sum(1024 for _ in found.files))

    def _windows_around(self, path: str) -> list[_Window]:
        return [window for window in self._windows.values() if path.startswith(window.root.rstrip("/") + "/")]

    def _kept(self, ctx: ToolContext) -> _Kept:
        with self._lock:
            return self._calls.setdefault((ctx.run_id, ctx.call_id), _Kept(ctx.turn))

    def _tree(self, root: str) -> Tree:
        from runner.undo.tree import Tree

        with self._lock:
            tree = self._trees.get(root)
            if tree is None:
                tree = self._trees[root] = Tree(root, self.blobs)
            return tree

    def _records(self) -> Pending:
        if self._pending is None:
            from runner.undo.pending import Pending

            self._pending = Pending(self._data_dir)
        return self._pending

    def _write_down(self, kept: _Kept, write: Callable[[Pending], None], names: Sequence[str]) -> None:
        """A record that cannot be written costs only what a crash in this very call would need it for."""
        pending = self._records()
        self._try(kept, names, lambda: write(pending))

    def _try(self, kept: _Kept, names: Sequence[str], work: Callable[[], Any]) -> None:
        try:
            work()
        except OSError as error:
            if names:
                kept.uncovered.append(words.could_not_keep(names, error.strerror or str(error)))

    def _count(self, size: int) -> None:
        """Drop what is old in a thread of its own: once at the first use, then after every so many bytes."""
        with self._lock:
            self._put += size
            if self._put < SWEEP_AFTER or (self._sweeping is not None and self._sweeping.is_alive()):
                return
            self._put = 0
            self._sweeping = threading.Thread(target=self._sweep, name="undo sweep", daemon=True)
            self._sweeping.start()

    def _sweep(self) -> None:
        from runner.undo.sweep import MOST_BYTES, sweep

        sweep(self.blobs.folder, time.time(), most_bytes=self._sweep_bytes or MOST_BYTES)


def _when(ctx: ToolContext) -> dict[str, object]:
    return {"session_id": ctx.session_id, "turn": ctx.turn, "time": time.time()}


def _of_tools(kept: _Kept) -> list[FileChange]:
    """What file tools changed; where nothing came after, the change failed or its thread was left behind."""
    return [
        FileChange(path=path, before=before, after=kept.after[path], mode=mode)
        for path, (before, mode) in kept.before.items()
        if path in kept.after and kept.after[path] != before
    ]


def _others(window: _Window, path: str, found: str | None) -> Others:
    from runner.undo.compare import Others

    return window.written.setdefault(path, Others(found, found, frozenset({found})))


def _overlap(one: str, other: str) -> bool:
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    return longer == shorter or longer.startswith(shorter.rstrip("/") + "/")


def _processes(ctx: ToolContext) -> int:
    return 0 if ctx.background is None else len(ctx.background.running(ctx.session_id))


def _in_words(error: Exception, root: str) -> str:
    if isinstance(error, TooMuchError):
        return words.TOO_MANY
    if isinstance(error, OSError):
        return f"{words.NO_ANSWER} ({error.strerror or error})"
    if not _has_repository(root):
        return words.NO_TREE
    return words.NO_GIT if "not installed" in str(error) else words.NO_ANSWER


def _has_repository(root: str) -> bool:
    folder = Path(root)
    return any((parent / ".git").exists() for parent in (folder, *folder.parents))


def _uncovered_changes(window: _Window) -> list[str]:
    """Without a tree to compare, at least whether anything changed, and what."""
    from runner.tools.touched import touched_since

    touched = touched_since(Path(window.root), window.started, seconds=LOOKED_SECONDS)
    if touched.files:
        return [f"{window.problem}: {words.listed(touched.files)}"]
    return [] if touched.complete else [window.problem]
