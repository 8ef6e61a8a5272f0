"""From start to quit and back: what a newcomer does in the first ten minutes, on a real terminal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.records import Records
from tests.e2e.terminal import ARMED, OpenTerminal, Terminal, composer, listed, status, transcript

EDIT = 'change "alpha" to "omega" in notes.txt'


@pytest.mark.timeout(300)
def test_the_whole_story(terminal: OpenTerminal, folder: Path, records: Records) -> None:
    deck = terminal()
    before = deck.settings()
    _welcome(deck)
    _allow_an_edit(deck, folder)
    _deny_an_edit(deck, folder)
    _choose_the_slow_model(deck)
    _stop(deck)
    _abort_and_switch(deck)
    _quit(deck, before)
    found = records.sessions()
    assert len(found) == 1
    assert [run.reason for run in records.runs()] == ["complete", "complete", "stopped", "aborted", "complete"]
    _continue(deck, folder)
    _quit(deck, before)
    assert len(records.sessions()) == 1


def _welcome(deck: Terminal) -> None:
    deck.start()
    deck.wait_for(
        "demo/pilot, no model is configured and no provider's key is set",
        "A built-in demo, not a real model",
        "demo model, not a real one",
        "ready",
    )


def _allow_an_edit(deck: Terminal, folder: Path) -> None:
    """The diff is shown; letters go to the message and decide nothing; the key decides once it is armed."""
    deck.send(EDIT)
    # Written before the card comes up, so that the message keeps the focus.
    deck.type("yes a y")
    card = deck.wait_for("edit_file wants to change notes.txt", "-alpha one", "+omega one", "ctrl+g to answer")
    assert "yes a y" in composer(card)
    deck.type(" ay")
    deck.wait_for(lambda screen: "yes a y ay" in composer(screen), hint="the letters in the message")
    assert (folder / "notes.txt").read_text() == "alpha one\nbeta two\n"
    deck.press("C-g")
    deck.wait_for(ARMED, "1 line added, 1 line removed")
    deck.press("y")
    screen = deck.wait_for("✓ edit_file notes.txt", "is changed", "done in")
    assert (folder / "notes.txt").read_text() == "omega one\nbeta two\n"
    assert "yes a y ay" in composer(screen)
    deck.press("C-a", "C-k")
    deck.wait_for(lambda screen: "yes" not in composer(screen), hint="the message empty")


def _deny_an_edit(deck: Terminal, folder: Path) -> None:
    deck.send("change beta to gamma in notes.txt")
    deck.wait_for("-beta two", "+gamma two", ARMED)
    deck.press("d")
    deck.wait_for("enter denies, and the model reads why")
    deck.type("not on a Friday")
    deck.wait_for("not on a Friday")
    deck.press("Enter")
    # Keys that come as fast as a paste are not taken for an answer.
    if "press it again" in deck.wait_for(re.compile("press it again|⊘ edit_file")):
        deck.press("Enter")
    deck.wait_for("I was not allowed to edit notes.txt", "The reason I was given: “not on a Friday”", "done in")
    assert (folder / "notes.txt").read_text() == "omega one\nbeta two\n"


def _choose_the_slow_model(deck: Terminal) -> None:
    deck.press("C-o")
    deck.wait_for("Models", "demo/pilot", "free", "32k")
    deck.type("dmslow")
    deck.wait_for(lambda screen: listed(screen) == ["slow"], hint="only demo/slow listed")
    deck.press("Enter")
    deck.wait_for(lambda screen: "demo/slow" in status(screen) and not listed(screen), hint="demo/slow in use")


def _stop(deck: Terminal) -> None:
    """A graceful stop lets the answer finish."""
    deck.send("tell me something")
    deck.wait_for("This is a long answer")
    deck.press("C-c")
    deck.wait_for("Stop requested by you")
    deck.wait_for("That is all I have to say", "■ Stopped", "stopped — a message continues this session")


def _abort_and_switch(deck: Terminal) -> None:
    """Pressed again while stopping it aborts; a model chosen in the middle of a run answers the next message."""
    deck.send("once more")
    deck.wait_for(lambda screen: "This is a long answer" in transcript(screen).partition("once more")[2], hint="text")
    deck.press("C-c")
    deck.wait_for("Stop requested by you")
    deck.press("C-c")
    deck.wait_for("■ Aborted", "interrupted here", "a message continues this session")
    deck.send("hello there")
    deck.wait_for(lambda screen: "This is a long answer" in transcript(screen).partition("hello there")[2], hint="text")
    deck.press("C-o")
    deck.wait_for("ctrl+n now")
    deck.type("pilot")
    deck.wait_for(lambda screen: listed(screen)[:1] == ["demo/pilot"], hint="demo/pilot on top")
    deck.press("C-n")
    done = re.compile(r"demo/pilot.*done in")
    deck.wait_for("Model: demo/slow → demo/pilot", "Hello. I understand a few wishes", done)


def _quit(deck: Terminal, before: str) -> None:
    deck.press("C-q")
    assert deck.left() == 0
    assert deck.settings() == before
    assert deck.left_on() == set()
    deck.command("echo the shell | tr a-z A-Z")
    deck.wait_for("THE SHELL")
    assert deck.left() == 0
    assert b"Traceback" not in deck.written


def _continue(deck: Terminal, folder: Path) -> None:
    """A new program opens the earlier session, and what is said in it is still known."""
    deck.start()
    deck.wait_for("ready")
    deck.press("C-r")
    deck.wait_for("Sessions", "5 runs", EDIT[:20])
    deck.press("Enter")
    deck.wait_for("hello there", "Hello. I understand a few wishes")
    deck.press("C-Home")
    deck.wait_for(EDIT, "edit_file notes.txt")
    deck.send("change omega to delta in it")
    deck.wait_for("-omega one", "+delta one", ARMED)
    deck.press("y")
    deck.wait_for("is changed", "done in")
    assert (folder / "notes.txt").read_text() == "delta one\nbeta two\n"
