"""From the start of the process to the first frame, against a bare Textual app; and to a composer that takes keys."""

from __future__ import annotations

import sys
import tempfile
from contextlib import AbstractContextManager

from tests.bench.figures import in_turn, show
from tests.bench.terminal import Terminal, bench_environ, on_terminal

RUNS = 9
FIRST_FRAME = "Write a message"
"""The placeholder of the composer, which is drawn with the first frame."""


def bare() -> float:
    with tempfile.TemporaryDirectory() as home, _start(["-m", "tests.bench.bare_app"], home) as terminal:
        return terminal.until("bare-app-marker") - terminal.started


def quarterdeck() -> float:
    with tempfile.TemporaryDirectory() as home, _start(["-m", "tui"], home) as terminal:
        return terminal.until(FIRST_FRAME) - terminal.started


def typed() -> float:
    """Until a typed letter is on the screen."""
    with tempfile.TemporaryDirectory() as home, _start(["-m", "tui"], home) as terminal:
        terminal.until(FIRST_FRAME)
        terminal.send("zqz")
        return terminal.until("zqz") - terminal.started


def help_text() -> float:
    with tempfile.TemporaryDirectory() as home, _start(["-m", "tui", "--help"], home) as terminal:
        return terminal.until("sessions") - terminal.started


def _start(arguments: list[str], home: str) -> AbstractContextManager[Terminal]:
    return on_terminal([sys.executable, *arguments], bench_environ(home))


def main() -> None:
    found = in_turn(RUNS, {"bare": bare, "deck": quarterdeck, "typed": typed, "help": help_text})
    show("bare Textual app, first frame", found["bare"], "ms", scale=1000)
    show("quarterdeck, first frame", found["deck"], "ms", scale=1000, against=found["bare"])
    show("quarterdeck, a typed word on the screen", found["typed"], "ms", scale=1000, against=found["bare"])
    show("quarterdeck --help", found["help"], "ms", scale=1000, against=found["bare"])
