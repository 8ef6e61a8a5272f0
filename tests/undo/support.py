"""What the tests of undo share: a workspace, the real keeper and file tools, and a session's facts without a loop."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from runner.events import Event, FilesChanged, RunFinished, RunStarted, ToolFinished, ToolStarted
from runner.messages import UserMessage
from runner.tools.base import ToolContext
from runner.tools.builtin import EDIT_FILE, WRITE_FILE
from runner.undo.blobs import Blobs
from runner.undo.history import History, TurnChanges, load
from runner.undo.keeper import Keeper
from runner.undo.plan import Plan, Selection, undo_plan
from runner.undo.restore import Outcome, restore
from tests.conftest import need
from tests.processes.support import context, run

SESSION = "session-1"
RUN = "run-1"
START = datetime(2026, 1, 1, tzinfo=UTC)


class Desk:
    """A session in which each method that changes files is a call; `turn` says in which turn."""

    def __init__(self, root: Path, data: Path) -> None:
        self.root = root
        self.data = data
        self.keeper = Keeper(data)
        self.turn = 1
        self.run_id = RUN
        self.events: list[Event] = []
        self._calls = 0
        self._scratch: dict[str, object] = {}
        self._emit(RunStarted(input=(UserMessage(text="do it"),), workspace=str(root)))

    def _emit(self, event: Event) -> None:
        time = datetime.now(UTC)
        self.events.append(
            replace(
                event,
                run_id=self.run_id,
                session_id=SESSION,
                seq=len(self.events) + 1,
                turn=self.turn,
                time=max(time, self.events[-1].time + timedelta(microseconds=1)) if self.events else time,
            )
        )

    def ctx(self) -> ToolContext:
        self._calls += 1
        return context(
            self.root,
            run_id=self.run_id,
            call_id=f"call_{self._calls}",
            session_id=SESSION,
            turn=self.turn,
            keeper=self.keeper,
            scratch=self._scratch,
            allow_outside=True,
        )

    def write(self, path: str, content: str) -> FilesChanged | None:
        """The real write_file tool, in a run that knows nothing of earlier reads."""
        self._scratch = {}
        ctx = self.ctx()
        self._emit(ToolStarted(call_id=ctx.call_id, tool="write_file"))
        outcome = asyncio.run(run(WRITE_FILE, ctx, path=path, content=content))
        assert outcome.status == "ok", outcome.output
        return self._over(ctx, "write_file")

    def edit(self, path: str, old: str, new: str) -> FilesChanged | None:
        ctx = self.ctx()
        self._emit(ToolStarted(call_id=ctx.call_id, tool="edit_file"))
        outcome = asyncio.run(run(EDIT_FILE, ctx, path=path, old=old, new=new))
        assert outcome.status == "ok", outcome.output
        return self._over(ctx, "edit_file")

    def command(self, work: Callable[[], object]) -> FilesChanged | None:
        """What a command between the keeper's two looks changes."""
        with self.window() as ctx:
            work()
        return self.last(ctx)

    @contextmanager
    def window(self) -> Generator[ToolContext]:
        ctx = self.ctx()
        self._emit(ToolStarted(call_id=ctx.call_id, tool="shell"))
        self.keeper.before_command(ctx)
        yield ctx
        self.keeper.after_command(ctx)
        self._over(ctx, "shell")

    def shell(self, line: str) -> FilesChanged | None:
        return self.command(lambda: sh(self.root, line))

    def last(self, ctx: ToolContext) -> FilesChanged | None:
        found = [event for event in self.events if isinstance(event, FilesChanged) and event.call_id == ctx.call_id]
        return found[-1] if found else None

    def _over(self, ctx: ToolContext, tool: str) -> FilesChanged | None:
        changed = self.keeper.take(ctx)
        if changed is not None:
            self._emit(changed)
        self._emit(ToolFinished(call_id=ctx.call_id, tool=tool))
        self.keeper.stored(ctx.run_id, [ctx.call_id])
        return changed

    def finish(self) -> None:
        self._emit(RunFinished(status="completed", reason="complete"))

    def history(self) -> History:
        return load(self.events, self.data, SESSION)

    def turns(self) -> tuple[TurnChanges, ...]:
        return self.history().turns

    def plan(self, *turns: int, paths: Collection[str] | None = None, redo: str = "") -> Plan:
        chosen = frozenset((self.run_id, turn) for turn in turns)
        real = None if paths is None else frozenset(os.path.realpath(self.root / path) for path in paths)
        return undo_plan(self.history(), Blobs(self.data), Selection(turns=chosen, restore=redo, paths=real))

    def undo(self, *turns: int, paths: Collection[str] | None = None, force: Collection[str] = ()) -> Outcome:
        forced = {os.path.realpath(self.root / path) for path in force}
        return restore(self.plan(*turns, paths=paths), self.data, force=forced)

    def redo(self, *, force: Collection[str] = ()) -> Outcome:
        last = self.history().redoable
        assert last is not None
        forced = {os.path.realpath(self.root / path) for path in force}
        return restore(self.plan(redo=last.id), self.data, force=forced)

    def states(self, *turns: int) -> dict[str, str]:
        real = os.path.realpath(self.root)
        return {os.path.relpath(file.path, real): file.state for file in self.plan(*turns).files}

    def names(self, changed: FilesChanged | None) -> set[str]:
        real = os.path.realpath(self.root)
        return set() if changed is None else {os.path.relpath(change.path, real) for change in changed.files}


def sh(folder: Path, line: str) -> str:
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "GIT_CONFIG_NOSYSTEM": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def repository(folder: Path, files: dict[str, str] | None = None) -> Path:
    """A git repository with one commit of these files."""
    need("git")
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in (files or {"a.txt": "one\n", "b.txt": "two\n"}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8", newline="")
    sh(folder, "git init -q -b main && git config user.email t@example.org && git config user.name t")
    sh(folder, "git add -A && git commit -qm first")
    return folder


def snapshot(folder: Path) -> dict[str, tuple[str, int, bytes]]:
    """Every file below, but git's own: its kind, permissions and content."""
    found: dict[str, tuple[str, int, bytes]] = {}
    for base, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        for name in [*files, *(each for each in folders if os.path.islink(os.path.join(base, each)))]:
            path = os.path.join(base, name)
            status = os.lstat(path)
            shown = os.path.relpath(path, folder)
            if stat.S_ISLNK(status.st_mode):
                found[shown] = ("link", 0, os.fsencode(os.readlink(path)))
            elif stat.S_ISREG(status.st_mode):
                found[shown] = ("file", stat.S_IMODE(status.st_mode), Path(path).read_bytes())
    return found
