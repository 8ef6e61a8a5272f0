"""What was spent today, in all sessions: what the store knows, and the runs that go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from runner.errors import QuarterdeckError
from runner.state import RunState
from runner.usage import Cost

if TYPE_CHECKING:
    from tui.engine import Engine
    from tui.ports import Host
    from tui.view import View


def local_now() -> datetime:
    return datetime.now().astimezone()


class Today:
    """Asks the store when it is opened, at the end of each run and after midnight; never on the screen's thread."""

    def __init__(
        self, host: Host, engine: Engine, repaint: Callable[[], None], now: Callable[[], datetime] = local_now
    ) -> None:
        self._host = host
        self._engine = engine
        self._repaint = repaint
        self._now = now
        self._since: datetime | None = None
        self._runs: dict[str, tuple[Cost, bool]] | None = None
        self._sum: tuple[Cost, bool] | None = None
        self._live: dict[str, int] = {}

    @property
    def known(self) -> bool:
        """Whether the store has told what today's runs cost."""
        return self._runs is not None

    def refresh(self) -> None:
        self._since = self._now().replace(hour=0, minute=0, second=0, microsecond=0)
        self._host.work(self._load(self._since), "today")

    async def _load(self, since: datetime) -> None:
        try:
            rows = await asyncio.wrap_future(self._engine.ask(lambda store: store.usage("run", since=since)))
        except QuarterdeckError:
            # Without a store nobody knows what other sessions cost.
            self._runs = self._sum = None
        else:
            self._runs = {row.key: (row.cost, row.estimated_cost.known > 0) for row in rows}
            self._sum, self._live = None, {}
        self._repaint()

    def add_to(self, view: View, live: Sequence[RunState]) -> View:
        """live: the runs that go on, those of other sessions too."""
        if self._since is not None and self._now().date() != self._since.date():
            self.refresh()
        if self._runs is None or self._since is None:
            return view
        for run in live:
            requests = len(run.ledger)
            if self._live.get(run.run_id) != requests:
                self._live[run.run_id] = requests
                self._note(run.run_id, spent_since(run, self._since))
        if self._sum is None:
            costs = self._runs.values()
            self._sum = sum((cost for cost, _ in costs), Cost()), any(estimated for _, estimated in costs)
        return replace(view, today=self._sum[0], today_estimated=self._sum[1])

    def _note(self, run_id: str, spent: tuple[Cost, bool]) -> None:
        """The store may know more of a run than the screen does yet, or less; a cost never decreases."""
        assert self._runs is not None
        known = self._runs.get(run_id)
        if known is None or (known[0].known, known[0].unknown) <= (spent[0].known, spent[0].unknown):
            self._runs[run_id] = spent
            self._sum = None


def spent_since(run: RunState, since: datetime) -> tuple[Cost, bool]:
    """What a run cost since then, and whether a part of it is an estimate."""
    if run.started_at is not None and run.started_at >= since:
        return run.cost, run.times.estimated > 0
    cost, estimated = Cost(), False
    for entry in reversed(run.ledger):
        if entry.time < since:
            break
        cost = cost.add(entry.cost_usd)
        estimated = estimated or (entry.source == "estimated" and entry.usage.total > 0)
    return cost, estimated
