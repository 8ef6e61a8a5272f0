"""What the screen of sessions asks of the store: each question is answered in a thread, and none holds up a key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from tui.sessions.lines import Grouping, Line, listed

if TYPE_CHECKING:
    from runner.store import Store
    from runner.store.base import SessionSummary
    from runner.store.search import Around, Hit
    from tui.sessions.preview import Preview

T = TypeVar("T")

SLICE: Final = 0.25
"""Seconds in which the index is brought up to date before what it has is looked at again."""


class Asks(Protocol):
    """The engine, as far as it is needed here."""

    def ask(self, question: Callable[[Store], T]) -> Future[T]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a filter finds. words: for the full text, "" where none are typed. problems: what was wrong with the filter.
    sessions, places: how many were found; None where only the first sessions were asked for. everything: whether
    nothing was left out but the trash. behind: runs that the index does not know yet."""

    lines: Sequence[Line]
    words: str
    problems: tuple[str, ...]
    sessions: int | None
    places: int
    everything: bool
    deleted: bool
    behind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be listed. opened: sessions of which more places are shown than usual, and how many."""

    text: str
    grouping: Grouping
    opened: Mapping[str, int]


class Finder:
    def __init__(self, engine: Asks, now: Callable[[], datetime], *, home: str = "") -> None:
        self._engine = engine
        self.now = now
        self._home = home

    async def find(self, wish: Wish, limit: int | None = None) -> Found:
        """limit: sessions that are enough for now. Raises StoreError."""
        return await self._ask(lambda store: find(store, wish, self.now(), self._home, limit))

    async def catch_up(self) -> int:
        """Bring the index up to date for a moment; how many runs are left."""
        return await self._ask(lambda store: store.search.catch_up(SLICE))

    async def summaries(self, ids: Sequence[str]) -> list[SessionSummary]:
        return await self._ask(lambda store: store.summaries(ids))

    async def hits(self, words: str, wanted: Mapping[str, int]) -> dict[str, list[Hit]]:
        """The newest places in sessions, of each as many as are wanted."""

        def look(store: Store) -> dict[str, list[Hit]]:
            search = store.search
            # What a fork took over is shown where it was said first.
            return {
                one: search.find(words, session_id=one, limit=limit, inherited=False) for one, limit in wanted.items()
            }

        return await self._ask(look)

    async def around(self, hit: Hit, words: str) -> Around | None:
        """The lines before and after a place."""
        return await self._ask(lambda store: store.search.around(hit, words))

    async def preview(self, session_id: str) -> Preview:
        from tui.sessions.preview import read

        return await self._ask(lambda store: read(store, session_id))

    async def rename(self, session_id: str, name: str) -> None:
        await self._ask(lambda store: store.rename_session(session_id, name))

    async def set_tags(self, session_id: str, before: Sequence[str], after: Sequence[str]) -> None:
        """Give it these tags in the place of those before."""
        from runner.store.annotations import tag_of

        def change(store: Store) -> None:
            wanted = [tag_of(tag) for tag in after]
            new, gone = (
                [tag for tag in one if tag not in other] for one, other in ((wanted, before), (before, wanted))
            )
            if new:
                store.tag(session_id, *new)
            if gone:
                store.untag(session_id, *gone)

        await self._ask(change)

    async def set_note(self, session_id: str, text: str) -> None:
        await self._ask(lambda store: store.set_note(session_id, text))

    async def pin(self, session_id: str, on: bool) -> None:
        await self._ask(lambda store: store.pin(session_id, on))

    async def trash(self, session_id: str) -> None:
        await self._ask(lambda store: store.trash(session_id))

    async def restore(self, session_id: str) -> None:
        await self._ask(lambda store: store.restore(session_id))

    async def delete(self, session_id: str) -> None:
        """For good."""
        await self._ask(lambda store: store.delete_session(session_id))

    async def _ask(self, question: Callable[[Store], T]) -> T:
        return await asyncio.wrap_future(self._engine.ask(question))


def find(store: Store, wish: Wish, now: datetime, home: str, limit: int | None = None) -> Found:
    """Blocks."""
    from runner.store.query import parse

    filter = parse(wish.text, now)
    keys = store.keys(filter, limit=limit)
    words = filter.words if filter.words.strip() else ""
    hits = store.search.sessions(words) if words else {}
    places = sum(hits.get(key.session_id, 0) for key in keys) if hits else 0
    return Found(
        lines=listed(keys, wish.grouping, now, home=home, hits=hits, opened=wish.opened),
        words=words,
        problems=filter.problems,
        sessions=None if limit is not None and len(keys) >= limit else len(keys),
        places=places,
        everything=filter.everything,
        deleted=filter.deleted,
        behind=store.search.behind() if filter.reads_index else 0,
    )
