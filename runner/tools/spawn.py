"""Starting a command in a session of its own, and hearing how it goes.

On Linux a supervisor (runner.tools.minder.supervise) stands between: it is handed the orphans among the command's
descendants, so that all of them can be found however they hide, and it kills them when this program is gone. It costs
one start of the interpreter without its site, about 12 ms, and 4 MB while the command runs.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from runner.tools import table
from runner.tools.group import Target
from runner.tools.minder import scan
from runner.tools.minder.supervise import NOT_STARTED

MINDERS: Final = str(Path(__file__).resolve().parent)
FORCE: Final = signal.SIGUSR1
"""Tells a supervisor to kill all it has."""

_SUPERVISE = "import sys; sys.path.append(sys.argv.pop(1)); from minder.supervise import main; main()"


def has_interpreter() -> bool:
    """Whether this interpreter can start a second one of itself."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


def can_supervise() -> bool:
    return sys.platform == "linux" and has_interpreter() and scan.available()


def supervised(argv: Sequence[str], env: Mapping[str, str], status: int) -> list[str]:
    """argv (argv[0] an absolute path) as the supervisor's command line. status: the descriptor that it reports on."""
    # Python ignores SIGPIPE and SIGXFSZ; the command gets them as they were.
    numbers = [os.getpid(), status, signal.SIG_SETMASK, signal.SIGCHLD, signal.SIGTERM, FORCE]
    numbers += [signal.SIGPIPE, signal.SIGXFSZ]
    locale = f"={env['LC_CTYPE']}" if "LC_CTYPE" in env else ""
    minder = [sys.executable, "-I", "-S", "-c", _SUPERVISE, MINDERS]
    return [*minder, ",".join(str(int(number)) for number in numbers), locale, *argv]


class Spawned:
    """A command that was started, without a supervisor. Not for two threads at once.

    process: what this program has to wait for. pid, started: the command's, None until it runs; started in seconds
    since the epoch. exited: the command ended, with exit_code (negative: by that signal). empty: nothing that comes
    from it is alive, for certain. silent: the end of it all is only seen by looking. lost: the supervisor was killed
    before the command ended.
    """

    silent: bool = True
    lost: bool = False

    def __init__(
        self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], marker: str, talks: bool = False
    ) -> None:
        """Raises OSError or ValueError when the program cannot be started."""
        self._stdin = subprocess.PIPE if talks else subprocess.DEVNULL
        self.process = self._start(argv, cwd, env)
        self._marker = marker
        self._birth = table.birth(self.process.pid) or 0.0
        self.pid: int | None = None
        self.started: float | None = None
        self.exited = False
        self.exit_code: int | None = None
        self.empty = False
        self._find_out()

    def _start(self, argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        return _popen(list(argv), cwd, env, (), self._stdin)

    def _find_out(self) -> None:
        self.pid, self.started = self.process.pid, table.epoch(self._birth)

    @property
    def since(self) -> float:
        """The start of the process that this program waits for, as table.birth tells it."""
        return self._birth

    @property
    def target(self) -> Target:
        """Where to look for what comes from the command."""
        return Target(root=self.process.pid, session=self.pid, marker=self._marker, since=self._birth)

    def descriptor(self) -> int | None:
        """Readable when there is something to `hear`; None where one has to look."""
        return None

    def hear(self) -> bool:
        """Take note of what was said; False when nothing more can be heard."""
        return False

    def look(self) -> None:
        """Take note of what is not said."""
        if not self.exited and _has_exited(self.process):
            self.exited = True

    def call_off(self) -> None:
        """Do not start the command, if that has not happened yet."""

    def wake(self) -> None:
        """Have its end told, also where somebody stopped who has to tell it."""

    def force(self) -> None:
        """Have everything killed by who is nearer to it than this program."""

    def give_up(self) -> None:
        """Nothing is alive but who should have told that."""

    def close(self) -> None:
        """After the process was waited for, or given up."""
        if self.exit_code is None:
            self.exit_code = self.process.poll()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()


class Supervised(Spawned):
    """A command with a supervisor. Where that one is killed, it is like any other, but for its marker."""

    silent: bool = False

    def _start(self, argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        self._heard = b""
        self._sure = True
        self._status, status = os.pipe()
        try:
            return _popen(supervised(argv, env, status), cwd, env, (status,), self._stdin)
        except BaseException:
            os.close(self._status)
            raise
        finally:
            os.close(status)

    def _find_out(self) -> None:
        os.set_blocking(self._status, False)

    @property
    def target(self) -> Target:
        marker = None if self._sure and not self.silent else self._marker
        return Target(root=self.process.pid, session=self.pid, marker=marker, since=self._birth)

    def descriptor(self) -> int | None:
        return self._status

    def hear(self) -> bool:
        try:
            data = os.read(self._status, 4096)
        except BlockingIOError:
            return True
        if not data:
            self._end()
            return False
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in lines:
            self._take(line.decode("ascii").split())
        return True

    def _take(self, words: list[str]) -> None:
        match words:
            case ["started", pid, ticks, handed]:
                self.pid, self.started = int(pid), table.epoch(float(ticks))
                self._sure = handed == "1"
            case ["exited", code]:
                self.exited, self.exit_code = True, int(code)
            case ["empty"]:
                self.empty = True
            case _:
                raise ValueError(f"the supervisor said {words!r}")

    def _end(self) -> None:
        """The supervisor is gone. The kernel kills the command for that, but not what the command started."""
        self.silent = not self.empty
        if not self.exited:
            self.exited = self.lost = True
            self.exit_code = self._own_end() if self.pid is None else -signal.SIGKILL

    def _own_end(self) -> int:
        """It ended without having started the command: because it was called off, or could not."""
        code = self.process.wait()
        return -signal.SIGTERM if code == NOT_STARTED else code

    def call_off(self) -> None:
        if self.pid is None and not self.exited:
            scan.kill(self.process.pid, signal.SIGTERM)

    def wake(self) -> None:
        if not (self.empty or self.silent):
            scan.kill(self.process.pid, signal.SIGCONT)

    def force(self) -> None:
        if not (self.empty or self.silent):
            scan.kill(self.process.pid, FORCE)
            self.wake()

    def give_up(self) -> None:
        scan.kill(self.process.pid)

    def close(self) -> None:
        super().close()
        os.close(self._status)


def spawn(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], marker: str, talks: bool = False) -> Spawned:
    """Start a command, from a thread that may end before it. Raises OSError or ValueError when that cannot be done.

    talks: its standard input is a pipe; else there is none.
    """
    kind = Supervised if can_supervise() else Spawned
    return kind(argv, cwd=cwd, env=env, marker=marker, talks=talks)


def _popen(
    argv: list[str], cwd: Path, env: Mapping[str, str], passed: tuple[int, ...], stdin: int
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        argv,
        cwd=cwd,
        env=env,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        pass_fds=passed,
    )


def _has_exited(process: subprocess.Popen[bytes]) -> bool:
    """Look without reaping: as long as the dead leader is not reaped, its number cannot become another group's."""
    if hasattr(os, "waitid"):
        try:
            return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True  # A program that ignores SIGCHLD leaves nothing to wait for.
    return process.poll() is not None
