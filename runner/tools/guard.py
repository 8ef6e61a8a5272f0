"""What outlives the program to end what it left: a small process that waits for the program's death.

The parent-death signal reaches only the command itself, not what the command started. So the numbers of all running
sessions are written to a pipe; when the pipe closes, because the program ended in whatever way, also by SIGKILL, the
guard kills every process of the sessions that were not taken back.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import subprocess
import sys
import threading

_GUARD = """\
import os, sys, time
watched = set()
for line in sys.stdin.buffer:
    (watched.add if line[:1] == b"+" else watched.discard)(int(line[1:]))
def living():
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat", "rb") as file:
                stat = file.read()
        except OSError:
            continue
        state, _, group, session = stat[stat.rindex(b")") + 2 :].split(b" ", 4)[:4]
        if state not in b"ZXx" and watched & {int(group), int(session)}:
            yield int(entry)
def kill(send, number):
    try:
        send(number, 9)
    except OSError:
        pass
for _ in range(200 if watched else 0):
    for number in watched:
        kill(os.killpg, number)
    left = list(living()) if os.path.isdir("/proc/self") else []
    for number in left:
        kill(os.kill, number)
    if not left:
        break
    time.sleep(0.01)
"""

GOODBYE = 2.0
"""Seconds that an idle guard gets to notice the end of the program."""


class Guard:
    """Started with the first session, and again where it was killed. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._watched: set[int] = set()

    @property
    def pid(self) -> int | None:
        """The guard's process, None where there is none."""
        return None if self._process is None else self._process.pid

    def watch(self, session: int) -> None:
        """From here on the session dies with the program."""
        with self._lock:
            self._watched.add(session)
            if not self._say(f"+{session}\n"):
                self._start()

    def forget(self, session: int) -> None:
        """Nothing of the session is alive any more; its number may come to belong to somebody else."""
        with self._lock:
            self._watched.discard(session)
            self._say(f"-{session}\n")

    def _say(self, line: str) -> bool:
        if self._process is None or self._process.stdin is None:
            return False
        try:
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
        except OSError:
            return False
        return True

    def _start(self) -> None:
        """A guard that cannot be started leaves the parent-death signal, which needs none."""
        self.close()
        if not sys.executable or getattr(sys, "frozen", False):
            return
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _GUARD],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL")},
                start_new_session=True,
            )
        for session in self._watched:
            self._say(f"+{session}\n")

    def close(self) -> None:
        """Let the guard go; it ends what is still watched."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        with contextlib.suppress(OSError):
            process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GOODBYE)


GUARD = Guard()
atexit.register(GUARD.close)
