"""Questions of running calls in line mode: a form field by field, and several choices with an answer of one's own."""

from __future__ import annotations

from pathlib import Path

from runner.messages import ToolResult
from runner.testing import calls, reply
from runner.tools.base import Question, Reply
from tests.line_mode.talk import Talk, talk
from tests.tui.test_approvals_questions import SCHEMA, asking

VALUE = "its value:"


async def _answered(deck: Talk, prompt: str, *answers: str) -> None:
    for answer in answers:
        await deck.asks(prompt)
        deck.console.type(answer)


async def test_a_form_is_filled_in_and_checked(tmp_path: Path) -> None:
    replies: list[Reply] = []
    asked = Question(text="Describe it.", who="harbourmaster", kind="form", schema=SCHEMA)
    script = [reply(calls(("asks", {}))), "Done."]
    async with talk(tmp_path / "work", script, tools=[asking(asked, replies)]) as deck:
        deck.console.type("do it")
        await _answered(deck, "your answer to asks:", "1", "fill")
        assert "that is no answer: type fill, none or end" in deck.console.text
        # What a field cannot be is said, and it is asked again; a default and what is optional take an empty line.
        await _answered(deck, VALUE, "Oslo", "900", "12", "", "bow", "starboard", "")
        await _answered(deck, "send that, yes or back?", "back")
        assert replies == []
        await _answered(deck, "your answer to asks:", "fill")
        await _answered(deck, VALUE, "Oslo", "12", "", "starboard", "")
        await _answered(deck, "send that, yes or back?", "yes")
        await deck.until(lambda: "completed" in deck.console.text)
        assert [each.answer for each in replies] == [{"name": "Oslo", "depth": 12, "tidal": True, "side": "starboard"}]
        assert "depth is at most 90" in deck.console.text


async def test_several_choices_and_an_answer_of_ones_own(tmp_path: Path) -> None:
    question = {"question": "Which?", "choices": ["red", "green", "blue"], "several": True}
    script = [reply(calls(("ask_user", question))), reply(calls(("ask_user", question))), "Fine."]
    async with talk(tmp_path / "work", script) as deck:
        deck.console.type("do it")
        await _answered(deck, "your answer to ask_user:", "1, 9", "3 1", "= violet")
        await deck.until(lambda: "completed" in deck.console.text)
        assert "the numbers go from 1 to 3" in deck.console.text
        told = [each.output for each in deck.model.requests[2].messages if isinstance(each, ToolResult)]
        assert "red" in told[0]
        assert "blue" in told[0]
        assert "green" not in told[0]
        assert "violet" in told[1]
