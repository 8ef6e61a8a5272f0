"""Which processes belong to a child that was started in its own session, and ending all of them."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

NAME_SHOWN = 80
"""Characters of a command line that are shown for a process."""

_DEAD = frozenset("ZXx")


@dataclass(frozen=True, slots=True)
class Member:
    """A living process of the session. pgid differs from the session's where a shell made job groups."""

    pid: int
    pgid: int


def members(session: int) -> list[Member]:
    """The living processes (no zombies) of a session or of the process group with the same number."""
    if sys.platform == "linux" and os.path.isdir("/proc/self"):
        return _linux_members(session)
    return _portable_members(session)


def _linux_members(session: int) -> list[Member]:
    found: list[Member] = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path("/proc", entry, "stat").read_bytes()
        except OSError:
            continue  # It ended while we looked.
        # The name, in brackets, may hold anything; the fields after it are state, ppid, pgrp, session.
        state, _, pgrp, sid = stat[stat.rindex(b")") + 2 :].split(b" ", 4)[:4]
        if state.decode() not in _DEAD and session in (int(pgrp), int(sid)):
            found.append(Member(int(entry), int(pgrp)))
    return found


def _portable_members(session: int) -> list[Member]:
    import psutil

    found: list[Member] = []
    for process in psutil.process_iter(["pid", "status"]):
        try:
            pgid, sid = os.getpgid(process.pid), os.getsid(process.pid)
        except OSError:
            continue
        if session in (pgid, sid) and process.info["status"] not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            found.append(Member(process.pid, pgid))
    return found


def send(session: int, number: signal.Signals, living: list[Member]) -> None:
    """Signal every process of the session. A stopped one is continued, or it would never see the signal."""
    signals = [number] if number == signal.SIGKILL else [number, signal.SIGCONT]
    for pgid in {session, *(member.pgid for member in living)}:
        for one in signals:
            try:
                os.killpg(pgid, one)
            except (ProcessLookupError, PermissionError):
                break  # Gone, or another user's: the next look at the members tells which.


def started_at(pid: int) -> float | None:
    """When a process started, in seconds since the epoch, as psutil tells it; None when it is gone."""
    import psutil

    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def describe(pid: int) -> str:
    """A process's command line, short, for people; empty when it is gone."""
    import psutil

    try:
        line = " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""
    return line if len(line) <= NAME_SHOWN else line[: NAME_SHOWN - 1] + "…"
