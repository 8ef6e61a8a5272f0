"""When an item was, how long it took, and what was paid for it, in one line. Pure."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from typing import assert_never

from runner.state import CallItem, CommandItem, EventItem, Item, LedgerEntry, RunState, TextItem, UserItem
from tui import words
from tui.render.clean import Clean, clean
from tui.render.decisions import decided_words
from tui.render.groups import Together


def moment_of(item: Item | Together) -> datetime:
    """When it was, in local time."""
    return (item.events[0].time if isinstance(item, Together) else item.time).astimezone()


def took(item: Item | Together) -> float | None:
    """Seconds it took; None where that has no meaning, or is not over."""
    match item:
        case TextItem(live=False, seconds=seconds):
            return seconds
        case CallItem(phase="finished", started_mono=float(), seconds=seconds):
            return seconds
        case CommandItem(running=False, seconds=seconds):
            return seconds
        case TextItem() | CallItem() | CommandItem() | UserItem() | EventItem() | Together():
            return None
        case _:
            assert_never(item)


class Paid:
    """The requests of a run by what they gave; looks at each once."""

    def __init__(self) -> None:
        self._entries: dict[tuple[int, int], LedgerEntry] = {}
        self._monos: list[float] = []
        self._turns: list[LedgerEntry] = []
        self._seen = 0

    def entry(self, run: RunState, item: Item | Together) -> LedgerEntry | None:
        """The request that an item came from; None where it came from none, or it is not paid yet."""
        if len(run.ledger) < self._seen:
            # The run is shown as it was earlier.
            self._entries, self._monos, self._turns, self._seen = {}, [], [], 0
        for entry in run.ledger[self._seen :]:
            if entry.purpose == "turn":
                self._entries[entry.turn, entry.attempt] = entry
                self._turns.append(entry)
                self._monos.append(entry.mono)
        self._seen = len(run.ledger)
        if isinstance(item, TextItem):
            return self._entries.get(_attempt(item.item_id))
        if isinstance(item, CallItem):
            # A call is proposed after the response that wants it, and before the next one.
            at = bisect_right(self._monos, item.mono) - 1
            return self._turns[at] if at >= 0 and item.phase != "writing" else None
        return None


def _attempt(item_id: str) -> tuple[int, int]:
    """Turn and attempt in an id such as "run_1:t3.1:text"."""
    parts = item_id.split(":")
    place = parts[-2].removeprefix("t").split(".") if len(parts) >= 3 else []
    if len(place) == 2 and all(part.isdecimal() for part in place):
        return int(place[0]), int(place[1])
    return -1, -1


def stamp(item: Item | Together, before: datetime | None, entry: LedgerEntry | None, marks: str = "") -> Clean:
    """The line of an item. before: when the one above was; the date is told where it changes. entry: of its request,
    where it is the first item of it. marks: what its turn was given.
    """
    moment = moment_of(item)
    parts = [f"{moment:%H:%M:%S}"]
    if before is None or before.date() != moment.date():
        parts[0] = f"{moment:%a %d %b %Y} {parts[0]}"
    parts.append(marks)
    seconds = took(item)
    if seconds is not None:
        parts.append(words.duration(seconds))
    if isinstance(item, CallItem):
        parts.extend(decided_words(item))
    if entry is not None:
        parts.extend(_paid(entry))
    elif isinstance(item, TextItem) and item.live:
        parts.append(item.model)
    return clean(words.one_line(" · ".join(part for part in parts if part)))


def _paid(entry: LedgerEntry) -> list[str]:
    guess = entry.source == "estimated" and entry.usage.total > 0
    number = words.about if guess else words.tokens
    money = words.about_money if guess else words.money
    cost = "cost unknown" if entry.cost_usd is None else money(entry.cost_usd)
    return [entry.model, f"in {number(entry.usage.input)} out {number(entry.usage.output)}", cost]
