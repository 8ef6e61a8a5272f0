"""Facts that come together and are told in one line: a failed attempt and its retry, a limit and its pause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runner.events import (
    AttemptDiscarded,
    ErrorOccurred,
    Event,
    LimitChanged,
    LimitReached,
    ModelSwitched,
    Paused,
    Resumed,
    RetryScheduled,
    RetrySkipped,
)
from runner.state import EventItem, Item


@dataclass(frozen=True, slots=True)
class Together:
    """Two or more items with nothing between them. item_id: of the first, so that a group that grows stays the same."""

    item_id: str
    events: tuple[Event, ...]


def together(items: Iterable[Item]) -> list[Item | Together]:
    """The items, with those that belong together as one."""
    found: list[Item | Together] = []
    for item in items:
        last = found[-1] if found else None
        if isinstance(item, EventItem) and isinstance(last, EventItem | Together):
            events = last.events if isinstance(last, Together) else (last.event,)
            if _follows(events[-1], item.event):
                found[-1] = Together(last.item_id, (*events, item.event))
                continue
        found.append(item)
    return found


def may_grow(item: Item | Together) -> bool:
    """Whether what comes next may belong to it."""
    if not isinstance(item, EventItem | Together):
        return False
    last = item.events[-1] if isinstance(item, Together) else item.event
    return isinstance(last, _HEADS)


_HEADS = (AttemptDiscarded, RetryScheduled, RetrySkipped, ModelSwitched, LimitReached, LimitChanged)


def _follows(last: Event, event: Event) -> bool:
    match last, event:
        case AttemptDiscarded(), RetryScheduled() | RetrySkipped() | ModelSwitched() | ErrorOccurred(fatal=True):
            return True
        case RetryScheduled(), RetrySkipped() | ModelSwitched():
            return True
        case RetrySkipped(), ModelSwitched():
            return True
        case LimitReached(asks=True, limit=limit), Paused(limit=other):
            return limit == other
        case LimitChanged() | ModelSwitched(), Resumed():
            return True
        case _:
            return False
