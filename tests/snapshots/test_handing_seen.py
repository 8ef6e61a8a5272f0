"""What two sessions beside each other look like, and what an export shows before anything is written."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from runner.events import ToolFinished, ToolProposed, ToolStarted, TurnFinished
from runner.messages import ToolCall
from runner.store import Store
from tests.snapshots.stage import FOLDER, stage
from tests.store.making import Maker, write
from tests.store.test_export import SECRETS
from tests.tui.transcript_runs import BEGINNING

COMMON = (("list_files", {"path": "."}, "harbours/\ntides.py\n", "I look around."),)
FIRST = (
    ("shell", {"command": "pytest -q"}, "2 failed\n", "I run the tests."),
    ("edit_file", {"path": "tides.py", "old": "2.1", "new": "1.7"}, "edited tides.py", "I use the new number."),
)
SECOND = (("shell", {"command": f"TOKEN={SECRETS['github']} pytest -q"}, "all passed\n", "I run the tests."),)
END = "The tide tables are right.\n\nBrest is {} above the chart's zero.\n"


def recorded(name: str, hours: int, steps: tuple[tuple[str, dict[str, str], str, str], ...], level: str) -> Maker:
    maker = Maker(run_id=f"run-{name}", session_id=f"session-{name}")
    maker.start = BEGINNING - timedelta(hours=hours)
    maker.begin("use 1.7 in tides.py", workspace=str(FOLDER))
    for number, (tool, arguments, output, text) in enumerate((*COMMON, *steps)):
        maker.begin_turn()
        maker.request()
        call = ToolCall(call_id=f"{name}-{number}", tool=tool, arguments=dict(arguments))
        maker.answer(text, (call,), Decimal("0.0042"))
        maker.add(ToolProposed(call_id=call.call_id, tool=tool, arguments=dict(arguments)))
        maker.add(ToolStarted(call_id=call.call_id, tool=tool))
        maker.add(ToolFinished(call_id=call.call_id, tool=tool, output=output))
        maker.add(TurnFinished(tool_calls=1))
    maker.begin_turn()
    maker.request()
    maker.answer(END.format(level))
    maker.end()
    return maker


async def test_two_sessions_and_an_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open() as store:
        write(store, recorded("1", 2, FIRST, "4.1 m").events)
        write(store, recorded("2", 1, SECOND, "4.2 m").events)
    async with stage(tmp_path, monkeypatch) as screen:
        screen.deck.conductor.submit("/compare session-1 session-2")
        await screen.deck.until(lambda: "they part here" in screen.deck.screen_text(), "the comparison")
        await screen.press("n")
        await screen.snap("compare")
        await screen.close()
        screen.deck.conductor.submit("/export html session-2")
        await screen.deck.until(lambda: "1 secret in" in screen.deck.screen_text(), "what is masked")
        await screen.snap("export")
