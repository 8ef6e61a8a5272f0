"""Runs as bars on lanes along one time axis. Pure but for what is kept of settled runs, which is looked at once.

The axis is the session's time without the gaps between its runs, in seconds: each run begins where the one before it
ended. Calls side by side have rows of their own; a bar keeps its row from its first moment on, live and in review.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias

from runner.state import CallItem, LedgerEntry, Requesting, RunState, Span

Lane: TypeAlias = Literal["model", "tools", "you"]
LANES: tuple[Lane, ...] = ("model", "tools", "you")
"""From top to bottom. What a person is waited for has a lane of its own: their answers, limits, pauses."""

BarId: TypeAlias = tuple[str, int]
"""The run, and the number of the fact that began the bar."""

_LANE_OF: dict[str, Lane] = {
    "request": "model",
    "compaction": "model",
    "sampling": "model",
    "retry": "model",
    "tool": "tools",
    "approval": "you",
    "question": "you",
    "limit": "you",
    "pause": "you",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """start, end: on the axis; end None = it goes on. first: when the first piece of an answer came.

    entry: the request as it was paid for.
    """

    run_id: str
    lane: Lane
    row: int
    span: Span
    start: float
    end: float | None
    first: float | None = None
    entry: LedgerEntry | None = None

    @property
    def id(self) -> BarId:
        return self.run_id, self.span.seq

    def until(self, now: float) -> float:
        return max(self.start, now) if self.end is None else self.end


class Row:
    """The bars of one row: they follow each other, and only the last one may go on."""

    def __init__(self) -> None:
        self.bars: list[Bar] = []
        self._starts: list[float] = []

    def put(self, bar: Bar) -> None:
        """Add a bar, or the newer state of the last one."""
        if self.bars and self.bars[-1].id == bar.id:
            self.bars[-1] = bar
        else:
            self.bars.append(bar)
            self._starts.append(bar.start)

    def at_or_after(self, moment: float, now: float) -> int:
        """The first bar that is not over at that moment; the number of bars where there is none."""
        index = bisect_right(self._starts, moment) - 1
        # Bars without length may begin where another one ended.
        while index >= 0 and self.bars[index].start == moment:
            index -= 1
        return index if index >= 0 and self.bars[index].until(now) > moment else index + 1

    def near(self, moment: float) -> Bar | None:
        """The bar at a moment, or the nearest one."""
        index = bisect_right(self._starts, moment) - 1
        if index < 0:
            return self.bars[0] if self.bars else None
        bar = self.bars[index]
        if bar.end is None or moment < bar.end or index + 1 == len(self.bars):
            return bar
        after = self.bars[index + 1]
        return after if after.start - moment < moment - bar.end else bar

    def place(self, bar_id: BarId, start: float) -> int | None:
        """Where a bar is in its row."""
        index = bisect_left(self._starts, start)
        while index < len(self.bars) and self.bars[index].start == start:
            if self.bars[index].id == bar_id:
                return index
            index += 1
        return None


@dataclass(slots=True)
class _Run:
    """What was taken of one run so far. rows: the row of each bar that goes on. busy: of each lane's rows, the number
    of the fact that ended its last bar, None while that goes on."""

    run_id: str
    offset: float
    began: float
    at: datetime
    length: float = 0.0
    over: bool = False
    closed: int = 0
    settled: int = 0
    calls: dict[str, CallItem] = field(default_factory=dict[str, CallItem])
    rows: dict[int, int] = field(default_factory=dict[int, int])
    busy: dict[Lane, list[int | None]] = field(default_factory=dict[Lane, "list[int | None]"])

    def row_for(self, lane: Lane, span: Span) -> int:
        """The first row that was free when the span began. Facts have an order where times may be equal, so the answer
        is the same while it goes on and afterwards."""
        busy = self.busy.setdefault(lane, [])
        end = None if span.end is None else span.end_seq
        for row, until in enumerate(busy):
            if until is not None and until <= span.seq:
                busy[row] = end
                return row
        busy.append(end)
        return len(busy) - 1


class Lanes:
    """`show` takes the runs in; it costs what is new in them."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []
        self._by_id: dict[str, _Run] = {}
        self._open: list[Bar] = []
        self.lanes: dict[Lane, list[Row]] = {lane: [] for lane in LANES}
        self._seconds: dict[Lane, float] = dict.fromkeys(LANES, 0.0)
        self._cost_at: list[float] = []
        self._costs: list[Decimal] = []
        self.unknown_costs = 0
        """Requests whose cost is not known."""
        self.estimated_cost = False
        self.now = 0.0
        """The end of the axis."""

    def show(self, runs: Sequence[RunState], now_mono: float) -> None:
        """Take in what happened; they must continue those that were shown before."""
        known = _started(runs)
        first = max(0, len(self._runs) - 1)
        if first and not all(run.over for run in self._runs[:first]):
            first = 0
        self._open = []
        for index in range(first, len(known)):
            if index == len(self._runs):
                self._begin(known[index])
            self._take(self._runs[index], known[index], now_mono, last=index == len(known) - 1)
        self.now = self._runs[-1].offset + self._runs[-1].length if self._runs else 0.0

    def continues(self, runs: Sequence[RunState]) -> bool:
        """Whether these are the runs that were shown before, and more of them."""
        mine, runs = self._runs, _started(runs)
        if not mine:
            return True
        if len(runs) < len(mine) or runs[0].run_id != mine[0].run_id or runs[len(mine) - 1].run_id != mine[-1].run_id:
            return False
        return len(runs[len(mine) - 1].times.closed) >= mine[-1].closed

    def _begin(self, run: RunState) -> None:
        assert run.started_at is not None
        offset = self._runs[-1].offset + self._runs[-1].length if self._runs else 0.0
        made = _Run(run_id=run.run_id, offset=offset, began=run.started_mono, at=run.started_at)
        self._runs.append(made)
        self._by_id[run.run_id] = made

    def _take(self, mine: _Run, run: RunState, now_mono: float, *, last: bool) -> None:
        if mine.over:
            return
        mine.over = run.finished
        goes_on = last and not run.finished
        mine.length = (max(run.last_mono, now_mono) if goes_on else run.last_mono) - mine.began
        for item in run.settled[mine.settled :]:
            if isinstance(item, CallItem):
                mine.calls[item.call_id] = item
        mine.settled = len(run.settled)
        mine.calls.update((call.call_id, call) for call in run.live_calls)
        closed = run.times.closed[mine.closed :]
        mine.closed += len(closed)
        # First what was going on and is over now: it makes room for what began later.
        for span in closed:
            if span.seq in mine.rows:
                mine.busy[_LANE_OF[span.kind]][mine.rows[span.seq]] = span.end_seq
                self._put(mine, run, span)
        new = [span for span in (*closed, *run.times.open) if span.seq not in mine.rows]
        for span in sorted(new, key=lambda span: span.seq):
            mine.rows[span.seq] = mine.row_for(_LANE_OF[span.kind], span)
            self._put(mine, run, span)
        for span in closed:
            self._add(mine, run, span)
            del mine.rows[span.seq]
        for span in run.times.open:
            self._open.append(self._put(mine, run, span))

    def _put(self, mine: _Run, run: RunState, span: Span) -> Bar:
        """A bar as it stands, at its place."""
        lane, row = _LANE_OF[span.kind], mine.rows[span.seq]
        start, entry = mine.offset + span.start - mine.began, _entry(run, span)
        first: float | None = None
        if entry is not None and entry.first_token_seconds is not None:
            first = start + entry.first_token_seconds
        elif span.end is None and isinstance(run.phase, Requesting) and run.phase.first_mono is not None:
            first = mine.offset + run.phase.first_mono - mine.began if span.kind == "request" else None
        bar = Bar(
            run_id=run.run_id,
            lane=lane,
            row=row,
            span=span,
            start=start,
            end=None if span.end is None else mine.offset + span.end - mine.began,
            first=first,
            entry=entry,
        )
        rows = self.lanes[lane]
        while len(rows) <= row:
            rows.append(Row())
        rows[row].put(bar)
        return bar

    def _add(self, mine: _Run, run: RunState, span: Span) -> None:
        """The sums, with what is over."""
        assert span.end is not None
        self._seconds[_LANE_OF[span.kind]] += span.end - span.start
        entry = _entry(run, span)
        if entry is None:
            return
        self.unknown_costs += entry.cost_usd is None
        self.estimated_cost = self.estimated_cost or (entry.source == "estimated" and bool(entry.cost_usd))
        self._cost_at.append(mine.offset + span.end - mine.began)
        self._costs.append((self._costs[-1] if self._costs else Decimal(0)) + (entry.cost_usd or 0))

    # What is asked of it; nothing of this goes through all bars

    def seconds(self, lane: Lane) -> float:
        """How long all of a lane's bars are together."""
        return self._seconds[lane] + sum(self.now - bar.start for bar in self._open if bar.lane == lane)

    def cost(self, moment: float) -> Decimal:
        """What was paid by then, as far as it is known."""
        index = bisect_right(self._cost_at, moment)
        return self._costs[index - 1] if index else Decimal(0)

    def run_at(self, moment: float) -> float:
        """Where the run begins that a moment belongs to."""
        index = bisect_right(self._runs, moment, key=lambda run: run.offset) - 1
        return self._runs[max(0, index)].offset if self._runs else 0.0

    def beginnings(self, left: float, right: float) -> Sequence[float]:
        """Where runs begin between two moments."""
        first = bisect_left(self._runs, left, key=lambda run: run.offset)
        last = bisect_left(self._runs, right, key=lambda run: run.offset)
        return [run.offset for run in self._runs[first:last]]

    def clock(self, moment: float) -> datetime:
        """The time of day at a moment."""
        index = bisect_right(self._runs, moment, key=lambda run: run.offset) - 1
        run = self._runs[max(0, index)]
        return run.at + timedelta(seconds=moment - run.offset)

    def call(self, bar: Bar) -> CallItem | None:
        """The call that a bar is, or belongs to, as it stands now."""
        run = self._by_id.get(bar.run_id)
        return None if run is None else run.calls.get(bar.span.call_id)

    def bar(self, lane: Lane, row: int, bar_id: BarId, start: float) -> Bar | None:
        """A bar as it is now."""
        rows = self.lanes[lane]
        if row >= len(rows):
            return None
        place = rows[row].place(bar_id, start)
        return None if place is None else rows[row].bars[place]

    @property
    def last(self) -> Bar | None:
        """The bar that began last."""
        ends = [row.bars[-1] for rows in self.lanes.values() for row in rows if row.bars]
        return max(ends, key=lambda bar: (bar.start, bar.span.seq), default=None)


def _started(runs: Sequence[RunState]) -> Sequence[RunState]:
    return runs if all(run.started_at is not None for run in runs) else [run for run in runs if run.started_at]


def _entry(run: RunState, span: Span) -> LedgerEntry | None:
    return run.ledger[span.entry] if span.entry is not None and span.entry < len(run.ledger) else None
