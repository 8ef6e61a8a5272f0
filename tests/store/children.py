"""Programs of their own on the data folder of a test (tests.store.child), and how they are steered."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TypeAlias

from tests.contract.sources import ROOT

Child: TypeAlias = "subprocess.Popen[str]"


def start(mode: str, database: Path, *arguments: str) -> Child:
    """Begin `tests.store.child` in that mode."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.child", mode, str(database), *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def line(child: Child) -> str:
    """What it says next."""
    assert child.stdout is not None
    return child.stdout.readline().strip()


def say(child: Child, words: str) -> None:
    """A line for it to read."""
    assert child.stdin is not None
    child.stdin.write(f"{words}\n")
    child.stdin.flush()


def go(child: Child) -> None:
    """Let it go on from where it waits."""
    say(child, "go")


def finish(child: Child) -> str:
    """Let it come to its end; returns the last line."""
    last = line(child)
    child.communicate(timeout=60)
    assert child.returncode == 0
    return last


def kill(child: Child) -> None:
    """SIGKILL."""
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=20)
