"""Random keys, pastes, raw bytes and sizes while a model streams: the program lives, and ends as it should."""

from __future__ import annotations

import random
import re
import shlex
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import soak_factor
from tests.e2e.records import Records
from tests.e2e.terminal import PATIENCE, OpenTerminal, Terminal

SECONDS = 9.0
"""How long each seed goes on."""

PACE = 0.02
"""Seconds between two steps, so that what waits to be done at the end is done soon."""

SEEDS = range(2 * soak_factor())

# Without the key that quits; the rest may find the command for it.
KEYS = [
    *("Enter", "Escape", "Tab", "BTab", "BSpace", "DC", "Up", "Down", "Left", "Right", "Home", "End", "PageUp"),
    *("PageDown", "C-Home", "C-End", "C-Up", "M-Enter", "M-x", "S-Up", "Space"),
    *(f"F{number}" for number in range(1, 13)),
    *(f"C-{letter}" for letter in "abcdefghijklmnoprstuvwxy"),
    *("C-\\", "C-]", "C-_"),
    *"abcdeknrvxy0189/@#?[]{}.,;:!*_`~<>|",
]
TEXTS = [
    "hello",
    "what is here",
    "/model demo/slow",
    "/stop",
    "/nothing",
    "@no",
    "create some.txt with words",
    "run `seq 1 2000`",
    "change alpha to beta in notes.txt",
    "日本語テキスト",
    "e\u0301\u200d👩‍👩‍👧‍👦",
    "[@click=app.quit]x[/nope]",
]
RAW = [
    b"\x1b[<0;10;10M\x1b[<0;10;10m",
    b"\x1b[<64;20;5M",
    b"\x1b[<32;300;300M",
    b"\x1b[M !!",
    b"\x1b[M\xff\xff\xff",
    b"\x1b[I\x1b[O",
    b"\x1b[",
    b"\x1b[999999999999;5~",
    b"\x1b]11;rgb:0000/0000/0000\x07",
    b"\x1b]0;title\x1b\\",
    b"\x1bP>|name\x1b\\",
    b"\x1b[?2026;2$y",
    b"\x1b[12;40R",
    b"\x1b[97;5u\x1b[13;2u",
    b"\xff\xfe\x80\xc3",
    b"\x1b\x1b\x1b",
    b"\x1b[200~never ended",
    b"\x1b[201~",
    b"\x00",
]


class _Fuzz:
    """The program in a loop that starts it again, because random keys may well find the command that quits. What is
    written while it does not run reaches no shell."""

    def __init__(self, deck: Terminal, seed: int, over: Path) -> None:
        self.deck = deck
        self.steps: list[str] = []
        self._chance = random.Random(seed)
        self._over = over
        program = shlex.join([sys.executable, "-m", "tui", "--model", "demo/slow"])
        # Signals ignored, or a key that comes while the interpreter starts would end it before there is a program.
        loop = f'trap "" INT QUIT TSTP; until test -e {over}; do {program}; echo left with $?.; done; echo over.'
        deck.command(f"exec sh -c '{loop} trap \"\" INT QUIT TSTP; exec cat > /dev/null'")

    def step(self) -> None:
        chance, deck = self._chance, self.deck
        kind = chance.choices(["keys", "type", "raw", "noise", "paste", "size"], [60, 12, 10, 8, 4, 6])[0]
        match kind:
            case "keys":
                keys = chance.choices(KEYS, k=chance.randint(1, 6))
                self._note(kind, keys)
                deck.press(*keys)
            case "type":
                self._note(kind, text := chance.choice(TEXTS))
                deck.type(text)
            case "raw":
                self._note(kind, data := chance.choice(RAW))
                deck.send_bytes(data)
            case "noise":
                self._note(kind, data := chance.randbytes(chance.randint(0, 400)).replace(b"\x1a", b""))
                deck.paste(data)
            case "paste":
                self._note(kind, text := chance.choice(TEXTS))
                deck.paste(text.encode())
            case _:
                self._note(kind, size := (chance.randint(8, 180), chance.randint(2, 60)))
                deck.resize(*size)

    def _note(self, kind: str, what: object) -> None:
        self.steps.append(f"{kind} {what!r}")

    def check(self) -> None:
        """No crash so far."""
        written = self.deck.written
        for sign in (b"a fault of the program", b"Traceback", b"Fatal Python error"):
            if sign in written:
                last = "\n".join(self.steps[-12:])
                said = written[written.index(sign) - 100 :][:1500].decode(errors="replace")
                raise AssertionError(f"{said}\nthe last of {len(self.steps)} steps:\n{last}")

    def quit(self) -> None:
        """A paste that was never ended is ended; then the keys that end a run and the program."""
        self._over.touch()
        self.deck.resize(120, 36)
        self.deck.send_bytes(b"\x1b[201~\x1b[201~")
        self.deck.press("C-c", "C-c")
        end = time.monotonic() + PATIENCE
        while b"\nover." not in self.deck.written:
            assert time.monotonic() < end, f"it cannot be quit:\n{self.deck.screen()}\n{self.ends()}"
            self.deck.press("C-q")
            time.sleep(0.3)

    def ends(self) -> list[int]:
        return [int(code) for code in re.findall(rb"left with (\d+)\.", self.deck.written)]


@pytest.mark.parametrize("seed", SEEDS)
def test_random_input_never_breaks_it(terminal: OpenTerminal, records: Records, tmp_path: Path, seed: int) -> None:
    deck = terminal(120, 36, QUARTERDECK_DEMO_SPEED="2")
    before = deck.settings()
    fuzz = _Fuzz(deck, seed, tmp_path / "over")
    deck.wait_for("ready")
    deck.send("hello there")
    deck.wait_for("This is a long answer")
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        fuzz.step()
        fuzz.check()
        time.sleep(PACE)
    fuzz.quit()
    fuzz.check()
    # A key that interrupts may come when the terminal is the shell's again and the program not quite over.
    assert set(fuzz.ends()) <= {0, 130}
    assert deck.settings() == before
    assert deck.left_on() == set()
    assert all(run.finished for run in records.runs())
