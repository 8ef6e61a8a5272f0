"""How fast tokens came in the last minute: what was seen of it while it happened."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Final

from runner.state import Requesting, RunState
from runner.state.pace import CHARACTERS_PER_TOKEN

MINUTE: Final = 60
SPARK: Final = 15
"""Cells of the last minute's speed on the screen: four seconds in each."""

_BLOCKS: Final = "▁▂▃▄▅▆▇█"


class Speedometer:
    """Looks at a run from time to time. Tokens of an answer that is still coming are an estimate."""

    def __init__(self) -> None:
        self._tokens: dict[int, float] = {}
        self._run = ""
        self._requests = 0
        self._request: float | None = None
        self._noted = 0.0

    def note(self, run: RunState | None, now: float) -> None:
        """now: seconds of the clock that the run's `mono` comes from."""
        if run is None:
            return
        if run.run_id != self._run:
            # What was before this look is nobody's last minute.
            self._run, self._requests, self._request, self._noted = run.run_id, len(run.ledger), None, 0.0
        for entry in run.ledger[self._requests :]:
            self._add(entry.mono, max(0.0, entry.usage.output - self._noted))
            self._noted = 0.0
        self._requests = len(run.ledger)
        phase = run.phase
        if isinstance(phase, Requesting):
            if phase.since_mono != self._request:
                self._request, self._noted = phase.since_mono, 0.0
            written = phase.characters / CHARACTERS_PER_TOKEN
            self._add(now, written - self._noted)
            self._noted = written

    def _add(self, moment: float, tokens: float) -> None:
        if tokens <= 0:
            return
        second = int(moment)
        self._tokens[second] = self._tokens.get(second, 0.0) + tokens
        if len(self._tokens) > 2 * MINUTE:
            self._tokens = {key: value for key, value in self._tokens.items() if key > second - MINUTE}

    def line(self, now: float, cells: int) -> str:
        """The last minute from left to right; "" where nothing came in it."""
        return _line(self._tokens, now, cells)


def recorded_line(run: RunState | None, now: float, cells: int) -> str:
    """The same from what a run knows, whoever looked or not: each answer is spread over the time that it took."""
    tokens: dict[int, float] = {}
    if run is None:
        return ""
    for entry in reversed(run.ledger):
        if entry.mono < now - MINUTE:
            break
        begun = entry.mono - entry.seconds + (entry.first_token_seconds or 0.0)
        _spread(tokens, begun, entry.mono, entry.usage.output)
    phase = run.phase
    if isinstance(phase, Requesting) and phase.first_mono is not None:
        _spread(tokens, phase.first_mono, phase.last_mono or phase.first_mono, phase.characters / CHARACTERS_PER_TOKEN)
    return _line(tokens, now, cells)


def _spread(tokens: dict[int, float], begin: float, end: float, amount: float) -> None:
    """Give each second its part of so many tokens."""
    if end - begin <= 0 or int(begin) == int(end):
        tokens[int(end)] = tokens.get(int(end), 0.0) + amount
        return
    for second in range(max(int(begin), int(end) - MINUTE), int(end) + 1):
        part = (min(end, second + 1) - max(begin, second)) / (end - begin)
        tokens[second] = tokens.get(second, 0.0) + amount * part


def _line(tokens: Mapping[int, float], now: float, cells: int) -> str:
    if cells <= 0:
        return ""
    width = ceil(MINUTE / cells)
    # Cells stand for fixed seconds, so that their heights do not change while time goes on.
    last = int(now) // width
    sums = dict.fromkeys(range(last - cells + 1, last + 1), 0.0)
    for second, amount in tokens.items():
        if second // width in sums:
            sums[second // width] += amount
    return sparkline(list(sums.values())) if any(sums.values()) else ""


def sparkline(values: list[float]) -> str:
    """Values as blocks of their height against the highest one; nothing at all is a low dot."""
    top = max(values, default=0.0)
    return "".join(_BLOCKS[min(7, int(value / top * 8))] if value > 0 else "." for value in values)
