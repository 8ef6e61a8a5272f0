"""Taking a session up again in line mode: forks by number, a prompt asked anew, what was cut off, another agent."""

from __future__ import annotations

import asyncio
from pathlib import Path

from runner.messages import UserMessage
from runner.testing import calls, reply
from tests.line_mode.talk import Talk, talk
from tests.tui.test_resume import UNKNOWN, left_behind


async def _turn(deck: Talk, text: str) -> None:
    await deck.say(text, "completed")
    await deck.until(lambda: not deck.mode.deck.any_live, "ended")


def _said(deck: Talk) -> list[str]:
    return [message.text for message in deck.model.requests[-1].messages if isinstance(message, UserMessage)]


async def test_forks_by_number_and_a_prompt_asked_anew(tmp_path: Path) -> None:
    script = [reply(calls(("list_files", {}))), "First.", "Second.", "Other.", "Anew."]
    async with talk(tmp_path / "work", script) as deck:
        await deck.say("/fork", "nothing was said yet")
        await _turn(deck, "one")
        await _turn(deck, "two")
        root = deck.mode.deck.session_id
        listed = await deck.say("/rewind", "/fork NUMBER goes on")
        assert "1. > one" in listed
        assert "2. First." in listed
        assert "3. > two" in listed
        await deck.say("/fork 9", "which turn? the session has 3 turns")
        await deck.say("/fork 2", "the next message continues it")
        await deck.until(lambda: deck.mode.deck.session_id != root, "forked")
        await _turn(deck, "other")
        assert _said(deck) == ["one", "other"]
        await deck.say("/fork before 3", "the next message continues it")
        await deck.until(lambda: deck.console.draft == "other", "the prompt to be asked anew")
        await _turn(deck, "another")
        assert _said(deck) == ["one", "another"]
        found = await asyncio.wrap_future(deck.engine.ask(lambda store: store.sessions()))
        assert sorted(each.forked_turn for each in found) == [0, 2, 2]
        assert {each.root_id for each in found} == {root}


async def test_what_was_cut_off_goes_on_and_agents_are_named(tmp_path: Path) -> None:
    await asyncio.to_thread(left_behind)
    async with talk(tmp_path / "work", ["Done."]) as deck:
        await deck.until(lambda: "/resume opens it" in deck.console.text, "offered")
        await deck.say("/resume", "interrupted: /resume goes on")
        await deck.say("/resume", "completed")
        assert UNKNOWN in _said(deck)[-1]
        await deck.until(lambda: not deck.mode.deck.any_live, "ended")
        await deck.say("/resume", "the last run came to its end")
        await deck.say("/agent nobody", "there is no agent 'nobody'; agents: deck")
        await deck.say("/agent deck", "deck from the next message on")
