"""Every tool call of the session in order, without going through the session again for each frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from runner.state import CallItem, RunState


class Calls(Sequence[CallItem]):
    """The settled calls as they were counted, and those of the turn that goes on behind them."""

    __slots__ = ("_count", "_live", "_settled")

    def __init__(self, settled: Sequence[CallItem], live: Sequence[CallItem]) -> None:
        self._settled, self._count, self._live = settled, len(settled), live

    def __len__(self) -> int:
        return self._count + len(self._live)

    @overload
    def __getitem__(self, index: int) -> CallItem: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[CallItem]: ...
    def __getitem__(self, index: int | slice) -> CallItem | Sequence[CallItem]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        return self._settled[index] if index < self._count else self._live[index - self._count]


class CallBook:
    """What is settled is looked at once."""

    def __init__(self) -> None:
        self._settled: list[CallItem] = []
        self._seen: list[tuple[str, int]] = []

    def calls(self, runs: Sequence[RunState]) -> Calls:
        """Of the runs of a session, oldest first; only the last one may go on."""
        if not self._continues(runs):
            self._settled, self._seen = [], []
        for run in runs[max(0, len(self._seen) - 1) :]:
            known = 0
            if self._seen and self._seen[-1][0] == run.run_id:
                known = self._seen.pop()[1]
            self._settled.extend(item for item in run.settled[known:] if isinstance(item, CallItem))
            self._seen.append((run.run_id, len(run.settled)))
        return Calls(self._settled, runs[-1].live_calls if runs else ())

    def _continues(self, runs: Sequence[RunState]) -> bool:
        seen = self._seen
        if not seen:
            return True
        if len(runs) < len(seen) or runs[0].run_id != seen[0][0]:
            return False
        last = runs[len(seen) - 1]
        return last.run_id == seen[-1][0] and len(last.settled) >= seen[-1][1]
