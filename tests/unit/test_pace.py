"""How fast a run spends, and which limit comes first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.events import (
    ApprovalRequested,
    AttemptDiscarded,
    CompactionFinished,
    CompactionStarted,
    Event,
    ModelRequested,
    ModelResponded,
    Paused,
    Resumed,
    RunFinished,
    RunStarted,
    StatusChanged,
    TextDelta,
    ToolProposed,
    ToolStarted,
)
from runner.log import AppendLog
from runner.messages import JsonObject
from runner.state import LedgerEntry, RunState, fold
from runner.state.pace import SHORTEST, WINDOW, Pace, active_seconds, coming, pace
from runner.usage import Price, Usage

BEGAN = 1000.0
PRICE = Price(input=Decimal(3), output=Decimal(15))
SPENT = Usage(input=9000, output=1000)


def run(*events: Event, **limits: object) -> RunState:
    """A run that started at BEGAN; events say their own time after it."""
    config: JsonObject = dict(limits)
    moved = [replace(event, mono=BEGAN + event.mono) for event in events]
    return fold([RunStarted(run_id="r", mono=BEGAN, time=datetime(2026, 1, 1, tzinfo=UTC), config=config), *moved])


def answer(at: float, *, seconds: float = 2.0, cost: str | None = "0.10", usage: Usage = SPENT) -> ModelResponded:
    paid = None if cost is None else Decimal(cost)
    return ModelResponded(model="m", text="x", mono=at, seconds=seconds, usage=usage, cost_usd=paid, price=PRICE)


def at(state: RunState, seconds: float) -> Pace:
    return pace(state, BEGAN + seconds)


def test_too_early_nothing_is_said() -> None:
    state = run(answer(5.0), max_cost_usd="1", max_turns=10)
    found = at(state, 19.9)
    assert (found.usd_per_min, found.tokens_per_min, found.nearest) == (None, None, None)
    assert at(state, 20.0).usd_per_min == Decimal("0.3")
    assert at(run(answer(5.0), answer(10.0)), 10.0).usd_per_min == Decimal("1.2")


def test_money_and_tokens_a_minute_and_when_the_limit_comes() -> None:
    state = run(answer(20.0), answer(40.0), answer(60.0), max_cost_usd="1.50")
    found = at(state, 60.0)
    assert found.usd_per_min == Decimal("0.3")
    assert found.tokens_per_min == 30_000
    assert not found.estimated
    assert found.nearest is not None
    assert (found.nearest.limit, found.nearest.seconds) == ("max_cost_usd", 240.0)
    assert found.nearest.share == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("limits", "limit", "seconds"),
    [
        ({"max_total_tokens": 60_000}, "max_total_tokens", 60.0),
        ({"max_input_tokens": 54_000}, "max_input_tokens", 60.0),
        ({"max_output_tokens": 4_000}, "max_output_tokens", 20.0),
        ({"max_turns": 5}, "max_turns", 40.0),
        ({"max_model_requests": 4}, "max_model_requests", 20.0),
        ({"max_tool_calls": 6}, "max_tool_calls", 60.0),
        ({"max_wall_time": 100}, "max_wall_time", 40.0),
        ({"max_time": 90.5}, "max_time", 30.5),
        ({"max_turns": 3}, "max_turns", 0.0),
        ({"max_turns": 5, "max_time": 65, "max_cost_usd": "9"}, "max_time", 5.0),
        ({"tool_timeout": 5, "timeout_per_turn": 5}, None, None),
    ],
)
def test_the_limit_that_comes_first(limits: dict[str, object], limit: str | None, seconds: float | None) -> None:
    calls = [
        kind(call_id=f"c{number}", tool="shell", mono=20.0 * number)
        for number in range(3)
        for kind in (ToolProposed, ToolStarted)
    ]
    found = at(run(answer(20.0), *calls, answer(40.0), answer(60.0), **limits), 60.0)
    nearest = found.nearest
    assert (nearest.limit if nearest else None) == limit
    assert (nearest.seconds if nearest else None) == (None if seconds is None else pytest.approx(seconds))
    assert {ahead.limit for ahead in found.ahead} == {name for name in limits if name.startswith("max_")}


def test_an_unknown_price_gives_no_projection_of_money() -> None:
    state = run(answer(20.0), answer(40.0, cost=None), max_cost_usd="1", max_total_tokens=100_000)
    found = at(state, 60.0)
    assert found.usd_per_min is None
    money = found.of("max_cost_usd")
    assert money is not None
    assert (money.seconds, money.per_minute) == (None, None)
    assert found.nearest is not None
    assert found.nearest.limit == "max_total_tokens"


def test_what_is_estimated_says_so() -> None:
    cut = AttemptDiscarded(model="m", usage=SPENT, cost_usd=Decimal("0.10"), usage_source="estimated", mono=40.0)
    found = at(run(answer(20.0), cut, max_cost_usd="1", max_wall_time=100), 60.0)
    assert found.estimated
    assert [(ahead.limit, ahead.estimated, ahead.exact) for ahead in found.ahead] == [
        ("max_wall_time", False, True),
        ("max_cost_usd", True, False),
    ]
    refused = AttemptDiscarded(model="m", cost_usd=Decimal(0), usage_source="estimated", mono=40.0)
    assert not at(run(answer(20.0), refused), 60.0).estimated


def test_an_open_request_counts_with_its_estimate() -> None:
    opened = ModelRequested(model="m", input_tokens_estimate=8000, price=PRICE, mono=41.0)
    state = run(answer(20.0), answer(40.0), opened, max_total_tokens=40_000, max_model_requests=4)
    state = fold([TextDelta(text="x" * 4000, mono=BEGAN + 42.0)], state)
    request = coming(state)
    assert request is not None
    assert request.usage == Usage(input=8000, output=1000)
    assert request.cost_usd == PRICE.cost(request.usage)
    found = at(state, 60.0)
    assert found.tokens_per_min == 29_000
    assert found.estimated
    tokens, requests = found.of("max_total_tokens"), found.of("max_model_requests")
    assert tokens is not None
    assert requests is not None
    assert (tokens.used, tokens.estimated) == (29_000, True)
    assert (requests.used, requests.seconds) == (3, pytest.approx(20.0))


def test_the_request_for_a_summary_counts_too() -> None:
    state = run(
        answer(20.0), CompactionStarted(model="m", input_tokens_estimate=9000, mono=40.0), max_total_tokens=100_000
    )
    assert at(state, 60.0).tokens_per_min == 19_000
    done = CompactionFinished(model="m", usage=SPENT, cost_usd=Decimal("0.10"), mono=BEGAN + 50.0, seconds=10.0)
    found = at(fold([done], state), 60.0)
    assert found.tokens_per_min == 20_000
    assert at(run(answer(20.0), max_turns=9), 60.0).of("max_turns") == at(
        fold([done], run(answer(20.0), max_turns=9)), 60.0
    ).of("max_turns")


def test_only_the_recent_past_counts() -> None:
    state = run(answer(10.0), answer(20.0), answer(400.0), max_cost_usd="5")
    assert at(state, 400.0).usd_per_min == Decimal("0.10") * 60 / Decimal(WINDOW)
    assert at(state, 1000.0).usd_per_min == 0
    quiet = at(state, 1000.0).of("max_cost_usd")
    assert quiet is not None
    assert quiet.seconds is None


def test_a_request_at_the_edge_counts_in_part() -> None:
    state = run(answer(100.0, seconds=100.0), answer(300.0))
    assert at(state, WINDOW).usd_per_min == Decimal("0.04")
    assert at(state, WINDOW + 50).usd_per_min == Decimal("0.03")
    assert at(state, WINDOW + 100).usd_per_min == Decimal("0.02")


def test_waiting_for_a_person_does_not_count() -> None:
    paused = [answer(20.0), answer(40.0), Paused(mono=40.0)]
    state = run(*paused, max_time=100, max_wall_time=1000, max_cost_usd="1")
    assert active_seconds(state, BEGAN + 500) == 40.0
    assert at(state, 500.0).usd_per_min == at(state, 40.0).usd_per_min == Decimal("0.3")
    held = at(state, 500.0).of("max_time")
    assert held is not None
    assert (held.used, held.seconds) == (40, None)
    went_on = run(*paused, Resumed(mono=540.0), max_time=100, max_wall_time=1000)
    assert active_seconds(went_on, BEGAN + 550) == 50.0
    found = at(went_on, 550.0)
    assert found.nearest is not None
    assert (found.nearest.limit, found.nearest.seconds) == ("max_time", pytest.approx(50.0))
    assert found.usd_per_min == Decimal("0.24")


def test_waiting_for_an_approval_counts_only_while_a_tool_runs() -> None:
    asked = [
        ToolProposed(call_id="a", tool="shell", mono=10.0),
        ApprovalRequested(request_id="q", call_id="a", tool="shell", mono=10.0),
        StatusChanged(new="waiting_approval", mono=10.0),
    ]
    assert active_seconds(run(*asked), BEGAN + 60) == 10.0
    other = [ToolProposed(call_id="b", tool="search", mono=5.0), ToolStarted(call_id="b", mono=5.0)]
    assert active_seconds(run(*other, *asked), BEGAN + 60) == 60.0


def test_an_ended_or_unstarted_run_has_no_pace() -> None:
    ended = run(answer(20.0), answer(40.0), RunFinished(status="completed", active_seconds=33.0), max_turns=9)
    assert pace(ended, BEGAN + 99) == Pace()
    assert active_seconds(ended, BEGAN + 99) == 33.0
    assert pace(RunState(), 5.0) == Pace()


TIMES = st.lists(st.floats(0, 2000), max_size=12).map(sorted)
COSTS = st.lists(st.one_of(st.none(), st.decimals(0, 5, places=4)), min_size=12, max_size=12)
LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "max_cost_usd": st.decimals(0, 50, places=2).map(str),
        "max_total_tokens": st.integers(0, 200_000),
        "max_turns": st.integers(0, 20),
        "max_model_requests": st.integers(0, 40),
        "max_tool_calls": st.integers(0, 9),
        "max_time": st.floats(0.1, 4000),
        "max_wall_time": st.floats(0.1, 4000),
    },
)


@given(
    TIMES,
    COSTS,
    LIMITS,
    st.lists(st.integers(0, 10**6), min_size=12, max_size=12),
    st.floats(0, 400),
    st.booleans(),
    st.booleans(),
)
def test_never_negative_and_never_a_division_by_zero(
    times: list[float],
    costs: list[Decimal | None],
    limits: dict[str, object],
    tokens: list[int],
    later: float,
    opened: bool,
    paused: bool,
) -> None:
    events: list[Event] = []
    for index, (time, cost, size) in enumerate(zip(times, costs, tokens, strict=False)):
        usage = Usage(input=size, output=size // 7)
        events.append(answer(time, seconds=size % 50, cost=None if cost is None else str(cost), usage=usage))
        events.append(ToolProposed(call_id=f"c{index}", tool="shell", mono=time))
    end = times[-1] if times else 0.0
    if opened:
        events.append(ModelRequested(model="m", input_tokens_estimate=tokens[0], price=PRICE, mono=end))
    if paused:
        events.append(Paused(mono=end))
    state = run(*events, **limits)
    found = at(state, end + later)
    assert found.usd_per_min is None or found.usd_per_min >= 0
    assert found.tokens_per_min is None or found.tokens_per_min >= 0
    assert len(found.ahead) == len(limits)
    seconds = [ahead.seconds for ahead in found.ahead]
    known = [value for value in seconds if value is not None]
    assert all(value >= 0 for value in known)
    assert seconds == [*sorted(known), *[None] * (len(seconds) - len(known))]
    for ahead in found.ahead:
        assert ahead.used >= 0
        assert ahead.share >= 0
        assert ahead.per_minute is None or ahead.per_minute >= 0
        assert (ahead.seconds == 0) == (ahead.used >= ahead.value) or ahead.exact or ahead.seconds is not None


@given(TIMES, st.decimals(0, 5, places=4), st.floats(0, 600), st.floats(0, 600))
def test_the_pace_falls_while_nothing_is_spent_and_rises_with_what_is(
    times: list[float], cost: Decimal, later: float, more: float
) -> None:
    end = times[-1] if times else 0.0
    dear = run(*(answer(time, cost=str(cost * 2), usage=SPENT + SPENT) for time in times), max_cost_usd="100")
    cheap = run(*(answer(time, cost=str(cost)) for time in times), max_cost_usd="100")
    now, then = at(cheap, end + later), at(cheap, end + later + more)
    if now.usd_per_min is not None and then.usd_per_min is not None and now.tokens_per_min and then.tokens_per_min:
        assert then.usd_per_min <= now.usd_per_min
        assert then.tokens_per_min <= now.tokens_per_min
    twice = at(dear, end + later)
    if now.usd_per_min is not None and twice.usd_per_min is not None:
        assert twice.usd_per_min >= now.usd_per_min
    sooner, late = twice.of("max_cost_usd"), now.of("max_cost_usd")
    assert sooner is not None
    assert late is not None
    if sooner.seconds is not None and late.seconds is not None:
        assert sooner.seconds <= late.seconds


class Counted(AppendLog[LedgerEntry]):
    """A ledger that counts the entries that were looked at."""

    looked = 0

    def __getitem__(self, index: int | slice) -> LedgerEntry:  # pyright: ignore[reportIncompatibleMethodOverride]
        assert isinstance(index, int)
        self.looked += 1
        return super().__getitem__(index)

    def __iter__(self) -> Iterator[LedgerEntry]:
        raise AssertionError("the whole ledger is read")


@pytest.mark.parametrize("requests", [50, 5000])
def test_a_call_costs_what_lies_in_the_window_however_long_the_session(requests: int) -> None:
    state = run(answer(1.0), max_cost_usd="9", max_turns=9, max_tool_calls=9, max_time=9, max_total_tokens=9)
    entry = state.ledger[0]
    ledger = Counted(replace(entry, mono=BEGAN + 20.0 * number) for number in range(requests))
    state = replace(state, ledger=ledger, last_mono=BEGAN + 20.0 * requests)
    assert at(state, 20.0 * requests).usd_per_min == Decimal("0.10") * 14 / 5
    assert ledger.looked <= WINDOW / 20 + 2


def test_two_quick_requests_make_no_wild_pace() -> None:
    found = at(run(answer(0.0, seconds=0.0), answer(0.0, seconds=0.0)), 0.0)
    assert found.usd_per_min == Decimal("0.20") * 60 / Decimal(SHORTEST)
