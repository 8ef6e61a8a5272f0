"""Retry countdowns, single tools, last answers, summaries: keys for what goes on, and a word where they do not fit."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from runner.errors import RateLimitError
from runner.testing import ScriptedModel, calls, hold, reply, text
from tests.tui.cockpit import Deck, cockpit
from tui.widgets.call_list import CallList

LONG = 100.0
"""Seconds of a wait that only a key can end."""


def busy() -> RateLimitError:
    return RateLimitError("slow down", retry_after=LONG)


def until_there(name: str) -> tuple[str, dict[str, str]]:
    """A command that runs until a file is there."""
    return "shell", {"command": f"while [ ! -e {name} ]; do sleep 0.02; done; echo over {name}"}


async def allow_all(deck: Deck) -> None:
    """Allow the shell for the run."""
    await deck.waiting()
    await deck.armed()
    await deck.pilot.press("r")


async def allow_both(deck: Deck) -> None:
    """Allow two calls that wait, one after the other."""
    await deck.until(lambda: len(deck.view.waiting) == 2)
    for left in (1, 0):
        await deck.armed()
        await deck.pilot.press("y")
        await deck.until(partial(_are_waiting, deck, left))


def _are_waiting(deck: Deck, number: int) -> bool:
    return len(deck.view.waiting) == number


def status(deck: Deck) -> str:
    """The status line."""
    return deck.screen_text().split("\n")[-2]


def calls_shown(deck: Deck) -> CallList:
    return deck.app.cockpit.query_one(CallList)


async def test_the_wait_for_an_attempt_shows_its_keys_and_is_skipped(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [busy(), "Back again."], size=(140, 40)) as deck:
        assert "f10" not in deck.screen_text()
        await deck.send("try")
        await deck.until(lambda: deck.view.retrying and "rate limit; again in" in status(deck))
        await deck.settle()
        assert "f10 retry now" in status(deck)
        await deck.pilot.press("f10")
        await deck.ended()
        assert "Back again." in deck.screen_text()
        assert len(deck.model.requests) == 2
        assert "f10" not in deck.screen_text()


async def test_instead_of_waiting_the_next_model_answers(tmp_path: Path) -> None:
    other = ScriptedModel(["From the fallback."], name="test/other")
    limits = {"fallback_models": ("test/other",)}
    async with cockpit(tmp_path, [busy()], others={"test/other": other}, limits=limits, size=(140, 40)) as deck:
        await deck.send("try")
        await deck.until(lambda: deck.view.retrying)
        await deck.until(lambda: "f12 next model" in status(deck))
        await deck.pilot.press("f12")
        await deck.ended()
        assert "From the fallback." in deck.screen_text()
        assert len(deck.model.requests) == 1


async def test_without_a_fallback_the_refusal_says_so(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [busy(), "Back."]) as deck:
        await deck.send("try")
        await deck.until(lambda: deck.view.retrying)
        await deck.pilot.press("f12")
        await deck.until(lambda: "there is no other model to go to" in status(deck))
        await deck.pilot.press("f10")
        await deck.ended()


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("f10", "no attempt waits to be repeated now"),
        ("f12", "no attempt waits to be repeated now"),
        ("f7", "no tool runs now"),
        ("f5", "nothing runs now"),
        ("ctrl+c", "nothing runs now"),
        ("escape", "nothing runs now"),
        ("f9", "nothing runs now"),
        ("ctrl+g", "nothing waits for an answer"),
        ("alt+q", "no message waits for delivery"),
        ("f8", "there is no answer to copy yet"),
        ("ctrl+s", "nothing is written, and nothing runs"),
    ],
)
async def test_a_key_that_can_do_nothing_says_why(tmp_path: Path, key: str, why: str) -> None:
    async with cockpit(tmp_path) as deck:
        await deck.pilot.press(key)
        await deck.until(lambda: why in status(deck))
        assert deck.composer.has_focus


@pytest.mark.parametrize("command", ["/retry", "/next-model", "/cancel", "/wrap", "/pause", "/stop", "/queue"])
async def test_a_command_that_can_do_nothing_says_why(tmp_path: Path, command: str) -> None:
    async with cockpit(tmp_path) as deck:
        before = status(deck)
        await deck.send(f"{command} ")
        await deck.until(lambda: status(deck) != before)
        assert "no" in status(deck)
        assert deck.view.runs == ()


async def test_the_only_running_call_is_cancelled_and_the_run_goes_on(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(calls(until_there("a"))), "It was cancelled."]) as deck:
        await deck.send("run it")
        await allow_all(deck)
        await deck.until(lambda: deck.view.running_calls and deck.view.running_calls[0].pid is not None)
        await deck.pilot.press("f7")
        await deck.until(lambda: "cancelling shell: while" in status(deck) or "It was cancelled." in deck.screen_text())
        await deck.ended()
        assert "It was cancelled." in deck.screen_text()
        assert deck.view.run is not None
        assert deck.view.run.reason == "complete"


async def test_of_several_running_calls_one_is_chosen(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(calls(until_there("a"), until_there("b"))), "One of two."]) as deck:
        await deck.send("run them")
        await allow_both(deck)
        await deck.until(lambda: len([call for call in deck.view.running_calls if call.pid is not None]) == 2)
        await deck.pilot.press("f7")
        await deck.until(lambda: calls_shown(deck).in_focus)
        await deck.settle()
        shown = deck.screen_text()
        assert "cancel which one? enter cancels it · esc cancels none" in shown
        assert shown.count("· process ") + shown.count("  process ") >= 2
        await deck.pilot.press("escape")
        await deck.until(lambda: deck.composer.has_focus)
        await deck.pilot.press("f7")
        await deck.until(lambda: calls_shown(deck).in_focus)
        await deck.pilot.press("down", "enter")
        await deck.until(lambda: len(deck.view.running_calls) == 1)
        assert not calls_shown(deck).display
        assert deck.composer.has_focus
        assert " a ]" in str(deck.view.running_calls[0].arguments)
        (tmp_path / "a").touch()
        await deck.ended()
        assert "One of two." in deck.screen_text()


async def test_the_call_that_is_selected_in_the_tool_calls_is_cancelled(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(calls(until_there("a"), until_there("b"))), "One of two."]) as deck:
        await deck.send("run them")
        await allow_both(deck)
        await deck.until(lambda: len(deck.view.running_calls) == 2)
        deck.app.cockpit.query_one("#timeline").focus()
        await deck.settle()
        await deck.pilot.press("home", "f7")
        await deck.until(lambda: len(deck.view.running_calls) == 1)
        assert " b ]" in str(deck.view.running_calls[0].arguments)
        (tmp_path / "b").touch()
        await deck.ended()


async def test_wrapping_up_asks_for_one_last_answer(tmp_path: Path) -> None:
    gate = hold()
    first = reply(text("looking "), gate, calls(("list_files", {})))
    async with cockpit(tmp_path, [first, "The last words."]) as deck:
        await deck.send("look")
        await deck.until(lambda: "looking" in deck.screen_text())
        await deck.send("/wrap ")
        await deck.until(lambda: "one last answer without tools" in status(deck))
        gate.release()
        await deck.ended()
        assert "The last words." in deck.screen_text()


async def test_a_summary_is_asked_for_before_the_next_run(tmp_path: Path) -> None:
    async with cockpit(tmp_path, ["First answer.", "Second answer."]) as deck:
        await deck.send("/compact ")
        await deck.until(lambda: "there is no history to summarise yet" in status(deck))
        await deck.send("first")
        await deck.ended()
        await deck.send("/compact ")
        await deck.until(lambda: "summarised before the next answer" in status(deck))
        assert deck.conductor.deck.compact_next
        await deck.send("second")
        await deck.until(lambda: len(deck.view.runs) == 2)
        assert not deck.conductor.deck.compact_next
        await deck.ended()


async def test_a_pause_that_is_not_reached_yet_is_taken_back(tmp_path: Path) -> None:
    gate = hold()
    first = reply(text("looking "), gate, calls(("list_files", {})))
    async with cockpit(tmp_path, [first, "Done now."]) as deck:
        await deck.send("look")
        await deck.until(lambda: "looking" in deck.screen_text())
        await deck.pilot.press("f5")
        await deck.until(lambda: "pausing at the next boundary" in status(deck))
        await deck.pilot.press("f5")
        await deck.until(lambda: "going on" in status(deck))
        gate.release()
        await deck.ended()
        assert "Done now." in deck.screen_text()
