"""One child process and the thread that watches it until nothing that comes from it is alive.

The thread reads both pipes, so that a flood never holds up the event loop; it ends all processes on a timeout or when
told to (SIGTERM, a grace, SIGKILL), and it does not wait for what holds a pipe open after the command itself ended.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.tools.base import HowEnded
from runner.tools.cage import Cage
from runner.tools.collect import Collector, Decoder, Kept, LiveFeed
from runner.tools.endings import End, Endings
from runner.tools.group import Member, members, send
from runner.tools.guard import GUARD
from runner.tools.marker import with_marker
from runner.tools.spawn import Spawned, spawn

LINGER = 0.5
"""Seconds that processes left in the background may go on after the command ended."""

KILL_WAIT = 1.0
"""Seconds to wait for SIGKILL to take effect; a process in an uninterruptible call can survive it."""

_LOOK = 0.02
_RELAXED_LOOK = 0.1
_ASKED_AGAIN = 5
_READ = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a child and all that came from it ended. exit_code None: ended by `signal`.

    how: the hardest way in which one of them was ended. left_over: what the command had left running. ends: every
    process, the command itself first; empty where it was ended before it ran.
    """

    exit_code: int | None
    signal: str | None
    how: HowEnded
    timed_out: bool
    left_over: tuple[str, ...]
    ends: tuple[End, ...]
    output: str
    output_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds; timeout None: no limit; grace: between SIGTERM and SIGKILL. output: bytes after which it is ended."""

    timeout: float | None
    grace: float
    output: int | None = None


class Child:
    """Started when made, in its own session, by the calling thread; `watch` then runs in a thread of its own."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        name: str,
        cwd: Path,
        env: Mapping[str, str],
        marker: str,
        limits: Limits,
        emit: Callable[[str, str], None],
        start: Callable[..., Spawned] = spawn,
        monitored: bool = False,
        kept: Collector | None = None,
    ) -> None:
        """monitored: the program stands for the command (runner.tools.sandbox). kept: collects the output.

        Raises OSError or ValueError when the program cannot be started.
        """
        self.name = name
        self.marker = marker
        self._limits = limits
        self._started = time.monotonic()
        self._kept: Collector = Kept() if kept is None else kept
        self._cage = Cage() if monitored else None
        self._feed = LiveFeed(emit, self._started)
        self._wake_read, self._wake_write = os.pipe()
        try:
            self._spawned = start(argv, cwd=cwd, env=with_marker(env, marker), marker=marker)
        except BaseException:
            os.close(self._wake_read)
            os.close(self._wake_write)
            raise
        self._guard()
        self._lock = threading.Lock()
        self._closed = False
        self._stopped = False
        self._timed_out = False
        self._announced = False
        self._exited: float | None = None
        self._asked: float | None = None
        self._forced: float | None = None
        self._finished = False
        self._survived = False
        self._endings = Endings()
        self._refused: set[int] = set()
        self._asked_groups: set[int] = set()
        self._left_over: tuple[str, ...] = ()
        self._streams: dict[int, tuple[str, Decoder]] = {}
        self._selector = selectors.DefaultSelector()
        self._pidfd: int | None = None
        self._seen: list[Member] = []
        self._looked = 0.0

    def stop(self) -> None:
        """End all of it; returns at once, from any thread, any number of times."""
        with self._lock:
            first, self._stopped = not self._stopped, True
            if first and not self._closed:
                os.write(self._wake_write, b"x")

    def watch(self, started: Callable[[int, float | None], None]) -> Ending:
        """Wait until the command and all that comes from it are dead (or have survived SIGKILL).

        started: called once, with the command's pid and start (seconds since the epoch), when it runs; not where the
        command was ended before.
        """
        try:
            self._register()
            while not self._done(started):
                self._wait()
            self._finished = True
            self._drain()
        finally:
            self._release()
        code = self._spawned.exit_code
        if self._cage is not None:
            code = self._cage.exit_code(code)
        return Ending(
            exit_code=code if code is not None and code >= 0 else None,
            signal=_signal_name(-code) if code is not None and code < 0 else None,
            how=self._endings.worst,
            timed_out=self._timed_out,
            left_over=self._left_over,
            ends=tuple(self._ends(self._spawned.pid, self.name)),
            output=self._kept.text(),
            output_bytes=self._kept.total,
        )

    def _ends(self, leader: int | None, name: str) -> list[End]:
        ends = self._endings.ends(leader, name)
        return ends if self._cage is None else self._cage.without(ends, self._spawned.pid)

    def _guard(self) -> None:
        spawned = self._spawned
        GUARD.watch(spawned.process.pid, session=spawned.pid, marker=self.marker, since=spawned.since)

    def _register(self) -> None:
        process = self._spawned.process
        for name, pipe in (("stdout", process.stdout), ("stderr", process.stderr)):
            if pipe is None:
                continue  # Whoever started the child reads it.
            os.set_blocking(pipe.fileno(), False)
            self._streams[pipe.fileno()] = (name, Decoder())
            self._selector.register(pipe.fileno(), selectors.EVENT_READ, "pipe")
        self._selector.register(self._wake_read, selectors.EVENT_READ, "wake")
        told = self._spawned.descriptor()
        if told is not None:
            self._selector.register(told, selectors.EVENT_READ, "told")
        elif hasattr(os, "pidfd_open"):
            try:
                self._pidfd = os.pidfd_open(process.pid)
            except OSError:
                return  # Not allowed here: `_wait` then looks at intervals.
            self._selector.register(self._pidfd, selectors.EVENT_READ, "exit")

    def _done(self, started: Callable[[int, float | None], None]) -> bool:
        """Move on to the next phase where it is time; True when nothing is alive any more, or nothing helps."""
        now = time.monotonic()
        spawned = self._spawned
        if spawned.silent:
            spawned.look()
        if not self._announced and spawned.pid is not None:
            self._announced = True
            self._guard()
            self._looked = 0.0
            started(spawned.pid, spawned.started)
        if self._exited is None and spawned.exited:
            self._exited = now
        if self._asked is not None:
            return self._ending_done(now)
        if self._stopped or spawned.lost:
            self._terminate(now)
        elif self._exited is not None:
            return self._left_alone(now, self._exited)
        elif self._limits.timeout is not None and now >= self._started + self._limits.timeout:
            self._timed_out = True
            self._terminate(now)
        return False

    def _left_alone(self, now: float, exited: float) -> bool:
        """The command ended by itself; what it left in the background may go on for a moment."""
        waited = now >= exited + LINGER
        if self._spawned.empty:
            return waited or not self._streams
        if not waited and not self._spawned.silent:
            return False
        living = self._living()
        if not living:
            return self._spawned.silent and (waited or not self._streams)
        if waited:
            self._terminate(now)
            left = self._ends(None, "")
            self._left_over = tuple(f"{end.name} (pid {end.pid})" for end in left)
        return False

    def _terminate(self, now: float) -> None:
        self._asked = now
        self._spawned.call_off()
        self._ask(self._living(fresh=True))
        self._spawned.wake()

    def _ask(self, living: list[Member]) -> None:
        """SIGTERM to those who did not get it yet.

        A group gets it once: who appears in it later was started by one that is cleaning up.
        """
        for _ in range(_ASKED_AGAIN):
            new = [member for member in self._endings.new(living) if member.row.pgrp not in self._asked_groups]
            if not new:
                return
            self._endings.note(new, "terminated")
            self._refused |= send(signal.SIGTERM, new)
            self._asked_groups |= {member.row.pgrp for member in new}
            living = self._living(fresh=True)

    def _ending_done(self, now: float) -> bool:
        living = self._living()
        if self._spawned.empty or (self._spawned.silent and self._exited is not None and not living):
            return True
        helpless = bool(living) and all(member.row.pid in self._refused for member in living)
        assert self._asked is not None
        if helpless or (self._forced is not None and now >= self._forced + KILL_WAIT):
            self._survived = bool(living)
            self._endings.note(living, "survived")
            if not living:
                self._spawned.give_up()
            return True
        if self._forced is not None or now >= self._asked + self._limits.grace:
            self._force(now, living)
        else:
            self._ask(living)
        return False

    def _force(self, now: float, living: list[Member]) -> None:
        """SIGKILL, in every round again: what was forked between the look and the signal is found now."""
        if self._forced is None:
            self._forced = now
            living = self._living(fresh=True)
        self._endings.note(living, "killed")
        self._refused = send(signal.SIGKILL, living)
        self._spawned.force()

    def _living(self, *, fresh: bool = False) -> list[Member]:
        """Who is alive, looked up at most once an interval, because a flood wakes us thousands of times a second."""
        now = time.monotonic()
        if fresh or now >= self._looked + self._interval():
            self._seen, self._looked = members(self._spawned.target), now
            if self._cage is not None:
                self._cage.look(self._seen, {self._spawned.pid, self._spawned.process.pid})
        return self._seen

    def _interval(self) -> float:
        """Who is not told of the end has to look for it."""
        return _LOOK if self._spawned.silent or self._forced is not None else _RELAXED_LOOK

    def _wait(self) -> None:
        """Until something happens or the next thing is due."""
        now = time.monotonic()
        times = [due for due in (self._feed.due(), self._next_look(now)) if due is not None]
        for key, _ in self._selector.select(max(min(times) - now, 0.0) if times else None):
            match key.data:
                case "pipe":
                    self._read(key.fd)
                case "wake":
                    os.read(self._wake_read, 4096)
                case "told":
                    if not self._spawned.hear():
                        self._selector.unregister(key.fd)
                case _:
                    self._selector.unregister(key.fd)
        due = self._feed.due()
        now = time.monotonic()
        if due is not None and now >= due:
            self._feed.flush(now)

    def _next_look(self, now: float) -> float | None:
        if self._asked is not None:
            return min(now + self._interval(), max(self._asked + self._limits.grace, now + _LOOK))
        if self._exited is not None:
            return now + _LOOK if self._spawned.silent else max(self._exited + LINGER, now + _LOOK)
        if self._spawned.silent and self._pidfd is None:
            return now + _LOOK
        return None if self._limits.timeout is None else self._started + self._limits.timeout

    def _read(self, fd: int) -> int:
        """Take what a pipe has, once; returns the bytes taken, 0 at its end or when nothing waits."""
        name, decoder = self._streams[fd]
        try:
            data = os.read(fd, _READ)
        except BlockingIOError:
            return 0
        self._take(name, decoder.feed(data) if data else decoder.finish())
        if not data:
            self._selector.unregister(fd)
            del self._streams[fd]
        return len(data)

    def _take(self, name: str, text: str) -> None:
        if text:
            self._kept.add(text)
            self._feed.add(name, text)
            if self._limits.output is not None and self._kept.total > self._limits.output:
                self._stopped = True

    def _drain(self) -> None:
        """What the dead left in the pipes, bounded, because somebody outside the session may still write."""
        until = time.monotonic() + LINGER
        for fd in list(self._streams):
            while time.monotonic() < until and self._read(fd):
                pass
        for name, decoder in self._streams.values():
            self._take(name, decoder.finish())
        self._feed.flush(time.monotonic())

    def _release(self) -> None:
        with self._lock:
            self._closed = True
            os.close(self._wake_read)
            os.close(self._wake_write)
        self._selector.close()
        if self._pidfd is not None:
            os.close(self._pidfd)
        if not self._finished:
            # Watching failed: nothing may stay behind unwatched.
            self._force(time.monotonic(), [])
        process = self._spawned.process
        if not self._survived:
            try:
                process.wait(KILL_WAIT)
            except subprocess.TimeoutExpired:
                self._survived = True
        self._spawned.close()
        if self._survived:
            _survivors.append(process)
            # Their session's number may come to belong to somebody else before they end.
            GUARD.watch(process.pid, session=None, marker=self.marker, since=self._spawned.since)
        else:
            GUARD.forget(process.pid)


# Held, because forgetting a Popen whose process still lives is a warning on somebody's screen.
_survivors: list[subprocess.Popen[bytes]] = []


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
