"""Panes: which are shown at which size, how wide, what is kept of it; the zen view; what the mouse does with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.testing import calls, hold, reply, text
from tests.tui.cockpit import Deck, cockpit
from tui.panes import LEAST, LEAST_BESIDE, Layout, read_layout, side_width
from tui.remembered import Remembered

WRITE = calls(("write_file", {"path": "new.txt", "content": "hello"}))


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"side": "wide", "hidden": "meters", "axis": 1},
        {"side": True, "hidden": [["meters"], None, "nothing"], "axis": "yes"},
        {"side": None, "hidden": {}, "axis": []},
    ],
)
def test_what_is_no_layout_is_the_default_one(kept: dict[str, object]) -> None:
    assert read_layout(kept) == Layout()


def test_a_layout_comes_back_as_it_was_kept() -> None:
    layout = Layout(side=60, hidden=frozenset({"meters", "output"}), axis=False)
    assert read_layout(layout.kept()) == layout
    assert read_layout({"side": -5}).side == LEAST


@pytest.mark.parametrize(("wanted", "screen"), [(10, 100), (60, 100), (90, 100), (10_000, 200), (52, 101)])
def test_the_side_column_never_takes_what_the_transcript_needs(wanted: int, screen: int) -> None:
    width = side_width(wanted, screen)
    assert width is not None
    assert LEAST <= width <= screen - LEAST_BESIDE


SHOWN = {
    (40, 10): {"transcript", "composer", "status", "keys"},
    (80, 24): {"transcript", "composer", "meters-line", "status", "keys"},
    (120, 40): {"transcript", "timeline", "output", "meters", "composer", "status", "keys"},
    (200, 60): {"transcript", "timeline", "output", "meters", "axis", "composer", "status", "keys"},
}


async def test_panes_fold_in_order_while_the_window_is_resized_and_come_back(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(WRITE), "Written."], size=(200, 60)) as deck:
        await deck.send("do it")
        await deck.waiting()
        await deck.armed()
        for size in (*SHOWN, *reversed(SHOWN)):
            await _resize(deck, size)
            wanted = SHOWN[size] - ({"transcript"} if size == (40, 10) else set())
            assert _shown(deck) == wanted, size
            # What asks is there at every size, whole, with its keys.
            assert "new.txt" in deck.screen_text()
            assert "y allow" in deck.screen_text()
        await deck.pilot.press("y")
        await deck.ended()
        for size in SHOWN:
            await _resize(deck, size)
            assert _shown(deck) == SHOWN[size], size
            assert "Written." in deck.screen_text()


async def _resize(deck: Deck, size: tuple[int, int]) -> None:
    await deck.pilot.resize_terminal(*size)
    await deck.settle()
    await deck.settle()


def _shown(deck: Deck) -> set[str]:
    panes = ("transcript", "timeline", "output", "meters", "axis", "composer", "meters-line", "status", "keys")
    cockpit_screen = deck.app.cockpit
    found = {name: cockpit_screen.query_one(f"#{name}") for name in panes}
    return {name for name, widget in found.items() if widget.display and widget.region.area}


async def test_sizes_are_kept_and_the_mouse_does_what_keys_do(tmp_path: Path) -> None:
    gate = hold()
    steps = [reply(calls(("list_files", {}))), reply(text("Seen."), gate, text(" All."))]
    async with cockpit(tmp_path, steps, size=(140, 40)) as deck:
        side = deck.app.cockpit.query_one("#side")
        await deck.pilot.press("alt+left", "alt+left", "alt+right")
        await deck.settle()
        assert side.region.width == 56
        edge = side.region.x
        await deck.pilot.mouse_down("#side", offset=(0, 3))
        await deck.pilot.hover(None, offset=(edge - 6, 5))
        await deck.pilot.mouse_up(None, offset=(edge - 6, 5))
        await deck.settle()
        assert side.region.width == 62
        await deck.pilot.press("f4")
        await deck.send("look")
        await deck.until(lambda: "Seen." in deck.screen_text())
        await _click(deck, "stop")
        await deck.until(lambda: deck.view.stopping)
        gate.release()
        await deck.ended()
        await _click(deck, "help")
        await deck.until(lambda: "Keys and commands" in deck.screen_text())
        await deck.pilot.press("escape")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit)
        # The only call is selected already.
        await deck.pilot.click("#timeline", offset=(3, 0))
        await deck.until(lambda: "Arguments" in deck.screen_text(), "the call")
        await deck.pilot.press("escape")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit)
        assert deck.app.cockpit.query_one("#timeline").has_focus
        # From a pane, the key that leads to a list's filter leads to the message.
        await deck.pilot.press("i")
        assert deck.composer.has_focus
        assert deck.composer.text == ""
        remembered = deck.app.remembered
        assert remembered.flush()
        assert Remembered(remembered.path("layout").parent.parent).read("layout") == {
            "side": 62,
            "hidden": ["meters"],
            "axis": None,
        }
    async with cockpit(tmp_path, size=(140, 40)) as deck:
        assert deck.app.cockpit.query_one("#side").region.width == 62
        assert not deck.app.cockpit.query_one("#meters").display
        await _double_click_on_border(deck)
        assert deck.app.cockpit.query_one("#side").region.width == 52


async def _click(deck: Deck, word: str) -> None:
    """On a word of the line of keys."""
    bar = deck.app.cockpit.key_bar.region
    line = deck.screen_text().split("\n")[bar.y]
    await deck.pilot.click(None, offset=(line.index(word), bar.y))
    await deck.settle()


async def _double_click_on_border(deck: Deck) -> None:
    await deck.pilot.click("#side", offset=(0, 3), times=2)
    await deck.settle()


async def test_zen_shows_what_was_said_and_what_asks_and_nothing_else(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(WRITE), "Written."], size=(120, 40)) as deck:
        await deck.pilot.press("alt+z")
        await deck.until(lambda: deck.view.notice is not None)
        assert "alt+z shows everything again" in deck.screen_text()
        await deck.send("do it")
        await deck.waiting()
        assert _shown(deck) == {"transcript", "composer", "status"}
        assert "waiting for you: 1 approval" in deck.screen_text()
        # A click in the transcript or on the status line answers nothing.
        await deck.pilot.click("#transcript", offset=(4, 1))
        await deck.pilot.click("#status", offset=(30, 0))
        await deck.armed()
        assert deck.view.waiting
        await deck.pilot.press("y")
        await deck.ended()
        assert _shown(deck) == {"transcript", "composer"}
        await deck.pilot.press("alt+z")
        await deck.settle()
        assert _shown(deck) == SHOWN[120, 40]
