"""When the keys of an approval count. Pure: a prompt never takes keys that were meant for something else."""

from __future__ import annotations

from dataclasses import dataclass

QUIET = 0.4
"""Seconds without any input before the keys of an approval count."""

BURST = 0.15
"""Seconds in which a further key shows that a decision's key was a part of typing or of a paste."""


@dataclass(slots=True)
class Arming:
    """Times are seconds of one monotonic clock. Armed once, it stays so until reset."""

    shown: float = 0.0
    armed: bool = False

    def reset(self, now: float) -> None:
        """Another request is shown, or the focus changed: the quiet moment begins again."""
        self.shown = now
        self.armed = False

    def wait(self, now: float, last_input: float) -> float:
        """Arm when it is time to; the seconds still to wait, 0 when armed."""
        if self.armed:
            return 0.0
        left = max(self.shown, last_input) + QUIET - now
        self.armed = left <= 0
        return max(0.0, left)
