"""What the turns of a session look like, and a fork of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from runner.events import FileChange, FilesChanged, MessageDelivered, ToolFinished, ToolStarted, TurnFinished
from runner.store import Store
from tests.snapshots.stage import FOLDER, in_utc, stage
from tests.store.making import Maker, a_call, write
from tests.tui.cockpit import MODEL
from tests.tui.transcript_runs import BEGINNING


def three_turns() -> Maker:
    """A prompt, a call that changes a file, an answer; then another prompt in the same run."""
    maker = Maker(run_id="run-7", session_id="session-7", start=BEGINNING - timedelta(hours=2))
    call = a_call(tool="edit_file", run_id="run-7")
    maker.begin("use 1.7 in tides.py", MODEL, str(FOLDER))
    for text in ("I change it.", "Changed.", "Two harbours: Oslo and Brest."):
        if text.startswith("Two"):
            maker.add(MessageDelivered(message_id="m", text="which harbours are there?"))
        maker.begin_turn()
        maker.request(MODEL)
        asked = (call,) if text == "I change it." else ()
        maker.answer(text, asked, Decimal("0.0042"), model=MODEL)
        if asked:
            maker.propose(call)
            maker.add(ToolStarted(call_id=call.call_id, tool="edit_file"))
            change = FileChange(path=str(FOLDER / "tides.py"), before="a" * 64, after="b" * 64)
            maker.add(FilesChanged(call_id=call.call_id, files=(change,)))
            maker.add(ToolFinished(call_id=call.call_id, tool="edit_file", output="edited tides.py"))
        maker.add(TurnFinished(tool_calls=len(asked), seconds=1.5))
    maker.end()
    return maker


async def test_the_turns_and_a_fork(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open() as store:
        write(store, three_turns().events)
    with in_utc():
        async with stage(tmp_path, monkeypatch) as screen:
            screen.deck.conductor.submit("/rewind session-7")
            await screen.deck.until(lambda: "f forks after turn 3 of 3" in screen.deck.screen_text(), "the turns")
            await screen.press("up")
            await screen.deck.until(lambda: "f forks after turn 2 of 3" in screen.deck.screen_text(), "the turn")
            await screen.snap("turns")
            await screen.press("f")
            await screen.deck.until(lambda: "forked from use 1.7" in screen.deck.screen_text(), "the fork")
            await screen.snap("fork")
