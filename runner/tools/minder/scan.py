"""Who is running on a Linux machine, whose child it is, and what its environment was marked with."""

from __future__ import annotations

import os
import time

VARIABLE = "QUARTERDECK_CALL"
"""The environment variable of every process that a tool starts: the markers of its call and of the calls around it."""

SUPERVISOR = "quarterdeck-sup"
WATCHDOG = "quarterdeck-wd"
"""What the two programs are called in a list of processes."""

KILL = 9

_LOOKS, _PAUSE = 3, 0.001
_KERNEL = 2
_MOST = 4 * 1024 * 1024


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Reader: TypeAlias = Callable[[int], set[str] | None]


class Row:
    """One process. start: clock ticks since the boot; with the pid it names a process for ever.

    living: it is no zombie. A leader whose threads go on after its own end is called a zombie too, and lives.
    """

    __slots__ = ("living", "name", "pgrp", "pid", "ppid", "session", "start")

    def __init__(
        self, pid: int, *, ppid: int, pgrp: int, session: int, start: float, name: str, living: bool = True
    ) -> None:
        self.pid = pid
        self.ppid = ppid
        self.pgrp = pgrp
        self.session = session
        self.start = start
        self.name = name
        self.living = living


def _parse(pid: int, stat: bytes) -> Row:
    # The name, in brackets, may hold anything; the fields after it are numbers but for the state.
    end = stat.rindex(b")")
    fields = stat[end + 2 :].split(b" ", 20)
    return Row(
        pid,
        ppid=int(fields[1]),
        pgrp=int(fields[2]),
        session=int(fields[3]),
        start=int(fields[19]),
        name=stat[stat.index(b"(") + 1 : end].decode("utf-8", "replace"),
        living=fields[0] not in (b"Z", b"X", b"x") or int(fields[17]) > 1,
    )


def available() -> bool:
    return os.path.isdir("/proc/self/task")


def read(pid: int) -> Row | None:
    """None where there is no such process."""
    stat = _content(f"/proc/{pid}/stat", 4096)
    return _parse(pid, stat) if stat else None


def rows() -> dict[int, Row]:
    """All processes that can be seen, about 5 us each."""
    found: dict[int, Row] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            row = read(int(entry))
            if row is not None:
                found[row.pid] = row
    return found


def family(table: dict[int, Row], roots: set[int]) -> set[int]:
    """All descendants of the roots, without the roots."""
    children: dict[int, list[int]] = {}
    for row in table.values():
        children.setdefault(row.ppid, []).append(row.pid)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        for pid in children.get(waiting.pop(), ()):
            if pid not in found:
                found.add(pid)
                waiting.append(pid)
    return found - roots


def in_sessions(table: dict[int, Row], sessions: set[int]) -> set[int]:
    """The members of the sessions and of the process groups with these numbers."""
    return {pid for pid, row in table.items() if row.session in sessions or row.pgrp in sessions}


def markers_of(pid: int) -> set[str] | None:
    """What a process's environment was marked with; None where it has none, or none that may be read."""
    content = _content(f"/proc/{pid}/environ", _MOST)
    if not content:
        return None
    _, _, rest = (b"\0" + content).partition(f"\0{VARIABLE}=".encode())
    return set(rest.partition(b"\0")[0].decode("ascii", "replace").split())


def marked(table: dict[int, Row], markers: set[str], since: float, read: Reader = markers_of) -> dict[int, set[str]]:
    """Living processes that carry some of the markers, with those. since: older ones are not looked at.

    About 12 us for each that is looked at. A process that replaced its environment is not found.
    """
    found: dict[int, set[str]] = {}
    looked_at = [pid for pid, row in table.items() if row.start >= since and row.living and row.ppid != _KERNEL]
    for again in range(_LOOKS):
        if not looked_at:
            break
        if again:
            time.sleep(_PAUSE)
        unsure: list[int] = []
        for pid in looked_at:
            carried = read(pid)
            if carried is None:
                # While a program takes the place of another there is no environment for a moment.
                unsure.append(pid)
            elif markers & carried:
                found[pid] = markers & carried
        looked_at = unsure
    return found


def command_line(pid: int) -> list[str]:
    """The arguments a process shows; empty for a zombie, and where it is gone."""
    shown = _content(f"/proc/{pid}/cmdline", 4096)
    return shown.rstrip(b"\0").decode("utf-8", "replace").split("\0") if shown else []


def children(pid: int) -> list[int]:
    """The direct children of a program with one thread, in a twentieth of the time of a look at all processes."""
    return [int(word) for word in _content(f"/proc/{pid}/task/{pid}/children", 65536).split()]


def kill(pid: int, number: int = KILL) -> bool:
    """False where it is not allowed; to be gone already is as good as a kill."""
    try:
        os.kill(pid, number)
    except PermissionError:
        return False
    except ProcessLookupError:
        return True
    return True


def _content(path: str, most: int) -> bytes:
    """The first bytes of a file, empty where it cannot be read: its process ended, or is another user's."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    parts: list[bytes] = []
    try:
        while most > 0 and (part := os.read(fd, most)):
            parts.append(part)
            most -= len(part)
    except OSError:
        return b"".join(parts)
    finally:
        os.close(fd)
    return b"".join(parts)
