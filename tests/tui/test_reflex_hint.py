"""Approving by reflex is noticed in one quiet line, once, and the rule that it proposes is a key away."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from runner.control.commands import Decide
from runner.policy.reflex import LEAST
from runner.testing import calls, reply
from tests.tui.cockpit import Deck, cockpit
from tui.screens.trial import TrialScreen
from tui.widgets.approval import ApprovalCard


async def allow(deck: Deck, path: str) -> None:
    def waits() -> bool:
        return any(isinstance(call.arguments, dict) and call.arguments["path"] == path for call in deck.view.waiting)

    await deck.until(waits, f"a question about {path}")
    approval = deck.view.waiting[0].approval
    assert approval is not None
    # As the card does it.
    answer = Decide(request_id=approval.request_id, decision="allow")
    deck.conductor.answers.decide(ApprovalCard.Decided(answer))


def hinted(deck: Deck) -> bool:
    notice = deck.view.notice
    return notice is not None and "in a row: alt+t tries a rule" in notice.text


async def test_many_quick_yeses_propose_a_rule_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTERDECK_CONFIG", str(tmp_path / "conf"))
    number = LEAST + 3
    paths = [f"notes/{index}.txt" for index in range(number)]
    steps = [*(reply(calls(("write_file", {"path": path, "content": "a"}))) for path in paths), "done"]
    async with cockpit(tmp_path, steps, size=(120, 30)) as deck:
        await deck.send("go")
        for path in paths[:LEAST]:
            await allow(deck, path)
        # Not a screen, not a card: the question that waits is still the one that is answered.
        await deck.until(lambda: hinted(deck) or len(deck.view.waiting) > 0, "the next question")
        await allow(deck, paths[LEAST])
        await deck.until(lambda: hinted(deck), "the hint")
        assert deck.app.screen is deck.app.cockpit
        text = deck.view.notice.text if deck.view.notice is not None else ""
        assert "write_file below notes" in text
        deck.conductor.deck.say("something else")
        for path in paths[LEAST + 1 :]:
            await allow(deck, path)
        await deck.ended()
        assert not hinted(deck)
        await deck.pilot.press("alt+t")
        await deck.until(lambda: isinstance(deck.app.screen, TrialScreen) and bool(deck.app.screen.query(Input)), "it")
        assert deck.app.screen.query_one(Input).value.startswith("allow write_file below notes")
        await deck.until(lambda: f"{number} of the {number} past requests" in deck.screen_text(), "the trial")
        # Asked for again, it is an empty one.
        await deck.pilot.press("escape", "alt+t")
        await deck.until(lambda: "such as allow" in deck.screen_text(), "an empty trial")
