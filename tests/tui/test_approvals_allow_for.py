"""The form of "allow for…": what it offers, what it says, and what of it reaches the run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from runner.events import Bound, Pattern, ToolPattern
from runner.models.base import Chunk
from runner.state import ApprovalView
from runner.testing import calls, reply
from runner.usage import Price
from tests.tui.cockpit import Deck, cockpit
from tui.view import calls_of
from tui.widgets.allow_for import AllowForForm, PatternRow
from tui.widgets.approval import ApprovalCard
from tui.widgets.card_fields import CardInput
from tui.widgets.pick import Pick


def shell(command: str) -> Sequence[Chunk]:
    return calls(("shell", {"command": command}))


def approvals(deck: Deck) -> list[ApprovalView]:
    return [call.approval for call in calls_of(deck.view.runs) if call.approval is not None]


def pick(deck: Deck, name: str) -> Pick:
    return deck.app.query_one(f"#allow-{name}", Pick)


def sentence(deck: Deck) -> str:
    return " ".join(" ".join(line.strip(" │") for line in deck.screen_text().split("\n")).split())


def pattern_fields(deck: Deck) -> list[CardInput]:
    return [row.field for row in deck.app.query(PatternRow) if row.display]


async def choose(deck: Deck, name: str, words: str) -> None:
    options = [str(option) for option in pick(deck, name).options]
    pick(deck, name).choose(next(index for index, option in enumerate(options) if words in option))
    await deck.settle()


async def test_the_narrowest_for_this_run_is_the_default_and_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a\n")
    steps = [reply(shell("touch made")), reply(shell("touch made")), reply(shell("touch other")), "Done."]
    async with cockpit(tmp_path, steps) as deck:
        await deck.send("do it")
        await deck.open_form("f", "allow_for")
        assert "allows shell with exactly these arguments in this run" in sentence(deck)
        await deck.save_form("enter")
        await deck.until(lambda: len(deck.view.waiting) == 1 and len(approvals(deck)) >= 2)
        assert approvals(deck)[0].match == "exact"
        assert approvals(deck)[0].scope == "run"
        assert "touch other" in str(deck.view.waiting[0].arguments)
        assert (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("how_far", "amount", "bound", "words"),
    [
        ("no bound", "", Bound(), "in this run"),
        ("calls", "3", Bound(calls=3), "3 calls at most, this one counted"),
        ("one failure", "", Bound(until_failure=True), "until one of them fails"),
    ],
)
async def test_a_prefix_and_each_bound_reach_the_run(
    tmp_path: Path, how_far: str, amount: str, bound: Bound, words: str
) -> None:
    steps = [reply(shell("git status -s")), reply(shell("git status --long")), "Done."]
    async with cockpit(tmp_path, steps) as deck:
        await deck.send("do it")
        await deck.open_form("f", "allow_for")
        await choose(deck, "what", "`git status …`")
        await choose(deck, "bound", how_far)
        if amount:
            deck.app.query_one("#allow-amount", CardInput).value = amount
        await deck.until(lambda: words in sentence(deck) and "every `git status …`" in sentence(deck))
        await deck.save_form()
        await deck.until(lambda: bool(approvals(deck)) and approvals(deck)[0].decision == "allow")
        found = approvals(deck)[0]
        assert found.patterns == (ToolPattern(tool="shell", pattern=Pattern(prefix=("git", "status"))),)
        assert (found.scope, found.match, found.bound) == ("run", "pattern", bound)


async def test_minutes_and_money_reach_the_run(tmp_path: Path) -> None:
    steps = [reply(shell("touch one")), reply(shell("touch two")), "Done."]
    async with cockpit(tmp_path, steps, price=Price(input=Decimal(1), output=Decimal(1))) as deck:
        await deck.send("do it")
        await deck.open_form("f", "allow_for")
        await choose(deck, "bound", "minutes")
        deck.app.query_one("#allow-amount", CardInput).value = "7"
        await deck.until(lambda: "for the next 7 min" in sentence(deck))
        await deck.save_form()
        await deck.until(lambda: len(approvals(deck)) == 2 and approvals(deck)[0].decision == "allow")
        first = approvals(deck)[0]
        assert first.bound.until is not None
        left = first.bound.until - first.time
        assert timedelta(minutes=7) <= left < timedelta(minutes=8)
        await deck.waiting()
        await deck.open_form("f", "allow_for")
        await choose(deck, "bound", "dollars")
        deck.app.query_one("#allow-amount", CardInput).value = "0.25"
        await deck.until(lambda: "until the run has cost $0.2500 more" in sentence(deck))
        await deck.save_form()
        await deck.ended()
        limit = approvals(deck)[1].bound.until_cost
        assert limit is not None
        assert Decimal("0.25") <= limit < Decimal("0.26")


async def test_a_pattern_is_edited_in_place_and_a_bad_one_is_said(tmp_path: Path) -> None:
    steps = [reply(calls(("write_file", {"path": "src/deep/new.txt", "content": "x"}))), "Done."]
    (tmp_path / "src" / "deep").mkdir(parents=True)
    async with cockpit(tmp_path, steps) as deck:
        await deck.send("do it")
        await deck.open_form("f", "allow_for")
        await choose(deck, "what", "src/deep and below")
        (folder,) = pattern_fields(deck)
        assert folder.value == "src/deep"
        folder.value = "src/*"
        await deck.until(lambda: "without * and ?" in sentence(deck))
        await deck.save_form()
        await deck.undecided()
        assert deck.view.waiting
        folder.value = "src"
        await choose(deck, "scope", "session")
        await deck.until(lambda: "every write_file in src and below in this session" in sentence(deck))
        await deck.save_form()
        await deck.ended()
        found = approvals(deck)[0]
        assert found.patterns == (ToolPattern(tool="write_file", pattern=Pattern(below=str(tmp_path / "src"))),)
        assert found.scope == "session"


async def test_a_pattern_that_the_run_refuses_comes_back_as_it_was_edited(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(shell("git status -s")), "Done."]) as deck:
        await deck.send("do it")
        await deck.open_form("f", "allow_for")
        await choose(deck, "what", "`git status …`")
        pattern_fields(deck)[0].value = "git push"
        await deck.settle()
        await deck.save_form()
        await deck.until(lambda: deck.screen_text().count("that answer was refused") >= 2)
        assert deck.card.answering == "allow_for"
        assert pattern_fields(deck)[0].value == "git push"
        assert deck.view.waiting


async def test_the_keys_alone_fill_in_the_form(tmp_path: Path) -> None:
    steps = [reply(shell("git status -s")), reply(shell("git status --long")), "Done."]
    async with cockpit(tmp_path, steps, size=(80, 24)) as deck:
        await deck.send("do it")
        await deck.open_form("f", "allow_for")
        await deck.pilot.press("3")
        await deck.until(lambda: pick(deck, "what").chosen == 2)
        # What, the beginning of the command, how long, how far, and then the amount that appeared.
        await deck.pilot.press("tab", "tab", "tab", "right", "tab", "backspace", "2")
        await deck.until(lambda: "2 calls at most" in sentence(deck))
        assert "ctrl+s allow all that" in deck.screen_text()
        await deck.save_form("enter")
        await deck.ended()
        assert [approval.by for approval in approvals(deck)] in (["user"], ["user", "grant"])
        assert approvals(deck)[0].bound == Bound(calls=2)


async def test_trying_on_history_asks_for_it_with_the_edited_patterns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with cockpit(tmp_path, [reply(shell("git status -s")), "Done."]) as deck:
        asked: list[ApprovalCard.TryOnHistory] = []
        monkeypatch.setattr(deck.conductor.answers, "try_on_history", asked.append)
        await deck.send("do it")
        await deck.open_form("f", "allow_for")
        await choose(deck, "what", "`git status …`")
        pattern_fields(deck)[0].value = "git status -s"
        await deck.settle()
        await deck.pilot.press("ctrl+f")
        await deck.until(lambda: bool(asked))
        assert asked[0].patterns == (ToolPattern(tool="shell", pattern=Pattern(prefix=("git", "status", "-s"))),)
        assert (asked[0].effect, asked[0].tool, asked[0].arguments["command"]) == ("allow", "shell", "git status -s")
        assert deck.view.waiting
        assert deck.app.query_one(AllowForForm).display
