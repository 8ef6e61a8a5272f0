"""Marking turns and finding sessions again, in lines."""

from __future__ import annotations

from pathlib import Path

from runner.testing import calls, reply
from tests.line_mode.talk import talk


async def test_turns_are_marked_and_sessions_found_by_words_and_filters(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    steps = [reply(calls(("list_files", {}))), "The harbour is \x1b[31mempty.", "Nothing else."]
    async with talk(folder, steps) as deck:
        await deck.say("/tag deep", "nothing was said yet")
        await deck.say("/sessions harbour", "no session fits that")
        await deck.say("what is here?", "completed")
        await deck.say("/tag", "nothing is marked here; /tag NAME tags the session")
        await deck.say("/tag Deep", "the session: tagged Deep")
        await deck.say("/tag 2 slow odd", "turn 2: tagged slow, odd")
        await deck.say("/tag 2 -odd", "turn 2: no longer tagged odd")
        await deck.say("/tag 2 -odd", "has no tag 'odd'")
        await deck.say("/note 1 why\x1b[31m this file?", "turn 1: noted")
        await deck.say("/tag 9 x", "there is no turn 9; /rewind lists the turns")
        await deck.say("/tag 2", "which tag?")
        shown = await deck.say("/note", "turn 2: #slow")
        assert "the session: #deep" in shown
        assert "turn 1: why" in shown
        await deck.say("/new", "")
        await deck.say("and now?", "Nothing else.")
        await deck.until(lambda: deck.console.text.count("completed") == 2)
        assert "2. " not in await deck.say("/sessions tag:slow", "/sessions and a number opens one")
        shown = await deck.say("/sessions harbour turns>1", "/sessions and a number opens one")
        assert "1. what is here?" in shown
        assert "#deep" in shown
        assert "answer: The harbour is" in shown
        assert "\x1b" not in shown
        assert "cost needs a number" in await deck.say("/sessions cost>much", "2. ")
        await deck.say("/sessions -tag:deep", "1. and now?")
        await deck.say("/sessions 1", "the next message continues it")
        await deck.say("/usage", "/usage needs the screen; in a shell: quarterdeck usage")
