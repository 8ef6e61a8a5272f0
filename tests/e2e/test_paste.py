"""What is pasted is text, whatever is in it: it never answers an approval, and never becomes a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.state import UserItem
from tests.e2e.records import Records, calls_of
from tests.e2e.terminal import ARMED, OpenTerminal, Terminal, composer

NASTY = {
    "a letter": b"y",
    "a line": b"y\r",
    "lines": b"a\ny\ny\n",
    "an escape sequence": b"abc\x1b[31my",
    "escapes": b"\x1by\x1b[A\x1bOPy\x1b[13;2uy\x1b[27;5;13~y",
    "a function key": b"\x1b[20~\x1b[12~y\r",
    "mouse reports": b"\x1b[<0;10;30M\x1b[<0;10;30my",
    "an end that is none": b"x\x1b[201~y",
    "an end and another beginning": b"x\x1b[201~y\x1b[200~",
    "bad text": b"\xff\xfe\x1b]52;c;eQ==\x07\x80y",
}


def _ask(deck: Terminal) -> None:
    deck.start()
    deck.wait_for("ready")
    deck.send("create never.txt with hello")
    deck.wait_for("write_file wants to make the file never.txt", ARMED)


def _deny(deck: Terminal, records: Records, folder: Path) -> None:
    """Nothing was decided until now: the person still can, and it is the one decision."""
    deck.wait_for("write_file wants to make the file never.txt")
    assert not (folder / "never.txt").exists()
    deck.press("C-g")
    deck.wait_for(ARMED)
    deck.press("n")
    deck.wait_for("denied", "done in")
    deck.press("C-q")
    assert deck.left() == 0
    assert not (folder / "never.txt").exists()
    (run,) = records.runs()
    (call,) = calls_of(run)
    assert call.approval is not None
    assert (call.status, call.approval.decision, call.approval.by) == ("denied", "deny", "user")


@pytest.mark.parametrize("focus", ["card", "message"])
def test_no_paste_answers_an_approval(terminal: OpenTerminal, folder: Path, records: Records, focus: str) -> None:
    deck = terminal()
    _ask(deck)
    if focus == "message":
        deck.press("F6")
        deck.wait_for("ctrl+g to answer")
    for number, (what, data) in enumerate(NASTY.items()):
        if focus == "card":
            _back_to_the_card(deck)
        deck.paste(data)
        # A paste goes to the message, so that what is written after it shows that it was dealt with.
        deck.paste(b" seen-%d " % number)
        screen = deck.wait_for(lambda screen, n=number: f"seen-{n}" in composer(screen), hint=f"{what} in the message")
        assert "write_file wants to make the file never.txt" in screen, what
        assert not (folder / "never.txt").exists(), what
    _deny(deck, records, folder)


def _back_to_the_card(deck: Terminal) -> None:
    if ARMED not in deck.screen():
        deck.press("C-g")
        deck.wait_for(ARMED)


def test_typing_at_the_card_is_typing(terminal: OpenTerminal, folder: Path, records: Records) -> None:
    """A word that begins with a deciding letter goes to the message as a whole, although the card has the focus."""
    deck = terminal()
    _ask(deck)
    deck.type("yes please do it")
    deck.wait_for(lambda screen: "yes please do it" in composer(screen), hint="the word in the message")
    _deny(deck, records, folder)


def test_a_long_paste_is_one_message(terminal: OpenTerminal, records: Records) -> None:
    deck = terminal()
    deck.start()
    deck.wait_for("ready")
    lines = "\n".join(f"line {number} \x1b[31mred\x1b[0m" for number in range(400))
    deck.paste(lines.encode())
    deck.wait_for(lambda screen: "[pasted 400 lines, 7.9 kB]" in composer(screen), hint="the folded paste")
    deck.press("M-v")
    deck.wait_for(lambda screen: "line 399" in composer(screen), hint="the end of the paste in the message")
    deck.press("M-v")
    deck.wait_for(lambda screen: "[pasted 400 lines" in composer(screen), hint="the folded paste again")
    deck.press("Enter")
    deck.wait_for("done in")
    deck.press("C-q")
    assert deck.left() == 0
    (run,) = records.runs()
    (said,) = [item.text for item in run.settled if isinstance(item, UserItem)]
    assert said == "\n".join(f"line {number} [31mred[0m" for number in range(400))
