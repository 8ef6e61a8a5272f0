"""What looking back over all sessions looks like."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from tests.snapshots.stage import in_utc, stage
from tests.store.spending import spend
from tests.tui.transcript_runs import BEGINNING


async def test_what_was_spent_by_day_and_which_tools_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with in_utc():
        async with stage(tmp_path, monkeypatch) as screen:
            now = BEGINNING + timedelta(hours=1)
            await asyncio.wrap_future(screen.app.engine.ask(lambda store: spend(store, now, days=40)))
            await screen.open("alt+shift+u")
            await screen.deck.until(lambda: "each bar a day" in screen.deck.screen_text(), "the days")
            await screen.snap("usage")
            await screen.press("right", "right", "right", "right")
            await screen.deck.until(lambda: "95 of 100" in screen.deck.screen_text(), "the tools")
            await screen.press("s")
            await screen.deck.until(lambda: "most failing" in screen.deck.screen_text(), "the failing ones")
            await screen.snap("usage_tools")
