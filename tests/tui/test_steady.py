"""Screens that settle after fast resizes, and that are left once however fast keys come."""

from __future__ import annotations

from pathlib import Path

from textual import events
from textual.geometry import Size

from tests.tui.cockpit import cockpit
from tui.screens.picker import Picker


async def test_sizes_that_come_faster_than_layouts_end_in_one_layout(tmp_path: Path) -> None:
    """Two different sizes on the way at once must not cause each other again and again."""
    async with cockpit(tmp_path, size=(120, 40)) as deck:
        screen = deck.app.cockpit
        seen: list[Size] = []
        layouts = screen._refresh_layout  # pyright: ignore[reportPrivateUsage]

        def counted(size: Size | None = None, scroll: bool = False) -> None:
            seen.append(size or screen.size)
            layouts(size, scroll)

        screen._refresh_layout = counted  # pyright: ignore[reportPrivateUsage]
        for columns in (60, 100, 61, 99):
            screen.post_message(events.Resize(Size(columns, 30), Size(columns, 30)))
        await deck.pilot.resize_terminal(90, 30)
        await deck.until(lambda: screen.size == Size(90, 30), "the last size")
        await deck.settle()
        stale = {Size(columns, 30) for columns in (60, 100, 61, 99)}
        assert stale.isdisjoint(seen), "a layout for a size that the terminal no longer has"
        assert screen.size == Size(90, 30)
        await deck.pilot.press("h", "i")
        assert deck.composer.text == "hi"


async def test_a_list_closed_twice_at_once_closes_once(tmp_path: Path) -> None:
    async with cockpit(tmp_path) as deck:
        await deck.pilot.press("ctrl+o")
        await deck.until(lambda: isinstance(deck.app.screen, Picker), "the models")
        picker = deck.app.screen
        assert isinstance(picker, Picker)
        picker.leave()
        picker.leave()
        await deck.until(lambda: deck.app.screen is deck.app.cockpit, "the cockpit")
        await deck.pilot.press("h", "i")
        assert deck.composer.text == "hi"
