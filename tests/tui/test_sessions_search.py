"""Looking for sessions while the index is behind: what is there is shown at once, and a key that came early counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from runner.store.base import SessionSummary
from tui.sessions.finder import Finder, Found, Wish
from tui.sessions.lines import HitLine, Line, SessionLine
from tui.sessions.rows import SessionRows
from tui.sessions.search import FIRST, Search


class Slow:
    """A finder whose index needs three moments. asked: what was looked for, and how much of it."""

    def __init__(self) -> None:
        self.left = [700, 312, 0]
        self.asked: list[tuple[str, int | None]] = []

    async def find(self, wish: Wish, limit: int | None = None) -> Found:
        self.asked.append((wish.text, limit))
        known = bool(wish.text) and not self.left
        lines: Sequence[Line] = [SessionLine("s", 0, 0), HitLine("s", 0)] if known else []
        return Found(
            lines=lines,
            words=wish.text,
            problems=(),
            sessions=None if limit is not None else len(lines),
            places=1 if known else 0,
            everything=not wish.text,
            deleted=False,
            behind=len(self.left) if wish.text else 0,
        )

    async def catch_up(self) -> int:
        return self.left.pop(0)

    async def summaries(self, ids: Sequence[str]) -> list[SessionSummary]:
        return []

    async def hits(self, words: str, wanted: Mapping[str, int]) -> dict[str, list[object]]:
        return {one: [] for one in wanted}


class Timer:
    def __init__(self, what: Callable[[], None]) -> None:
        self.what = what

    def stop(self) -> None:
        self.what = lambda: None


class Screen:
    """Carries out jobs one after the other, when it is told to."""

    def __init__(self) -> None:
        self.rows = SessionRows(lambda: datetime.now(UTC), current=None)
        self.text = ""
        self.search = Search(cast("Any", self), cast("Finder", Slow()))
        self.jobs: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self.timers: list[Timer] = []
        self.behind: list[int] = []
        self.chosen: list[object] = []

    def start(self, job: Callable[[], Coroutine[Any, Any, None]], group: str, *, exclusive: bool = True) -> None:
        self.jobs.append(job)

    def later(self, seconds: float, what: Callable[[], None]) -> Timer:
        self.timers.append(Timer(what))
        return self.timers[-1]

    def say(self, text: str, token: str = "muted") -> None: ...

    def show_all(self) -> None:
        self.behind.append(self.search.left)

    def show_read(self) -> None: ...

    def choose(self) -> None:
        self.chosen.append(self.rows.row)

    def work(self) -> None:
        while self.jobs:
            asyncio.run(cast("Any", self.jobs.pop(0)()))


def test_enter_waits_for_what_was_typed_until_the_index_knows_it() -> None:
    screen = Screen()
    finder = cast("Slow", screen.search._finder)  # pyright: ignore[reportPrivateUsage]
    screen.search.look()
    screen.work()
    # The first lines come before all of them, however many there are.
    assert finder.asked == [("", FIRST), ("", None)]
    for text in ("t", "ti", "tide"):
        screen.text = text
        screen.search.typed()
    assert screen.search.waits
    screen.search.submit()
    # Enter does not wait for the pause after the last letter, and nothing is looked for twice.
    assert not screen.search.waits
    for timer in screen.timers:
        timer.what()
    screen.work()
    assert finder.asked[2:] == [("tide", None), ("tide", None)]
    assert (700 in screen.behind, 312 in screen.behind, screen.behind[-1]) == (True, True, 0)
    assert screen.search.settled
    assert screen.chosen == [HitLine("s", 0)]
    # Another letter, and what was asked for before does not count any more.
    screen.text = "tides"
    finder.left = [0]
    screen.search.submit()
    screen.search.typed()
    screen.timers[-1].what()
    screen.work()
    assert screen.chosen == [HitLine("s", 0)]
