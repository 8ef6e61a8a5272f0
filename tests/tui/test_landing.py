"""From a stored fact to the item it made: by its id alone, which is what folding the run gives."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runner.events import Event, QueueChanged, TurnFinished
from runner.state import Item, RunState, reduce
from tests.store.random_runs import random_run
from tests.tui.transcript_runs import Feed
from tui.landing import made_by, needles
from tui.render.document import Document
from tui.render.model import TranscriptModel


def touched(before: RunState, after: RunState) -> list[Item]:
    """The items that are there afterwards and were not before, or were others."""
    known = {id(item) for item in (*before.settled, *before.live)}
    return [item for item in (*after.settled, *after.live) if id(item) not in known]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(min_value=0, max_value=10**9))
@example(0)
def test_what_a_fact_makes_is_known_without_folding(seed: int) -> None:
    maker = random_run(random.Random(seed))
    state = RunState()
    made: dict[str, list[Event]] = {}
    for event in maker.events:
        before, state = state, reduce(state, event)
        if event.is_delta:
            continue
        ids = made_by(event)
        changed = {item.item_id for item in touched(before, state)}
        assert changed <= set(ids) | (
            {item.item_id for item in state.live} if isinstance(event, QueueChanged) else set()
        )
        for each in ids:
            made.setdefault(each, []).append(event)
    model = TranscriptModel(Document())
    model.show([state])
    for key, events in made.items():
        here = any(item.item_id == key for item in (*state.settled, *state.live))
        found = model.find_in(state.run_id, [key])
        assert bool(found) == here, events
        # What an event shows is that event, also where several of them share one line.
        for index in found:
            item = model.view(index).item
            events_of = getattr(item, "events", None) or [getattr(item, "event", None)]
            assert item.item_id == key or any(each in events for each in events_of)
    if model.document.sections:
        assert model.last_of(state.run_id) == len(model.document.sections) - 1


def test_calls_of_the_same_id_in_two_runs_are_two_places() -> None:
    feeds = [Feed(f"run-{number}", "do it") for number in (1, 2)]
    for feed in feeds:
        feed.begin()
        feed.call("call-1", "shell", {"command": "true"})
        feed(TurnFinished())
    model = TranscriptModel(Document())
    model.show([feed.state for feed in feeds])
    places = [model.find_in(feed.run_id, ["call-1"]) for feed in feeds]
    assert places == [[1], [3]]
    assert model.find_in("nowhere", ["call-1"]) == []
    assert model.last_of("nowhere") is None


def test_what_is_highlighted_of_a_query() -> None:
    assert needles('late "fee of" x') == ["late fee of x", "fee of", "late", "fee", "of", "x"]
    assert needles("  ") == []
    assert needles("word") == ["word"]
