"""One child process and the thread that watches it until nothing of its session is alive.

The thread reads both pipes, so that a flood never holds up the event loop; it ends the session on a timeout or when
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
from typing import Literal

from runner.tools.collect import Decoder, Kept, LiveFeed
from runner.tools.group import Member, describe, members, send
from runner.tools.guard import GUARD
from runner.tools.launcher import with_parent_death

LINGER = 0.5
"""Seconds that processes left in the background may go on after the command ended."""

KILL_WAIT = 1.0
"""Seconds to wait for SIGKILL to take effect; a process in an uninterruptible call can survive it."""

_LOOK = 0.02
_READ = 256 * 1024

How = Literal["exited", "terminated", "killed", "survived"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a child and its session ended. exit_code None: ended by `signal`. left_over: what it had left running."""

    exit_code: int | None
    signal: str | None
    how: How
    timed_out: bool
    left_over: tuple[str, ...]
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
        cwd: Path,
        env: Mapping[str, str],
        limits: Limits,
        emit: Callable[[str, str], None],
    ) -> None:
        """Raises OSError or ValueError when the program cannot be started."""
        self._limits = limits
        self._started = time.monotonic()
        self._kept = Kept()
        self._feed = LiveFeed(emit, self._started)
        self._wake_read, self._wake_write = os.pipe()
        try:
            self._process = subprocess.Popen(
                with_parent_death(argv, env),
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except BaseException:
            os.close(self._wake_read)
            os.close(self._wake_write)
            raise
        self.pid = self._process.pid
        GUARD.watch(self.pid)
        self._lock = threading.Lock()
        self._closed = False
        self._stopped = False
        self._timed_out = False
        self._exited: float | None = None
        self._asked: float | None = None
        self._forced: float | None = None
        self._how: How = "exited"
        self._left_over: tuple[str, ...] = ()
        self._streams: dict[int, tuple[str, Decoder]] = {}
        self._selector = selectors.DefaultSelector()
        self._pidfd: int | None = None
        self._seen: list[Member] = []
        self._looked = 0.0

    def stop(self) -> None:
        """End the whole session; returns at once, from any thread, any number of times."""
        with self._lock:
            first, self._stopped = not self._stopped, True
            if first and not self._closed:
                os.write(self._wake_write, b"x")

    def watch(self) -> Ending:
        """Wait until the command and all of its session are dead (or have survived SIGKILL)."""
        try:
            self._register()
            while not self._done():
                self._wait()
            self._drain()
        finally:
            self._release()
        code = self._process.returncode
        return Ending(
            exit_code=code if code is not None and code >= 0 else None,
            signal=_signal_name(-code) if code is not None and code < 0 else None,
            how=self._how,
            timed_out=self._timed_out,
            left_over=self._left_over,
            output=self._kept.text(),
            output_bytes=self._kept.total,
        )

    def _register(self) -> None:
        for name, pipe in (("stdout", self._process.stdout), ("stderr", self._process.stderr)):
            assert pipe is not None
            os.set_blocking(pipe.fileno(), False)
            self._streams[pipe.fileno()] = (name, Decoder())
            self._selector.register(pipe.fileno(), selectors.EVENT_READ, "pipe")
        self._selector.register(self._wake_read, selectors.EVENT_READ, "wake")
        if hasattr(os, "pidfd_open"):
            try:
                self._pidfd = os.pidfd_open(self.pid)
            except OSError:
                return  # Not allowed here: `_wait` then looks at intervals.
            self._selector.register(self._pidfd, selectors.EVENT_READ, "exit")

    def _done(self) -> bool:
        """Move on to the next phase where it is time; True when nothing of the session is alive, or nothing helps."""
        now = time.monotonic()
        if self._exited is None and self._leader_exited():
            self._exited = now
        if self._asked is not None:
            return self._ending_done(now)
        timeout = self._limits.timeout
        if self._stopped:
            self._terminate(now)
        elif self._exited is None:
            if timeout is not None and now >= self._started + timeout:
                self._timed_out = True
                self._terminate(now)
        else:
            living = self._living()
            waited = now >= self._exited + LINGER
            if not living and (waited or not self._streams):
                return True
            if living and waited:
                self._left_over = tuple(f"{describe(member.pid)} (pid {member.pid})" for member in living)
                self._terminate(now)
        return False

    def _ending_done(self, now: float) -> bool:
        living = self._living()
        if not living and self._exited is not None:
            return True
        assert self._asked is not None
        if self._forced is None:
            if now >= self._asked + self._limits.grace:
                self._forced = now
                self._how = "killed"
                send(self.pid, signal.SIGKILL, living)
        elif now >= self._forced + KILL_WAIT:
            self._how = "survived"
            return True
        else:
            # What was forked between the look and the signal is found now.
            send(self.pid, signal.SIGKILL, living)
        return False

    def _terminate(self, now: float) -> None:
        self._asked = now
        self._how = "terminated"
        send(self.pid, signal.SIGTERM, self._living(fresh=True))

    def _living(self, *, fresh: bool = False) -> list[Member]:
        """Who is alive, looked up at most once an interval, because a flood wakes us thousands of times a second."""
        now = time.monotonic()
        if fresh or now >= self._looked + _LOOK:
            self._seen, self._looked = members(self.pid), now
        return self._seen

    def _leader_exited(self) -> bool:
        """Look without reaping: as long as the dead leader is not reaped, its number cannot become another group's."""
        if hasattr(os, "waitid"):
            try:
                return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
            except ChildProcessError:
                return True  # A program that ignores SIGCHLD leaves nothing to wait for.
        return self._process.poll() is not None

    def _wait(self) -> None:
        """Until something happens or the next thing is due."""
        now = time.monotonic()
        times = [due for due in (self._feed.due(),) if due is not None]
        if self._exited is not None or self._asked is not None or self._pidfd is None:
            times.append(now + _LOOK)
        elif self._limits.timeout is not None:
            times.append(self._started + self._limits.timeout)
        for key, _ in self._selector.select(max(min(times) - now, 0.0) if times else None):
            match key.data:
                case "pipe":
                    self._read(key.fd)
                case "wake":
                    os.read(self._wake_read, 4096)
                case _:
                    self._selector.unregister(key.fd)
        due = self._feed.due()
        now = time.monotonic()
        if due is not None and now >= due:
            self._feed.flush(now)

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
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        if self._how == "survived":
            _survivors.append(self._process)
        elif self._exited is None:
            # Watching failed: nothing of the session may stay behind unwatched.
            send(self.pid, signal.SIGKILL, self._living(fresh=True))
            self._how = "killed"
        if self._how != "survived":
            try:
                self._process.wait(KILL_WAIT)
            except subprocess.TimeoutExpired:
                self._how = "survived"
                _survivors.append(self._process)
            else:
                GUARD.forget(self.pid)


# Held, because forgetting a Popen whose process still lives is a warning on somebody's screen.
_survivors: list[subprocess.Popen[bytes]] = []


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
