"""Keys that come faster than a list opens or closes, as key repeat and impatience make them."""

from __future__ import annotations

import pytest

from tests.e2e.terminal import OpenTerminal, composer

LISTS = {"models": "C-o", "sessions": "C-r", "help": "F1", "commands": "C-p"}


@pytest.mark.parametrize("name", LISTS)
def test_a_key_pressed_twice_is_not_one_too_many(terminal: OpenTerminal, name: str) -> None:
    """Enter, escape and the key that opens it, each pressed a second time before the list has gone or come."""
    deck = terminal()
    deck.start("hello")
    deck.wait_for("done in")
    key = LISTS[name]
    bursts = (
        [key, "Escape", "Escape"],
        [key, key, "Escape", "Escape"],
        [key, "Enter", "Enter"],
        [key, "Down", "Escape"],
    )
    for number, keys in enumerate(bursts):
        deck.press(*keys)
        deck.press("Escape", "Escape")
        deck.wait_for(lambda screen: "esc closes" not in screen, hint=f"no list after {keys}")
        deck.press("F6")
        deck.type(f" word-{number}")
        deck.wait_for(
            lambda screen, n=number: f"word-{n}" in composer(screen), hint=f"a word in the message after {keys}"
        )
    deck.press("C-q")
    assert deck.left() == 0
    assert b"a fault of the program" not in deck.written
