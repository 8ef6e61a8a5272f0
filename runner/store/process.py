"""Which program owns a run or a lease, and whether that program still lives."""

from __future__ import annotations

import functools
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from runner.tools.table import place

FOREIGN_SILENCE = 90.0
"""Seconds without a heartbeat after which an owner in another container counts as dead: its pid means nothing here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """One opened store of one process.

    started: the process start time as the system tells it, which a later process with the same pid cannot have.
    place: the boot and the pid namespace in which pid means something. seen: last heartbeat, seconds since the epoch.
    """

    owner_id: str
    pid: int
    started: str
    place: str
    seen: float = 0.0


def this_process(owner_id: str) -> Owner:
    pid = os.getpid()
    return Owner(owner_id=owner_id, pid=pid, started=start_time(pid) or "", place=place())


def is_alive(owner: Owner, now: float) -> bool:
    """Whether the owner's process still runs; a zombie does not. now: seconds since the epoch."""
    here = place()
    if owner.place != here:
        same_boot = owner.place.partition(" ")[0] == here.partition(" ")[0]
        return same_boot and now - owner.seen < FOREIGN_SILENCE
    return start_time(owner.pid) == owner.started


def start_time(pid: int) -> str | None:
    """When the process started, in whatever unit the system has; None where it is gone or a zombie."""
    return _start_from_proc(pid) if _has_proc() else _start_from_psutil(pid)


@functools.cache
def _has_proc() -> bool:
    return sys.platform == "linux" and Path("/proc/self/stat").exists()


def _start_from_proc(pid: int) -> str | None:
    try:
        data = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    # The second field is the program's name in parentheses and may itself hold blanks and parentheses.
    fields = data[data.rindex(b")") + 2 :].split()
    if fields[0] in (b"Z", b"X", b"x"):
        return None
    return f"ticks:{fields[19].decode()}"


def _start_from_psutil(pid: int) -> str | None:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return f"time:{process.create_time():.2f}"
    except psutil.Error:
        return None
