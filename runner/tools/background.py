"""Processes that go on after the call that started them: read, stopped, listed, and ended with their session.

They are started as every tool's command is, in a session of their own under a supervisor, so that all that comes from
them is found and dies with the program, however it ends. What they print goes to a bounded file, whether anybody reads
it or not. Where their run is aborted they are ended with it; otherwise they live until somebody stops them, their
session ends, or the program does.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from runner.clock import Clock, SystemClock
from runner.errors import ToolError
from runner.tools.base import ProcessEnd, ToolContext
from runner.tools.caught import Caught
from runner.tools.child import KILL_WAIT, Child, Ending, Limits
from runner.tools.marker import new_marker
from runner.tools.names import cut, short_name
from runner.tools.process import reported
from runner.tools.recorded import Records
from runner.tools.sandbox import Boxed
from runner.tools.sandbox.scratch import SCRATCH
from runner.tools.spool import Piece, Spool

LIMIT: Final = 16
"""Processes of one session that run at the same time."""

ENDED_KEPT: Final = 16
"""Ended processes of a session whose output can still be read."""

READ_MOST: Final = 256 * 1024
"""Bytes that one reading gives; of more, the newest."""

LONGEST_WAIT: Final = 60.0
_QUIET: Final = 0.2
_LINE_SHOWN: Final = 200

State = Literal["running", "ending", "ended"]
StoppedBy = Literal["", "agent", "user", "run", "session", "program"]
"""Who had it ended; "": nobody, it ended by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundProcess:
    """A process as it is now. pid: of the command, the leader of its session. state "ending": it was asked to end.

    exit_code None: it runs, or a signal ended it. last_line: of its output, as it was printed (not cleaned).
    """

    process_id: str
    session_id: str
    run_id: str
    call_id: str
    name: str
    command: str
    pid: int
    started: datetime
    state: State
    ended: datetime | None = None
    exit_code: int | None = None
    signal: str | None = None
    stopped_by: StoppedBy = ""
    left_over: tuple[str, ...] = ()
    output_bytes: int = 0
    last_line: str = ""
    sandboxed: bool = False
    network: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    process: BackgroundProcess
    piece: Piece


class _Entry:
    """One process. Its fields are set by whoever holds the lock of Background."""

    def __init__(self, process_id: str, ctx: ToolContext, command: str, name: str, started: datetime) -> None:
        self.process_id = process_id
        self.session_id = ctx.session_id or ctx.run_id
        self.run_id = ctx.run_id
        self.call_id = ctx.call_id
        self.command = command
        self.name = cut(name) or short_name(command)
        self.started = started
        self.spool = Spool()
        self.cursor = 0
        self.child: Child | None = None
        self.pid = 0
        self.sandboxed = False
        self.network = True
        self.stopped_by: StoppedBy = ""
        self.ending: Ending | None = None
        self.ended: datetime | None = None
        self.running: Future[None] = Future()
        self.over: Future[None] = Future()

    def now(self) -> BackgroundProcess:
        ending = self.ending
        lines = self.spool.end().rstrip().rsplit("\n", 1)
        return BackgroundProcess(
            process_id=self.process_id,
            session_id=self.session_id,
            run_id=self.run_id,
            call_id=self.call_id,
            name=self.name,
            command=self.command,
            pid=self.pid,
            started=self.started,
            state="ended" if self.ended is not None else "ending" if self.stopped_by else "running",
            ended=self.ended,
            exit_code=None if ending is None else ending.exit_code,
            signal=None if ending is None else ending.signal,
            stopped_by=self.stopped_by,
            left_over=() if ending is None else ending.left_over,
            output_bytes=self.spool.total,
            last_line=lines[-1][-_LINE_SHOWN:],
            sandboxed=self.sandboxed,
            network=self.network,
        )


class Background:
    """All background processes of a program. The plain methods may be called from any thread and do not block."""

    def __init__(self, *, limit: int = LIMIT, ledger: Path | None = None, clock: Clock | None = None) -> None:
        """limit: of one session. ledger: a folder where what runs is recorded, for `runner.tools.recorded`."""
        self._limit = limit
        self._records = Records(ledger) if ledger is not None else None
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._count = 0
        self._closed = False
        self._listeners: list[Callable[[], None]] = []

    async def start(self, ctx: ToolContext, command: str, boxed: Boxed, *, name: str = "") -> BackgroundProcess:
        """Start a command and return when it runs. boxed: how. Raises ToolError where that cannot be done.

        The call's reporter is told of the process as it is of every other.
        """
        entry = self._enter(ctx, command, name)
        entry.sandboxed, entry.network = boxed.on, boxed.network
        try:
            entry.child = Child(
                boxed.argv,
                name=entry.name,
                marker=new_marker(ctx.run_id, ctx.call_id),
                cwd=ctx.workspace,
                env=boxed.env,
                limits=Limits(timeout=None, grace=ctx.abort_grace),
                emit=_ignore,
                monitored=boxed.monitored,
                kept=entry.spool,
            )
        except (OSError, ValueError) as error:
            self._drop(entry)
            raise ToolError(f"The command could not be started: {error}") from error
        threading.Thread(
            target=self._watch, args=(entry, entry.child, ctx, boxed), name=f"watch {entry.process_id}", daemon=True
        ).start()
        try:
            await asyncio.shield(asyncio.wrap_future(entry.running))
        except asyncio.CancelledError:
            self._ask(entry, "run")
            await _in_spite_of_cancels(entry.over)
            raise
        return entry.now()

    async def read(self, process_id: str, session_id: str, *, wait: float = 0.0, most: int = READ_MOST) -> Reading:
        """What it printed since the last reading. wait: seconds to wait for more, or for its end; LONGEST_WAIT at most.

        Raises ToolError where the session has no such process.
        """
        entry = self._find(process_id, session_id)
        loop = asyncio.get_running_loop()
        until = loop.time() + min(wait, LONGEST_WAIT)
        seen = entry.cursor
        while not entry.over.done() and (left := until - loop.time()) > 0:
            # After the first of it there is usually more at once.
            quiet = entry.spool.total > entry.cursor
            if not await _more(entry.spool, seen, min(left, _QUIET) if quiet else left) and quiet:
                break
            seen = entry.spool.total
        piece = await asyncio.to_thread(entry.spool.read, entry.cursor, most)
        entry.cursor = piece.end
        return Reading(process=entry.now(), piece=piece)

    async def stopped(self, process_id: str, session_id: str, by: StoppedBy = "agent") -> BackgroundProcess:
        """End it, SIGTERM and after the grace SIGKILL, with all that comes from it, and wait until that is done."""
        entry = self._find(process_id, session_id)
        self._ask(entry, by)
        await asyncio.shield(asyncio.wrap_future(entry.over))
        return entry.now()

    def stop(self, process_id: str, by: StoppedBy = "user") -> bool:
        """Ask it to end. False where there is no such process that runs."""
        with self._lock:
            entry = self._entries.get(process_id)
        return entry is not None and self._ask(entry, by)

    def running(self, session_id: str | None = None) -> tuple[BackgroundProcess, ...]:
        """Those that are not over yet, oldest first; of one session, or of all."""
        return tuple(found for found in self.listed(session_id) if found.state != "ended")

    def count(self, session_id: str | None = None) -> int:
        """How many of them there are."""
        with self._lock:
            found = [one for one in self._entries.values() if session_id in (None, one.session_id) and one.pid]
        return sum(not one.over.done() for one in found)

    def listed(self, session_id: str | None = None) -> tuple[BackgroundProcess, ...]:
        """Also those that ended and can still be read."""
        with self._lock:
            found = [one for one in self._entries.values() if session_id in (None, one.session_id) and one.pid]
        return tuple(one.now() for one in found)

    def output(self, process_id: str, most: int = READ_MOST) -> str:
        """The end of what it printed, for people: nothing is counted as read. Reads a file."""
        with self._lock:
            entry = self._entries.get(process_id)
        return "" if entry is None else entry.spool.read(0, most).text

    def subscribe(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Have changed called, from any thread, when a process starts, is asked to end, or ends. Returns its end."""
        with self._lock:
            self._listeners.append(changed)

        def leave() -> None:
            with self._lock:
                if changed in self._listeners:
                    self._listeners.remove(changed)

        return leave

    async def end_run(self, run_id: str) -> list[ProcessEnd]:
        """End what a run started, for its receipt."""
        return await self._end([entry for entry in self._all() if entry.run_id == run_id], "run")

    async def close_session(self, session_id: str) -> list[ProcessEnd]:
        """End what runs in a session, and forget what ended in it."""
        entries = [entry for entry in self._all() if entry.session_id == session_id]
        ends = await self._end(entries, "session")
        for entry in entries:
            self._drop(entry)
        await asyncio.to_thread(SCRATCH.forget, session_id)
        return ends

    async def close(self) -> list[ProcessEnd]:
        """End everything; nothing can be started afterwards."""
        with self._lock:
            self._closed = True
        ends = await self._end(self._all(), "program")
        for entry in self._all():
            self._drop(entry)
        return ends

    def _all(self) -> list[_Entry]:
        with self._lock:
            return list(self._entries.values())

    async def _end(self, entries: Sequence[_Entry], by: StoppedBy) -> list[ProcessEnd]:
        asked = [entry for entry in entries if self._ask(entry, by)]
        for entry in entries:
            await _in_spite_of_cancels(entry.over)
        return [end for entry in asked if entry.ending is not None for end in reported(entry.ending, entry.call_id)]

    def _enter(self, ctx: ToolContext, command: str, name: str) -> _Entry:
        session_id = ctx.session_id or ctx.run_id
        with self._lock:
            if self._closed:
                raise ToolError("The program is ending: nothing can be started any more.")
            busy = [one for one in self._entries.values() if one.session_id == session_id and not one.over.done()]
            if len(busy) >= self._limit:
                listed = ", ".join(f"{one.process_id} ({one.name})" for one in busy)
                raise ToolError(f"{len(busy)} background processes are the limit: {listed}. Stop one first.")
            self._count += 1
            entry = _Entry(f"p{self._count}", ctx, command, name, self._clock.now())
            self._entries[entry.process_id] = entry
            ended = [one for one in self._entries.values() if one.session_id == session_id and one.over.done()]
        for old in ended[:-ENDED_KEPT]:
            self._drop(old)
        return entry

    def _find(self, process_id: str, session_id: str) -> _Entry:
        with self._lock:
            entry = self._entries.get(process_id)
            known = [one for one in self._entries.values() if one.session_id == session_id and one.pid]
        if entry is None or entry.session_id != session_id:
            names = ", ".join(one.process_id for one in known) or "none"
            raise ToolError(f"There is no background process {process_id!r} in this session. There are: {names}.")
        return entry

    def _ask(self, entry: _Entry, by: StoppedBy) -> bool:
        with self._lock:
            if entry.over.done() or entry.child is None:
                return False
            entry.stopped_by = entry.stopped_by or by
        entry.child.stop()
        self._tell()
        return True

    def _drop(self, entry: _Entry) -> None:
        with self._lock:
            self._entries.pop(entry.process_id, None)
        entry.spool.close()

    def _watch(self, entry: _Entry, child: Child, ctx: ToolContext, boxed: Boxed) -> None:
        def started(pid: int, since: float | None) -> None:
            entry.pid = pid
            if self._records is not None:
                self._records.add(entry.process_id, pid, since, child.marker, entry.name, entry.call_id)
            with Caught(Exception) as told:
                ctx.reporter.process_started(pid, pid, since, name=child.name, marker=child.marker)
            if told.error is not None:
                # A call that cannot be told of its process has failed, and leaves none behind.
                entry.running.set_exception(told.error)
                self._ask(entry, "run")
                return
            entry.running.set_result(None)
            self._tell()

        ending: Ending | None = None
        with Caught(Exception) as watched:
            ending = child.watch(started)
            boxed.finish()
        if self._records is not None:
            self._records.remove(entry.process_id)
        with self._lock:
            entry.ending, entry.ended = ending, self._clock.now()
        if not entry.running.done():
            entry.running.set_exception(watched.error or ToolError("The command was ended before it ran."))
        entry.over.set_result(None)
        entry.spool.wake()
        self._tell()

    def _tell(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for changed in listeners:
            changed()


def _ignore(text: str, stream: str) -> None:
    """What it prints is read by whoever asks."""


async def _more(spool: Spool, seen: int, seconds: float) -> bool:
    """Wait until more than seen was printed, or it is over; False when that took too long."""
    loop = asyncio.get_running_loop()
    came: asyncio.Future[None] = loop.create_future()

    def settle() -> None:
        if not came.done():
            came.set_result(None)

    def tell() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle)

    if not spool.when_more(seen, tell):
        return True
    done, _ = await asyncio.wait({came}, timeout=seconds)
    return bool(done)


async def _in_spite_of_cancels(over: Future[None]) -> None:
    """A second cancellation leaves nothing behind; the time is bounded by the grace and KILL_WAIT."""
    waiting = asyncio.wrap_future(over)
    while not waiting.done():
        try:
            await asyncio.wait({waiting}, timeout=KILL_WAIT)
        except asyncio.CancelledError:
            continue
