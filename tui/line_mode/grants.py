"""`/grants`: everything that decides before anybody is asked, and taking it back."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from tui.render.clean import visible
from tui.revoking import Revoker
from tui.words import ago, count, one_line

if TYPE_CHECKING:
    from tui.line_mode.table import Table
    from tui.standing import Entry

NOTHING = "nothing is granted, and there are no rules: the mode decides what asks"
REVOKE = "/grants revoke NUMBER takes one back, /grants revoke all takes all back"


class Grants:
    def __init__(self, table: Table) -> None:
        self._table = table
        self._revoker = Revoker(table)
        self._listed: tuple[Entry, ...] = ()

    async def obey(self, argument: str) -> None:
        word, _, rest = argument.partition(" ")
        if word == "revoke":
            await self._revoke(rest.strip())
        else:
            await self._list(argument)

    async def _list(self, words: str) -> None:
        standing = await self._revoker.look()
        wanted = words.lower().split()
        found = [entry for entry in standing.entries if all(word in _text(entry) for word in wanted)]
        if standing.problem:
            self._table.say(standing.problem)
        if not found:
            self._table.say("no grant and no rule has that" if words else NOTHING)
            return
        self._listed = tuple(entry for entry in found if entry.key)
        self._table.tell(grant_lines(found, datetime.now(UTC)))
        if self._listed:
            self._table.say(REVOKE)

    async def _revoke(self, which: str) -> None:
        if which == "all":
            chosen = (await self._revoker.look()).grants
        elif which.isascii() and which.isdecimal() and 0 < int(which) <= len(self._listed):
            chosen = (self._listed[int(which) - 1],)
        else:
            self._table.say("which one? /grants lists them with their numbers; /grants revoke and its number, or all")
            return
        if not chosen:
            self._table.say("nothing is granted; rules are changed in their files")
            return
        left = {entry.key for entry in (await self._revoker.revoke(chosen, self._revoker.look)).grants}
        # The numbers of before would point at others now.
        self._listed = ()
        for entry in chosen:
            done = "not taken back yet" if entry.key in left else "taken back"
            self._table.say(f"{done}: {entry.effect} {one_line(entry.words)}")


def grant_lines(entries: list[Entry], now: datetime) -> list[str]:
    """Clean lines, those that can be taken back with a number."""
    lines: list[str] = []
    number = 0
    for group, some in groupby(entries, key=lambda entry: entry.group):
        lines.append(visible(f"for {group}:" if group.startswith(("this", "every")) else f"{group}:"))
        for entry in some:
            number += bool(entry.key)
            place = f"{number}. " if entry.key else "- "
            lines.append(f"{place}{_words(entry, now)}")
    return lines


def _words(entry: Entry, now: datetime) -> str:
    used = ""
    if entry.used is not None:
        last = f", {ago(entry.last, now)}" if entry.last is not None else ""
        used = f"allowed {count(entry.used, 'call')}{last}" if entry.effect == "allow" else ""
    source = f"from {entry.source}" if entry.source and not entry.key else ""
    parts = (f"{entry.effect} {entry.words}", entry.left, used, source, entry.note)
    return visible("; ".join(one_line(part) for part in parts if part))


def _text(entry: Entry) -> str:
    return f"{entry.effect} {entry.words} {entry.group} {entry.left} {entry.note} {entry.source}".lower()
