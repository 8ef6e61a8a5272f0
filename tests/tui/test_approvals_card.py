"""What the card shows: risk, place, who waits behind it, time, changes beside each other, and hostile text anywhere."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from runner.messages import JsonObject
from runner.testing import calls, reply
from runner.tools import tool
from runner.tools.base import ToolContext
from tests.e2e.hostile import HOSTILE
from tests.tui.cockpit import Deck, cockpit
from tui.view import calls_of

SIZES = [(160, 48), (80, 24), (40, 12)]
DANGER = "\x1b\x07\x9b\x7f\u202e\u200b\u2066\u2028\ufeff"

THREE = calls(
    ("write_file", {"path": "one.txt", "content": "1"}),
    ("write_file", {"path": "two.txt", "content": "2"}),
    ("shell", {"command": "touch three.txt"}),
)


async def three(deck: Deck) -> None:
    await deck.send("do it")
    await deck.until(lambda: len(deck.view.waiting) == 3)
    await deck.armed()


async def test_it_says_risk_agent_run_and_why(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(calls(("shell", {"command": "rm -rf build"}))), "Done."]) as deck:
        await deck.send("do it")
        await deck.waiting()
        shown = deck.screen_text()
        assert " risk" in shown
        assert "agent deck, run 1" in shown
        assert "asks because" in shown
        assert "$ rm -rf build" in shown


async def test_it_keeps_its_place_and_says_who_waits_behind(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(THREE), "Done."]) as deck:
        await three(deck)
        assert "1 of 3" in deck.screen_text()
        assert "then write_file, shell" in deck.screen_text()
        first = deck.card.request_id
        await deck.pilot.press("j")
        await deck.until(lambda: deck.card.request_id != first)
        second = deck.card.request_id
        assert "2 of 3" in deck.screen_text()
        assert not deck.card.arming.armed
        assert len(deck.view.waiting) == 3
        await deck.armed()
        await deck.pilot.press("y")
        await deck.until(lambda: deck.card.request_id not in ("", first, second))
        await deck.settle()
        assert "shell wants to run a command" in deck.screen_text()
        assert "2 of 2" in deck.screen_text()
        await deck.armed()
        await deck.pilot.press("k")
        await deck.until(lambda: deck.card.request_id == first)
        await deck.armed()
        await deck.pilot.press("n")
        await deck.until(lambda: len(deck.view.waiting) == 1)
        await deck.armed()
        await deck.pilot.press("y")
        await deck.ended()
        assert sorted(each for each in os.listdir(tmp_path) if each.endswith(".txt")) == ["three.txt", "two.txt"]


async def test_a_newcomer_does_not_take_the_place_of_what_is_shown(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(THREE), "Done."]) as deck:
        await three(deck)
        waiting = deck.view.waiting
        last, around = waiting[-1], deck.card._around  # pyright: ignore[reportPrivateUsage]
        deck.card.show([last], around)
        shown = deck.card.request_id
        assert not deck.card.show(waiting, around)
        assert deck.card.request_id == shown


async def test_how_long_it_still_waits_is_said_in_words(tmp_path: Path) -> None:
    limits = {"approval_timeout": 300}
    async with cockpit(tmp_path, [reply(THREE), "Done."], limits=limits) as deck:
        await three(deck)
        await deck.until(lambda: "denied by itself in" in deck.screen_text())
        assert "in 4 min 5" in deck.screen_text() or "in 5 min 00 s" in deck.screen_text()


@pytest.mark.parametrize(("columns", "beside"), [(160, True), (80, False)])
async def test_old_and_new_stand_beside_each_other_where_there_is_room(
    tmp_path: Path, columns: int, beside: bool
) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    steps = [
        reply(calls(("read_file", {"path": "a.txt"}))),
        reply(calls(("edit_file", {"path": "a.txt", "old": "two", "new": "three"}))),
        "Done.",
    ]
    async with cockpit(tmp_path, steps, size=(columns, 40)) as deck:
        await deck.send("do it")
        await deck.waiting()
        await deck.until(lambda: any("two" in line and "three" in line for line in lines(deck)) == beside)
        await deck.armed()
        await deck.pilot.press("v")
        await deck.until(lambda: len(deck.app.screen_stack) == 2)
        await deck.until(lambda: any("two" in line and "three" in line for line in lines(deck)) == beside)
        await deck.pilot.press("s")
        await deck.until(lambda: any("two" in line and "three" in line for line in lines(deck)) != beside)
        await deck.pilot.press("y", "r", "escape")
        await deck.until(lambda: len(deck.app.screen_stack) == 1)
        assert deck.view.waiting


def lines(deck: Deck) -> list[str]:
    """Lines of the change, without the transcript's short form of the call."""
    return [line for line in deck.screen_text().split("\n") if "edit_file" not in line]


async def test_several_files_are_one_approval_and_a_list(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    (tmp_path / "b.txt").write_text("two\n")
    edits = [
        {"path": "a.txt", "old": "one", "new": "ONE", "all": False},
        {"path": "b.txt", "old": "two", "new": "TWO", "all": False},
    ]
    steps = [
        reply(calls(("read_file", {"path": "a.txt"}), ("read_file", {"path": "b.txt"}))),
        reply(calls(("edit_files", {"edits": edits}))),
        "Done.",
    ]
    async with cockpit(tmp_path, steps) as deck:
        await deck.send("do it")
        await deck.waiting()
        assert "wants to change 2 files" in deck.screen_text()
        await deck.armed()
        await deck.pilot.press("v")
        await deck.until(lambda: "1 of 2" in deck.screen_text() and "+ONE" in deck.screen_text().replace(" ", ""))
        await deck.pilot.press("n")
        await deck.until(lambda: "2 of 2" in deck.screen_text() and "+TWO" in deck.screen_text().replace(" ", ""))
        await deck.pilot.press("escape")
        await deck.until(lambda: len(deck.app.screen_stack) == 1)
        await deck.armed()
        await deck.pilot.press("y")
        await deck.ended()
        assert ((tmp_path / "a.txt").read_text(), (tmp_path / "b.txt").read_text()) == ("ONE\n", "TWO\n")


async def test_the_transcript_says_what_was_decided(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(calls(("write_file", {"path": "a", "content": "1"}))), "Done."]) as deck:
        await deck.send("do it")
        await deck.armed()
        await deck.pilot.press("r")
        await deck.ended()
        assert "allowed by you for this run" in deck.screen_text()


PREVIEWS: list[JsonObject] = [
    {"type": "command", "command": HOSTILE, "cwd": HOSTILE, "timeout": 5, "withheld": [HOSTILE]},
    {"type": "command", "command": "ls", "sandbox": {"on": False, "why": HOSTILE}},
    {"type": "diff", "path": HOSTILE, "diff": f"@@ -1 +1 @@\n-{HOSTILE}\n+{HOSTILE}", "added": 1},
    {"type": "diffs", "files": [{"path": HOSTILE, "diff": f"@@ -0,0 +1 @@\n+{HOSTILE}"}] * 2},
    {"type": "url", "url": f"https://{HOSTILE}@evil.invalid/{HOSTILE}", "host": f"evil{HOSTILE}"},
    {"type": "text", "text": HOSTILE},
    {
        "type": "mcp",
        "server": HOSTILE,
        "tool": HOSTILE,
        "description": HOSTILE,
        "old_description": HOSTILE,
        "approval": "changed",
        "changed": [HOSTILE],
        "annotations": {HOSTILE: True},
        "arguments": {HOSTILE: HOSTILE},
    },
    {"type": "diffs", "files": "none", "diff": 7},
    {"type": HOSTILE},
]


def _preview(ctx: ToolContext, arguments: JsonObject) -> JsonObject:
    return PREVIEWS[int(arguments["number"])]


def _risks(ctx: ToolContext, arguments: JsonObject) -> tuple[str, ...]:
    return (HOSTILE,)


@tool(name="wants", preview=_preview)
async def wants(number: int, value: str) -> str:
    """Want."""
    return f"{number} {value}"


WANTS = replace(wants, risks=_risks)


def clean_screen(deck: Deck) -> bool:
    return bool(deck.screen_text()) and not [sign for sign in DANGER if sign in deck.screen_text()]


@pytest.mark.parametrize("size", SIZES[:2])
async def test_hostile_text_in_every_field_stays_text(tmp_path: Path, size: tuple[int, int]) -> None:
    each = [("wants", {"number": number, "value": HOSTILE}) for number in range(len(PREVIEWS))]
    async with cockpit(tmp_path, [reply(calls(*each)), "Done."], tools=[WANTS], size=size) as deck:
        await deck.send("do it")
        await deck.until(lambda: len(deck.view.waiting) == len(PREVIEWS))
        await deck.armed()
        for _ in PREVIEWS:
            assert clean_screen(deck)
            assert "allow" in deck.screen_text()
            shown = deck.card.request_id
            deck.card.choose("next")
            await deck.until(lambda before=shown: deck.card.request_id != before)
            await deck.settle()
        for choice in ("allow_for", "edit", "deny_reason"):
            deck.card.choose(choice)
            await deck.until(lambda: deck.card.answering not in ("", "choose"))
            await deck.settle()
            assert clean_screen(deck)
            await deck.pilot.press("escape")
            await deck.until(lambda: deck.card.answering == "choose")
        deck.card.choose("view")
        await deck.until(lambda: len(deck.app.screen_stack) == 2 and clean_screen(deck))
        await deck.pilot.press("escape")
        await deck.until(lambda: len(deck.app.screen_stack) == 1)
        await deck.armed()
        await deck.pilot.press("y")
        await deck.until(lambda: calls_of(deck.view.runs)[0].output == f"0 {HOSTILE}")


@pytest.mark.parametrize("size", SIZES)
async def test_every_form_fits_at_each_size(tmp_path: Path, size: tuple[int, int]) -> None:
    call = calls(("shell", {"command": "git status -s && git log --oneline | head -3", "timeout": 5}))
    async with cockpit(tmp_path, [reply(call), "Done."], size=size) as deck:
        await deck.send("do it")
        await deck.waiting()
        for key, answering, saves in (("f", "allow_for", "allow"), ("e", "edit", "allow"), ("d", "reason", "deny")):
            await deck.open_form(key, answering)
            shown = deck.screen_text().split("\n")
            assert len(shown) == size[1]
            assert any(f"ctrl+s {saves}" in line for line in shown), answering
            assert any("esc " in line for line in shown)
            focused = deck.app.focused
            assert focused is not None
            assert focused.region.height > 0
            assert deck.app.cockpit.query_one("#status").region.bottom <= size[1]
            await deck.pilot.press("escape")
            await deck.until(lambda: deck.card.answering == "choose")
