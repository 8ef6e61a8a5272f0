"""The processes of this machine: by /proc where there is one, else by psutil, which is slower."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from runner.tools.minder import scan
from runner.tools.minder.scan import Row
from runner.tools.names import cut, short_name


def rows() -> dict[int, Row]:
    """All processes that can be seen, zombies too."""
    return scan.rows() if scan.available() else _portable_rows()


def marked(table: dict[int, Row], markers: set[str], since: float) -> dict[int, set[str]]:
    """Living processes whose environment carries some of the markers, with those; none that started before since."""
    return scan.marked(table, markers, since, scan.markers_of if scan.available() else _portable_markers)


def markers_of(pid: int) -> set[str]:
    """The markers in a process's environment; empty where it may not be read."""
    return (scan.markers_of(pid) if scan.available() else _portable_markers(pid)) or set()


def birth(pid: int) -> float | None:
    """When a process started, in the unit of Row.start; None when it is gone."""
    if scan.available():
        row = scan.read(pid)
        return None if row is None else row.start
    return _portable_birth(pid)


def epoch(start: float) -> float:
    """A Row's start in seconds since the epoch, to the digit what psutil calls a process's create_time."""
    return start / os.sysconf("SC_CLK_TCK") + _boot_time() if scan.available() else start


def describe(row: Row) -> str:
    """A process's command line in a few words, else its program's name."""
    if scan.available():
        return short_name(scan.command_line(row.pid)) or cut(row.name)
    return _portable_name(row.pid) or cut(row.name)


@functools.cache
def place() -> str:
    """The boot and the pid namespace, two words: outside of them a pid says nothing."""
    if not scan.available():
        return "host -"
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        return "host -"
    return f"{boot} {namespace}"


def _boot_time() -> float:
    import psutil

    return psutil.boot_time()


def _portable_rows() -> dict[int, Row]:
    import psutil

    found: dict[int, Row] = {}
    for process in psutil.process_iter():
        try:
            found[process.pid] = Row(
                process.pid,
                ppid=process.ppid(),
                pgrp=os.getpgid(process.pid),
                session=os.getsid(process.pid),
                start=process.create_time(),
                name=process.name(),
                living=process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD),
            )
        except (OSError, psutil.Error):
            continue  # It ended while we looked, or is another user's.
    return found


def _portable_markers(pid: int) -> set[str] | None:
    import psutil

    try:
        environment = psutil.Process(pid).environ()
    except (OSError, psutil.Error):
        return None
    return set(environment.get(scan.VARIABLE, "").split()) if environment else None


def _portable_birth(pid: int) -> float | None:
    import psutil

    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def _portable_name(pid: int) -> str:
    import psutil

    try:
        return short_name(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""
