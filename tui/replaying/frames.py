"""The one clock of a replay: frames while something moves, none while nothing does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

from tui.frame_pace import FramePace
from tui.terminal import frame_time

LAGGING_PAUSE: Final = 0.1
"""Seconds until the next look at a terminal that is behind."""

SOON: Final = 0.001
"""Seconds until a frame that may come at once: after what was already asked for."""

LONGEST_STEP: Final = 0.5
"""Seconds that one frame may stand for: after a halt the recording goes on from where it stood."""


class Terminal(Protocol):
    def terminal_behind(self) -> bool: ...

    def terminal_drain(self) -> float: ...


class Frames:
    """frame: told the seconds since the last one, 0.0 for the first of a row; gives whether there is to be another."""

    def __init__(
        self,
        later: Callable[[float, Callable[[], None]], object],
        frame: Callable[[float], bool],
        *,
        a_second: float,
        terminal: Terminal | None,
        now: Callable[[], float] = time.monotonic,
        spent: Callable[[], float] = time.thread_time,
    ) -> None:
        self._later = later
        self._frame = frame
        self._frame_time = 1.0 / a_second
        self._terminal = terminal
        self._now = now
        self._spent = spent
        self._pace = FramePace()
        self._last: float | None = None
        self._due = False

    def ask(self) -> None:
        """Something changed: one frame, as soon as one may come; asked often, it is still one."""
        if not self._due:
            self._due = True
            self._wait()

    def _wait(self) -> None:
        at_least = self._frame_time
        if self._terminal is not None:
            at_least = frame_time(at_least, self._terminal.terminal_drain())
        wait = self._pace.wait(self._now(), self._spent(), at_least=at_least, facts=True)
        if self._terminal is not None and self._terminal.terminal_behind():
            wait = max(wait, LAGGING_PAUSE)
        self._later(max(SOON, wait), self._come)

    def _come(self) -> None:
        now = self._now()
        passed = 0.0 if self._last is None else min(LONGEST_STEP, now - self._last)
        self._pace.framed(now, self._spent(), 0)
        self._due = False
        goes_on = self._frame(passed)
        self._last = now if goes_on else None
        if goes_on:
            self.ask()
