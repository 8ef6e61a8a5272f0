"""What a program that died left running: found again by its records, and ended.

Two things make a process certain: the pid together with the start time, or the marker in its environment. A number
alone never does, because it may belong to somebody else by now.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass

from runner.tools import table
from runner.tools.base import HowEnded, ProcessEnd
from runner.tools.group import chosen
from runner.tools.minder import scan
from runner.tools.minder.scan import Row

KILL_WAIT = 1.0
"""Seconds to wait for SIGKILL to take effect."""

_LOOK = 0.02
_HALF_A_TICK = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A process as a run recorded it when it started.

    started: seconds since the epoch. place: the boot and the pid namespace in which the numbers mean something, as
    runner.tools.table.place tells it. marker: what its environment carries.
    """

    pid: int
    pgid: int
    started: float | None
    place: str
    marker: str = ""
    name: str = ""
    call_id: str = ""


def end_leftovers(records: Sequence[Recorded], grace: float = 2.0) -> list[ProcessEnd]:
    """End what still lives of the recorded calls: SIGTERM, grace seconds, SIGKILL. Blocks for that long at most.

    Returns an end for each process, a recorded one first; for a record of which nothing lives one that says "gone".
    Records of another boot or pid namespace are passed over, and so is a call that this program itself runs in.
    """
    here = table.place()
    hunt = _Hunt([record for record in records if record.place == here])
    if hunt.signal(signal.SIGTERM, "terminated"):
        hunt.wait(grace, once_more=False)
        if hunt.signal(signal.SIGKILL, "killed"):
            hunt.wait(KILL_WAIT, once_more=True)
    hunt.release_supervisors()
    return hunt.ends()


@dataclass(slots=True)
class _Quarry:
    row: Row
    name: str
    record: Recorded
    how: HowEnded


class _Hunt:
    def __init__(self, records: Sequence[Recorded]) -> None:
        self._records = records
        self._own = table.markers_of(os.getpid())
        self._seen: dict[tuple[int, float], _Quarry] = {}
        self._supervisors: dict[int, float] = {}

    def find(self) -> list[tuple[Row, Recorded]]:
        """Living processes that certainly come from a recorded call, with that call's record."""
        if not self._records:
            return []
        rows = table.rows()
        spared = _line_of(rows, os.getpid())
        of: dict[int, Recorded] = {}
        by_marker = {record.marker: record for record in self._records if record.marker}
        markers = set(by_marker) - self._own
        for pid, carried in table.marked(rows, markers, 0.0).items() if markers else ():
            of[pid] = by_marker[min(carried)]
        for record in self._records:
            leader = rows.get(record.pid)
            if leader is not None and _is_recorded(leader, record) and record.pid not in spared:
                for pid in scan.in_sessions(rows, {record.pid}):
                    of[pid] = record
        # What this program started itself does not descend from anybody here.
        others = {pid: row for pid, row in rows.items() if pid != os.getpid()}
        for record in self._records:
            for below in scan.family(others, {pid for pid, owner in of.items() if owner is record}):
                of.setdefault(below, record)
        found = [member.row for member in chosen(rows, set(of) - spared)]
        self._supervisors |= {row.pid: row.start for row in found if row.name == scan.SUPERVISOR}
        return [(row, of[row.pid]) for row in found if row.name != scan.SUPERVISOR]

    def signal(self, number: signal.Signals, how: HowEnded) -> bool:
        """Signal everything that is found; False where there is nothing."""
        found = self.find()
        for row, record in found:
            key = (row.pid, row.start)
            if key not in self._seen:
                self._seen[key] = _Quarry(row, table.describe(row), record, how)
            self._seen[key].how = how if _signal(row, number) else "survived"
        return bool(found)

    def wait(self, seconds: float, *, once_more: bool) -> None:
        """Until nothing is found. once_more: SIGKILL also what is forked in the meantime."""
        until = time.monotonic() + seconds
        while left := self.find():
            keys = {(row.pid, row.start) for row, _ in left}
            if keys <= {key for key, seen in self._seen.items() if seen.how == "survived"}:
                return
            if time.monotonic() >= until:
                for key in keys & set(self._seen) if once_more else ():
                    self._seen[key].how = "survived"
                return
            if once_more:
                self.signal(signal.SIGKILL, "killed")
            time.sleep(_LOOK)

    def release_supervisors(self) -> None:
        """They end by themselves with the last of their descendants, unless somebody stopped them."""
        for pid, start in self._supervisors.items():
            if table.birth(pid) == start:
                scan.kill(pid, signal.SIGCONT)

    def ends(self) -> list[ProcessEnd]:
        ends: list[ProcessEnd] = []
        for record in self._records:
            seen = [one for one in self._seen.values() if one.record is record]
            seen.sort(key=lambda one: one.row.pid != record.pid)
            ends += [
                ProcessEnd(
                    pid=one.row.pid,
                    pgid=one.row.pgrp,
                    name=record.name or one.name if one.row.pid == record.pid else one.name,
                    how=one.how,
                    call_id=record.call_id,
                )
                for one in seen
            ]
            if not seen:
                ends.append(
                    ProcessEnd(pid=record.pid, pgid=record.pgid, name=record.name, how="gone", call_id=record.call_id)
                )
        return ends


def _is_recorded(row: Row, record: Recorded) -> bool:
    return record.started is not None and abs(table.epoch(row.start) - record.started) < _HALF_A_TICK


def _line_of(rows: dict[int, Row], pid: int) -> set[int]:
    """A process and those it descends from."""
    line: set[int] = set()
    while pid in rows and pid not in line:
        line.add(pid)
        pid = rows[pid].ppid
    return line


def _signal(row: Row, number: signal.Signals) -> bool:
    """Signal this very process and no later one with its number; False where that is not allowed."""
    numbers = [number] if number == signal.SIGKILL else [number, signal.SIGCONT]
    try:
        fd = os.pidfd_open(row.pid) if hasattr(os, "pidfd_open") else None
    except ProcessLookupError:
        return True
    except OSError:
        fd = None  # Not allowed here.
    try:
        # Compared while the descriptor is held: from here on the number can go to nobody else.
        if table.birth(row.pid) != row.start:
            return True
        if fd is None:
            return all([scan.kill(row.pid, one) for one in numbers])
        for one in numbers:
            signal.pidfd_send_signal(fd, one)
    except PermissionError:
        return False
    except ProcessLookupError:
        return True
    finally:
        if fd is not None:
            os.close(fd)
    return True
