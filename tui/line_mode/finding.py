"""`/find`: where words stand in the session, also in what is left out of what was printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.state import CallItem, CommandItem, EventItem, TextItem, UserItem
from tui.render.clean import visible
from tui.view import calls_of
from tui.words import count, cut, one_line

if TYPE_CHECKING:
    from runner.state import Item, RunState
    from tui.line_mode.table import Table
    from tui.render.finding import Needle

MOST = 30
"""Places that are told, the newest ones."""

AROUND = 60
"""Characters told on each side of what was found."""


@dataclass(frozen=True, slots=True)
class Place:
    """who: what it stands in. text: what stands around it. Both clean."""

    who: str
    text: str


class Finding:
    def __init__(self, table: Table) -> None:
        self._table = table

    async def obey(self, argument: str) -> None:
        if not argument:
            self._table.say("find what? /find and the words; capitals count only where you write one")
            return
        runs = self._table.deck.view().runs
        self._table.tell(await self._table.background(lambda: found_lines(runs, argument)))


def found_lines(runs: tuple[RunState, ...], words: str) -> list[str]:
    """Where the words stand, oldest first. Blocks."""
    from tui.render.finding import Needle

    needle = Needle(words)
    found = list(places(runs, needle))
    shown = visible(one_line(words))
    if not found:
        return [f"nothing of this session has: {shown}"]
    left = len(found) - MOST
    head = f"{count(len(found), 'place')} with {shown}{f', the last {MOST} of them' if left > 0 else ''}:"
    return [head, *(f"{number}. {place.who}: {place.text}" for number, place in enumerate(found, 1) if number > left)]


def places(runs: tuple[RunState, ...], needle: Needle) -> Iterator[Place]:
    calls = calls_of(runs)
    shows = {call.item_id: len(calls) - place for place, call in enumerate(calls)}
    for number, run in enumerate(runs, 1):
        for item in (*run.settled, *run.live):
            who = visible(f"run {number}, {_who(item, shows)}")
            for line in _lines(item, needle):
                yield Place(who, line)


def _who(item: Item, shows: dict[str, int]) -> str:
    match item:
        case UserItem(by="user"):
            return "you"
        case TextItem(what="reasoning"):
            return "reasoning"
        case TextItem():
            return "answer"
        case CallItem():
            return f"{one_line(item.tool)} (/show {shows.get(item.item_id, 1)})"
        case CommandItem():
            return "your command"
        case EventItem() | UserItem():
            return "the run"


def _lines(item: Item, needle: Needle) -> Iterator[str]:
    """What stands around each line with a hit, as a person would read it."""
    from tui.render.finding import WIDE
    from tui.render.items import view_of
    from tui.render.lines import plain_text

    twin = view_of(item)
    twin.show_whole()
    twin.build()
    for block in twin.blocks:
        text = plain_text(block.render(WIDE)) if block.found is None else block.found()
        yield from excerpts(text, needle)


def excerpts(text: str, needle: Needle) -> Sequence[str]:
    """One for each line that has it, around the first time; visible."""
    found: list[str] = []
    for line in text.split("\n"):
        hit = needle.pattern.search(line)
        if hit is not None:
            start, end = max(0, hit.start() - AROUND), hit.end() + AROUND
            before, after = "…" if start else "", "…" if end < len(line) else ""
            found.append(cut(visible(f"{before}{one_line(line[start:end])}{after}"), 3 * AROUND + len(needle.words)))
    return found
