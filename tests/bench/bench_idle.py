"""What the program does while nothing happens: processor time, wake-ups, bytes written, beside a bare Textual app."""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass

import psutil

from tests.bench.terminal import Terminal, bench_environ, on_terminal

SECONDS = 20.0
"""How long is looked at it; both programs at the same time, so that they share what the machine does."""

SETTLE = 6.0
"""Seconds for what is loaded after the first frame, and for the blinking and tidying that ends by itself."""


@dataclass(frozen=True, slots=True)
class Seen:
    cpu: float
    wakes: int
    written: int


def _now(terminal: Terminal) -> Seen:
    process = psutil.Process(terminal.pid)
    times, switches = process.cpu_times(), process.num_ctx_switches()
    return Seen(times.user + times.system, switches.voluntary, len(terminal.raw))


def _line(name: str, before: Seen, after: Seen, seconds: float) -> None:
    share = 100 * (after.cpu - before.cpu) / seconds
    wakes, written = after.wakes - before.wakes, after.written - before.written
    print(f"{name:<46} {share:6.2f} % of a core   {wakes / seconds:6.1f} wakes/s   {written / seconds:6.1f} bytes/s")


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        environ = bench_environ(home)
        with (
            on_terminal([sys.executable, "-m", "tests.bench.bare_app"], environ) as bare,
            on_terminal([sys.executable, "-m", "tui"], environ) as fresh,
            on_terminal([sys.executable, "-m", "tui", "--model", "demo/pilot"], environ) as used,
        ):
            bare.until("bare-app-marker")
            fresh.until("Write a message")
            used.until("Write a message")
            used.send("hello\r")
            used.until("done in")
            programs = {"bare Textual app": bare, "quarterdeck, just opened": fresh, "quarterdeck, after a run": used}
            _pass(SETTLE, *programs.values())
            before, began = {name: _now(each) for name, each in programs.items()}, time.monotonic()
            _pass(SECONDS, *programs.values())
            seconds = time.monotonic() - began
            for name, each in programs.items():
                _line(name, before[name], _now(each), seconds)


def _pass(seconds: float, *terminals: Terminal) -> None:
    """Let time pass, taking what is drawn meanwhile."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for terminal in terminals:
            terminal.take(0.05)


if __name__ == "__main__":
    main()
