"""Random keys, mouse, pastes, raw bytes, sizes, focus, SIGSTOP and SIGCONT, detach and re-attach of tmux, a reader that
stalls, while a model streams: the program lives, still takes a word that is typed, and ends as it should."""

from __future__ import annotations

import contextlib
import random
import re
import shlex
import signal
import sys
import time
from pathlib import Path

import pexpect
import psutil
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
KINDS = {"keys": 50, "type": 12, "raw": 9, "mouse": 10, "noise": 7, "paste": 4, "size": 5, "focus": 3} | {
    "stop": 1,
    "stall": 1,
    "attach": 2,
}
"""What may come next, and how often."""

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


STALLS = (0.05, 0.6)
"""Seconds for which nobody reads what is written, or the program is stopped: at least and at most."""

WORD = "qxz"
"""What no text of the program has in it."""


class _Fuzz:
    """The program in a loop that starts it again, because random keys may well find the command that quits. What is
    written while it does not run reaches no shell."""

    def __init__(self, deck: Terminal, seed: int, over: Path) -> None:
        self.deck = deck
        self.steps: list[str] = []
        self._chance = random.Random(seed)
        self._client: pexpect.spawn[bytes] | None = None
        self._over = over
        program = shlex.join([sys.executable, "-m", "tui", "--model", "demo/slow"])
        # Signals ignored, or a key that comes while the interpreter starts would end it before there is a program.
        loop = f'trap "" INT QUIT TSTP; until test -e {over}; do {program}; echo left with $?.; done; echo over.'
        deck.command(f"exec sh -c '{loop} trap \"\" INT QUIT TSTP; exec cat > /dev/null'")

    def step(self) -> None:
        chance, deck = self._chance, self.deck
        kind = chance.choices([*KINDS], [*KINDS.values()])[0]
        match kind:
            case "stop":
                self._note(kind, seconds := chance.uniform(*STALLS))
                self._pause(deck.program, seconds)
            case "stall":
                self._note(kind, seconds := chance.uniform(*STALLS))
                self._pause(psutil.Process(int(deck.tmux("display", "-p", "#{pid}"))), seconds)
            case "attach":
                self._note(kind, self._client is None)
                self._attach()
            case "mouse":
                self._note(kind, data := self._mouse())
                deck.send_bytes(data)
            case "focus":
                self._note(kind, data := chance.choice([b"\x1b[I", b"\x1b[O", b"\x1b[O\x1b[I"]))
                deck.send_bytes(data)
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

    def _mouse(self) -> bytes:
        """A press, a move or a release: as SGR, or as the old protocol has it, whose bytes may be any."""
        chance = self._chance
        button, column, row = chance.choice([0, 1, 2, 32, 35, 64, 65]), chance.randint(1, 180), chance.randint(1, 60)
        if chance.random() < 0.7:
            return f"\x1b[<{button};{column};{row}{chance.choice('Mm')}".encode()
        return b"\x1b[M" + bytes([32 + button, min(32 + column, 255), min(32 + row, 255)])

    def _pause(self, process: psutil.Process | None, seconds: float) -> None:
        """Stop a process for a while: the program, or tmux, which then reads nothing of it."""
        with contextlib.suppress(psutil.NoSuchProcess):
            if process is not None:
                process.send_signal(signal.SIGSTOP)
                try:
                    time.sleep(seconds)
                finally:
                    process.send_signal(signal.SIGCONT)

    def _attach(self) -> None:
        """Another terminal shows the session, or shows it no more."""
        if self._client is None:
            self._client = self.deck.attach()
        else:
            self.detach()

    def detach(self) -> None:
        if self._client is not None:
            self._client.close(force=True)
            self._client = None

    def word_arrives(self) -> None:
        """No key is stuck: out of whatever is open, a word that is typed is seen."""
        self.deck.resize(120, 36)
        self.deck.send_bytes(b"\x1b[201~\x1b[201~\x1b[I")
        end = time.monotonic() + PATIENCE
        while WORD not in self.deck.screen():
            assert time.monotonic() < end, f"a word does not arrive:\n{self.deck.screen()}\n{self.steps[-12:]}"
            self.deck.press("Escape")
            # Together with what comes at once, escape is alt.
            time.sleep(10 * PACE)
            self.deck.type(WORD)
            soon = time.monotonic() + 2
            while WORD not in self.deck.screen() and time.monotonic() < soon:
                time.sleep(0.05)

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
    fuzz.detach()
    fuzz.word_arrives()
    fuzz.quit()
    fuzz.check()
    # A key that interrupts may come when the terminal is the shell's again and the program not quite over.
    assert set(fuzz.ends()) <= {0, 130, 131}
    assert deck.settings() == before
    assert deck.left_on() == set()
    assert all(run.finished for run in records.runs())
