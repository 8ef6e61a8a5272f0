"""The times that a file system writes: of the last tick of the system's clock, which lies up to 10 ms back."""

from __future__ import annotations

import sys
import time

_COARSE = 5
"""CLOCK_REALTIME_COARSE of Linux, the very clock that files are stamped by."""

_SECOND = 1_000_000_000
_TICK = 20_000_000


def next_tick() -> int:
    """Wait for the clock's next tick, some milliseconds, and return it in nanoseconds since the epoch.

    What changed before has an earlier stamp, and what changes from now on has this one or a later one.
    """
    if sys.platform != "linux":
        time.sleep(_TICK / 1e9)
        return time.time_ns() - _TICK // 2
    before = time.clock_gettime_ns(_COARSE)
    while (now := time.clock_gettime_ns(_COARSE)) == before:
        time.sleep(0.0005)
    return now


def not_before(stamp: int, moment: int) -> bool:
    """Whether something stamped so may have happened at that moment or later; some systems know whole seconds only."""
    return stamp >= moment or (stamp % _SECOND == 0 and stamp >= moment // _SECOND * _SECOND)
