"""The lines of the list of sessions: headings, sessions, and the places where something was found. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from runner.store.base import SessionKey

Grouping = Literal["day", "project"]
GROUPINGS: Final[tuple[Grouping, ...]] = get_args(Grouping)

HITS_SHOWN: Final = 3
"""Places shown under a session at first."""

HITS_MORE: Final = 20
"""And so many more each time that they are asked for."""


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    count: int


@dataclass(frozen=True, slots=True)
class SessionLine:
    """forks: how many of its forks stand below it. depth: 0, or how far down it was forked."""

    session_id: str
    depth: int
    forks: int


@dataclass(frozen=True, slots=True)
class HitLine:
    """The place number `number` where something was found in the session, the newest first."""

    session_id: str
    number: int


@dataclass(frozen=True, slots=True)
class MoreLine:
    """More places than are shown."""

    session_id: str
    left: int


Line: TypeAlias = "Heading | SessionLine | HitLine | MoreLine"


def listed(
    keys: Sequence[SessionKey],
    grouping: Grouping,
    now: datetime,
    *,
    home: str = "",
    hits: Mapping[str, int] | None = None,
    opened: Mapping[str, int] | None = None,
) -> list[Line]:
    """keys: families one after the other, pinned ones first. hits: in how many places of each session something was
    found. opened: how many places of a session are to be shown, where it is not the usual number."""
    families = [list(family) for _, family in groupby(keys, key=lambda key: key.root_id or key.session_id)]
    pinned = [family for family in families if any(key.pinned for key in family)]
    others = [family for family in families if not any(key.pinned for key in family)]
    groups = list(_by_day(others, now) if grouping == "day" else _by_project(others, home))
    if pinned:
        groups.insert(0, ("Pinned", pinned))
    lines: list[Line] = []
    for text, members in groups:
        lines.append(Heading(text, sum(map(len, members))))
        for family in members:
            for key in family:
                lines += _of_session(key, len(family) - 1, hits or {}, opened or {})
    return lines


def _of_session(key: SessionKey, others: int, hits: Mapping[str, int], opened: Mapping[str, int]) -> Iterator[Line]:
    session_id = key.session_id
    yield SessionLine(session_id, key.depth, 0 if key.depth else others)
    found = hits.get(session_id, 0)
    shown = min(found, opened.get(session_id, HITS_SHOWN))
    # A line that says "1 more" would take the place of the one.
    shown = found if found == shown + 1 else shown
    for number in range(shown):
        yield HitLine(session_id, number)
    if found > shown:
        yield MoreLine(session_id, found - shown)


_Family: TypeAlias = "list[SessionKey]"


def _by_day(families: Sequence[_Family], now: datetime) -> Iterator[tuple[str, list[_Family]]]:
    """A family stands at the day of its newest member; the families are sorted by that already."""
    begin = end = now + timedelta(days=36500)
    name = ""
    members: list[_Family] = []
    for family in families:
        newest = max(key.updated for key in family)
        # Which day it is is only asked where the last one ends: the local calendar is slow for ten thousand.
        if not begin <= newest < end:
            if members:
                yield name, members
            local = newest.astimezone()
            midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
            begin, end = midnight.astimezone(), (midnight + timedelta(days=1)).astimezone()
            name, members = day(local, now), []
        members.append(family)
    if members:
        yield name, members


def _by_project(families: Sequence[_Family], home: str) -> Iterator[tuple[str, list[_Family]]]:
    """The folder with the newest session first."""
    found: dict[str, list[_Family]] = {}
    for family in families:
        found.setdefault(family[0].workspace, []).append(family)
    for folder, members in found.items():
        yield shown_folder(folder, home), members


def shown_folder(folder: str, home: str) -> str:
    """Not cleaned."""
    if home and (folder == home or folder.startswith(f"{home.rstrip('/')}/")):
        return f"~{folder[len(home.rstrip('/')) :]}"
    return folder or "no folder"


def day(moment: datetime, now: datetime) -> str:
    """ "Today", "Yesterday", "Mon 16 November"; of other years with the year."""
    local, today = moment.astimezone(), now.astimezone()
    apart = (today.date() - local.date()).days
    if apart in (0, 1):
        return ("Today", "Yesterday")[apart]
    # Names of the program's own language, whatever the locale is.
    name = f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]}"
    return name if local.year == today.year else f"{name} {local.year}"


def when(moment: datetime, now: datetime) -> str:
    """At most nine cells: the time of today, else the day, and the year of another one."""
    local, today = moment.astimezone(), now.astimezone()
    if local.date() == today.date():
        return f"{local:%H:%M}"
    name = f"{local.day} {_MONTHS[local.month - 1][:3]}"
    return name if local.year == today.year else f"{name} {local:%y}"


def at(lines: Sequence[Line], wanted: Line | None) -> int | None:
    """Where the same line is now: the place itself, or else its session. None for what gave way to something else, as
    "more places" does to them."""
    if wanted is None or isinstance(wanted, Heading):
        return None
    session: int | None = None
    for place, line in enumerate(lines):
        if isinstance(line, Heading) or line.session_id != wanted.session_id:
            continue
        if session is None:
            session = place
        if line == wanted or (isinstance(wanted, SessionLine) and isinstance(line, SessionLine)):
            return place
    return None if isinstance(wanted, MoreLine) else session


_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
