"""Which files a call that was cut may have changed: those it names, or what changed in the workspace since it began."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runner.messages import JsonObject
from runner.tools.base import Tool, ToolContext
from runner.tools.caught import Caught

LIMIT = 50
"""Files that are named."""

SECONDS = 0.3
"""Of looking through a workspace."""

ENTRIES = 50_000

# The stamp of a change is that of the last tick of the system's clock, which lies up to 10 ms back.
_TICK = 0.02
_SKIPPED = frozenset(
    {".git", ".hg", ".svn", "node_modules", ".venv", "venv", ".tox", ".nox", ".cache", "__pycache__"}
    | {".mypy_cache", ".pytest_cache", ".ruff_cache", ".pyright", ".gradle", ".terraform", ".next", ".parcel-cache"}
)


@dataclass(frozen=True, slots=True)
class Touched:
    """files: relative to the workspace, absolute where outside of it; "folder/": names in it came or went.

    complete: False where there are more, or where not everything could be looked at.
    """

    files: tuple[str, ...] = ()
    complete: bool = True


def files_touched(tool: Tool, context: ToolContext, arguments: JsonObject, started: float) -> Touched:
    """What a call may have changed until now. started: seconds since the epoch. Blocks for up to SECONDS."""
    if tool.read_only:
        return Touched()
    named: list[Path] | None = None
    if tool.touches is not None:
        # A tool that cannot say it is like one that does not.
        with Caught(Exception):
            named = tool.touches(context, arguments)
    if named is None:
        return touched_since(context.workspace, started)
    root = os.path.realpath(context.workspace)
    return Touched(tuple(dict.fromkeys(_shown(os.fspath(path), root) for path in named)))


def touched_since(
    workspace: Path,
    started: float,
    limit: int = LIMIT,
    *,
    entries: int = ENTRIES,
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Touched:
    """Files of the workspace that changed since started (seconds since the epoch), the latest first, at most limit.

    Folders of version control, of installed packages and of caches are passed over, and links are not followed. At
    most so many entries are looked at, for at most so many seconds.
    """
    look = _Look(os.path.realpath(workspace), started - _TICK, entries, clock() + seconds, clock)
    found = sorted(look.through(), reverse=True)
    return Touched(tuple(path for _, path in found[:limit]), look.complete and len(found) <= limit)


class _Look:
    def __init__(self, root: str, since: float, entries: int, until: float, clock: Callable[[], float]) -> None:
        self._root = root
        self._since = since
        self._left = entries
        self._until = until
        self._clock = clock
        self.complete = True

    def through(self) -> list[tuple[float, str]]:
        """Change times and paths; the folders nearest to the root first, because the time may not do for all."""
        found: list[tuple[float, str]] = []
        folders = deque([self._root])
        while folders:
            if self._clock() >= self._until:
                self.complete = False
                break
            found += self._in(folders.popleft(), folders)
        return found

    def _in(self, folder: str, folders: deque[str]) -> list[tuple[float, str]]:
        files: list[tuple[float, str]] = []
        explained = False
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._left -= 1
                    if self._left < 0:
                        self.complete = False
                        folders.clear()
                        return files
                    is_folder = entry.is_dir(follow_symlinks=False)
                    if is_folder and entry.name not in _SKIPPED:
                        folders.append(entry.path)
                        continue
                    changed = self._changed(entry.stat(follow_symlinks=False))
                    explained = explained or changed is not None
                    if changed is not None and not is_folder:
                        files.append((changed, _shown(entry.path, self._root)))
            # What was removed left no trace but this; a new file explains it without.
            moved = None if explained else self._changed(os.stat(folder))
        except OSError:
            self.complete = False
            return files
        return files if moved is None else [*files, (moved, _shown(folder, self._root) + "/")]

    def _changed(self, found: os.stat_result) -> float | None:
        return when_changed(found.st_mtime_ns, found.st_ctime_ns, self._since)


def when_changed(mtime_ns: int, ctime_ns: int, since: float) -> float | None:
    """The latest change, if it was not before since. Some file systems only know whole seconds."""
    stamp = max(mtime_ns, ctime_ns) / 1e9
    whole = mtime_ns % 1_000_000_000 == 0 and ctime_ns % 1_000_000_000 == 0
    return stamp if stamp >= (since // 1 if whole else since) else None


def _shown(path: str, root: str) -> str:
    """Text of any path, also of one whose bytes are none."""
    inside = path == root or path.startswith(root.rstrip("/") + "/")
    return os.fsencode(os.path.relpath(path, root) if inside else path).decode("utf-8", "replace")
