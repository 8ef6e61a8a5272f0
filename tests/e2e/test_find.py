"""A word that was said in an old session is found in the list, and enter lands on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from runner.store import Store
from tests.e2e.terminal import OpenTerminal
from tests.store.making import Maker, write

WORD = "albatross"
_FOUND = re.compile(rf"\x1b\[([0-9;]*)m{WORD}")


def _talk(name: str, days: int, turn_with_word: int = 0) -> Maker:
    """A session longer than a screen."""
    maker = Maker(run_id=f"run-{name}", session_id=name, start=datetime.now(UTC) - timedelta(days=days))
    maker.begin(f"tell me about {name}", workspace="/somewhere")
    for turn in range(1, 31):
        maker.begin_turn()
        maker.request()
        maker.answer(f"An {WORD} flew by." if turn == turn_with_word else f"Part {turn} of {name}.\n\nIt goes on.")
    maker.end()
    return maker


def test_a_word_said_long_ago_is_found_and_landed_on(terminal: OpenTerminal, environ: Mapping[str, str]) -> None:
    data = Path(environ["QUARTERDECK_DATA"])
    data.mkdir(parents=True, exist_ok=True)
    with Store.open(data / "quarterdeck.db") as store:
        for maker in (_talk("birds", 40, 11), _talk("fish", 2), _talk("ships", 1)):
            write(store, maker.events)
    deck = terminal()
    deck.start()
    deck.wait_for("ready")
    deck.press("C-r")
    deck.wait_for("tell me about ships", "Yesterday", "3 sessions")
    deck.type(WORD)
    deck.wait_for("1 session · 1 place", f"answer An {WORD} flew by.")
    deck.press("Enter")
    screen = deck.wait_for(f"find {WORD}", "1 of 1", f"An {WORD} flew by.", "Part 10 of birds.")
    # It is neither the beginning of the session nor its end, and the word stands out.
    assert "tell me about birds" not in screen.splitlines()[0]
    assert "Part 30 of birds." not in screen
    marked = _FOUND.findall(deck.tmux("capture-pane", "-p", "-e"))
    assert any(style.startswith("48;") for style in marked), marked
    deck.press("C-q")
    assert deck.left() == 0
    assert b"a fault of the program" not in deck.written
