"""Commands that the person runs themselves while, or instead of, the model working: no policy, no sandbox, no turn.

Each is a fact of the run it belongs to. A run does not end before they do: they are waited for, or ended with it.
"""

from __future__ import annotations

import asyncio
import os
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from runner.control.commands import EndPersonCommand, PersonCommand
from runner.errors import CommandError, StoreError
from runner.events import PersonCommandFinished, PersonCommandStarted, PersonCommandStatus, PersonOutputDelta
from runner.loop.core import RunCore
from runner.state.person import owed_messages
from runner.tools.caught import Caught
from runner.tools.environment import QUIET
from runner.tools.marker import new_marker
from runner.tools.names import short_name
from runner.tools.truncate import encodable, truncate

if TYPE_CHECKING:
    from runner.tools.child import Child, Ending

SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish"})
"""Shells that take a command as "-c"; a person's own is used where it is one of these."""

LIMIT = 8
"""Commands of a person that run at the same time in one run."""


def person_shell() -> str:
    """$SHELL where it is a shell that can be used, else bash."""
    own = Path(os.environ.get("SHELL", ""))
    if own.is_absolute() and own.name in SHELLS and os.access(own, os.X_OK):
        return str(own)
    from runner.tools.builtin.command import shell_path

    return shell_path()


def person_environment() -> dict[str, str]:
    """All that the person's shell has; there is no terminal, so programs are told not to wait for keys."""
    return {**os.environ, **QUIET}


def check_command(command: PersonCommand) -> None:
    """Raises CommandError where there is nothing that a shell could run."""
    if not command.command.strip() or "\0" in command.command:
        raise CommandError("there is no command to run")


@dataclass(slots=True)
class _Running:
    command_id: str
    command: str
    share: bool
    began: float
    child: Child | None = None
    stopped: bool = False


class PersonCommands:
    """Of one run; used on its event loop only."""

    def __init__(self, core: RunCore) -> None:
        self._core = core
        self._running: dict[str, _Running] = {}
        self._over = asyncio.Event()
        self._over.set()
        self._closed = False
        self._keeping: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> bool:
        return bool(self._running)

    def take(self, command: PersonCommand | EndPersonCommand) -> None:
        """Raises CommandError where it cannot be done."""
        if isinstance(command, EndPersonCommand):
            running = self._running.get(command.command_id)
            if running is None:
                raise CommandError("that command does not run any more")
            self._stop(running)
            return
        check_command(command)
        if self._closed or self._core.inbox.requests.stop:
            raise CommandError("the run is ending")
        if len(self._running) >= LIMIT:
            raise CommandError(f"{LIMIT} commands of yours run already")
        self._begin(command)

    def end_all(self) -> None:
        """Ask all of them to end: SIGTERM, the grace, SIGKILL, to everything that they started."""
        for running in self._running.values():
            self._stop(running)

    def abandon(self) -> None:
        """The run ends this moment: what runs is ended, and recorded as ended without waiting for it."""
        for running in list(self._running.values()):
            self._stop(running)
            self._finish(running, status="stopped")

    async def close(self) -> None:
        """Return when none of them runs any more; none begins from then on."""
        while self.running:
            await self._over.wait()
        self._closed = True

    async def quiet(self) -> None:
        """Return when none of them runs any more, or something is asked of the run."""
        core = self._core
        while self.running and not (core.inbox.requests.messages or core.inbox.requests.stop):
            core.inbox.wake.clear()
            await core.inbox.wake.wait()

    def tell(self) -> None:
        """Put what the model is to know of them into the history; only where no call is open."""
        for message in owed_messages(self._core.emitter.state):
            self._core.emitter.fact(message)

    def _begin(self, command: PersonCommand) -> None:
        from runner.tools.child import Child, Limits

        core = self._core
        command_id, name = core.ids.short_id("command"), short_name(command.command)
        running = _Running(command_id, encodable(command.command), command.share, core.clock.mono())
        self._running[command_id] = running
        self._over.clear()
        started = PersonCommandStarted(
            command_id=command_id, command=running.command, cwd=str(core.workspace), share=command.share, name=name
        )
        core.emitter.fact(started)
        loop = asyncio.get_running_loop()

        def post(work: partial[None]) -> None:
            # A loop that is closed has nobody left who could be told.
            with Caught(RuntimeError):
                loop.call_soon_threadsafe(work)

        try:
            child = Child(
                [person_shell(), "-c", command.command],
                name=name,
                marker=new_marker(core.emitter.state.run_id, command_id),
                cwd=core.workspace,
                env=person_environment(),
                limits=Limits(timeout=None, grace=core.config.abort_grace),
                emit=lambda stream, text: post(partial(self._printed, running, stream, text)),
            )
        except (OSError, ValueError) as error:
            self._finish(running, status="not_started", error=str(error))
            return
        running.child = child

        def watch() -> None:
            ending: Ending | None = None
            with Caught(Exception) as watched:
                ending = child.watch(lambda pid, since: post(partial(self._began, running, child, pid, since)))
            post(partial(self._ended, running, ending, watched.error))

        threading.Thread(target=watch, name=f"watch {name}", daemon=True).start()

    def _stop(self, running: _Running) -> None:
        running.stopped = True
        if running.child is not None:
            running.child.stop()

    def _began(self, running: _Running, child: Child, pid: int, since: float | None) -> None:
        if running.command_id in self._running:
            self._core.emitter.fact(
                PersonCommandStarted(
                    command_id=running.command_id,
                    command=running.command,
                    cwd=str(self._core.workspace),
                    share=running.share,
                    name=child.name,
                    marker=child.marker,
                    pid=pid,
                    pgid=pid,
                    process_started=since,
                )
            )

    def _printed(self, running: _Running, stream: str, text: str) -> None:
        if text and running.command_id in self._running:
            self._core.emitter.delta(PersonOutputDelta(command_id=running.command_id, stream=stream, text=text))

    def _ended(self, running: _Running, ending: Ending | None, error: BaseException | None) -> None:
        if running.command_id not in self._running:
            return
        if ending is None:
            self._finish(running, status="stopped", error=f"it could not be watched to its end: {error}")
            return
        from runner.tools.process import reported

        self._core.receipt.commands += reported(ending, running.command_id)
        task = asyncio.get_running_loop().create_task(self._keep(running, ending))
        # A task that nobody holds may be collected before its end.
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    async def _keep(self, running: _Running, ending: Ending) -> None:
        core = self._core
        cut = truncate(encodable(ending.output), core.config.max_tool_output)
        artifact: str | None = None
        if cut.left_out and core.archive is not None:
            # What cannot be kept in full is shown cut; that is said by `truncated` without an artifact.
            with Caught(StoreError):
                artifact = await asyncio.to_thread(
                    core.archive.put_artifact, core.emitter.state.run_id, running.command_id, ending.output
                )
        if running.command_id in self._running:
            self._finish(
                running,
                status="stopped" if running.stopped else "ended",
                ending=ending,
                output=cut.text,
                truncated=bool(cut.left_out),
                artifact=artifact,
            )

    def _finish(
        self,
        running: _Running,
        *,
        status: PersonCommandStatus,
        ending: Ending | None = None,
        output: str = "",
        truncated: bool = False,
        artifact: str | None = None,
        error: str = "",
    ) -> None:
        core = self._core
        core.emitter.fact(
            PersonCommandFinished(
                command_id=running.command_id,
                command=running.command,
                share=running.share,
                status=status,
                exit_code=None if ending is None else ending.exit_code,
                signal=None if ending is None else ending.signal,
                output=output,
                seconds=core.clock.mono() - running.began,
                truncated=truncated,
                artifact=artifact,
                left_over=() if ending is None else ending.left_over,
                error=error,
            )
        )
        del self._running[running.command_id]
        if not self._running:
            self._over.set()
        core.inbox.wake.set()
