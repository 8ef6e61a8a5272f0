"""Going through a session that is there: landing in it, from landmark to landmark, what it changed, what it is."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from textual.widgets import Static

from runner.errors import RateLimitError
from runner.events import Event, ModelResponded, RunStarted, ToolFinished, ToolProposed
from runner.importing.build import runs_of
from runner.importing.claude_code import read_claude_code
from runner.store import Store
from runner.store.paths import data_dir
from runner.testing import calls, reasoning, reply, text
from runner.testing.scripted import Response
from tests.importing.test_reading import sample
from tests.tui.cockpit import Deck, cockpit
from tui.landing import Landing
from tui.screens.changes import ChangesScreen
from tui.screens.undo import UndoScreen
from tui.widgets.find_bar import FindBar
from tui.widgets.transcript import Transcript


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True)


def transcript(deck: Deck) -> Transcript:
    return deck.app.cockpit.query_one(Transcript)


def status(deck: Deck) -> str:
    return deck.screen_text().splitlines()[-2]


def detail(deck: Deck) -> str:
    return str(deck.app.screen.query_one("#changes-detail", Static).content)


async def facts(deck: Deck, session_id: str) -> list[Event]:
    return await asyncio.wrap_future(deck.app.engine.ask(lambda store: list(store.events(session_id))))


async def press(deck: Deck, key: str, said: str) -> None:
    await deck.pilot.press(key)
    await deck.until(lambda: said in status(deck), said)


FILLING = "\n\n".join(f"Paragraph {number} of the tide." for number in range(40))


PROMPTS = ("measure it", "and again", "and once more")
SCRIPT: tuple[Response, ...] = (
    RateLimitError("slow down", retry_after=0.01),
    reply(*reasoning("A kraken thought."), *text(FILLING), *calls(("shell", {"command": "seq 1 300; exit 3"}))),
    reply(*text("The first is done.")),
    reply(*text(FILLING)),
    reply(*text("Third, with a kraken.")),
)


async def test_what_a_fact_made_is_landed_on(tmp_path: Path) -> None:
    async with cockpit(tmp_path, SCRIPT, size=(100, 30), options={"approve": "bypass"}) as deck:
        for prompt in PROMPTS:
            await deck.send(prompt)
            await deck.ended()
        session = deck.view.session_id
        assert session is not None
        stored = await facts(deck, session)
        finished = next(fact for fact in stored if isinstance(fact, ToolFinished))
        thought = next(fact for fact in stored if isinstance(fact, ModelResponded) and fact.reasoning)
        begun = [fact for fact in stored if isinstance(fact, RunStarted)][1]
        view = transcript(deck)
        await deck.pilot.press("ctrl+n")
        await deck.until(lambda: not deck.view.runs)

        # From a list to the middle of an output that is folded and shown shortened.
        at = Landing(finished.run_id, finished.seq, "187")
        await deck.conductor.browsing.open_session(session, at=at)
        await deck.until(lambda: view.has_focus and "    187" in view.visible_text(), "the line of the output")
        assert view.current_view is not None
        assert view.current_view.expanded
        assert (view.marked_item or "").startswith("call")
        assert deck.app.cockpit.query_one(FindBar).display
        await deck.until(lambda: "1 of 1" in deck.screen_text())
        # Reasoning is folded, and the answer of the same fact comes before it where both have the words.
        deck.conductor.review.land(thought.run_id, thought.seq, "kraken zzz")
        await deck.until(lambda: any("A kraken thought." in line for line in view.visible_text()))
        await deck.until(lambda: "1 of 2" in deck.screen_text())
        await deck.pilot.press("n")
        await deck.until(lambda: "2 of 2" in deck.screen_text())
        # Without words, and by a fact that shows nothing itself.
        await deck.pilot.press("escape")
        deck.conductor.review.land(begun.run_id, begun.seq + 1)
        await deck.until(lambda: view.copy_text() == FILLING)
        deck.conductor.review.land("no-run", 1)
        await deck.until(lambda: "no run" in status(deck))


async def test_landmarks_are_gone_through_by_keys(tmp_path: Path) -> None:
    async with cockpit(tmp_path, SCRIPT, size=(100, 30), options={"approve": "bypass"}) as deck:
        for prompt in PROMPTS:
            await deck.send(prompt)
            await deck.ended()
        view = transcript(deck)
        await deck.pilot.press("alt+up", "g")
        view.mark(None)
        await press(deck, "right_square_bracket", "message of yours 1 of 3")
        await press(deck, "right_square_bracket", "message of yours 2 of 3")
        assert view.copy_text() == "and again"
        await press(deck, "left_square_bracket", "message of yours 1 of 3")
        await press(deck, "left_square_bracket", "no message of yours before this one, 3 in all")
        await press(deck, "right_parenthesis", "error 1 of 2")
        assert "slow down" in view.copy_text()
        await press(deck, "right_parenthesis", "error 2 of 2")
        assert "exit 3" in view.copy_text()
        await press(deck, "right_parenthesis", "no error after this one, 2 in all")
        await press(deck, "left_curly_bracket", "no tool call before this one, 1 in all")
        await press(deck, "M", "there is no change of model here")
        # What the mode allowed is told, with nobody having been asked.
        await press(deck, "A", "no approval before this one, 1 in all")
        assert "allowed by the mode bypass" in view.copy_text()
        deck.conductor.do("read.times")
        await deck.until(lambda: any("allowed by the mode bypass" in row for row in view.visible_text()))
        deck.composer.focus()
        await deck.send("/previous-prompt")
        await deck.until(lambda: "message of yours 1 of 3" in status(deck))
        assert view.has_focus


async def test_what_a_session_changed_is_read_copied_and_left_for_undo(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("one\ntwo\n")
    git(tmp_path, "init", "-q")
    script = [
        reply(*calls(("write_file", {"path": "old.txt", "content": "one\n2\n"}))),
        reply(*text("done")),
        reply(*calls(("write_file", {"path": "old.txt", "content": "one\n2\n3\n"}))),
        reply(*calls(("shell", {"command": "echo a > made"}))),
        reply(*text("done")),
    ]
    async with cockpit(tmp_path, script, size=(110, 30), options={"approve": "bypass"}) as deck:
        for prompt in ("first", "second"):
            await deck.send(prompt)
            await deck.ended()
        await deck.pilot.press("alt+shift+f")
        await deck.until(lambda: isinstance(deck.app.screen, ChangesScreen) and "1 file of" in detail(deck))
        await deck.until(lambda: "2 files in 3 turns +3 -1" in deck.screen_text())
        shown = deck.screen_text()
        assert shown.count("second") == 2
        assert "+ new made" in shown
        await deck.pilot.press("y")
        await deck.until(lambda: "the patch of 1 file copied" in detail(deck))
        assert deck.app.clipboard.startswith("diff --git a/made b/made\n")
        await deck.pilot.press("w")
        await deck.until(lambda: "2 files of the whole session" in detail(deck))
        assert "all of 2 files" in deck.screen_text()
        await deck.pilot.press("y")
        await deck.until(lambda: "the patch of 2 files copied" in detail(deck))
        # The patch of the whole session makes what is there now of what was there before.
        other = tmp_path / "elsewhere"
        other.mkdir()
        (other / "old.txt").write_text("one\ntwo\n")
        (other / "patch").write_text(deck.app.clipboard)
        git(other, "init", "-q")
        git(other, "apply", "patch")
        assert (other / "old.txt").read_text() == "one\n2\n3\n"
        assert (other / "made").read_text() == "a\n"
        await deck.pilot.press("u")
        await deck.until(lambda: isinstance(deck.app.screen, UndoScreen))
        await deck.pilot.press("c")
        await deck.until(lambda: isinstance(deck.app.screen, ChangesScreen) and " of " in detail(deck))
        await deck.pilot.press("escape")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit)
        await deck.send("/changes made")
        await deck.until(lambda: isinstance(deck.app.screen, ChangesScreen) and "1 file of" in detail(deck))
        assert "+a" in deck.screen_text()


async def test_what_an_opened_session_is_and_what_of_it_is_missing(tmp_path: Path) -> None:
    with Store.open() as store:
        done = store.bring_in("claude-code", list(runs_of(read_claude_code(sample("claude-code")))))
        asked = [fact for fact in store.events(done.session_id) if isinstance(fact, ToolProposed)]
        path = store.path
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "UPDATE events SET json = '{broken' WHERE run_id = ? AND seq = ?", (asked[0].run_id, asked[0].seq)
        )
    assert data_dir() in path.parents
    async with cockpit(tmp_path, [reply(*text("It goes on."))], size=(140, 30), session=done.session_id) as deck:
        await deck.until(lambda: "Part of this session is damaged" in status(deck))
        # That notice stays until another one comes; then the line says what one looks at.
        deck.conductor.deck.say("so it is", seconds=0.01)
        deck.conductor.repaint()
        await deck.until(lambda: "imported from Claude Code · 20 Nov" in status(deck))
        assert "a message continues it" in status(deck)
        await deck.pilot.press("alt+shift+f")
        await deck.until(lambda: isinstance(deck.app.screen, ChangesScreen) and "1 file of" in detail(deck))
        assert "second.txt" in deck.screen_text()
        assert "+hello-from-second" in deck.screen_text()
        assert "as its calls showed it" in deck.screen_text()
        assert "brought in from another program" in deck.screen_text()
        await deck.pilot.press("y")
        await deck.until(lambda: "the patch of 1 file copied" in detail(deck))
        assert deck.app.clipboard.startswith("diff --git a/second.txt b/second.txt\nnew file mode 100644\n")
        await deck.pilot.press("escape")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit)
        await deck.send("go on")
        await deck.ended()
        assert "imported" not in status(deck)
