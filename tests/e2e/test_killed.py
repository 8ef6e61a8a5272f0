"""The program's hard ends: SIGKILL in the middle of a stream, SIGTERM, a terminal that closes."""

from __future__ import annotations

import signal
import time

import psutil
import pytest

from tests.e2e.records import Records, calls_of, plain, text_of
from tests.e2e.terminal import ARMED, PATIENCE, OpenTerminal, Terminal, alive_with, transcript
from tests.e2e.test_commands import new_marker, run_command

SLOW = {"QUARTERDECK_DEMO_SPEED": "1"}
LOST = 0.25
"""Seconds of streamed text that SIGKILL may lose."""

LATE = 0.75
"""Seconds that a loaded machine may hold back the thread that writes."""


def _stream(deck: Terminal) -> None:
    deck.start("--model", "demo/slow", **SLOW)
    deck.wait_for("ready")
    deck.send("hello there")
    deck.wait_for("Nothing in it is clever, but what you do with it")


def _kill(deck: Terminal, number: signal.Signals) -> psutil.Process:
    program = deck.running()
    program.send_signal(number)
    return program


def test_sigkill_keeps_what_was_streamed(terminal: OpenTerminal, records: Records) -> None:
    """All that was on the screen a moment before is there again, marked as interrupted, and can be continued."""
    deck = terminal()
    _stream(deck)
    seen: list[tuple[float, str]] = []
    deck.wait_for(lambda screen: seen.append((time.monotonic(), screen)) or "Stopping" in screen, hint="more text")
    end = time.monotonic() + 2
    while time.monotonic() < end:
        seen.append((time.monotonic(), deck.screen()))
    killed = time.monotonic()
    _kill(deck, signal.SIGKILL).wait(PATIENCE)
    kept_for_sure = [screen for at, screen in seen if at < killed - LOST - LATE][-1]
    again = terminal()
    again.start(**{"QUARTERDECK_DEMO_SPEED": "8"})
    again.wait_for("1 run was interrupted when the program died", '"hello there"')
    again.press("C-r")
    again.wait_for("Sessions", "interrupted")
    again.press("Enter")
    screen = again.wait_for("hello there", "the program ended before the run did")
    shown = _said(kept_for_sure)
    assert len(shown) > 200
    assert shown in _said(screen)
    again.send("run `echo still $((40 + 2))`")
    again.wait_for("$ echo still $((40 + 2))", ARMED)
    again.press("y")
    again.wait_for("still 42", "done in")
    again.press("C-q")
    assert again.left() == 0
    first, second = records.runs()
    assert first.reason == "interrupted"
    assert shown in text_of(first)
    assert second.reason == "complete"


def _said(screen: str) -> str:
    """The demo's words on a screen, up to the last whole one, without what stands before and after them."""
    words = transcript(screen)
    start = words.index("This is Quarterdeck's built-in demo")
    for end in (" ■ interrupted here", " ╭"):
        words = words.partition(end)[0]
    return plain(words[start:].rpartition(" ")[0])


COMMANDS = [("exec sleep {}", 1), ("sleep {}; true", 1), ("sleep {0} & sleep {0} | cat", 2)]


@pytest.mark.parametrize(("command", "count"), COMMANDS)
def test_sigkill_takes_the_commands_along(terminal: OpenTerminal, records: Records, command: str, count: int) -> None:
    """What a command started dies with the program too, and the next start says that it may have had effects."""
    deck, marker = terminal(), new_marker()
    deck.start()
    deck.wait_for("ready")
    run_command(deck, command.format(marker), marker, count)
    _kill(deck, signal.SIGKILL).wait(PATIENCE)
    deck.until(lambda: alive_with(marker) == [], "the end of the command's processes")
    again = terminal()
    again.start("--continue")
    again.wait_for("the program ended before the run did", "· interrupted · may have had effects")
    again.press("C-q")
    assert again.left() == 0
    (run,) = records.runs()
    assert run.reason == "interrupted"
    (call,) = calls_of(run)
    assert (call.status, call.side_effects) == ("interrupted", "unknown")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_it_in_order(terminal: OpenTerminal, records: Records, number: signal.Signals, code: int) -> None:
    deck, marker = terminal(), new_marker()
    before = deck.settings()
    deck.start()
    deck.wait_for("ready")
    run_command(deck, f"sleep {marker}", marker, 1)
    _kill(deck, number)
    assert deck.left() == code
    assert alive_with(marker) == []
    assert deck.settings() == before
    assert deck.left_on() == set()
    assert b"Traceback" not in deck.written
    assert records.runs()[0].reason == "aborted"


def test_a_closed_terminal_ends_it_in_order(terminal: OpenTerminal, records: Records) -> None:
    deck, marker = terminal(), new_marker()
    deck.start()
    deck.wait_for("ready")
    run_command(deck, f"sleep {marker}", marker, 1)
    program = deck.running()
    deck.tmux("kill-server")
    program.wait(PATIENCE)
    assert alive_with(marker) == []
    assert records.runs()[0].reason == "aborted"


def test_sigterm_while_a_model_streams_keeps_the_text(terminal: OpenTerminal, records: Records) -> None:
    deck = terminal()
    _stream(deck)
    shown = _said(deck.screen())
    _kill(deck, signal.SIGTERM)
    assert deck.left() == 143
    (run,) = records.runs()
    assert run.reason == "aborted"
    assert shown in text_of(run)
