"""The parent of one tool's command. It is handed every orphan among the command's descendants, so none gets lost.

Run as a program of its own: it starts the command in a new session, says on a pipe how that goes, reaps whatever the
command leaves behind, and ends when it has no descendant any more. When the program that started it is gone, or when
told to, it kills all of them; that a process left the session or emptied its environment makes no difference.
"""

from __future__ import annotations

import os
import sys
import time

from . import scan
from .signals import PDEATHSIG, SUBREAPER, Signals

NOT_STARTED = 143
"""The exit code where it was told to end before it had started the command."""

PATIENCE = 10.0
"""Seconds for killing everything after the program's end; what may not be killed is left after that."""

_ROUNDS = 200


class Supervisor:
    def __init__(self, parent: int, status: int, command: int) -> None:
        self._parent = parent
        self._status = status
        self._command = command

    def orphaned(self) -> bool:
        return os.getppid() != self._parent

    def say(self, line: str) -> None:
        _say(self._status, line)

    def reap(self) -> bool:
        """Take note of every descendant that ended; False when there is none left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._command:
                self.say(f"exited {os.waitstatus_to_exitcode(status)}")

    def strike(self) -> bool:
        """Kill all that is found, again as long as there are new ones; False when none is left."""
        me, known = os.getpid(), set[int]()
        for _ in range(_ROUNDS):
            found = scan.family(scan.rows(), {me})
            # The older first: a shell that outlives its command would have something to say about that.
            for pid in sorted(found):
                scan.kill(pid)
            # One that forks and ends faster than all processes can be looked at is caught here.
            for pid in scan.children(me):
                scan.kill(pid)
                found.add(pid)
            if not self.reap():
                return False
            if found <= known:
                return True
            known |= found
        return True

    def strike_to_the_end(self) -> None:
        until, pause = time.monotonic() + PATIENCE, 0.005
        while self.strike() and time.monotonic() < until:
            time.sleep(pause)
            pause = min(2 * pause, 0.2)


def main() -> None:
    """Arguments: numbers (see runner.tools.spawn), LC_CTYPE as `=value` or nothing, the command."""
    numbers, locale, *argv = sys.argv[1:]
    parent, status, set_mask, ended, term, force, *restored = map(int, numbers.split(","))
    signals = Signals(set_mask)
    handed = signals.prctl(SUBREAPER, 1)
    signals.call_itself(scan.SUPERVISOR)
    # Ignored in the program, it would be ignored here, and no child could be waited for.
    signals.restore(ended)
    signals.block_all()
    # The end of the thread that started this is told by the same signal: only the parent's number says what ended.
    signals.prctl(PDEATHSIG, ended)
    if os.getppid() != parent or signals.is_pending(term) or signals.is_pending(force):
        os._exit(NOT_STARTED)
    me = os.getpid()
    os.set_inheritable(status, False)
    command = _fork()
    if command == 0:
        os.setsid()
        signals.prctl(PDEATHSIG, scan.KILL)
        if os.getppid() != me:
            os._exit(NOT_STARTED)
        _say_started(status, handed)
        _become(signals, [ended, term, *restored], locale, argv)
    supervisor = Supervisor(parent, status, command)
    _let_go()
    while True:
        if signals.wait(ended, force) == force:
            supervisor.strike()
        if supervisor.orphaned():
            supervisor.strike_to_the_end()
            os._exit(0)
        if not supervisor.reap():
            if handed:
                supervisor.say("empty")
            os._exit(0)


def _say_started(status: int, handed: bool) -> None:
    """By the command to be, because its supervisor may be killed before it could say it. handed: it gets orphans."""
    me = os.getpid()
    row = scan.read(me)
    _say(status, f"started {me} {row.start if row else 0} {int(handed)}")


def _say(status: int, line: str) -> None:
    try:
        os.write(status, f"{line}\n".encode())
    except OSError:
        return  # Nobody listens any more; that the program is gone is seen elsewhere.


def _become(signals: Signals, restored: list[int], locale: str, argv: list[str]) -> None:
    """The command. The kernel kills it when its parent ends first."""
    for number in restored:
        signals.restore(number)
    # In the C locale the interpreter sets this one; the command gets it as it was.
    os.environ.pop("LC_CTYPE", None)
    if locale:
        os.environ["LC_CTYPE"] = locale[1:]
    signals.unblock_all()
    try:
        os.execv(argv[0], argv)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    os._exit(126)


def _fork() -> int:
    try:
        return os.fork()
    except OSError as error:
        os.write(2, f"The command could not be started: {error.strerror}\n".encode())
        os._exit(126)


def _let_go() -> None:
    """Hold neither the command's pipes, nor its folder, nor what else it was given."""
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)
