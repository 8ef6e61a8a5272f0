"""How fast a run spends, and which of its limits it reaches first. Pure; a call costs what lies in the window."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from runner.state.run import Compacting, Requesting, RunState, Sampling
from runner.usage import Usage

WINDOW = 300.0
"""Seconds of active time that a pace is taken from."""

SHORTEST = 10.0
"""Less active time than this counts as this much, so that two quick requests make no wild pace."""

REQUESTS_NEEDED = 2
SECONDS_NEEDED = 20.0
"""A pace is told after so many requests, or after so much active time."""

CHARACTERS_PER_TOKEN = 4
"""The usual rule of thumb for English; only for an answer that is still coming."""

_MINUTE = Decimal(60)
_CLOCKS = ("max_time", "max_wall_time")
_RATED = (
    "max_cost_usd",
    "max_total_tokens",
    "max_input_tokens",
    "max_output_tokens",
    "max_turns",
    "max_model_requests",
    "max_tool_calls",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """A limit that is on, against what is used of it, in its own unit; an open request counts with its estimate.

    per_minute: of active time; None = not known. seconds: of active time until it is reached (0 = it is), None = it is
    not approached or nobody can know. exact: a clock tells it. estimated: a part of what is used or of the pace is.
    """

    limit: str
    used: Decimal
    value: Decimal
    per_minute: Decimal | None = None
    seconds: float | None = None
    exact: bool = False
    estimated: bool = False

    @property
    def share(self) -> float:
        """The used part of the limit; 1 or more means reached."""
        return float(self.used / self.value) if self.value > 0 else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """US dollars and tokens a minute of active time, None where it is too early or a price is not known.

    estimated: a part is an estimate. ahead: every limit that is on, the one reached first at the front.
    """

    usd_per_min: Decimal | None = None
    tokens_per_min: Decimal | None = None
    estimated: bool = False
    ahead: tuple[Ahead, ...] = ()

    @property
    def nearest(self) -> Ahead | None:
        """The limit that is reached first, as things go."""
        return self.ahead[0] if self.ahead and self.ahead[0].seconds is not None else None

    def of(self, limit: str) -> Ahead | None:
        return next((ahead for ahead in self.ahead if ahead.limit == limit), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """An estimate of the request that is open. cost_usd None = its price is not known. since_mono: when it began."""

    usage: Usage
    cost_usd: Decimal | None
    since_mono: float


def active_seconds(state: RunState, now_mono: float) -> float:
    """How long the run worked by now: waiting for a person and pauses do not count."""
    if state.finished:
        return state.active_seconds
    until = state.last_mono if state.idle else max(now_mono, state.last_mono)
    return max(0.0, until - state.started_mono - state.waited)


def coming(state: RunState) -> Coming | None:
    """The open request by what is known of it, None where none is open."""
    match state.phase:
        case Requesting() as phase:
            usage = Usage(input=phase.input_estimate, output=ceil(phase.characters / CHARACTERS_PER_TOKEN))
            price = phase.price
        case (Compacting() | Sampling()) as phase:
            usage, price = Usage(input=phase.input_estimate), phase.price
        case _:
            return None
    return Coming(usage=usage, cost_usd=None if price is None else price.cost(usage), since_mono=phase.since_mono)


@dataclass(slots=True)
class _Spent:
    """What the window holds. A request that began before it counts with the part that lies inside."""

    usd: Decimal | None = Decimal(0)
    input: Decimal = Decimal(0)
    output: Decimal = Decimal(0)
    turns: Decimal = Decimal(0)
    requests: Decimal = Decimal(0)
    estimated: bool = False

    def add(self, usage: Usage, cost: Decimal | None, part: Decimal, *, turn: bool, estimated: bool) -> None:
        self.usd = None if self.usd is None or cost is None else self.usd + cost * part
        self.input += usage.input * part
        self.output += usage.output * part
        self.turns += part if turn else 0
        self.requests += part
        self.estimated = self.estimated or (estimated and usage.total > 0)


def pace(state: RunState, now_mono: float) -> Pace:
    """The pace of a run that goes on; an ended one has none."""
    if state.finished or state.started_at is None:
        return Pace()
    active = active_seconds(state, now_mono)
    open_request = coming(state)
    requests = len(state.ledger) + (open_request is not None)
    spent: _Spent | None = None
    if requests >= REQUESTS_NEEDED or active >= SECONDS_NEEDED:
        spent = _recent(state, open_request, active)
    minutes = Decimal(max(SHORTEST, min(WINDOW, active))) / _MINUTE
    ahead = [*_clocks(state, active, now_mono), *_rated(state, open_request, spent, minutes)]
    ahead.sort(key=lambda limit: (limit.seconds is None, limit.seconds or 0.0, -limit.share))
    if spent is None:
        return Pace(ahead=tuple(ahead))
    return Pace(
        usd_per_min=None if spent.usd is None else spent.usd / minutes,
        tokens_per_min=(spent.input + spent.output) / minutes,
        estimated=spent.estimated,
        ahead=tuple(ahead),
    )


def _recent(state: RunState, open_request: Coming | None, active: float) -> _Spent:
    """What was spent in the window, newest first, so that older requests are not even looked at."""
    begin = active - WINDOW
    spent = _Spent()
    if open_request is not None:
        began = open_request.since_mono - state.started_mono - state.waited
        part = _part(began, active, begin)
        spent.add(open_request.usage, open_request.cost_usd, part, turn=False, estimated=True)
    for entry in reversed(state.ledger):
        end = entry.mono - state.started_mono - entry.waited
        if end <= begin:
            break
        part = _part(end - entry.seconds, end, begin)
        turn = entry.purpose == "turn" and not entry.discarded and entry.reason != "interrupted"
        spent.add(entry.usage, entry.cost_usd, part, turn=turn, estimated=entry.source == "estimated")
    return spent


def _part(start: float, end: float, begin: float) -> Decimal:
    """How much of the time from start to end lies after begin, 0..1."""
    if end <= begin:
        return Decimal(0)
    if start >= begin or end - start <= 0:
        return Decimal(1)
    return Decimal(min(1.0, (end - begin) / (end - start)))


def _clocks(state: RunState, active: float, now_mono: float) -> list[Ahead]:
    """The limits that time alone reaches, to the second."""
    used = {"max_time": active, "max_wall_time": max(0.0, now_mono - state.started_mono)}
    found: list[Ahead] = []
    for name in _CLOCKS:
        value = state.limits.get(name)
        if value is None:
            continue
        waits = name == "max_time" and state.idle
        left = None if waits else max(0.0, float(value) - used[name])
        found.append(Ahead(limit=name, used=Decimal(str(round(used[name], 3))), value=value, seconds=left, exact=True))
    return found


def _rated(state: RunState, open_request: Coming | None, spent: _Spent | None, minutes: Decimal) -> list[Ahead]:
    """The limits that are reached by what the run does."""
    wanted = [name for name in _RATED if name in state.limits]
    if not wanted:
        return []
    used = _used(state, open_request)
    rates = _rates(state, spent, minutes) if spent is not None else {}
    found: list[Ahead] = []
    for name in wanted:
        value, rate, so_far = state.limits[name], rates.get(name), used[name]
        seconds: float | None = None
        if so_far >= value:
            seconds = 0.0
        elif rate is not None and rate > 0:
            seconds = float((value - so_far) / rate * _MINUTE)
        coming_counts = open_request is not None and name in ("max_cost_usd", *_RATED[1:4])
        estimated = coming_counts or (spent is not None and spent.estimated)
        found.append(Ahead(limit=name, used=so_far, value=value, per_minute=rate, seconds=seconds, estimated=estimated))
    return found


def _used(state: RunState, open_request: Coming | None) -> dict[str, Decimal]:
    usage = state.usage if open_request is None else state.usage + open_request.usage
    cost = state.cost.known + (open_request.cost_usd or 0 if open_request is not None else 0)
    return {
        "max_cost_usd": cost,
        "max_total_tokens": Decimal(usage.total),
        "max_input_tokens": Decimal(usage.input),
        "max_output_tokens": Decimal(usage.output),
        "max_turns": Decimal(state.turns_accepted),
        "max_model_requests": Decimal(len(state.ledger) + (open_request is not None)),
        "max_tool_calls": Decimal(state.calls_started),
    }


def _rates(state: RunState, spent: _Spent, minutes: Decimal) -> dict[str, Decimal | None]:
    """A minute of active time; calls go by the turns, with as many in each as the run had so far."""
    usd = None if spent.usd is None or state.cost.unknown else spent.usd / minutes
    calls_per_turn = Decimal(state.calls_started) / max(1, state.turns_accepted)
    return {
        "max_cost_usd": usd,
        "max_total_tokens": (spent.input + spent.output) / minutes,
        "max_input_tokens": spent.input / minutes,
        "max_output_tokens": spent.output / minutes,
        "max_turns": spent.turns / minutes,
        "max_model_requests": spent.requests / minutes,
        "max_tool_calls": calls_per_turn * spent.turns / minutes,
    }
