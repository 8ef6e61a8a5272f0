"""Which processes come from a command, and signalling all of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection
from dataclasses import dataclass

from runner.tools import table
from runner.tools.minder import scan
from runner.tools.minder.scan import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the processes of a call are known by.

    root: the process that all of them descend from while it lives; it counts as one where session is its number.
    session: the command's session, None where it is not known. marker: what their environment carries; None: do not
    look there. since: the root's start (table.birth); what is older is none of them.
    """

    root: int
    session: int | None
    marker: str | None
    since: float


@dataclass(frozen=True, slots=True)
class Member:
    """A living process. whole_group: all of its process group are members too."""

    row: Row
    whole_group: bool


def members(target: Target) -> list[Member]:
    """The living processes of a call, oldest first: no zombies, never this process."""
    rows = table.rows()
    root = rows.get(target.root)
    roots = {target.root} if root is not None and root.start == target.since else set[int]()
    found = scan.in_sessions(rows, set() if target.session is None else {target.session})
    if target.marker is not None:
        found |= set(table.marked(rows, {target.marker}, target.since))
    found |= scan.family(rows, roots | found)
    if target.root != target.session:
        found.discard(target.root)
    return chosen(rows, {pid for pid in found if rows[pid].start >= target.since})


def chosen(rows: dict[int, Row], found: set[int]) -> list[Member]:
    """Those of the found processes that live, without this one."""
    others = {row.pgrp for pid, row in rows.items() if pid not in found}
    return [
        Member(rows[pid], rows[pid].pgrp not in others)
        for pid in sorted(found, key=lambda pid: (rows[pid].start, pid))
        if rows[pid].living and pid != os.getpid()
    ]


def send(number: signal.Signals, living: Collection[Member]) -> set[int]:
    """Signal all of them, once each; returns the pids of those that may not be signalled.

    A stopped process is continued, or it would never see the signal. A group is signalled as one, because then
    nothing that it forks in the meantime gets away.
    """
    refused: set[int] = set()
    for one in [number] if number == signal.SIGKILL else [number, signal.SIGCONT]:
        for pgid in {member.row.pgrp for member in living if member.whole_group}:
            if not _send_group(pgid, one):
                refused |= {member.row.pid for member in living if member.row.pgrp == pgid}
        refused |= {
            member.row.pid for member in living if not member.whole_group and not scan.kill(member.row.pid, one)
        }
    return refused


def _send_group(pgid: int, number: signal.Signals) -> bool:
    try:
        os.killpg(pgid, number)
    except PermissionError:
        return False
    except ProcessLookupError:
        return True
    return True
