"""Counts that must not grow: flushes a second, widgets, and widgets asked for their lines."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import RenderableType
from textual._compositor import CompositorUpdate
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from runner.testing import calls, pause, reply, text
from tests.tui.cockpit import Deck, cockpit

MOST_FLUSHES = 30
"""A second, while text streams; the screen is told to follow 25 times."""

MOST_WIDGETS = 150

PIECES = 300


def widgets(deck: Deck) -> set[Widget]:
    return set(deck.app.cockpit.walk_children(Widget))


def count_flushes(deck: Deck, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When something was written to the terminal, from here on."""
    found: list[float] = []
    show = deck.app._display  # pyright: ignore[reportPrivateUsage]

    def counted(screen: Screen[Any], renderable: RenderableType | None) -> None:
        if isinstance(renderable, CompositorUpdate):
            found.append(time.monotonic())
        show(screen, renderable)

    monkeypatch.setattr(deck.app, "_display", counted)
    return found


async def test_messages_calls_and_text_cost_frames_and_never_widgets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = reply(text("Looking."), calls(("list_files", {}), ("list_files", {"path": "."})))
    # Faster than frames are, so that each piece would be a frame of its own if nothing held it.
    words = [
        [text(f"word{number}\n" if number % 9 == 0 else f"word{number} "), pause(0.004)] for number in range(PIECES)
    ]
    async with cockpit(tmp_path, [seen, "Seen.", seen, "Again.", reply(*words)], size=(160, 48)) as deck:
        await deck.send("look")
        await deck.ended()
        before = widgets(deck)
        await deck.send("look again")
        await deck.until(lambda: len(deck.view.runs) == 2, "the second run")
        await deck.ended()
        assert widgets(deck) == before, "a widget was mounted for a message"
        flushes, began = count_flushes(deck, monkeypatch), time.monotonic()
        await deck.send("write")
        await deck.until(lambda: f"word{PIECES - 1}" in deck.screen_text(), "the last word")
        await deck.ended()
        seconds = time.monotonic() - began
        assert widgets(deck) == before
        # The key that sends, the beginning and the end of the run are not the stream's.
        assert len(flushes) <= MOST_FLUSHES * seconds + 5, (len(flushes), seconds)
        assert len(flushes) >= 3


async def test_all_that_can_be_open_at_once_stays_under_the_limit(tmp_path: Path) -> None:
    call = calls(("write_file", {"path": "new.txt", "content": "hello"}), ("write_file", {"path": "b", "content": "x"}))
    async with cockpit(tmp_path, [reply(call), "Written."], size=(200, 60)) as deck:
        await deck.send("do it")
        await deck.waiting()
        await deck.send("and then this")
        await deck.until(lambda: bool(deck.view.messages), "a message that waits")
        deck.composer.replace_all("/")
        await deck.settle()
        assert len(widgets(deck)) < MOST_WIDGETS, len(widgets(deck))
        deck.composer.replace_all("")
        deck.conductor.open_screen("settings")
        await deck.until(lambda: deck.app.screen is not deck.app.cockpit, "the settings")
        everything = sum(len(list(screen.walk_children())) for screen in deck.app.screen_stack)
        assert everything < MOST_WIDGETS, everything


def told(
    lines: Callable[[Region], list[Strip]], widget: Widget, asked: list[Widget]
) -> Callable[[Region], list[Strip]]:
    def counted(crop: Region) -> list[Strip]:
        asked.append(widget)
        return lines(crop)

    return counted


async def test_only_what_changed_is_asked_for_its_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with cockpit(tmp_path, ["Hello."], size=(160, 48)) as deck:
        await deck.send("hi")
        await deck.ended()
        await deck.until(lambda: not deck.conductor._ticking)  # pyright: ignore[reportPrivateUsage]
        asked: list[Widget] = []
        for widget in widgets(deck):
            monkeypatch.setattr(widget, "render_lines", told(widget.render_lines, widget, asked))
        await deck.pilot.press("h", "i")
        await deck.until(lambda: "hi" in deck.composer.text)
        assert set(asked) == {deck.composer}, {str(widget) for widget in asked}
        deck.composer.replace_all("")
        await deck.settle()
        parts = without_speed(deck)
        deck.app.cockpit.refresh(layout=True)
        await deck.settle()
        assert without_speed(deck) == parts


def without_speed(deck: Deck) -> str:
    """What is on the screen but for the curve of the last minute, which moves on every four seconds."""
    return re.sub(r"[.▁-█]{15}", "", deck.screen_text())
