"""A recording played again: everything comes, in order, in the time that it took."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.events import Event, ModelResponded, TextDelta
from runner.importing.build import runs_of
from runner.importing.codex import read_codex
from runner.review.playing import PIECES_A_SECOND, Pace, play
from tests.importing.test_reading import sample

RUNS = list(runs_of(read_codex(sample("codex"))))
EVENTS: list[Event] = [event for run in RUNS for event in run]


@settings(deadline=None, max_examples=40)
@given(
    speed=st.one_of(st.floats(0.1, 1000), st.just(math.inf)),
    longest=st.one_of(st.floats(0, 0.2), st.just(math.inf)),
    end=st.integers(0, len(EVENTS)),
)
def test_every_event_comes_once_and_the_waits_are_the_recorded_ones(speed: float, longest: float, end: int) -> None:
    events = EVENTS[:end]
    played = list(play(events, Pace(speed=speed, longest=longest)))
    assert [event for _, event in played if not event.is_delta] == events
    assert all(wait >= 0 for wait, _ in played)
    gaps = [(after.time - before.time).total_seconds() for before, after in pairwise(events)]
    whole = 0.0 if math.isinf(speed) else sum(gaps) / speed
    waited = sum(wait for wait, _ in played)
    if math.isinf(longest):
        assert waited == pytest.approx(whole, abs=1e-9)
    else:
        # Text that is written takes its time; all else is cut.
        written = sum(wait for wait, event in played if event.is_delta)
        assert waited <= min(whole, len(gaps) * longest / speed + written) + 1e-9


def test_a_response_is_written_bit_by_bit_before_the_fact_that_holds_it() -> None:
    written: list[TextDelta] = []
    seen = 0
    for wait, event in play(RUNS[0], Pace(speed=0.1)):
        assert wait <= 1.0
        if isinstance(event, TextDelta):
            written.append(event)
        elif isinstance(event, ModelResponded):
            assert "".join(delta.text for delta in written) == event.text
            assert {delta.seq for delta in written} == {event.seq - 1}
            seen = max(seen, len(written))
            written = []
        else:
            assert not written
    # The longest answer of the sample took a quarter of a recorded second at most.
    assert 1 < seen <= 0.25 * 10 * PIECES_A_SECOND
