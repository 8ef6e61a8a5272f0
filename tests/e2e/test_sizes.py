"""Small terminals, and terminals that change their size while a model streams."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.e2e.terminal import ARMED, OpenTerminal, Screen, Terminal, composer, status, transcript

SLOW = {"QUARTERDECK_DEMO_SPEED": "2"}


def _whole(rows: int, state: str) -> Callable[[Screen], bool]:
    """Whether the screen fills the terminal: at the bottom the keys, above them the status line with the state, and
    above that the message."""

    def holds(screen: Screen) -> bool:
        lines = screen.splitlines()
        return len(lines) == rows and status(screen) == lines[-2] and state in lines[-2] and bool(composer(screen))

    return holds


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (40, 12)])
def test_a_small_terminal_is_enough_to_work(terminal: OpenTerminal, columns: int, rows: int) -> None:
    """Write, watch, approve with the diff in sight, read the answer, quit."""
    deck = terminal(columns, rows)
    deck.start()
    deck.wait_for(_whole(rows, "ready"))
    deck.send("change alpha to omega in notes.txt")
    deck.wait_for("-alpha one", "edit_file", lambda screen: "waiting" in status(screen), hint="the card")
    deck.press("C-g")
    deck.wait_for(re.compile("armed.*y allow", re.DOTALL))
    deck.press("y")
    deck.wait_for("is changed", _whole(rows, "done in"))
    deck.type("next")
    deck.wait_for(lambda screen: composer(screen).strip() == "next", hint="the word in the message")
    deck.press("C-q")
    assert deck.left() == 0
    assert deck.left_on() == set()


def test_the_size_changes_while_a_model_streams(terminal: OpenTerminal) -> None:
    deck = terminal()
    deck.start("--model", "demo/slow", **SLOW)
    deck.wait_for("ready")
    deck.send("hello there")
    deck.wait_for("This is a long answer")
    deck.type("a draft")
    sizes = [(80, 24), (40, 12), (120, 36), (41, 10), (200, 60), (60, 30), (100, 20), (120, 36)]
    for columns, rows in sizes:
        deck.resize(columns, rows)
        deck.wait_for(
            _whole(rows, "streaming"),
            lambda screen: "a draft" in composer(screen),
            hint=f"a whole screen with the draft at {columns}x{rows}",
        )
    deck.wait_for(lambda screen: "This is a long answer, sent slowly on purpose" in transcript(screen), hint="the text")
    deck.press("F9")
    deck.wait_for("■ Aborted")
    _quit(deck)


def test_a_storm_of_sizes_is_survived(terminal: OpenTerminal) -> None:
    """Faster than anything can be drawn, and smaller than what is worked with."""
    deck = terminal()
    deck.start("--model", "demo/slow", **SLOW)
    deck.wait_for("ready")
    deck.send("hello there")
    deck.wait_for("This is a long answer")
    for number in range(60):
        deck.resize(10 + (number * 37) % 170, 2 + (number * 13) % 50)
    deck.resize(100, 30)
    deck.wait_for(_whole(30, "streaming"), "Nothing in it is clever")
    deck.press("F9")
    deck.wait_for("■ Aborted")
    _quit(deck)


def test_an_open_list_and_an_open_card_follow_the_size(terminal: OpenTerminal) -> None:
    deck = terminal()
    deck.start()
    deck.wait_for("ready")
    deck.send("change alpha to omega in notes.txt")
    deck.wait_for("-alpha one", ARMED)
    deck.press("C-o")
    deck.wait_for("Models", "type to filter")
    deck.resize(40, 12)
    deck.wait_for("Models", "type to filter")
    deck.press("Escape")
    deck.wait_for("-alpha one", "y allow")
    deck.resize(120, 36)
    deck.wait_for("-alpha one", "+omega one", "allow once", "end run")
    deck.press("F9")
    deck.wait_for("Aborted")
    _quit(deck)


def _quit(deck: Terminal) -> None:
    deck.press("C-q")
    assert deck.left() == 0
    assert deck.left_on() == set()
    assert b"Traceback" not in deck.written
