"""Two sessions on the screen: it opens where they part, goes from difference to difference, and opens either there."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.events import ToolFinished, ToolProposed, ToolStarted, TurnFinished
from runner.messages import ToolCall
from runner.review.compare import Row, Step, compare
from runner.store import Store
from tests.review.test_compare import BYE, GO, asks, gives, run
from tests.store.making import Maker, write
from tests.tui.cockpit import Deck, cockpit
from tui.comparing.lines import Folded, Pair, Parted, drawn, lines_of, only_words, totals_lines
from tui.comparing.texts import diff_of
from tui.screens.compare import CompareScreen
from tui.screens.compare_with import CompareWith
from tui.screens.compared_step import ComparedStep
from tui.side_by_side import parsed
from tui.widgets.transcript import Transcript

LONG = 40
"""Turns that both sessions have in common."""


def made(name: str, *last: tuple[str, str, str]) -> Maker:
    """A session of many turns that are the same, and last ones of its own: a command, its output, an answer."""
    maker = Maker(run_id=f"run-{name}", session_id=f"session-{name}")
    maker.begin("find the leak")
    turns = [(f"ls part{number}", "nothing", f"step {number}") for number in range(LONG)]
    for number, (command, output, text) in enumerate((*turns, *last)):
        maker.begin_turn()
        maker.request()
        call = ToolCall(call_id=f"{name}{number}", tool="shell", arguments={"command": command})
        maker.answer(text, (call,))
        maker.add(ToolProposed(call_id=call.call_id, tool="shell", arguments=call.arguments or {}))
        maker.add(ToolStarted(call_id=call.call_id, tool="shell"))
        maker.add(ToolFinished(call_id=call.call_id, tool="shell", output=output))
        maker.add(TurnFinished(tool_calls=1))
    maker.begin_turn()
    maker.request()
    maker.answer("line one\nthe same\n[@click=app.quit]end \x1b[31m" + name)
    maker.end()
    return maker


@pytest.fixture
def stored() -> None:
    with Store.open() as store:
        write(store, made("one", ("cat a", "A", "I look at a."), ("make", "built", "I build it.")).events)
        write(store, made("two", ("cat b", "B", "I look at b."), ("make", "broken", "I build it.")).events)


def transcript(deck: Deck) -> Transcript:
    return deck.app.cockpit.query_one(Transcript)


async def seen(deck: Deck, words: str) -> str:
    await deck.until(lambda: words in " ".join(deck.screen_text().split()), words)
    return " ".join(deck.screen_text().split())


@pytest.mark.usefixtures("stored")
async def test_from_where_they_part_to_either_session(tmp_path: Path) -> None:
    async with cockpit(tmp_path, size=(120, 34)) as deck:
        await deck.send("/compare session-one session-two")
        await deck.until(lambda: isinstance(deck.app.screen, CompareScreen), "the comparison")
        await seen(deck, f"they part here, in turn {LONG + 1}, after {2 * LONG + 1} steps in common")
        text = await seen(deck, "I look at b.")
        assert "A find the leak · pilot · session-one" in text
        assert "turns calls in out cost time" in text
        assert "B against A = = = = = " in text
        # The first answer that differs is selected, and both texts stand below.
        assert "- I look at a. │ 1 + I look at b." in text
        await deck.pilot.press("n")
        await seen(deck, '- "command": "cat a" │ 3 + "command": "cat b"')
        await deck.pilot.press("n")
        await seen(deck, "7 - built │ 7 + broken")
        await deck.pilot.press("d")
        await seen(deck, f"… {2 * LONG + 1} steps the same")
        await seen(deck, "7 - built │ 7 + broken")
        await deck.pilot.press("n", "n")
        await seen(deck, "no difference after this one")
        assert "[@click=app.quit]end ␛[31mtwo" in deck.screen_text()
        await deck.pilot.press("enter")
        await deck.until(lambda: isinstance(deck.app.screen, ComparedStep), "both texts")
        text = await seen(deck, "Answer A turn")
        assert "1 line one │ 1 line one 2 the same │ 2 the same" in text
        await deck.pilot.press("escape")
        await deck.until(lambda: isinstance(deck.app.screen, CompareScreen))
        await deck.pilot.press("N", "N", "b")
        await deck.until(lambda: deck.view.session_id == "session-two" and deck.app.screen is deck.app.cockpit)
        await deck.until(lambda: transcript(deck).has_focus, "the landing")
        current = transcript(deck).current
        assert getattr(current, "arguments", None) == {"command": "cat b"}
        # A link to that place brings back to it, from another session.
        copied: list[str] = []
        deck.app.copy_to_clipboard = copied.append  # pyright: ignore[reportAttributeAccessIssue]
        await deck.pilot.press("alt+shift+k")
        await deck.until(lambda: copied, "the link")
        assert copied[0].startswith("quarterdeck://session/session-two#run-two.")
        await deck.pilot.press("ctrl+n")
        await deck.until(lambda: deck.view.session_id is None)
        await deck.send(f"/open {copied[0]}")
        await deck.until(lambda: deck.view.session_id == "session-two" and transcript(deck).has_focus)
        assert getattr(transcript(deck).current, "arguments", None) == {"command": "cat b"}
        await deck.send("/open quarterdeck://session/nothing to see")
        await seen(deck, "is no link to a session")
        await deck.pilot.press("alt+shift+o")
        await deck.pilot.press(*"quarterdeck:x", "enter")
        await seen(deck, "expected quarterdeck://session/ID")
        await deck.pilot.press("escape")
        # With no id it asks with which one; the other of the two is there.
        await deck.pilot.press("alt+shift+d")
        await deck.until(lambda: isinstance(deck.app.screen, CompareWith), "the choice")
        await seen(deck, "with which session?")
        await deck.until(lambda: getattr(deck.app.screen, "items", ()), "the sessions")
        await deck.pilot.press("enter")
        await deck.until(lambda: isinstance(deck.app.screen, CompareScreen), "the comparison")
        await seen(deck, "A find the leak · pilot · session-two")


def test_the_lines_of_a_comparison() -> None:
    a = [run(GO, asks("read", "1", path="x"), gives("1"), asks("shell", "2", command="ls"), gives("2"), BYE)]
    b = [run(GO, asks("read", "9", path="x"), gives("9", "gone"), asks("read", "8", path="y"), gives("8"), BYE)]
    found = compare(a, b)
    lines = lines_of(found, only_differences=False)
    assert [type(line) for line in lines] == [Pair, Pair, Parted, Pair, Pair, Pair]
    folded = lines_of(found, only_differences=True)
    assert [type(line) for line in folded] == [Folded, Pair, Parted, Pair, Pair, Folded]
    assert only_words(found) == "only A made 1 call: shell; only B made 1 call: read"
    assert only_words(found, 40) == "only A: shell; only B: read"
    assert only_words(found, 20) == "only A: 1 call; only B: 1 call"
    for width in (40, 78, 158):
        for line in lines + folded:
            assert drawn(line, width).cell_length == width
        assert {line.cell_length for line in totals_lines(found, ("a", "b" * 99), width).split("\n")} == {width}


def test_both_texts_are_whole_in_one_diff_and_short_in_another() -> None:
    old = [f"line {number}" for number in range(40)]
    new = [*old[:20], "other", *old[21:], "more"]
    row = Row(a=Step(kind="answer", turn=1, text="\n".join(old)), b=Step(kind="answer", turn=1, text="\n".join(new)))
    whole = parsed(diff_of(row, whole=True))[1:]
    assert [half.old.text for half in whole if half.old] == old
    assert [half.new.text for half in whole if half.new] == new
    short = parsed(diff_of(row, whole=False))
    assert sum(1 for half in short if half.whole.startswith("@@")) == 2
    assert [(half.old.number, half.new.number, half.new.text) for half in short if half.old and half.new][3][
        2
    ] == "other"
    alone = parsed(diff_of(Row(a=None, b=row.b), whole=True))[1:]
    assert [half.new.text for half in alone if half.new] == new
    assert not any(half.old for half in alone)
    assert diff_of(Row(a=row.a, b=row.a), whole=False) == ""
