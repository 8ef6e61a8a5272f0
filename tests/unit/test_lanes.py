"""The time axis as data: bars never overlap in a row, lie within their run, and are the same live and in review."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from runner.events import (
    ApprovalRequested,
    ApprovalResolved,
    AttemptDiscarded,
    ErrorInfo,
    ModelRequested,
    Paused,
    Resumed,
    RetryScheduled,
    StopRequested,
    TextDelta,
    ToolFinished,
    ToolProposed,
    ToolStarted,
)
from runner.state import RunState, fold
from runner.usage import Usage
from tests.store.making import Maker
from tests.store.random_runs import random_run
from tui.render.axis import SCALES, Piece, Window, bars, cost_line, fitting, moment_words, ticks
from tui.render.bar_words import head, look, more
from tui.render.lanes import LANES, Bar, Lanes

Seeds = st.integers(0, 10**6)


def known(lanes: Lanes) -> dict[tuple[str, int], list[Bar]]:
    return {(lane, number): list(row.bars) for lane, rows in lanes.lanes.items() for number, row in enumerate(rows)}


def shown(*runs: RunState, now: float | None = None) -> Lanes:
    lanes = Lanes()
    lanes.show(runs, runs[-1].last_mono if now is None else now)
    return lanes


def side_by_side(choices: list[int]) -> Maker:
    """Five calls that begin and end in any order; a turn whose calls are all over is followed by another one."""
    maker = Maker()
    maker.begin()
    maker.begin_turn()
    begun: set[int] = set()
    for number in choices:
        if number not in begun:
            begun.add(number)
            maker.add(ToolStarted(call_id=f"c{number}", tool="measure"))
        else:
            begun.remove(number)
            maker.add(ToolFinished(call_id=f"c{number}", tool="measure", status="ok"))
    return maker


def check(lanes: Lanes, runs: list[RunState]) -> None:
    for row in known(lanes).values():
        assert [bar.start for bar in row] == sorted(bar.start for bar in row)
        assert all(one.until(lanes.now) <= other.start for one, other in pairwise(row))
    begin = 0.0
    every = [bar for row in known(lanes).values() for bar in row]
    for run in runs:
        end = begin + run.last_mono - run.started_mono
        mine = [bar for bar in every if bar.run_id == run.run_id]
        assert len(mine) == len(run.times.closed) + len(run.times.open)
        assert all(begin - 1e-6 <= bar.start <= bar.until(lanes.now) <= end + 1e-6 for bar in mine)
        begin = end
    assert lanes.now == pytest.approx(begin)
    assert lanes.cost(lanes.now) == sum((run.cost.known for run in runs), Decimal(0))
    assert lanes.unknown_costs == sum(run.cost.unknown for run in runs)


@settings(max_examples=25, deadline=None)
@given(seeds=st.lists(Seeds, min_size=1, max_size=3), looks=st.sets(st.integers(0, 200), max_size=12))
def test_bars_are_the_same_live_and_in_review(seeds: list[int], looks: set[int]) -> None:
    makers = [random_run(random.Random(seed), run_id=f"run-{number}") for number, seed in enumerate(seeds)]
    live, past, at = Lanes(), list[RunState](), 0
    for maker in makers:
        state = RunState()
        for event in maker.events:
            state = fold([event], state)
            at += 1
            if at in looks:
                runs = [*past, state]
                assert live.continues(runs)
                live.show(runs, state.last_mono + 0.001)
        past.append(state)
        live.show(past, state.last_mono)
    assert known(live) == known(shown(*past))
    check(live, past)


@settings(max_examples=25, deadline=None)
@given(choices=st.lists(st.integers(0, 4), max_size=40), looks=st.sets(st.integers(0, 45), max_size=20))
def test_calls_side_by_side_keep_their_rows(choices: list[int], looks: set[int]) -> None:
    events = side_by_side(choices).events
    live, where, state = Lanes(), dict[tuple[str, int], int](), RunState()
    for number, event in enumerate(events):
        state = fold([event], state)
        if number in looks:
            live.show([state], state.last_mono + 5)
            for (_, row), found in known(live).items():
                assert all(where.setdefault(bar.id, row) == row for bar in found)
    live.show([state], state.last_mono)
    assert known(live) == known(shown(state))
    check(live, [state])
    every = _all(live)
    at_once = [
        sum(bar.span.seq <= at.span.seq and (bar.end is None or bar.span.end_seq > at.span.seq) for bar in every)
        for at in every
    ]
    assert len(live.lanes["tools"]) <= max(at_once, default=0), "no more rows than calls that ran at once"


def _all(lanes: Lanes) -> list[Bar]:
    return [bar for row in known(lanes).values() for bar in row]


@settings(max_examples=25, deadline=None)
@given(seed=Seeds)
def test_deltas_change_no_time(seed: int) -> None:
    events = random_run(random.Random(seed)).events
    assert fold(events).times == fold([event for event in events if not event.is_delta]).times
    assert fold(events).times.open == ()
    run = fold(events)
    assert run.times.estimated == sum(entry.source == "estimated" and entry.usage.total > 0 for entry in run.ledger)
    assert run.times.retries == sum(entry.attempt > 1 and entry.purpose == "turn" for entry in run.ledger)
    entries = [span.entry for span in run.times.closed if span.entry is not None]
    assert sorted(entries) == list(range(len(run.ledger))), "every paid request is a bar, and the other way round"


@settings(max_examples=25, deadline=None)
@given(
    seed=Seeds,
    left=st.floats(0, 2),
    step=st.integers(0, len(SCALES) - 1),
    columns=st.integers(1, 150),
    picked=st.integers(0, 30),
)
def test_every_row_is_as_wide_as_the_axis(seed: int, left: float, step: int, columns: int, picked: int) -> None:
    lanes = shown(fold(random_run(random.Random(seed)).events))
    window = Window(left=left, scale=SCALES[step], columns=columns)
    every = _all(lanes)
    selected = every[picked % len(every)].id if every else None
    lines = [bars(row, lanes, window, selected, focus=True) for rows in lanes.lanes.values() for row in rows]
    for line in (*lines, ticks(lanes, window), cost_line(lanes, window)):
        assert sum(cell_len(piece.text) for piece in line) == columns
    for bar in every:
        assert look(bar, lanes.call(bar)).word
        assert "\n" not in head(bar, lanes) + more(bar, lanes)


def story() -> Maker:
    """An attempt that fails and is tried again, two calls side by side, one of which waits for a person."""
    maker = Maker()
    maker.begin()
    maker.begin_turn()
    maker.request("test/one", 100)
    maker.add(AttemptDiscarded(model="test/one", reason="server_error"))
    maker.add(RetryScheduled(error=ErrorInfo(type="server_error", message="x"), delay=2.0))
    maker.request("test/one", 100)
    maker.answer("Two calls.", (), Decimal("0.02"), Usage(input=100, output=20), "test/one", "reported")
    for call_id in ("a", "b"):
        maker.add(ToolProposed(call_id=call_id, tool="shell", arguments={"command": f"run {call_id}"}, valid=True))
    maker.add(ToolStarted(call_id="a", tool="shell"))
    maker.add(ApprovalRequested(request_id="q", call_id="b", tool="shell", arguments={"command": "run b"}, why="asks"))
    return maker


def text_of(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def test_what_happened_is_told_in_words_and_signs() -> None:
    maker = story()
    state = fold(maker.events)
    lanes = shown(state, now=state.last_mono + 3)
    found = [(bar.lane, bar.row, look(bar, lanes.call(bar)).word) for bar in _all(lanes)]
    assert found == [
        ("model", 0, "discarded: server_error"),
        ("model", 0, "waited to retry"),
        ("model", 0, "answered"),
        ("tools", 0, "running"),
        ("you", 0, "waits for you"),
    ]
    waits = lanes.lanes["you"][0].bars[0]
    assert head(waits, lanes).startswith("? waits for you · approval for shell run b · 3 s · from ")
    assert more(waits, lanes) == "asks"
    answered = lanes.lanes["model"][0].bars[2]
    assert more(answered, lanes).startswith("attempt 2 · in 100 (cached 0) out 20 · cost $0.0200, reported")
    maker.add(ApprovalResolved(request_id="q", call_id="b", decision="deny", by="user", reason="not now"))
    maker.add(ToolFinished(call_id="b", tool="shell", status="denied"))
    maker.add(ToolFinished(call_id="a", tool="shell", status="timeout"))
    after = shown(fold(maker.events))
    assert more(after.lanes["you"][0].bars[0], after) == "by you · for this call · not now"
    denied = after.lanes["tools"][1].bars[0]
    assert (denied.start, look(denied, after.call(denied)).word) == (denied.end, "denied")
    window = Window(left=0.0, scale=0.002, columns=150)
    row = text_of(bars(after.lanes["tools"][0], after, window, None, focus=False))
    assert row.strip() == "✗shell run a"
    assert text_of(bars(after.lanes["tools"][1], after, window, None, focus=False)).strip() == "✗"


def test_until_the_first_token_a_request_is_dotted() -> None:
    maker = Maker()
    maker.begin()
    maker.begin_turn()
    maker.request("test/one", 100)
    state = fold(maker.events)
    window = Window(left=0.0, scale=0.1, columns=50)
    waits = shown(state, now=state.last_mono + 3)
    assert text_of(bars(waits.lanes["model"][0], waits, window, None, focus=False)).strip() == "…" + "░" * 30
    state = fold([replace(maker.add(TextDelta(text="x")), mono=state.last_mono + 2.0)], state)
    writes = shown(state, now=state.started_mono + 3)
    assert text_of(bars(writes.lanes["model"][0], writes, window, None, focus=False)).strip() == "░" * 20 + "●one"


@pytest.mark.parametrize("limit", ["", "max_cost_usd"])
def test_a_pause_ends_with_going_on_or_with_a_stop(limit: str) -> None:
    for ends in (Resumed(), StopRequested(by="user")):
        maker = Maker()
        maker.begin()
        maker.add(Paused(by="limit" if limit else "user", limit=limit))
        maker.add(ends)
        (span,) = fold(maker.events).times.closed
        assert (span.kind, span.key) == ("limit" if limit else "pause", limit or "user")
        assert span.end == pytest.approx(span.start + 0.01)


def test_runs_follow_each_other_without_the_hours_between_them() -> None:
    first, second = Maker(run_id="one"), Maker(run_id="two")
    second.start = first.start + timedelta(hours=5)
    for maker in (first, second):
        maker.begin()
        maker.begin_turn()
        maker.request()
        maker.answer("Yes.", (), Decimal("0.5"))
        maker.end("complete")
    runs = [fold(first.events), fold(second.events)]
    lanes = shown(*runs)
    check(lanes, runs)
    length = runs[0].last_mono - runs[0].started_mono
    assert lanes.clock(length) - lanes.clock(0.0) == timedelta(hours=5)
    line = text_of(ticks(lanes, Window(left=0.0, scale=length / 40, columns=90)))
    assert [line.index("┃"), line.rindex("┃")] == [0, 40]
    assert not lanes.continues(runs[1:])
    assert lanes.continues([*runs, RunState()])


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.5, "0.5 s"), (10, "10 s"), (60, "1 min"), (150, "2 min 30 s"), (3600, "1 h"), (3900, "1 h 05 min")],
)
def test_ticks_are_words(seconds: float, words: str) -> None:
    assert moment_words(seconds) == words


def calls_made(work: Callable[[], object]) -> int:
    """How many functions it calls: a measure of its cost that no other program disturbs."""
    made = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal made
        made += event == "call"

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return made


@pytest.mark.parametrize("whole", [False, True])
def test_painting_costs_what_is_seen_however_long_the_session(whole: bool) -> None:
    costs: list[int] = []
    for turns in (300, 1200):
        maker = Maker()
        maker.begin()
        for number in range(turns):
            maker.begin_turn()
            maker.request()
            maker.answer("Yes.", (), Decimal("0.001"))
            maker.add(ToolStarted(call_id=f"c{number}", tool="measure"))
            maker.add(ToolFinished(call_id=f"c{number}", tool="measure", status="ok"))
        maker.add(ModelRequested(model="test/one"))
        state = fold(maker.events)
        lanes = shown(state)
        scale = SCALES[fitting(lanes.now, 40)] if whole else 0.01
        left = 0.0 if whole else lanes.now - 40 * scale
        window = Window(left=left, scale=scale, columns=40)

        def paint(lanes: Lanes = lanes, window: Window = window, state: RunState = state) -> None:
            lanes.show([state], state.last_mono + 0.001)
            for lane in LANES:
                for row in lanes.lanes[lane]:
                    bars(row, lanes, window, None, focus=False)
            cost_line(lanes, window)
            ticks(lanes, window)

        costs.append(calls_made(paint))
    assert costs[1] < costs[0] * 1.6 + 200, costs
