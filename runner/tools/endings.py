"""What became of each process that was signalled at the end of a call."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from runner.tools import table
from runner.tools.base import HowEnded
from runner.tools.group import Member

LISTED = 100
"""Processes of one call that are listed; of more there is only the number."""


@dataclass(frozen=True, slots=True)
class End:
    pid: int
    pgid: int
    name: str
    how: HowEnded


@dataclass(slots=True)
class _Seen:
    member: Member
    name: str
    how: HowEnded


class Endings:
    """Told of every signal before it is sent, because a process's command line is gone with it."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, float], _Seen] = {}

    def note(self, living: Collection[Member], how: HowEnded) -> None:
        """These are about to get a signal, or are found alive after the last one."""
        for member in living:
            key = (member.row.pid, member.row.start)
            if key in self._seen:
                self._seen[key].how = how
            elif len(self._seen) < LISTED:
                self._seen[key] = _Seen(member, table.describe(member.row), how)
            else:
                # Thousands of processes are counted, not read.
                self._seen[key] = _Seen(member, member.row.name, how)

    def new(self, living: Collection[Member]) -> list[Member]:
        """Those that were not signalled yet."""
        return [member for member in living if (member.row.pid, member.row.start) not in self._seen]

    def ends(self, leader: int | None, name: str) -> list[End]:
        """Every process that was signalled, the command itself first, which may also have ended by itself."""
        first = [End(leader, leader, name, "exited")] if leader is not None else []
        others: list[End] = []
        for seen in self._seen.values():
            row = seen.member.row
            if row.pid == leader:
                first = [End(row.pid, row.pgrp, name, seen.how)]
            else:
                others.append(End(row.pid, row.pgrp, seen.name, seen.how))
        return first + others

    @property
    def worst(self) -> HowEnded:
        """survived, else killed, else terminated, of all; exited where nothing was signalled."""
        found: list[HowEnded] = ["exited", *(seen.how for seen in self._seen.values())]
        return max(found, key=_WEIGHT.index)


_WEIGHT: tuple[HowEnded, ...] = ("exited", "gone", "terminated", "killed", "survived")
