"""The usage screen over a filled store and an empty one, and marking a turn that is worth finding again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runner.review.cases import cases
from runner.store import Store
from runner.testing import calls, reply
from tests.store.spending import spend
from tests.tui.cockpit import Deck, cockpit
from tui.looking_back.report import as_json, read
from tui.screens.annotate import AnnotateForm
from tui.screens.usage import UsageScreen


async def ready(deck: Deck, *words: str) -> str:
    """The screen's text, when all of these stand on it."""
    await deck.until(lambda: all(word in deck.screen_text() for word in words), f"{words}")
    return deck.screen_text()


async def test_what_all_sessions_cost_from_every_side(tmp_path: Path) -> None:
    async with cockpit(tmp_path, size=(80, 24)) as deck:
        await deck.pilot.press("alt+shift+u")
        await ready(deck, "no request to a model was made in this time; + looks further back")
        await deck.pilot.press("plus", "plus")
        await ready(deck, "all time", "no request to a model was made yet")
        await deck.pilot.press("right", "right", "right", "right")
        await ready(deck, "no tool was called yet")
        # What came meanwhile is there when it is asked for again.
        await asyncio.wrap_future(deck.app.engine.ask(lambda store: spend(store, datetime.now(UTC), days=30)))
        await deck.pilot.press("ctrl+r")
        await ready(deck, "95 of 100", "edit_file", "calls ·")
        await deck.pilot.press("s")
        await ready(deck, "most failing", "timeouts")
        await deck.pilot.press("right")
        await ready(deck, "allowed by you", "of all")
        await deck.pilot.press("s")
        await ready(deck, "by time taken", "mean")
        await deck.pilot.press("right")
        await ready(deck, "of the input cached", "lab/qwen-coder")
        await deck.pilot.press("right")
        shown = await ready(deck, "each bar a", "┤", "requests", "~ ▒ our estimate")
        report: Any = await asyncio.wrap_future(deck.app.engine.ask(lambda store: as_json(read(store, "project"))))
        assert f"{report['total']['requests']} requests" in shown
        assert f"+ {report['total']['cost_unknown_requests']} requests of unknown price" in shown
        await deck.pilot.press("right", "right", "right")
        shown = await ready(deck, "/home/ada/tidewater", "█")
        listed = [line.split()[0] for line in shown.splitlines() if line.startswith("  /")]
        for name, row in zip(listed, report["rows"], strict=True):
            head, _, tail = name.partition("…")
            assert row["project"].startswith(head)
            assert row["project"].endswith(tail)
        await deck.pilot.press("enter")
        first = report["rows"][0]
        await ready(deck, f"{first['input_tokens']:,} tokens", f"{first['requests']}")
        await deck.pilot.press("escape")
        await deck.pilot.resize_terminal(160, 48)
        await ready(deck, "projects", "cached")
        await deck.pilot.click("#usage-tabs", offset=(2, 0))
        await ready(deck, "each bar a day")
        await deck.pilot.press("escape")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit)
        await deck.send("/usage 2d")
        await ready(deck, "since 2d")
        await deck.pilot.press("escape")
        await deck.send("/usage whenever")
        await ready(deck, "'whenever' is no day")
        assert not isinstance(deck.app.screen, UsageScreen)


async def test_a_turn_is_tagged_where_it_is_read_and_becomes_a_case(tmp_path: Path) -> None:
    steps = [reply(calls(("list_files", {}))), "Nothing here.", "Still nothing."]

    def store_says(store: Store) -> list[tuple[int, str, str]]:
        assert deck.view.session_id is not None
        return [(note.turn, note.kind, note.text) for note in store.annotations(deck.view.session_id)]

    async def kept(*wanted: tuple[int, str, str]) -> None:
        await deck.until(lambda: deck.app.engine.ask(store_says).result(timeout=20) == list(wanted), f"{wanted}")

    async with cockpit(tmp_path, steps, size=(100, 28)) as deck:
        await deck.send("what is here?")
        await deck.ended()
        await deck.send("/tag whole")
        await ready(deck, "the session: tagged whole")
        await kept((0, "tag", "whole"))
        # On the last answer, which is the second turn.
        await deck.pilot.press("alt+up", "T")
        await deck.until(lambda: isinstance(deck.app.screen, AnnotateForm))
        await ready(deck, "of turn 2")
        await deck.pilot.press(*"empty good", "enter")
        await ready(deck, "turn 2: tagged empty, good")
        await kept((0, "tag", "whole"), (2, "tag", "empty"), (2, "tag", "good"))
        await deck.pilot.press("w")
        await deck.until(lambda: isinstance(deck.app.screen, AnnotateForm))
        await deck.pilot.press(*"so short", "enter")
        await kept((0, "tag", "whole"), (2, "note", "so short"), (2, "tag", "empty"), (2, "tag", "good"))
        # What stands there can be changed; going back changes nothing.
        await deck.pilot.press("T")
        await deck.until(lambda: isinstance(deck.app.screen, AnnotateForm))
        await ready(deck, "empty good")
        await deck.pilot.press(*["backspace"] * 5, "enter")
        await kept((0, "tag", "whole"), (2, "note", "so short"), (2, "tag", "empty"))
        # It stands where the times stand.
        await deck.pilot.press("t")
        await ready(deck, "#empty “so short”")
        await deck.send("/tag -nowhere")
        await ready(deck, "has no tag 'nowhere'")

        def of_it(store: Store) -> list[str]:
            return [f"{case.turn} {case.expected.answer} {case.metadata.notes}" for case in cases(store, "empty")]

        found = await asyncio.wrap_future(deck.app.engine.ask(of_it))
        assert found == ["2 Nothing here. ('so short',)"]
