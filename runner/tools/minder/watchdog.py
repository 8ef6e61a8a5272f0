"""What outlives the program to end what it left: it waits for the program's end, then kills all that is still watched.

Run as a program of its own. Standard input has a line for each command that starts, `+supervisor session marker since`
(the second time with the session, 0 until it is known), and one for each that is over, `-supervisor`. The end of
input is the program's end, in whatever way it came, also by SIGKILL.
"""

from __future__ import annotations

import os
import sys
import time

from . import scan
from .signals import Signals

PATIENCE = 10.0
"""Seconds for killing everything; what is left after that may not be killed, or cannot be."""

_WOKEN_FIRST = 3


class Watched:
    """session: 0 where it is not known. since: the supervisor's start, in clock ticks."""

    __slots__ = ("marker", "session", "since")

    def __init__(self, session: int, marker: str, since: float) -> None:
        self.session = session
        self.marker = marker
        self.since = since


def main() -> None:
    """Arguments: the numbers of SIG_SETMASK and SIGCONT."""
    set_mask, wake = map(int, sys.argv[1].split(","))
    signals = Signals(set_mask)
    signals.block_all()
    if scan.available():
        signals.call_itself(scan.WATCHDOG)
    watched: dict[int, Watched] = {}
    for line in sys.stdin.buffer:
        supervisor, *rest = line[1:].decode("ascii").split()
        if line[:1] == b"+":
            watched[int(supervisor)] = Watched(int(rest[0]), rest[1], float(rest[2]))
        else:
            watched.pop(int(supervisor), None)
    end_all(watched, wake)


def end_all(watched: dict[int, Watched], wake: int) -> None:
    until, pause, rounds = time.monotonic() + PATIENCE, 0.005, 0
    while watched and time.monotonic() < until:
        rounds += 1
        _kill_groups({one.session for one in watched.values()})
        if not scan.available() or not _kill_found(watched, wake if rounds <= _WOKEN_FIRST else scan.KILL):
            return
        time.sleep(pause)
        pause = min(2 * pause, 0.2)


def _kill_groups(sessions: set[int]) -> None:
    for session in sessions:
        if session > 1:
            try:
                os.killpg(session, scan.KILL)
            except OSError:
                continue


def _kill_found(watched: dict[int, Watched], last: int) -> bool:
    """One round; False when nothing is left that may be killed. last: the signal for supervisors with nothing left."""
    table = scan.rows()
    since = min(one.since for one in watched.values())
    # A number that was given to another process since is nobody's supervisor.
    supervisors = {pid for pid, one in watched.items() if pid in table and table[pid].start == one.since}
    found = scan.in_sessions(table, {one.session for one in watched.values() if one.session})
    found |= set(scan.marked(table, {one.marker for one in watched.values()}, since))
    found |= scan.family(table, supervisors | found)
    living = {pid for pid in found - supervisors - {os.getpid()} if table[pid].living}
    killed = [scan.kill(pid) for pid in living]
    if living:
        return any(killed)
    # They end by themselves when their last descendant has; a stopped one has to be woken, or killed, for that.
    for pid in supervisors:
        scan.kill(pid, last)
    return any(table[pid].living for pid in supervisors)
