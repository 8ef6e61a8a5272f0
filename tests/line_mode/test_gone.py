"""The terminal is closed, or the program is told to end, while a command runs: it is ended and the session is saved."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from runner.store import Store
from tests.line_mode.conftest import OpenTerminal
from tests.line_mode.terminal import PATIENCE
from tests.processes.support import no_trace_of, running, sleeper


def _begun(command: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not running(command):
        assert time.monotonic() < deadline, "the command never began"
        time.sleep(0.01)


def _saved() -> None:
    with closing(Store.open()) as store:
        session = store.sessions(limit=1)[0]
        assert (session.status, session.live) == ("cancelled", False)


def test_a_terminal_that_is_gone_ends_what_runs_and_the_session_is_saved(terminal: OpenTerminal, folder: Path) -> None:
    command = sleeper()
    with no_trace_of(command):
        deck = terminal()
        for typed, whole in (("/proc", "/processes"), ("/settings limits.max_tu", "/settings limits.max_turns")):
            deck.asks(">")
            deck.type(f"{typed}\t")
            deck.asks(f"> {whole}")
            deck.type("\x03")
        deck.say("!echo $((40 + 2)) > mine; cat mine")
        deck.until("| 42")
        deck.say("/nothing-of-that-kind")
        deck.until("there is no command")
        deck.say(f"run `{command}`")
        deck.answer("allow shell?", "allow")
        deck.until("[running] shell")
        _begun(command)
        assert deck.gone() == 129
        assert running(command) == []
    _saved()
    assert (folder / "mine").read_text() == "42\n"
