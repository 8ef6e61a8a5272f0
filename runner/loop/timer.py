"""Active time: what passes while nobody is waited for."""

from __future__ import annotations

from runner.clock import Clock


class ActiveTimer:
    """Seconds since the start, and those of them in which the run was not waiting for a person or paused."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start = clock.mono()
        self._since: float | None = self._start
        self._active = 0.0

    def set_active(self, active: bool) -> None:
        now = self._clock.mono()
        if self._since is not None:
            self._active += now - self._since
        self._since = now if active else None

    @property
    def active(self) -> float:
        return self._active + (self._clock.mono() - self._since if self._since is not None else 0.0)

    @property
    def wall(self) -> float:
        return self._clock.mono() - self._start
