"""Shell commands that run when a run is ended: what an abort, a stop and a denial do to real processes."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import psutil

from tests.e2e.records import Records, calls_of
from tests.e2e.terminal import ARMED, OpenTerminal, Terminal, alive_with


def new_marker() -> str:
    """A number of seconds that nothing else sleeps."""
    return f"86{uuid.uuid4().int % 10**9:09d}"


def sleepers(marker: str) -> list[str]:
    return [found for found in alive_with(marker) if found.endswith(f": sleep {marker}")]


def run_command(deck: Terminal, command: str, marker: str, count: int) -> None:
    """Have the demo run a command, allow it, and wait until so many of its processes sleep."""
    deck.send(f"run `{command}`")
    deck.wait_for("shell wants to run a command", marker, ARMED)
    assert sleepers(marker) == []
    deck.press("y")
    deck.until(lambda: len(sleepers(marker)) == count, "the command's processes")
    deck.wait_for("running shell", "● running")


def test_abort_ends_every_process_of_a_command(terminal: OpenTerminal, records: Records) -> None:
    deck, marker = terminal(), new_marker()
    deck.start()
    deck.wait_for("ready")
    # One in the background, one in a pipe, and one whose parent does not obey SIGTERM.
    deaf = f"bash -c 'trap \"\" TERM; sleep {marker}; sleep {marker}'"
    run_command(deck, f"sleep {marker} & sleep {marker} | cat & {deaf}", marker, 3)
    groups = {os.getpgid(int(found.partition(":")[0])) for found in alive_with(marker)}
    assert os.getpgid(deck.running().pid) not in groups
    deck.press("F9")
    deck.wait_for("■ Aborted", "Process sleep", "shell was cut and may have had effects", "aborted, the receipt")
    assert alive_with(marker) == []
    assert _alive_in(groups) == []
    deck.press("C-q")
    assert deck.left() == 0
    (run,) = records.runs()
    assert (run.status, run.reason) == ("cancelled", "aborted")
    assert [(call.status, call.side_effects) for call in calls_of(run)] == [("interrupted", "unknown")]


def test_stop_lets_a_command_finish(terminal: OpenTerminal, folder: Path, records: Records) -> None:
    deck, marker = terminal(), new_marker()
    deck.start()
    deck.wait_for("ready")
    deck.send(f"run `until test -e gate; do sleep 0.05; done; echo through-{marker}`")
    deck.wait_for("shell wants to run a command", ARMED)
    deck.press("y")
    deck.wait_for("● running")
    deck.press("C-c")
    deck.wait_for("Stop requested by you", "stopping: waiting for shell")
    assert alive_with(marker)
    (folder / "gate").touch()
    deck.wait_for("■ Stopped", "stopped — a message continues this session")
    deck.press("C-q")
    assert deck.left() == 0
    (run,) = records.runs()
    (call,) = calls_of(run)
    assert run.reason == "stopped"
    assert call.status == "ok"
    assert f"through-{marker}" in call.output


def test_ending_the_run_at_an_approval_runs_nothing(terminal: OpenTerminal, folder: Path, records: Records) -> None:
    deck = terminal()
    deck.start()
    deck.wait_for("ready")
    deck.send("run `touch never`")
    deck.wait_for("$ touch never", ARMED)
    deck.press("x")
    deck.wait_for("ended by you at an approval")
    deck.press("C-q")
    assert deck.left() == 0
    assert not (folder / "never").exists()
    assert records.runs()[0].reason == "approval_terminated"


def test_quitting_asks_first_and_then_ends_the_command(terminal: OpenTerminal, records: Records) -> None:
    deck, marker = terminal(), new_marker()
    deck.start()
    deck.wait_for("ready")
    run_command(deck, f"sleep {marker}", marker, 1)
    deck.press("C-q")
    deck.wait_for("a run goes on: the same key again aborts it, saves and quits")
    assert len(sleepers(marker)) == 1
    deck.press("C-q")
    assert deck.left() == 0
    assert alive_with(marker) == []
    assert deck.left_on() == set()
    assert records.runs()[0].reason == "aborted"


def _alive_in(groups: set[int]) -> list[int]:
    found: list[int] = []
    for process in psutil.process_iter(["status"]):
        if process.info["status"] in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            continue
        try:
            if os.getpgid(process.pid) in groups:
                found.append(process.pid)
        except ProcessLookupError:
            continue
    return found
