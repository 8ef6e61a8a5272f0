"""Reading the transcript on the real screen: going into it, searching, copying, times, opening it elsewhere."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing, nullcontext
from pathlib import Path

import pytest

from runner.testing import calls, finish, hold, reasoning, reply, text
from tests.tui.cockpit import Deck, cockpit
from tui.widgets.find_bar import FindBar
from tui.widgets.transcript import Transcript

ANSWER = "Two ways.\n\n```sh\nmake\ttest\n```\n\nor\n\n```py\nprint('tide')\n```\n\nThat is all about the tide."
LONG = "\n\n".join(f"Paragraph {number} of a long answer." for number in range(60))


def transcript(deck: Deck) -> Transcript:
    return deck.app.cockpit.query_one(Transcript)


def copied(deck: Deck) -> str:
    return deck.app.clipboard


def status(deck: Deck) -> str:
    return deck.screen_text().splitlines()[-2]


def keys(deck: Deck) -> str:
    return deck.screen_text().splitlines()[-1]


def gone(told: Path) -> bool:
    """Whether the file whose name is told there does not exist."""
    return not Path(told.read_text().strip()).exists()


async def press(deck: Deck, key: str, said: str) -> None:
    """A letter counts once no other one follows it."""
    await deck.pilot.press(key)
    await deck.until(lambda: said in status(deck), said)


async def test_what_the_current_item_has_is_copied_by_keys(tmp_path: Path) -> None:
    write = calls(("write_file", {"path": "made.txt", "content": "one\ntwo\n"}), ("shell", {"command": "echo 'a  b'"}))
    script = [reply(*reasoning("I think of the tide."), *text(ANSWER), *write), reply(*text("Done."))]
    async with cockpit(tmp_path, script, options={"approve": "bypass"}) as deck:
        await deck.pilot.press("alt+up")
        assert "nothing was said yet" in status(deck)
        await deck.send("how?")
        await deck.ended()
        assert "copy" not in keys(deck)
        await deck.pilot.press("alt+up", *["k"] * 8)
        await press(deck, "y", "your message copied: 4 characters")
        assert copied(deck) == "how?"
        await deck.pilot.press("alt+down", "alt+down")
        await deck.settle()
        assert "c code" in keys(deck)
        assert "x command" not in keys(deck)
        await press(deck, "c", "code block 1 of 2 (sh) copied: 9 characters")
        assert copied(deck) == "make\ttest"
        await press(deck, "c", "code block 2 of 2 (py) copied")
        assert copied(deck) == "print('tide')"
        await press(deck, "1", "code block 1 of 2")
        await press(deck, "7", "it has 2 blocks of code")
        await deck.pilot.press("alt+down")
        await press(deck, "d", "the patch of 1 file copied")
        assert copied(deck).startswith("diff --git a/made.txt b/made.txt\nnew file mode 100644\n")
        await press(deck, "x", "there is no command here")
        await deck.pilot.press("alt+down")
        await press(deck, "x", "the command copied")
        assert copied(deck) == "echo 'a  b'"
        # A word that is typed is a message, although its letters are keys here.
        await deck.pilot.press(*"yes do", "escape")
        assert deck.composer.text == "yes do"
        assert copied(deck) == "echo 'a  b'"
        # Without a current item a command takes the last one that has what it wants.
        transcript(deck).mark(None)
        for command, said in (("code", "code block 2 of 2"), ("diff", "the patch"), ("command", "the command copied")):
            await deck.send(f"/copy-{command}")
            await deck.until(lambda said=said: said in status(deck), command)


async def test_a_search_goes_to_what_is_folded_and_comes_back(tmp_path: Path) -> None:
    gate = hold()
    listing = calls(("shell", {"command": "seq 1 900"}))
    script = [
        reply(*reasoning("A deep thought."), *text("I count."), *listing),
        reply(*text(LONG)),
        [*text("more words "), gate, *text("and deep ones"), finish()],
    ]
    async with cockpit(tmp_path, script, options={"approve": "bypass"}) as deck:
        await deck.send("count")
        await deck.ended()
        view = transcript(deck)
        await deck.pilot.press("f11", *"deep")
        bar = deck.app.cockpit.query_one(FindBar)
        await deck.until(lambda: "1 hit" in deck.screen_text())
        before = view.visible_text()
        assert view.is_at_end
        await deck.pilot.press("enter")
        await deck.settle()
        assert "1 of 1" in deck.screen_text()
        assert any("A deep thought." in line for line in view.visible_text())
        # A hit in the middle of an output that is shown shortened.
        bar.begin("733")
        await deck.until(lambda: "1 hit" in deck.screen_text())
        await deck.pilot.press("enter")
        await deck.settle()
        assert "    733" in view.visible_text()
        await deck.pilot.press("escape")
        await deck.settle()
        assert view.visible_text()[-len(before) :] == before
        assert view.is_at_end
        assert not any("A deep thought." in line for line in view.visible_text())
        assert deck.composer.has_focus
        # By command, while more is said; staying at the hit, and going on from there by keys.
        await deck.send("/find deep")
        await deck.until(lambda: "1 hit" in deck.screen_text())
        await deck.pilot.press("enter", "tab")
        await deck.settle()
        assert view.has_focus
        assert "n next hit" in keys(deck)
        place = view.visible_text()
        deck.conductor.submit("go on")
        await deck.until(lambda: gate.is_reached)
        gate.release()
        await deck.ended()
        await deck.until(lambda: "1 of 2" in deck.screen_text(), "the hit that came while it streamed")
        await deck.pilot.press("n")
        await deck.until(lambda: "2 of 2" in deck.screen_text())
        await deck.pilot.press("N")
        await deck.until(lambda: "1 of 2" in deck.screen_text())
        assert set(place) & set(view.visible_text())
        await deck.pilot.press("escape")
        await deck.settle()
        assert not bar.display
        assert view.has_focus
        await deck.pilot.press("escape")
        await deck.settle()
        assert deck.composer.has_focus


async def test_times_come_and_go_without_moving_what_is_read(tmp_path: Path) -> None:
    script = [reply(*text(LONG)), reply(*text("Second."))]
    async with cockpit(tmp_path, script, size=(90, 30)) as deck:
        await deck.send("first")
        await deck.ended()
        await deck.send("second")
        await deck.ended()
        view = transcript(deck)
        await deck.pilot.press("alt+up", "k", "k", "k")
        await deck.settle()
        rows: list[str] = [*view.visible_text()]
        row = rows.index("┃ second")
        view.mark(next(item.item_id for item in deck.view.runs[1].settled))
        await press(deck, "t", "each item says when it was")
        assert view.visible_text()[row] == "┃ second"
        assert ":" in view.visible_text()[row - 1]
        answer = next(line for line in view.visible_text() if "test/scripted" in line)
        assert " · in 10 out 5 · cost unknown" in answer
        await press(deck, "t", "times are hidden")
        assert view.visible_text() == rows
        # A day is told where it begins.
        await press(deck, "t", "each item says when it was")
        await deck.pilot.press("g")
        await deck.until(lambda: not view.is_at_end)
        assert any(str(deck.view.runs[0].settled[0].time.astimezone().year) in line for line in view.visible_text())


async def test_items_open_in_the_persons_own_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    tool = tmp_path / "show"
    tool.write_text(
        f'#!/bin/sh\nstat -c %a "$1" > {out}.mode; echo "$1" > {out}.name; cat "$1" > {out}; exit ${{CODE:-0}}\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PAGER", str(tool))
    monkeypatch.setenv("EDITOR", str(tool))
    monkeypatch.delenv("VISUAL", raising=False)
    command = {"command": "seq 1 9000; printf 'red \\033[31mend'"}
    script = [reply(*calls(("shell", command))), reply(*text("Done."))]
    async with cockpit(tmp_path, script, options={"approve": "bypass"}) as deck:
        monkeypatch.setattr(deck.app, "suspend", lambda: nullcontext())
        await deck.send("count")
        await deck.ended()
        await deck.pilot.press("alt+up", "alt+up", "alt+up", "o")
        await deck.until(out.exists, "the pager")
        await deck.until(lambda: "4500" in out.read_text())
        # All of the output, although the model read a part of it; nothing in it is obeyed by a terminal.
        assert "\n4500\n" in out.read_text()
        assert "\x1b" not in out.read_text()
        assert (tmp_path / "out.mode").read_text().strip() == "600"
        assert gone(tmp_path / "out.name")
        out.unlink()
        await deck.settle()
        # Where the rest of it is gone, that is said, and what is there is shown.
        store = await asyncio.wrap_future(deck.app.engine.ask(lambda store: store.path))
        with closing(sqlite3.connect(store)) as database, database:
            database.execute("DELETE FROM artifacts")
        await press(deck, "o", "the whole output is not kept any more")
        assert "\n4500\n" not in out.read_text()
        out.unlink()
        await deck.pilot.press("O")
        await deck.until(lambda: out.exists() and "Done." in out.read_text(), "the whole transcript")
        assert out.read_text().startswith("count\n")
        await deck.pilot.press("alt+up")
        out.unlink()
        await deck.pilot.press("e")
        await deck.until(lambda: out.exists() and out.read_text() == "count\n", "the editor")
        assert (tmp_path / "out.name").read_text().strip().endswith(".md")
