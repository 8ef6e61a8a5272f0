"""A key while text pours in: to the handler, and to the screen, in transcripts of growing length.

Beside it a key in a bare Textual app that does nothing else.
"""

from __future__ import annotations

import contextlib
import random
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from pathlib import Path

from tests.bench.figures import show_spread
from tests.bench.pouring import FILLED, LINE, POURED, RATE, pouring
from tests.bench.terminal import Terminal, bench_environ, on_terminal

SIZES = (1_000, 1_000_000, 5_000_000)
KEYS = 200
PAUSES = (0.02, 0.06)
"""Seconds between two keys: somebody who types fast."""

LETTERS = [chr(code) for code in range(0x100, 0x180) if chr(code).isalpha()]
"""None of them stands anywhere else on the screen, so each is seen when it is drawn for the first time."""

CONFIG = """\
model = "lab/bench"

[limits]
max_time = 600

[models."lab/bench"]
model = "openai/bench"
api_base = "{base_url}"
context_window = 100000000
input_cost_per_million = 1
output_cost_per_million = 2
"""


@contextlib.contextmanager
def opened(base_url: str, *command: str, size: int = 0) -> Generator[Terminal]:
    """The program on a terminal with that provider, an answer of so many bytes in its transcript."""
    with tempfile.TemporaryDirectory() as home:
        Path(home, "config").mkdir()
        Path(home, "config", "config.toml").write_text(CONFIG.format(base_url=base_url), encoding="utf-8")
        environ = bench_environ(home, OPENAI_API_KEY="none")
        with on_terminal([sys.executable, *(command or ("-m", "tui"))], environ) as terminal:
            terminal.until("Write a message")
            if size:
                fill(terminal, size)
            yield terminal


def fill(terminal: Terminal, size: int) -> None:
    since = terminal.position
    terminal.send(f"fill {size}\r")
    terminal.until(FILLED, since=since, timeout=300)
    terminal.until("done in", since=since)


def typed(terminal: Terminal) -> tuple[list[float], list[float]]:
    """Keys one after another: when each was pressed, and how long it took until it was on the screen."""
    pressed: list[float] = []
    shown: list[float] = []
    for number in range(KEYS):
        letter = LETTERS[number % len(LETTERS)]
        if number % len(LETTERS) == 0:
            # From here on the letters come a second time.
            terminal.send("\x15")
            terminal.take(0.2)
        since, began = terminal.position, time.monotonic()
        pressed.append(began)
        terminal.send(letter)
        shown.append(terminal.until(letter, since=since) - began)
        end = time.monotonic() + random.uniform(*PAUSES)
        while (left := end - time.monotonic()) > 0:
            terminal.take(left)
    return pressed, shown


def bare() -> list[float]:
    with (
        tempfile.TemporaryDirectory() as home,
        on_terminal([sys.executable, "-m", "tests.bench.bare_app"], bench_environ(home)) as terminal,
    ):
        terminal.until("bare-app-marker")
        terminal.settle(0.3)
        return typed(terminal)[1]


def while_it_pours(base_url: str, size: int) -> tuple[list[float], list[float]]:
    """Seconds of each key to its handler, and to the screen."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "keys")
        with opened(base_url, "-m", "tests.bench.probed", str(log), size=size) as terminal:
            terminal.send("pour\r")
            terminal.until(POURED)
            pressed, shown = typed(terminal)
            return _handled(pressed, log), shown


def _handled(pressed: Sequence[float], log: Path) -> list[float]:
    """The keys that were measured come in the order in which they were pressed."""
    lines = [line.partition(" ") for line in log.read_text(encoding="utf-8").splitlines()]
    came = [float(moment) for moment, _, letter in lines if letter in LETTERS]
    return [moment - began for moment, began in zip(came, pressed, strict=True)]


def main() -> None:
    print(f"{RATE:,} tokens a second pour in while keys are pressed; goals: p99 under 15 and 30 ms, and flat")
    with pouring() as base_url:
        first: list[Sequence[float]] = []
        for size in SIZES:
            base = bare()
            show_spread("a bare app that does nothing else: key to screen", base)
            handled, shown = while_it_pours(base_url, size)
            first = first or [handled, shown]
            what = f"{size // 1000:,} KB, {size // len(LINE):,} lines"
            show_spread(f"{what}: key to handler", handled, grown_from=first[0])
            show_spread(f"{what}: key to screen", shown, against=base, grown_from=first[1])


if __name__ == "__main__":
    main()
