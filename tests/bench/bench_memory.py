"""What is kept: memory for each 10,000 lines of a transcript, and what opening and closing each screen leaves."""

from __future__ import annotations

import asyncio
import gc
import itertools
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import psutil
from textual.screen import Screen
from textual.widget import Widget

from runner.testing import calls, reply
from tests.bench.bench_keys import fill, opened
from tests.bench.pouring import LINE, pouring
from tests.tui.cockpit import Deck, cockpit
from tui.actions import ScreenName

LINES = 10_000
STEPS = 8
TIMES = 100
TENTH = TIMES // 10


def _unique(pid: int | None = None) -> float:
    """Megabytes that belong to the process alone."""
    return psutil.Process(pid).memory_full_info().uss / 1e6


def by_lines() -> None:
    size = LINES * len(LINE)
    with pouring() as base_url, opened(base_url) as terminal:
        terminal.settle()
        found = [_unique(terminal.pid)]
        for _ in range(STEPS):
            fill(terminal, size)
            terminal.settle()
            found.append(_unique(terminal.pid))
    grown = [after - before for before, after in itertools.pairwise(found)]
    print(f"{'the program with an empty transcript':<46} {found[0]:9.1f} MB")
    each = statistics.median(grown[1:])
    print(
        f"{f'for each {LINES:,} lines of {len(LINE)} characters':<46} {each:9.2f} MB"
        f"   ratio {each * 1e6 / size:.1f} to the text   growth of the growth {grown[-1] / grown[1]:.2f}"
    )
    print(f"{'':<46} {', '.join(f'{value:.1f}' for value in grown)}")


SCREENS: Final[Sequence[ScreenName]] = (
    "models",
    "sessions",
    "help",
    "palette",
    "grants",
    "decisions",
    "processes",
    "try",
    "servers",
    "undo",
    "ledger",
    "settings",
)


async def by_screens(folder: Path) -> None:
    async with cockpit(folder, [reply(calls(("list_files", {}))), "Seen."], size=(120, 40)) as deck:
        await deck.send("look")
        await deck.ended()
        opening: list[ScreenName] = [name for name in SCREENS if await _round(deck, name)]
        if left := set(SCREENS) - set(opening):
            print(f"not opened, because there is nothing to show: {', '.join(sorted(left))}")
        print(f"{'':<34}  MB after 10 and {TIMES} times       widgets alive then")
        for name in opening:
            for _ in range(TENTH):
                await _round(deck, name)
            before = await _kept()
            for _ in range(TIMES - TENTH):
                await _round(deck, name)
            after = await _kept()
            kept = after[0] - before[0]
            print(
                f"{name:<34} {before[0]:7.1f} {after[0]:7.1f}   {kept * 1000 / (TIMES - TENTH):7.1f} KB each"
                f"   {before[1]:6} {after[1]:6}",
                flush=True,
            )


async def _round(deck: Deck, name: ScreenName) -> bool:
    """Open a screen and leave it again; whether there was one."""
    deck.conductor.open_screen(name)
    await deck.pilot.pause()
    screen: Screen[object] = deck.app.screen
    if screen is deck.app.cockpit:
        return False
    while deck.app.screen is not deck.app.cockpit:
        deck.app.pop_screen()
        await deck.pilot.pause()
    return True


async def _kept() -> tuple[float, int]:
    """Megabytes, and widgets that are alive, once the program has tidied up."""
    await asyncio.sleep(2.5)
    gc.collect()
    return _unique(), sum(isinstance(each, Widget) for each in gc.get_objects())


def main() -> None:
    by_lines()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(by_screens(Path(folder)))


if __name__ == "__main__":
    main()
