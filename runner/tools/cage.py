"""What bubblewrap itself adds to the processes of a command: it stands before the command and around it."""

from __future__ import annotations

import signal
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from runner.tools.endings import End
from runner.tools.group import Member

_NAME: Final = "bwrap"
_FIRST: Final = b"2"
"""The command's number in its own namespace: the process before it is the one that inherits."""

_SHELLS_BASE: Final = 128
_TOLD: Final = frozenset(
    {
        signal.SIGILL,
        signal.SIGTRAP,
        signal.SIGABRT,
        signal.SIGBUS,
        signal.SIGFPE,
        signal.SIGKILL,
        signal.SIGSEGV,
        signal.SIGTERM,
        signal.SIGXCPU,
        signal.SIGXFSZ,
        signal.SIGSYS,
    }
)
"""Signals whose number above 128 programs do not choose as an exit code (git says 129 of a wrong option, and what was
interrupted often says 130)."""


class Cage:
    """Knows the two processes that bubblewrap puts around the command: the one that was started, which stands for it
    outside, and the first one inside, which inherits the orphans and does nothing else.
    """

    def __init__(self) -> None:
        self._init: set[int] = set()
        self._command: set[int] = set()

    def look(self, living: Collection[Member], parents: set[int | None]) -> None:
        """parents: the started process and its supervisor, which inherits."""
        self._init |= {
            member.row.pid
            for member in living
            if member.row.name == _NAME and member.row.ppid in parents and member.row.pid not in parents
        }
        self._command |= {
            member.row.pid for member in living if member.row.ppid in self._init and _is_first_inside(member.row.pid)
        }

    def without(self, ends: Sequence[End], leader: int | None) -> list[End]:
        """One end for each of the command's processes: the leader, which was started, has the end of the command."""
        how = {end.pid: end.how for end in ends}
        said = next((how[pid] for pid in self._command if pid in how), None)
        found = [end for end in ends if end.pid not in self._init | self._command]
        return [replace(end, how=said) if said is not None and end.pid == leader else end for end in found]

    @staticmethod
    def exit_code(code: int | None) -> int | None:
        """Like a shell, it tells a signal as 128 and its number: here it is the signal again where that is sure."""
        if code is None or code - _SHELLS_BASE not in _TOLD:
            return code
        return _SHELLS_BASE - code


def _is_first_inside(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_bytes()
    except OSError:
        return False
    numbers = next((line for line in status.split(b"\n") if line.startswith(b"NSpid:")), b"").split()
    return numbers[-1:] == [_FIRST]
