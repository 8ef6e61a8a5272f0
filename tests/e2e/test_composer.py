"""Writing faster than the program works: every key means what it meant when it was pressed."""

from __future__ import annotations

import pytest

from runner.state import UserItem
from tests.e2e.records import Records
from tests.e2e.terminal import OpenTerminal, composer


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (b"abc\x7f\x7fxyz", "axyz!"),
        (b"abc\x1b[D\x1b[Dxyz", "axyz!bc"),
        (b"abc\x15xyz", "xyz!"),
        (b"abc\x15\x1b[200~pasted\x1b[201~z", "pastedz!"),
        (b"abc\x1b[200~pasted\x1b[201~\x7f\x7fz", "abcpastz!"),
    ],
)
def test_keys_that_come_at_once_keep_their_order(terminal: OpenTerminal, typed: bytes, expected: str) -> None:
    deck = terminal()
    deck.start()
    deck.wait_for("ready")
    deck.send_bytes(typed + b"!")
    screen = deck.wait_for(lambda screen: "!" in composer(screen), hint="the last character")
    assert composer(screen).strip() == expected


def test_what_is_typed_after_enter_is_the_next_message(terminal: OpenTerminal, records: Records) -> None:
    deck = terminal()
    deck.start()
    deck.wait_for("ready")
    deck.send_bytes(b"hello\rthe next one")
    deck.wait_for("Hello. I understand a few wishes", "done in")
    deck.wait_for(lambda screen: composer(screen).strip() == "the next one", hint="the next message, not sent")
    deck.press("C-q")
    assert deck.left() == 0
    (run,) = records.runs()
    assert [item.text for item in run.settled if isinstance(item, UserItem)] == ["hello"]


def test_a_message_may_be_sent_from_the_first_frame_on(terminal: OpenTerminal, records: Records) -> None:
    """Before the store and the model are there."""
    deck = terminal()
    deck.start()
    deck.wait_for("Write a message")
    deck.type("hello")
    deck.press("Enter")
    deck.wait_for("Hello. I understand a few wishes", "done in")
    deck.press("C-q")
    assert deck.left() == 0
    assert len(records.runs()) == 1


def test_a_message_sent_meanwhile_is_queued_and_delivered(terminal: OpenTerminal, records: Records) -> None:
    deck = terminal()
    deck.start()
    deck.wait_for("ready")
    deck.send("run `until test -e gate; do sleep 0.05; done`")
    deck.wait_for("armed: your next key decides")
    deck.press("y")
    deck.wait_for("● running")
    deck.send("also run `echo second wish`")
    deck.wait_for("1 message waits for the next turn", "· also run `echo second wish`")
    deck.type("!")
    deck.press("BSpace")
    (deck.folder / "gate").touch()
    deck.wait_for("$ echo second wish")
    deck.press("C-g")
    deck.wait_for("armed: your next key decides")
    deck.press("y")
    deck.wait_for("done in")
    deck.press("C-q")
    assert deck.left() == 0
    (run,) = records.runs()
    assert run.reason == "complete"


def test_a_choice_is_said_but_never_hides_what_a_key_does(terminal: OpenTerminal) -> None:
    """The status line says that a stop is under way, and what the next press does, also right after a switch."""
    deck = terminal(120, 36, QUARTERDECK_DEMO_SPEED="3")
    deck.start()
    deck.wait_for("ready")
    deck.send("/model demo/slow")
    deck.send("hello there")
    deck.wait_for("This is a long answer")
    deck.press("C-c")
    deck.wait_for("stopping: the answer is being finished", "ctrl+c again aborts", timeout=3)
    deck.press("C-c")
    deck.wait_for("■ Aborted")
