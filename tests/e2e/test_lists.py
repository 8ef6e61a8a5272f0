"""Keys that come faster than a list opens or closes, as key repeat and impatience make them."""

from __future__ import annotations

import pytest

from tests.e2e.terminal import OpenTerminal

LISTS = {"models": "C-o", "sessions": "C-r", "help": "F1", "commands": "C-p"}


@pytest.mark.parametrize("name", LISTS)
def test_a_key_pressed_twice_is_not_one_too_many(terminal: OpenTerminal, name: str) -> None:
    """Enter, escape and the key that opens it, each pressed a second time before the list has gone or come."""
    deck = terminal()
    deck.start("hello")
    deck.wait_for("done in")
    key = LISTS[name]
    for keys in ([key, "Escape", "Escape"], [key, key, "Escape", "Escape"], [key, "Enter", "Enter"]):
        deck.press(*keys)
        deck.type("still here")
        deck.press("Escape", "Escape", "Escape")
        deck.wait_for("● ", "f1 help")
        assert deck.program is not None, keys
        deck.press("F6", "C-a", "C-k")
    deck.wait_for("Write a message")
    assert b"a fault of the program" not in deck.written
