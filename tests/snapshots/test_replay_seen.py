"""What a session that is played again looks like, in the middle of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.store import Store
from tests.review.test_player import recorded
from tests.snapshots.stage import FOLDER, Stage, in_utc, stage
from tests.store.making import write
from tui.screens.replay import ReplayScreen


async def test_a_session_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open() as store:
        for maker in recorded("session-7", workspace=str(FOLDER))[:2]:
            write(store, maker.events)
    with in_utc():
        async with stage(tmp_path, monkeypatch) as screen:
            screen.deck.conductor.submit("/replay session-7")
            await screen.deck.until(lambda: _player(screen) is not None, "the recording")
            await screen.press("space", "home", "m", "m")
            await screen.deck.until(lambda: "nothing can be answered here" in screen.deck.screen_text())
            await screen.snap("replay_asked")
            await screen.press("g", *"0:19", "enter", "plus", "plus")
            await screen.deck.until(lambda: "streaming" in screen.deck.screen_text(), "an answer half written")
            await screen.snap("replay")


def _player(screen: Stage) -> object:
    return screen.app.screen.steering if isinstance(screen.app.screen, ReplayScreen) else None
