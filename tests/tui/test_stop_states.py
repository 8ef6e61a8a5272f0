"""Stop and abort are seen at once in every state of a run, and end it as they should."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from runner.agent import Agent
from runner.errors import RateLimitError
from runner.state import Compacting
from runner.testing import calls, hold, reply, text
from runner.testing.gate import Gate
from tests.tui.cockpit import Deck, ScriptedSettings, cockpit

LOOK = calls(("list_files", {}))
FOREVER = calls(("shell", {"command": "while :; do sleep 0.02; done"}))


async def _streaming(deck: Deck, gate: Gate) -> None:
    await deck.send("go")
    await deck.until(lambda: "half" in deck.screen_text())


async def _retry_wait(deck: Deck, gate: Gate) -> None:
    await deck.send("go")
    await deck.until(lambda: deck.view.retrying)


async def _paused(deck: Deck, gate: Gate) -> None:
    await deck.send("go")
    await deck.until(lambda: "half" in deck.screen_text())
    await deck.pilot.press("f5")
    gate.release()
    await deck.until(lambda: deck.view.live is not None and deck.view.live.status == "paused")


async def _limit_asked(deck: Deck, gate: Gate) -> None:
    await deck.send("go")
    await deck.until(lambda: deck.view.limit_asked is not None)


async def _approval_waits(deck: Deck, gate: Gate) -> None:
    await deck.send("go")
    await deck.waiting()


async def _tool_runs(deck: Deck, gate: Gate) -> None:
    await deck.send("go")
    await deck.waiting()
    await deck.armed()
    await deck.pilot.press("y")
    await deck.until(lambda: deck.view.running_calls and deck.view.running_calls[0].pid is not None)


async def _compacting(deck: Deck, gate: Gate) -> None:
    for message in ("one", "two", "three", "four", "five", "six"):
        await deck.send(message)
        await deck.ended()
    await deck.send("/compact ")
    await deck.send("go")
    await deck.until(lambda: deck.view.live is not None and isinstance(deck.view.live.phase, Compacting))


State: TypeAlias = Callable[[Deck, Gate], Awaitable[None]]
STATES: dict[str, State] = {
    "retry_wait": _retry_wait,
    "paused": _paused,
    "limit_asked": _limit_asked,
    "approval_waits": _approval_waits,
    "streaming": _streaming,
    "tool_runs": _tool_runs,
    "compacting": _compacting,
}
WAITS_FOR = {
    "streaming": "stopping: the answer is being finished",
    "tool_runs": "stopping: waiting for",
    "compacting": "stopping: the summary is being finished",
}
"""States in which a stop has something to wait for, and how the status line says so; in the others it ends now."""


def script(state: str, gate: Gate) -> list[Any]:
    match state:
        case "streaming" | "paused":
            return [reply(text("half "), gate, LOOK), "rest"]
        case "retry_wait":
            return [RateLimitError("slow down", retry_after=100.0), "rest"]
        case "limit_asked":
            return [reply(LOOK), "rest"]
        case "approval_waits" | "tool_runs":
            return [reply(FOREVER), "rest"]
        case _:
            return [*(f"answer {number}" for number in range(6)), reply(text("summary "), gate), "rest"]


@asynccontextmanager
async def a_run(folder: Path, state: str) -> AsyncGenerator[Deck]:
    gate = hold()
    limits = {"max_turns": 1} if state == "limit_asked" else {}
    async with cockpit(folder, script(state, gate), limits=limits) as deck:
        await STATES[state](deck, gate)
        yield deck


def status(deck: Deck) -> str:
    return deck.screen_text().split("\n")[-2]


def reason(deck: Deck) -> str | None:
    return deck.view.run.reason if deck.view.run is not None else None


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("key", "word"), [("ctrl+c", "stop"), ("f9", "abort")])
async def test_the_key_is_answered_at_once(tmp_path: Path, state: str, key: str, word: str) -> None:
    async with a_run(tmp_path, state) as deck:
        await deck.pilot.press(key)
        assert word in status(deck).partition("●")[2].partition("—")[0], status(deck)
        await deck.pilot.press("f9")
        await deck.ended()


@pytest.mark.parametrize("state", [each for each in STATES if each not in WAITS_FOR])
async def test_stop_ends_what_only_waits(tmp_path: Path, state: str) -> None:
    async with a_run(tmp_path, state) as deck:
        await deck.pilot.press("ctrl+c")
        await deck.ended()
        assert reason(deck) == "stopped"
        assert "stopped" in status(deck)
        assert deck.composer.has_focus


@pytest.mark.parametrize("state", WAITS_FOR)
async def test_stop_says_what_it_waits_for_and_a_second_press_aborts(tmp_path: Path, state: str) -> None:
    async with a_run(tmp_path, state) as deck:
        await deck.pilot.press("ctrl+c")
        await deck.until(lambda: deck.view.stopping)
        await deck.settle()
        assert WAITS_FOR[state] in status(deck)
        assert "ctrl+c again aborts" in status(deck)
        await deck.pilot.press("ctrl+c")
        await deck.ended()
        assert reason(deck) == "aborted"
        assert "aborted" in status(deck)


@pytest.mark.parametrize("state", STATES)
async def test_abort_ends_at_once(tmp_path: Path, state: str) -> None:
    async with a_run(tmp_path, state) as deck:
        await deck.pilot.press("f9")
        await deck.ended()
        assert reason(deck) == "aborted"
        assert not deck.view.waiting
        assert deck.view.limit_asked is None


async def test_stop_before_the_run_has_begun_is_seen_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run begins in another thread: it is held until the key was pressed."""
    pressed = threading.Event()
    described = ScriptedSettings.agent

    def held(settings: ScriptedSettings, name: str | None = None) -> Agent:
        pressed.wait(20)
        return described(settings, name)

    monkeypatch.setattr(ScriptedSettings, "agent", held)
    async with cockpit(tmp_path, [reply(text("half "), hold())]) as deck:
        deck.composer.replace_all("go")
        deck.conductor.do("send")
        deck.conductor.do("stop")
        assert deck.view.stop_asked == "stop"
        pressed.set()
        await deck.until(lambda: deck.view.run is not None and deck.view.run.finished)
        assert reason(deck) == "stopped"
        assert deck.model.requests == []
