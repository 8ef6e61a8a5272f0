"""What the lists of the stage show: stored sessions with their decisions, servers, and processes in the background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from runner.events import ApprovalRequested, ApprovalResolved, Decision, Scope, ToolFinished, ToolProposed
from runner.mcp.state import ServerState, ToolInfo
from runner.store import Store
from runner.tools.background import BackgroundProcess
from tests.snapshots.stage import FOLDER
from tests.store.making import Maker, write
from tests.tui.transcript_runs import BEGINNING

SESSION = "session-1"


def fill_the_store() -> None:
    """Three sessions of the last days; in the newest a person decided, and granted something."""
    with Store.open() as store:
        for number, text in enumerate(("read tides.py", "compare the harbours", "use 1.7 in tides.py"), 1):
            maker = Maker(run_id=f"run-{number}", session_id=f"session-{4 - number}")
            maker.start = BEGINNING - timedelta(days=3 - number, hours=2)
            maker.begin(text, workspace=str(FOLDER))
            maker.begin_turn()
            maker.request()
            maker.answer()
            if number == 3:
                _decided(maker, 1, "grep -rn mean_level .", "allow", scope="session")
                _decided(maker, 2, "rm -rf harbours", "deny", reason="not before the tests pass")
                _decided(maker, 3, "git status", "allow")
            maker.end()
            write(store, maker.events)


def _decided(
    maker: Maker, number: int, command: str, decision: Decision, scope: Scope = "call", reason: str = ""
) -> None:
    call_id, request_id, asked = f"c{number}", f"r{number}", {"command": command}
    why = "shell is not read-only, and default mode asks about it."
    maker.add(ToolProposed(call_id=call_id, tool="shell", arguments=asked))
    maker.add(ApprovalRequested(call_id=call_id, tool="shell", request_id=request_id, arguments=asked, why=why))
    maker.add(
        ApprovalResolved(
            call_id=call_id,
            tool="shell",
            request_id=request_id,
            decision=decision,
            scope=scope,
            match="exact",
            proposed=asked,
            arguments=asked if decision == "allow" else {},
            reason=reason,
            seconds=2.5,
        )
    )
    status = "ok" if decision == "allow" else "denied"
    maker.add(ToolFinished(call_id=call_id, tool="shell", output="done", status=status))


SERVERS = (
    ServerState(
        name="tides",
        transport="stdio",
        phase="ready",
        version="tides 1.2",
        pid=4243,
        tools=(
            ToolInfo(
                name="mcp__tides__forecast", original="forecast", description="Forecast a harbour.", read_only=True
            ),
        ),
    ),
    ServerState(
        name="charts", transport="stdio", phase="failed", problem="it ended with code 3", stderr="no such file"
    ),
    ServerState(name="harbour-master", transport="http", phase="off"),
)


@dataclass(frozen=True)
class Processes:
    """What runs in the background, as far as the screen asks."""

    def count(self, session_id: str | None = None) -> int:
        return 1

    def listed(self, session_id: str) -> Sequence[BackgroundProcess]:
        began = BEGINNING + timedelta(minutes=50)
        gauge = BackgroundProcess(
            process_id="p1",
            session_id=session_id,
            run_id="run-3",
            call_id="c8",
            name="gauge",
            command="python gauge.py",
            pid=4244,
            started=began,
            state="running",
            last_line="0.41 m",
        )
        tests = replace(gauge, process_id="p2", name="tests", command="pytest -q", pid=4245, last_line="2 failed")
        return gauge, replace(tests, state="ended", ended=began + timedelta(seconds=75), exit_code=1)
