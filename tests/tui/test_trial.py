"""Trying a rule on the past before it is saved: real runs are asked about, a rule is tried, saved, and then counts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pytest
from textual.widgets import Input

from runner.control.commands import Decide
from runner.events import Pattern, ToolPattern
from runner.testing import calls, reply
from runner.testing.scripted import Response
from tests.tui.cockpit import Deck, cockpit
from tui.rule_line import Draft
from tui.screens.save_rule import SaveRule
from tui.screens.trial import TrialScreen, open_trial_of
from tui.screens.viewer import Viewer
from tui.settings import load_settings
from tui.view import calls_of


def asks(*commands: str) -> list[Response]:
    """One run for each command."""
    found: list[Response] = []
    for command in commands:
        found += [reply(calls(("shell", {"command": command}))), "noted"]
    return found


@pytest.fixture(autouse=True)
def own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTERDECK_CONFIG", str(tmp_path / "conf"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    here = tmp_path / "project"
    here.mkdir()
    return here


async def answer(deck: Deck, decision: Literal["allow", "deny"]) -> None:
    """A run, and the answer to what it asks."""
    runs = len(deck.view.runs)
    await deck.send("go on")
    await deck.until(lambda: len(deck.view.runs) > runs and bool(deck.view.waiting), "a question")
    approval = deck.view.waiting[0].approval
    assert approval is not None
    deck.conductor.deck.decide(Decide(request_id=approval.request_id, decision=decision))
    await deck.ended()


async def trial(deck: Deck) -> TrialScreen:
    await deck.until(
        lambda: isinstance(deck.app.screen, TrialScreen) and bool(deck.app.screen.query(Input)), "the trial"
    )
    screen = deck.app.screen
    assert isinstance(screen, TrialScreen)
    return screen


async def tried(deck: Deck, words: str) -> str:
    await deck.until(lambda: words in " ".join(deck.screen_text().split()), words)
    return deck.screen_text()


async def test_what_a_rule_would_have_done_with_contradictions_first(folder: Path) -> None:
    async with cockpit(folder, asks("echo one", "echo two", "echo three; rm x", "printf no"), size=(100, 32)) as deck:
        decisions: tuple[Literal["allow", "deny"], ...] = ("deny", "allow", "allow", "allow")
        for decision in decisions:
            await answer(deck, decision)
        await deck.send("/try allow shell prefix echo")
        await trial(deck)
        text = await tried(deck, "would have allowed 2 of the 4 past requests, among them 1 that you denied")
        rows = [line for line in text.splitlines() if " shell " in line and ":" in line and "prefix" not in line]
        found = [
            (line.split(" shell ")[1].split("│")[0].strip(), "! allowed" in line, "✓ allowed" in line) for line in rows
        ]
        assert found == [
            ("echo one", True, False),
            ("echo two", False, True),
            ("printf no", False, False),
            ("echo three; rm x", False, False),
        ]
        await deck.pilot.press("enter")
        await deck.until(lambda: isinstance(deck.app.screen, Viewer), "the request")
        assert "you denied" in deck.screen_text()
        assert "allow shell, commands that begin with: echo" in " ".join(deck.screen_text().split())
        await deck.pilot.press("escape")
        await trial(deck)


async def test_an_unfinished_line_says_what_is_missing(folder: Path) -> None:
    async with cockpit(folder, asks("true"), size=(100, 32)) as deck:
        await answer(deck, "allow")
        await deck.pilot.press("alt+t")
        screen = await trial(deck)
        field = screen.query_one(Input)
        await tried(deck, "such as allow shell prefix")
        for line, words in (
            ("allow", "name a tool"),
            ("allow shell prefix", "names no command"),
            ("allow shell prefix sudo", "names too little"),
            ("permit shell", "begins with allow, deny or ask"),
            ("allow web_fetch host a/b", "the host"),
            ('deny shell prefix "a', "a quote is not closed"),
            ("deny shell", "would have denied 1 of the 1 past request, among them 1"),
        ):
            field.value = line
            await tried(deck, words)
        await deck.pilot.press("escape")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit)


async def test_a_proposed_rule_is_widened_saved_and_counts(folder: Path, tmp_path: Path) -> None:
    steps = asks("git --version", "git --version; printf x")
    async with cockpit(folder, steps, size=(100, 32)) as deck:
        await answer(deck, "allow")
        draft = Draft(effect="allow", patterns=(), tool="shell", arguments={"command": "git --version"})
        open_trial_of(deck.conductor.browsing.desk, draft)
        screen = await trial(deck)
        await deck.until(lambda: screen.query_one(Input).value == "allow shell prefix git --version")
        await tried(deck, "would have allowed 1 of the 1 past request")
        await deck.pilot.press("shift+tab")
        await deck.until(lambda: screen.query_one(Input).value.startswith("allow shell arguments {"))
        await deck.pilot.press("tab")
        await tried(deck, "would have allowed 1 of the 1 past request")
        await deck.until(lambda: screen.query_one(Input).value == "allow shell prefix git --version")
        await deck.pilot.press("ctrl+s")
        await deck.until(lambda: isinstance(deck.app.screen, SaveRule), "where to")
        await deck.pilot.press(*"safe")
        text = await tried(deck, 'note = "safe"')
        assert 'examples = [{ command = "git --version" }]' in text
        await deck.pilot.press("enter")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit, "the cockpit")
        await tried(deck, "saved, and it counts from the next run on")
        saved = tmp_path / "conf" / "config.toml"
        assert load_settings(folder, os.environ).rules[0].note == "safe"
        assert str(saved) in load_settings(folder, os.environ).rules[0].source
        # In the same program, and in the next one.
        await deck.send("again")
        await deck.waiting()
        assert deck.view.waiting[0].arguments == {"command": "git --version; printf x"}
        await deck.pilot.press("f9")
        await deck.ended()
    async with cockpit(folder, asks("git --version"), size=(100, 32)) as deck:
        await deck.send("once more")
        await deck.ended()
        (call,) = calls_of(deck.view.runs)
        assert (call.status, call.approval) == ("ok", None)


async def test_the_project_takes_the_rule_and_hostile_text_stays_text(folder: Path) -> None:
    command = "echo \u202e[@click=app.quit()]x[/]\x1b]8;;http://a\x07"
    async with cockpit(folder, asks(command), size=(80, 24)) as deck:
        await answer(deck, "deny")
        patterns = (ToolPattern(tool="shell", pattern=Pattern(prefix=("echo",))),)
        open_trial_of(deck.conductor.browsing.desk, Draft(effect="deny", patterns=patterns))
        await trial(deck)
        text = await tried(deck, "would have denied 1")
        assert "\u202e" not in text
        assert "\x1b" not in text
        assert "echo ⟦U+202E⟧[@" in text
        await deck.pilot.press("ctrl+s")
        await deck.until(lambda: isinstance(deck.app.screen, SaveRule), "where to")
        await deck.pilot.press("down")
        text = await tried(deck, 'effect = "deny"')
        assert "\u202e" not in text
        await deck.pilot.press("enter")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit, "the cockpit")
    assert load_settings(folder, os.environ).rules[0].level == "project"
