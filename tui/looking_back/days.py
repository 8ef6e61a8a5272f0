"""Days of the calendar as bars: none left out, joined into weeks or months where there is no room for each. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import Final, Literal

from runner.store.base import UsageSum
from tui.looking_back.plot import Bucket

Width = Literal["day", "week", "month"]
_WEEK: Final = 7


def first_day(rows: Sequence[UsageSum], since: date | None) -> date | None:
    """Where the axis begins; None where there is nothing to show."""
    days = [day for row in rows if (day := day_of(row.key)) is not None]
    if since is not None:
        return since
    return min(days, default=None)


def day_of(key: str) -> date | None:
    try:
        return date.fromisoformat(key)
    except ValueError:
        return None


def buckets(
    rows: Iterable[UsageSum],
    first: date,
    last: date,
    room: int,
    measure: Callable[[UsageSum], tuple[float, float, bool]],
) -> tuple[list[Bucket], Width]:
    """One for each day, week or month from the first day to the last, at most `room` of days or weeks.

    measure: a day's value, the estimated part of it, and whether something of it is not known.
    """
    by_day = {day: measure(row) for row in rows if (day := day_of(row.key)) is not None}
    count = (last - first).days + 1
    width: Width = "day" if count <= room else "week" if -(-count // _WEEK) <= room else "month"
    found: dict[date, Bucket] = {}
    for number in range(max(0, count)):
        day = first + timedelta(days=number)
        start = _start(day, first, width)
        value, guess, unknown = by_day.get(day, (0.0, 0.0, False))
        old = found.get(start) or Bucket(_label(start, width), 0.0)
        found[start] = Bucket(old.label, old.value + value, old.guess + guess, old.unknown or unknown)
    return list(found.values()), width


def _start(day: date, first: date, width: Width) -> date:
    match width:
        case "day":
            return day
        case "week":
            return first + timedelta(days=(day - first).days // _WEEK * _WEEK)
        case "month":
            return max(first, day.replace(day=1))


def _label(day: date, width: Width) -> str:
    return f"{day:%Y-%m}" if width == "month" else f"{day:%m-%d}"
