"""What a stored session looks like that is gone through: its times, decisions, a discarded attempt, what it changed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from runner.events import (
    ApprovalRequested,
    ApprovalResolved,
    AttemptDiscarded,
    ErrorInfo,
    RetryScheduled,
    ToolFinished,
    ToolStarted,
    TurnFinished,
)
from runner.store import Store
from runner.usage import Usage
from tests.snapshots.played import TIDES
from tests.snapshots.stage import FOLDER, in_utc, stage
from tests.store.making import Maker, a_call, write
from tests.tui.cockpit import MODEL
from tests.tui.transcript_runs import BEGINNING
from tui.screens.changes import ChangesScreen

DIFF = {"type": "diff", "path": "tides.py", "diff": TIDES, "added": 1, "removed": 1}
RETRY = RetryScheduled(error=ErrorInfo(type="rate_limit", message="Too many requests", status_code=429), delay=0.5)


def worked() -> Maker:
    """A discarded attempt, a call that a person allowed, one that a rule denied, an answer."""
    maker = Maker(run_id="run-8", session_id="session-8", start=BEGINNING - timedelta(days=2))
    edit, remove = a_call(1, "edit_file", "run-8"), a_call(2, "shell", "run-8")
    why, rule = "edit_file is not read-only.", "deny shell, commands that begin with: rm (the folder's settings)"
    maker.begin("use 1.7 in tides.py, and remove the old harbours", MODEL, str(FOLDER))
    maker.begin_turn()
    maker.request(MODEL)
    lost = AttemptDiscarded(model=MODEL, reason="rate_limit", text="I would ch", usage=Usage(input=90, output=4))
    maker.add(lost)
    maker.add(RETRY)
    maker.request(MODEL)
    maker.answer("I change it, then I remove them.", (edit, remove), Decimal("0.0042"), model=MODEL)
    maker.propose(edit)
    maker.add(ApprovalRequested(call_id=edit.call_id, tool="edit_file", request_id="r", why=why))
    maker.add(ApprovalResolved(call_id=edit.call_id, tool="edit_file", request_id="r", decision="allow", seconds=4.2))
    maker.add(ToolStarted(call_id=edit.call_id, tool="edit_file"))
    maker.add(ToolFinished(call_id=edit.call_id, tool="edit_file", output="edited tides.py", display=DIFF))
    maker.propose(remove)
    maker.add(ApprovalResolved(call_id=remove.call_id, decision="deny", by="rule", rule=rule, reason="not by a tool"))
    maker.add(ToolFinished(call_id=remove.call_id, tool="shell", output="denied: not by a tool", status="denied"))
    maker.add(TurnFinished(tool_calls=2, seconds=5.0))
    maker.begin_turn()
    maker.request(MODEL)
    maker.answer("It is changed; the harbours are still there.", (), Decimal("0.0038"), model=MODEL)
    maker.add(TurnFinished(seconds=1.0))
    maker.end()
    return maker


async def test_a_session_that_is_gone_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open() as store:
        write(store, worked().events)
    with in_utc():
        async with stage(tmp_path, monkeypatch) as screen:
            conductor = screen.deck.conductor
            await conductor.browsing.open_session("session-8")
            await screen.deck.until(lambda: "a message continues it" in screen.deck.screen_text(), "what one looks at")
            conductor.submit("/times")
            # Opened again, nothing is said of the times any more.
            await conductor.browsing.open_session("session-8")
            await screen.deck.until(lambda: "allowed by you after 4.2 s" in screen.deck.screen_text(), "the times")
            await screen.snap("review")
            await screen.open("alt+shift+f")
            await screen.deck.until(
                lambda: isinstance(screen.app.screen, ChangesScreen) and "1 file of" in screen.deck.screen_text()
            )
            await screen.snap("changes")
