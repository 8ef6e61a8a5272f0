"""Processes in the background on the screen: the list, the status line, leaving a session, quitting; the sandbox."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.testing import calls, reply
from runner.testing.scripted import Response
from runner.tools.sandbox import SandboxStatus
from tests.processes.support import is_alive, no_trace_of, running, sleeper
from tests.tui.cockpit import Deck, cockpit
from tui.sandbox_words import sandbox_words
from tui.screens.processes import ProcessesScreen
from tui.screens.viewer import Viewer

HOSTILE = "printf '\\033]0;evil\\007[bold]not markup[/nope] \\033[31mred\\n'"


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.tools.builtin.background.FIRST_LOOK", 0.3)
    monkeypatch.setattr("tui.screens.processes.LOOK", 0.05)


def starts(*commands: tuple[str, str]) -> list[Response]:
    script = [reply(calls(("start_process", {"command": command, "name": name}))) for command, name in commands]
    return [*script, "All started."]


async def opened(deck: Deck) -> ProcessesScreen:
    await deck.pilot.press("alt+p")
    await deck.until(lambda: isinstance(deck.app.screen, ProcessesScreen), "the list")
    screen = deck.app.screen
    assert isinstance(screen, ProcessesScreen)
    return screen


def pids(deck: Deck) -> list[int]:
    processes = deck.app.engine.processes
    assert processes is not None
    return [process.pid for process in processes.running()]


BYPASS = {"approval_mode": "bypass", "abort_grace": 0.3}


async def test_the_list_shows_what_runs_and_ends_one_or_all(tmp_path: Path) -> None:
    one, two = sleeper(), sleeper()
    script = starts((f"echo served; {one}", "server"), (f"{HOSTILE}; {two}", "[red]watch[/]"), ("exit 3", "broken"))
    with no_trace_of(one, two):
        async with cockpit(tmp_path, script, limits=BYPASS) as deck:
            await deck.send("go")
            await deck.ended()
            assert "2 in background" in deck.screen_text()
            await opened(deck)
            await deck.until(lambda: "served" in deck.screen_text())
            shown = deck.screen_text().split("\n")
            server, watch, broken = (
                next(line for line in shown if name in line) for name in ("server", "watch", "brok")
            )
            assert "● running" in server
            assert "[red]watch[/]" in watch
            assert "[bold]not markup[/nope]" in watch
            assert "exit 3" in broken
            assert str(pids(deck)[0]) in server

            # The newest that runs comes first: it is the one that is selected.
            await deck.pilot.press("enter")
            await deck.until(lambda: isinstance(deck.app.screen, Viewer), "the output")
            await deck.until(lambda: "not markup" in deck.screen_text())
            assert "\x1b" not in deck.screen_text()
            await deck.pilot.press("escape")
            await deck.until(lambda: isinstance(deck.app.screen, ProcessesScreen), "the list again")

            await deck.pilot.press("ctrl+d")
            await deck.until(lambda: not running(two))
            await deck.until(lambda: "SIGTERM" in deck.screen_text())
            assert running(one)
            await deck.pilot.press("ctrl+x")
            await deck.until(lambda: "end 1 process?" in deck.screen_text())
            assert running(one)
            await deck.pilot.press("ctrl+x")
            await deck.until(lambda: not running(one))
            await deck.pilot.press("escape")
            await deck.until(lambda: "in background" not in deck.screen_text() and "All started." in deck.screen_text())


async def test_another_session_ends_them_and_says_so(tmp_path: Path) -> None:
    away = sleeper()
    with no_trace_of(away):
        async with cockpit(tmp_path, starts((away, "server")), limits=BYPASS) as deck:
            await deck.send("go")
            await deck.ended()
            assert running(away)
            await deck.pilot.press("ctrl+n")
            await deck.until(lambda: not running(away))
            await deck.until(lambda: "1 background process ended with the session" in deck.screen_text())
            await deck.send("/processes")
            await deck.until(lambda: "nothing runs in the background" in deck.screen_text())


async def test_quitting_asks_first_and_ends_them(tmp_path: Path) -> None:
    away = sleeper()
    with no_trace_of(away):
        async with cockpit(tmp_path, starts((f"trap '' TERM; setsid {away} & wait", "server")), limits=BYPASS) as deck:
            await deck.send("go")
            await deck.ended()
            [pid] = pids(deck)
            await deck.pilot.press("ctrl+q")
            await deck.until(lambda: "1 background process will end" in deck.screen_text())
            assert is_alive(pid)
            await deck.pilot.press("ctrl+q")
            await deck.until(lambda: not running(away))
            await deck.until(lambda: not is_alive(pid))


async def test_the_status_line_says_that_there_is_no_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    async with cockpit(folder, size=(140, 30), options={"sandbox.mode": "auto"}) as deck:
        await deck.until(lambda: "no sandbox: bubblewrap (bwrap) is not installed" in deck.screen_text())
    assert os.listdir(folder) == []


@pytest.mark.parametrize(
    ("status", "width", "words"),
    [
        (None, 120, ""),
        (SandboxStatus(on=True, wanted=True), 120, "sandbox"),
        (SandboxStatus(on=True, wanted=True), 80, ""),
        (SandboxStatus(on=False, why="it is switched off"), 120, "no sandbox"),
        (SandboxStatus(on=False, why="it is switched off"), 80, ""),
        (SandboxStatus(on=False, why="no bwrap", wanted=True), 140, "no sandbox: no bwrap"),
        (SandboxStatus(on=False, why="no bwrap", wanted=True), 120, "no sandbox"),
        (SandboxStatus(on=False, why="no bwrap", wanted=True), 80, "no sandbox"),
        (SandboxStatus(on=False, why="no bwrap", wanted=True, required=True), 80, "no sandbox, no commands"),
        (SandboxStatus(on=False, why="no bwrap", wanted=True, required=True), 40, ""),
    ],
)
def test_the_words_about_the_sandbox(status: SandboxStatus | None, width: int, words: str) -> None:
    assert sandbox_words(status, width)[0] == words
