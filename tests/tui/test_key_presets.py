"""The presets at work: vim and emacs in the transcript, in a pane, in lists and in their filters."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from runner.testing import calls, reply
from tests.tui.cockpit import Deck, cockpit
from tui.arming import BURST
from tui.screens.help import HelpScreen
from tui.widgets.rows import Rows

LONG = "\n\n".join(f"Paragraph {number}." for number in range(80))


def _rows(deck: Deck) -> Rows:
    return deck.app.screen.query_one("#picker-rows", Rows)


async def test_vim(tmp_path: Path) -> None:
    call: tuple[str, dict[str, object]] = ("list_files", {})
    steps = [reply(calls(call, call, call)), LONG]
    async with cockpit(tmp_path, steps, size=(120, 30), options={"keymap": "vim"}) as deck:
        await deck.send("look")
        await deck.ended()
        transcript = deck.app.cockpit.query_one("#transcript")
        end = transcript.scroll_y
        # Escape goes from the message to the transcript and stays there; letters move in it; i writes again.
        await deck.pilot.press("escape")
        assert transcript.has_focus
        await deck.pilot.press("escape", "ctrl+u")
        await deck.settle()
        assert transcript.has_focus
        assert transcript.scroll_y < end
        # A letter alone is a key; in a burst it would be typing, for the message.
        await deck.pilot.press("G")
        await deck.until(lambda: transcript.scroll_y == end, "the end")
        await deck.pilot.pause(2 * BURST)
        await deck.pilot.press("i")
        await deck.until(lambda: deck.composer.has_focus, "the message")
        await deck.pilot.press("j", "k")
        assert deck.composer.text == "jk"
        deck.composer.clear()
        timeline = deck.app.cockpit.query_one("#timeline", Rows)
        timeline.focus()
        await deck.pilot.press("g")
        assert timeline.selected == 0
        await deck.pilot.press("j", "n", "k")
        assert timeline.selected == 1
        await deck.pilot.press("i", "f1")
        await deck.until(lambda: isinstance(deck.app.screen, HelpScreen))
        # A list opens in its lines; the filter is a key away, and escape leads back from it.
        assert "keymap vim" in deck.screen_text()
        rows = _rows(deck)
        assert rows.has_focus
        first = rows.selected
        await deck.pilot.press("j", "j", "k", "ctrl+d")
        assert rows.selected > first + 2
        await deck.pilot.press("g", "slash", "z", "e", "n")
        await deck.settle()
        assert deck.app.screen.query_one(Input).value == "zen"
        await deck.pilot.press("escape")
        assert rows.has_focus
        assert isinstance(deck.app.screen, HelpScreen)
        await deck.pilot.press("q")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit)


async def test_emacs(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [LONG], size=(120, 30), options={"keymap": "emacs"}) as deck:
        await deck.send("look")
        await deck.ended()
        transcript = deck.app.cockpit.query_one("#transcript")
        end = transcript.scroll_y
        await deck.pilot.press("alt+up", "alt+v", "alt+v")
        await deck.settle()
        assert transcript.scroll_y < end
        await deck.pilot.press("greater_than_sign")
        await deck.until(lambda: transcript.scroll_y == end, "the end")
        await deck.pilot.press("ctrl+g")
        await deck.until(lambda: deck.composer.has_focus, "the message")
        await deck.pilot.press("f1")
        await deck.until(lambda: isinstance(deck.app.screen, HelpScreen))
        # The filter keeps the focus, and is written in; keys with ctrl and alt move in the lines.
        rows, field = _rows(deck), deck.app.screen.query_one(Input)
        first = rows.selected
        await deck.pilot.press("ctrl+n", "ctrl+n", "ctrl+p", "ctrl+v")
        assert rows.selected > first + 2
        await deck.pilot.press("alt+v", "j", "k")
        assert field.value == "jk"
        await deck.pilot.press("ctrl+g")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit)
        await deck.pilot.press("alt+x")
        await deck.until(lambda: "what can be done now" in deck.screen_text())
        await deck.pilot.press(*"zen")
        await deck.settle()
        # Keys stand beside the commands, as this keymap has them.
        assert "alt+z" in deck.screen_text()
