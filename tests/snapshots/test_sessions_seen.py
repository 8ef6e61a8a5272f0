"""What the list of sessions looks like: what was found with a preview of it, and by project with a field in it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from runner.store import Store
from tests.snapshots.stage import HOME, stage
from tests.tui.recorded import record
from tests.tui.transcript_runs import BEGINNING


async def test_the_list_of_sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open() as store:
        # The clock of the stage stands an hour after the beginning.
        record(store, BEGINNING + timedelta(hours=1), str(HOME))
    async with stage(tmp_path, monkeypatch) as screen:

        async def shown(*texts: str) -> None:
            await screen.deck.until(lambda: all(text in screen.deck.screen_text() for text in texts), f"{texts}")

        await screen.open("ctrl+r")
        await screen.press(*"mean_level tool:search", "f3")
        await shown("Found here", "more places", "answer")
        await screen.snap("sessions_found")
        await screen.press("f3", "ctrl+u", "f6", "tab", "space", "down", "down", "t")
        await shown("ada/tidewater", "2 forks", "enter keeps it")
        await screen.snap("sessions_kept")
        await screen.press("escape")
        await screen.close()
