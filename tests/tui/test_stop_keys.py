"""Two presses of stop abort, however fast they come one after the other."""

from __future__ import annotations

from pathlib import Path

from runner.testing import hold, reply, text
from tests.tui.cockpit import cockpit


async def test_two_presses_before_the_screen_has_heard_of_the_first_abort(tmp_path: Path) -> None:
    gate = hold()
    async with cockpit(tmp_path, [reply(text("half "), gate, text("never"))]) as deck:
        await deck.send("write")
        await deck.until(lambda: "half" in deck.screen_text())
        deck.conductor.do("stop")
        assert not deck.view.stopping
        deck.conductor.do("stop")
        await deck.ended()
        assert deck.view.run is not None
        assert deck.view.run.reason == "aborted"


async def test_two_presses_while_the_run_is_being_started_abort(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(text("half "), hold())]) as deck:
        await deck.send("write")
        deck.conductor.do("stop")
        deck.conductor.do("stop")
        await deck.until(lambda: deck.view.run is not None and deck.view.run.finished)
        assert deck.view.run is not None
        assert deck.view.run.reason == "aborted"
