"""Questions of running calls on the same card: choices, several of them, an answer of one's own, forms, servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual import events

from runner.messages import JsonObject, ToolResult
from runner.testing import calls, reply
from runner.tools import tool
from runner.tools.base import Question, Reply, Tool, ToolContext
from tests.e2e.hostile import HOSTILE
from tests.tui.cockpit import Deck, cockpit
from tui.view import calls_of
from tui.widgets.argument_form import FieldRow
from tui.widgets.card_fields import CardInput, CardText
from tui.widgets.pick import Pick

SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "description": "Of the harbour"},
        "depth": {"type": "integer", "minimum": 1, "maximum": 90},
        "tidal": {"type": "boolean", "default": True},
        "side": {"type": "string", "enum": ["port", "starboard"]},
        "note": {"type": "string"},
    },
    "required": ["name", "depth", "side"],
}


def asking(question: Question, replies: list[Reply]) -> Tool:
    """A tool that asks, and notes what it is told."""

    @tool(name="asks", read_only=True)
    async def asks(ctx: ToolContext) -> str:
        """Ask."""
        assert ctx.host is not None
        replies.append(await ctx.host.ask(question))
        return "asked"

    return asks


def ask_user(**arguments: Any) -> Any:
    return calls(("ask_user", arguments))


async def question(deck: Deck) -> None:
    await deck.send("do it")
    await deck.waiting()
    await deck.armed()
    assert deck.card.answering == "question"


def told(deck: Deck) -> str:
    return [each for each in deck.model.requests[1].messages if isinstance(each, ToolResult)][-1].output


async def test_a_number_answers_a_question(tmp_path: Path) -> None:
    steps = [reply(ask_user(question="Which colour?", choices=["Blue", "Green"])), "Thanks."]
    async with cockpit(tmp_path, steps) as deck:
        await question(deck)
        shown = deck.screen_text()
        assert "Which colour?" in shown
        assert "1 Blue" in shown
        assert "asks you" in shown
        assert "1 question" in shown
        await deck.pilot.press("2")
        await deck.ended()
        assert "Green" in told(deck)
        call = calls_of(deck.view.runs)[0]
        assert call.question is not None
        assert call.question.given == {"answers": ["Green"]}


async def test_arrows_and_enter_answer_too_and_enter_alone_answers_nothing(tmp_path: Path) -> None:
    steps = [reply(ask_user(question="Which?", choices=["Blue", "Green", "Red"])), "Thanks."]
    async with cockpit(tmp_path, steps) as deck:
        await question(deck)
        await deck.pilot.press("enter")
        await deck.undecided()
        assert deck.view.waiting
        await deck.armed()
        await deck.pilot.press("down", "down", "down", "up")
        await deck.until(lambda: "▸ 2 Green" in deck.screen_text())
        await deck.pilot.press("enter")
        await deck.ended()
        assert "Green" in told(deck)


async def test_several_are_taken_and_left_and_then_sent(tmp_path: Path) -> None:
    steps = [reply(ask_user(question="Which?", choices=["Blue", "Green", "Red"], several=True)), "Thanks."]
    async with cockpit(tmp_path, steps) as deck:
        await question(deck)
        await deck.pilot.press("1", "2", "3")
        await deck.until(lambda: deck.screen_text().count("☒") == 3)
        await deck.pilot.press("up", "space")
        await deck.until(lambda: deck.screen_text().count("☒") == 2)
        assert "send 2 answers" in deck.screen_text()
        await deck.pilot.press("s")
        await deck.ended()
        call = calls_of(deck.view.runs)[0]
        assert call.question is not None
        assert call.question.given == {"answers": ["Blue", "Red"]}


async def test_an_answer_of_ones_own(tmp_path: Path) -> None:
    steps = [reply(ask_user(question="Which?", choices=["Blue"])), "Thanks."]
    async with cockpit(tmp_path, steps) as deck:
        await question(deck)
        await deck.open_form("w", "answer")
        await deck.save_form("enter")
        await deck.until(lambda: "nothing is written yet" in deck.screen_text())
        await deck.pilot.press(*"no, teal")
        await deck.settle()
        await deck.save_form("enter")
        await deck.ended()
        assert "no, teal" in told(deck)


async def test_no_answer_is_an_answer_and_the_model_is_told(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(ask_user(question="Which?", choices=["Blue"])), "Fine."]) as deck:
        await question(deck)
        await deck.pilot.press("n")
        await deck.ended()
        assert "did not answer" in told(deck)


async def test_letters_and_a_paste_answer_nothing(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(ask_user(question="Which?", choices=["Blue", "Red"])), "Fine."]) as deck:
        await question(deck)
        for letter in "1 of them":
            deck.app.post_message(events.Key("space" if letter == " " else letter, letter))
        await deck.until(lambda: deck.composer.text == "1 of them")
        deck.composer.replace_all("")
        await deck.pilot.press("ctrl+g")
        await deck.armed()
        deck.app.post_message(events.Paste("2"))
        await deck.until(lambda: deck.composer.text == "2")
        assert deck.view.waiting


async def test_a_click_on_an_answer_counts_only_when_armed(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(ask_user(question="Which?", choices=["Blue", "Red"])), "Fine."]) as deck:
        deck.composer.replace_all("draft")
        deck.conductor.submit("do it")
        await deck.waiting()
        await deck.pilot.click(".card-answers", offset=(4, 1))
        await deck.undecided()
        assert deck.view.waiting
        await deck.armed()
        await deck.pilot.click(".card-answers", offset=(4, 1))
        await deck.ended()
        assert "Red" in told(deck)


async def test_a_form_of_a_server_is_filled_in_and_the_server_is_named(tmp_path: Path) -> None:
    replies: list[Reply] = []
    asked = Question(text="Describe it.", who="harbourmaster", kind="form", schema=SCHEMA)
    async with cockpit(tmp_path, [reply(calls(("asks", {}))), "Done."], tools=[asking(asked, replies)]) as deck:
        await question(deck)
        shown = deck.screen_text()
        assert "the server harbourmaster asks you" in shown
        assert "its words: Describe it." in shown
        assert "never give a server a password" in shown
        await deck.open_form("w", "form")
        rows = {row.field.name: row.editor for row in deck.app.query(FieldRow)}
        name, depth, side = rows["name"], rows["depth"], rows["side"]
        assert isinstance(name, CardText)
        assert isinstance(depth, CardInput)
        assert isinstance(side, Pick)
        name.load_text("Oslo")
        depth.value = "900"
        await deck.until(lambda: "depth is at most 90" in deck.screen_text())
        depth.value = "12"
        await deck.until(lambda: "side needs one of the choices" in deck.screen_text())
        side.choose(1)
        await deck.until(lambda: "what is sent goes to the one who asks" in deck.screen_text())
        await deck.save_form()
        await deck.ended()
        assert [each.answer for each in replies] == [{"name": "Oslo", "depth": 12, "tidal": True, "side": "starboard"}]


@pytest.mark.parametrize("size", [(160, 48), (80, 24), (40, 12)])
async def test_a_hostile_question_stays_text_at_each_size(tmp_path: Path, size: tuple[int, int]) -> None:
    replies: list[Reply] = []
    asked = Question(text=f"Which? {HOSTILE}", who=f"s{HOSTILE}", choices=("Blue", f"Red {HOSTILE}"))
    tools = [asking(asked, replies)]
    async with cockpit(tmp_path, [reply(calls(("asks", {}))), "Done."], tools=tools, size=size) as deck:
        await question(deck)
        shown = deck.screen_text()
        assert not any(sign in shown for sign in "\x1b\x07\x9b\u202e\u200b\u2066\u2028")
        assert "⟦U+202E⟧" in shown or size[0] < 80
        await deck.pilot.press("1")
        await deck.ended()
        assert [each.answer for each in replies] == [{"answers": ["Blue"]}]
