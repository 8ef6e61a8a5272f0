"""When each event of a recording comes, played at some speed. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from runner.events import Event, ModelRequested, ModelResponded, TextDelta

PIECES_A_SECOND = 20.0
"""How often the text of a response grows while it is played."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """speed: recorded seconds in a second of playing; infinite = no waiting. longest: recorded seconds of silence that
    are waited for at most, before the speed counts; text that comes is no silence."""

    speed: float = 1.0
    longest: float = math.inf

    def wait(self, seconds: float) -> float:
        """Seconds to wait for so many recorded ones of silence."""
        return self.take(min(max(0.0, seconds), self.longest))

    def take(self, seconds: float) -> float:
        """Seconds that so many recorded ones take."""
        return seconds / self.speed if math.isfinite(self.speed) else 0.0


def play(events: Iterable[Event], pace: Pace) -> Iterator[tuple[float, Event]]:
    """Pairs of (seconds to wait before it, event). A stored response, whose deltas are gone, is written bit by bit in
    the time that it took: those deltas carry the number of the last fact, as they did live."""
    before: Event | None = None
    requested: ModelRequested | None = None
    for event in events:
        gap = 0.0 if before is None else (event.time - before.time).total_seconds()
        if isinstance(event, ModelRequested):
            requested = event
        if isinstance(event, ModelResponded) and event.text and before is not None and before is requested:
            yield from _written(event, gap, before.seq, pace)
            gap = 0.0
        yield pace.wait(gap), event
        before = event


def _written(event: ModelResponded, gap: float, seq: int, pace: Pace) -> Iterator[tuple[float, Event]]:
    silent = min(gap, event.first_token_seconds or 0.0)
    writing = pace.take(max(0.0, gap - silent))
    pieces = max(1, min(len(event.text), int(writing * PIECES_A_SECOND)))
    size = math.ceil(len(event.text) / pieces)
    starts = range(0, len(event.text), size)
    envelope = TextDelta(
        run_id=event.run_id,
        session_id=event.session_id,
        parent_run_id=event.parent_run_id,
        seq=seq,
        time=event.time,
        mono=event.mono,
        agent=event.agent,
        turn=event.turn,
        attempt=event.attempt,
    )
    before = pace.wait(silent)
    for start in starts:
        yield before + writing / len(starts), replace(envelope, text=event.text[start : start + size])
        before = 0.0
