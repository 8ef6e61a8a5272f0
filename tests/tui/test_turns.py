"""The screen of a session's turns: forks, prompts edited again, and rewinding what was said and what was changed."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from runner.messages import UserMessage
from runner.review.turns import Turn
from runner.testing import calls, reply
from runner.testing.scripted import Response
from tests.e2e.hostile import HOSTILE
from tests.store.making import short_run
from tests.tui.cockpit import Deck, cockpit
from tests.undo.support import repository
from tui.ledger_words import ledger_rows
from tui.meters import meters
from tui.screens.turns import TurnsScreen
from tui.turn_words import turn_body, turn_row
from tui.view import View, totals

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]")
BYPASS = {"approve": "bypass"}


def writes(name: str, text: str) -> list[Response]:
    return [reply(calls(("write_file", {"path": name, "content": text}))), f"{name} is written."]


async def opened(deck: Deck, key: str = "alt+shift+b") -> None:
    await deck.pilot.press(key)
    await deck.until(lambda: isinstance(deck.app.screen, TurnsScreen), "the screen")
    await shows(deck, "f forks after turn")


async def shows(deck: Deck, text: str) -> None:
    await deck.until(lambda: text in " ".join(deck.screen_text().split()), text)


async def branched(deck: Deck, from_session: str | None) -> None:
    """Another session is shown."""
    await deck.until(lambda: deck.app.screen is deck.app.cockpit and deck.view.session_id != from_session, "the fork")
    await deck.settle()


def said(deck: Deck) -> list[str]:
    """The messages of the last request, as the provider got them."""
    texts: list[str] = []
    for message in deck.model.requests[-1].messages:
        texts.append(message.text if isinstance(message, UserMessage) else message.role)
    return texts


async def test_a_fork_goes_on_from_its_turn_and_the_old_session_stays(tmp_path: Path) -> None:
    steps = ["First answer.", "Second answer.", "Third answer.", "Another third.", "Edited."]
    async with cockpit(tmp_path, steps, size=(120, 30)) as deck:
        for text in ("one", "two", "three"):
            await deck.send(text)
            await deck.ended()
        root = deck.view.session_id
        assert root is not None
        await opened(deck)
        assert "Third answer." in deck.screen_text()
        await shows(deck, "f forks after turn 3 of 3")
        await deck.pilot.press("up")
        await shows(deck, "f forks after turn 2 of 3; 1 later turn stays here")
        await deck.pilot.press("f")
        await branched(deck, root)
        fork = deck.view.session_id
        assert [run.inherited for run in deck.view.runs] == [True, True]
        await shows(deck, "forked from one after turn 2")
        await deck.send("other")
        await deck.ended()
        assert said(deck) == ["one", "assistant", "two", "assistant", "other"]
        # Of the fork, back before its second prompt: that prompt can be edited.
        await opened(deck)
        await deck.pilot.press("up", "e")
        await branched(deck, fork)
        await deck.until(lambda: deck.composer.message == "two", "the prompt to edit")
        await deck.send("two, but better")
        await deck.ended()
        assert said(deck) == ["one", "assistant", "two, but better"]
        found = deck.app.engine.ask(lambda store: store.sessions()).result(10)
        assert [each.forked_turn for each in found] == [1, 2, 0]
        assert {each.root_id for each in found} == {root}
        assert sum(each.turns for each in found) == 5


async def test_files_the_conversation_or_both_go_back_or_nothing_does(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo")
    steps = [
        *writes("a.txt", "by one\n"),
        *writes("a.txt", "by two\n"),
        *writes("new.txt", "n\n"),
        "On.",
        "Read again.",
    ]
    async with cockpit(root, steps, size=(100, 30), options=BYPASS) as deck:
        for text in ("one", "two", "three"):
            await deck.send(text)
            await deck.ended()
        session = deck.view.session_id
        await opened(deck)
        await deck.pilot.press("w")
        await shows(deck, "nothing comes after this turn")
        await deck.pilot.press("home", "down")
        await shows(deck, "first 2 files go back: a.txt, new.txt; then forks after turn 2 of 6")
        # Somebody else changes one of the files: nothing at all is done.
        (root / "new.txt").write_text("mine\n")
        await deck.pilot.press("enter")
        await shows(deck, "files cannot go back: new.txt (changed by somebody else since); nothing is done")
        await deck.pilot.press("enter")
        await deck.settle()
        assert isinstance(deck.app.screen, TurnsScreen)
        assert (root / "a.txt").read_text() == "by two\n"
        (root / "new.txt").write_text("n\n")
        # Only files: the session is the same.
        await deck.pilot.press("down", "down", "w", "w")
        await shows(deck, "rewind files: 1 file goes back: new.txt; the conversation stays as it is")
        await deck.pilot.press("enter")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit)
        assert not (root / "new.txt").exists()
        assert deck.view.session_id == session
        await opened(deck, "alt+shift+y")
        await deck.pilot.press("home", "down", "w")
        await shows(deck, "first 1 file goes back: a.txt; then forks after turn 2 of 6")
        await deck.pilot.press("enter")
        await branched(deck, session)
        fork = deck.view.session_id
        assert (root / "a.txt").read_text() == "by one\n"
        assert "1 file put back" in (deck.view.notice.text if deck.view.notice else "")
        await deck.send("go on")
        await deck.ended()
        assert said(deck) == ["one", "assistant", "tool", "assistant", "go on"]
        # Only the conversation: the model is told which files it may remember wrongly.
        await opened(deck)
        await deck.pilot.press("home", "w", "w", "e")
        await shows(deck, "rewind the conversation: forks before the first turn; 3 later turns stay in this session")
        await deck.pilot.press("enter")
        await branched(deck, fork)
        await deck.until(lambda: deck.composer.message == "one", "the prompt to edit")
        await deck.send("what is in it?")
        await deck.ended()
        told = said(deck)
        assert "a.txt" in told[0]
        assert "may have been changed" in told[0]
        assert told[1:] == ["what is in it?"]


def test_what_a_fork_took_over_is_no_cost_of_its_own() -> None:
    state = short_run().state
    copied = replace(state, config={"inherited": {"session_id": "s", "run_id": "r", "turns": 1}})
    own = replace(state, run_id="own")
    view = View(session_id="s", runs=(copied, own))
    found = totals(view)
    assert (str(found.session_cost.total), str(found.inherited.total)) == ("0.001", "0.001")
    assert "plus $0.0010 inherited" in meters(found, 40).plain
    assert [row.run_id for row in ledger_rows(view.runs)] == ["own"]


def test_what_others_wrote_is_shown_without_what_a_terminal_obeys() -> None:
    turn = Turn(
        number=1,
        run_id="r",
        turn=1,
        time=datetime(2026, 1, 1, tzinfo=UTC),
        prompt=HOSTILE,
        answer=HOSTILE,
        model=HOSTILE,
        agent=HOSTILE,
        files=(f"/srv/{HOSTILE}",),
        finished=True,
    )
    shown = [turn_row(turn, width, turn.time) for width in (40, 60, 100)]
    assert [content.cell_length for content in shown] == [40, 60, 100]
    for content in (*shown, turn_body(turn, "/srv")):
        assert not _CONTROL.search(content.plain)
