"""What is said while a session is played again. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui.words import count, duration

if TYPE_CHECKING:
    from runner.review.player import Player

SPEEDS: Final = (1, 2, 5, 10, 20, 50, 100)

SHORTEST_CUT: Final = 1.0
"""Seconds of a pause that have to be left out for it to be worth a word."""

_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d{1,2})")


@dataclass(frozen=True, slots=True)
class Target:
    """Where to go: to a moment in seconds, or to where so many events have happened."""

    moment: float | None = None
    event: int | None = None


def read_target(text: str, length: float) -> Target | None:
    """What was typed: "1:30", "1:02:03", "90", "40%", "#120"; None where it is none of these. length: of the whole."""
    text = text.strip().lower()
    found = _CLOCK.fullmatch(text)
    if found is not None:
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return Target(moment=3600.0 * hours + 60 * minutes + seconds)
    number = re.fullmatch(r"(#)?(\d{1,9}(?:\.\d+)?)\s*(%|s)?", text)
    if number is None or (number[1] and (number[3] or "." in number[2])):
        return None
    if number[1]:
        return Target(event=int(number[2]))
    value = float(number[2])
    return Target(moment=value / 100 * length if number[3] == "%" else value)


def clock(seconds: float) -> str:
    """ "0:42", "12:05", "1:02:03"."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def speed_words(speed: int) -> str:
    return f"{speed}x"


def cut_words(player: Player, key: str) -> str:
    """The pause that is on, where a part of it is left out; "" where none is. key: that plays all of it."""
    gap = player.gap
    if gap.cut < SHORTEST_CUT or player.moment - player.begun >= gap.kept:
        return ""
    what = "a pause" if player.reel.follows(player.position.happened) else "the time until the next run"
    return f"{what} of {duration(gap.quiet)} is cut to {duration(gap.kept)}{f' ({key} plays all of it)' if key else ''}"


def place_words(player: Player) -> list[str]:
    """Where it stands, the most important first: there may be no room for all."""
    reel, at = player.reel, player.position.happened
    parts = [f"{clock(player.moment)} of {clock(player.course.length)}"]
    if not at:
        return [*parts, "at the beginning"]
    event = reel.events[at - 1]
    parts.append(f"event {at:,} of {len(reel):,}")
    parts.append(event.kind.replace("_", " "))
    if event.turn:
        parts.append(f"turn {event.turn}")
    if reel.runs > 1:
        parts.append(f"run {reel.run_of(at) + 1} of {reel.runs}")
    parts.append(f"{event.time.astimezone():%Y-%m-%d %H:%M:%S}")
    return parts


def waiting_words(approvals: int, *, limit: bool, key: str) -> str:
    """What of the runs that go on meanwhile needs the person, "" for nothing. key: leaves the replay."""
    if not approvals and not limit:
        return ""
    what = f"{count(approvals, 'approval')} in a run" if approvals else "a run, paused at a limit,"
    return f"{what} {'waits' if approvals < 2 else 'wait'} for you now{f': {key} goes back' if key else ''}"


def damage_words(problems: Sequence[object]) -> str:
    return f"{count(len(problems), 'part')} of it {'is' if len(problems) == 1 else 'are'} missing"
