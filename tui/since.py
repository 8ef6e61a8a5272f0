"""Moments as people write them: 2026-01-31, today, 7d. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

EXPECTED: Final = "2026-01-31, today, or 7d for the last 7 days"


def since(text: str, now: datetime) -> datetime:
    """The beginning of a day of the local calendar, or a moment. Raises ValueError."""
    midnight = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    if text == "today":
        return midnight.astimezone()
    days = re.fullmatch(r"([1-9]\d{0,5})d", text)
    try:
        if days is not None:
            # Counted on the calendar: a day may have 23 or 25 hours.
            return (midnight - timedelta(days=int(days[1]) - 1)).astimezone()
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is no day; expected {EXPECTED}") from error
