"""The process that outlives the program to end what it left (runner.tools.minder.watchdog), seen from the program.

Supervisors end what is theirs when the program dies in whatever way, also by SIGKILL. The guard does it once more, for
what a killed supervisor left, and where there are none.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading

from runner.tools.spawn import MINDERS, has_interpreter

GOODBYE = 2.0
"""Seconds that an idle guard gets to notice the end of the program."""

_WATCH = "import sys; sys.path.append(sys.argv.pop(1)); from minder.watchdog import main; main()"


class Guard:
    """Started with the first command, and again where it was killed. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._watched: dict[int, str] = {}

    @property
    def pid(self) -> int | None:
        """The guard's process, None where there is none."""
        return None if self._process is None else self._process.pid

    def watch(self, root: int, *, session: int | None, marker: str, since: float) -> None:
        """From here on what is known by these dies with the program. root: the child that was started, since: its
        birth.
        """
        line = f"+{root} {session or 0} {marker} {since!r}\n"
        with self._lock:
            self._watched[root] = line
            if not self._say(line):
                self._start()

    def forget(self, root: int) -> None:
        """Nothing of it is alive any more; its number may come to belong to somebody else."""
        with self._lock:
            if self._watched.pop(root, None) is not None:
                self._say(f"-{root}\n")

    def _say(self, line: str) -> bool:
        if self._process is None or self._process.stdin is None:
            return False
        try:
            # It raises where the pipe is full as well, because somebody stopped the guard.
            os.write(self._process.stdin.fileno(), line.encode())
        except OSError:
            return False
        return True

    def _start(self) -> None:
        """Without a guard there are still the supervisors, which need none."""
        if self._process is not None:
            self._process.kill()
        self._end()
        if not has_interpreter():
            return
        numbers = f"{int(signal.SIG_SETMASK)},{int(signal.SIGCONT)}"
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _WATCH, MINDERS, numbers],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL")},
                start_new_session=True,
            )
            if self._process.stdin is not None:
                os.set_blocking(self._process.stdin.fileno(), False)
        for line in self._watched.values():
            self._say(line)

    def close(self) -> None:
        """Let the guard go; it ends what is still watched."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        with contextlib.suppress(OSError):
            process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GOODBYE)


GUARD = Guard()
atexit.register(GUARD.close)
