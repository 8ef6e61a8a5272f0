"""The hub: facts are never lost, deltas are merged and bounded, and a late reader gets no gap and nothing twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner import hub as hub_module
from runner.events import (
    Event,
    Notification,
    ReasoningDelta,
    RunFinished,
    RunStarted,
    TextDelta,
    ToolArgumentsDelta,
    ToolOutputDelta,
    TurnStarted,
)
from runner.hub import Hub, Subscription, delta_text, same_stream
from tests.unit.test_state_stories import stories


def fact(seq: int) -> Event:
    return Notification(run_id="r", seq=seq, text=str(seq))


def delta(text: str, seq: int = 0) -> Event:
    return TextDelta(run_id="r", seq=seq, text=text)


def facts_of(events: list[Event]) -> list[Event]:
    return [event for event in events if not event.is_delta]


def text_by_stream(events: list[Event]) -> dict[tuple[object, ...], str]:
    """All text of each stream between two facts."""
    found: dict[tuple[object, ...], str] = {}
    for event in events:
        if event.is_delta:
            key = (event.kind, event.seq, getattr(event, "call_id", ""), getattr(event, "stream", ""))
            found[key] = found.get(key, "") + delta_text(event)
    return found


def test_waiting_deltas_of_one_stream_become_one() -> None:
    reader = Subscription()
    reader.put([delta("a"), delta("b")])
    reader.put([delta("c")])
    assert reader.drain() == [delta("abc")]
    assert reader.drain() == []
    reader.put([delta("d")])
    assert reader.drain() == [delta("d")]


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (delta("a"), delta("b"), True),
        (delta("a", 1), delta("b", 2), False),
        (delta("a"), replace(delta("b"), run_id="other"), False),
        (delta("a"), ReasoningDelta(run_id="r", text="b"), False),
        (ToolArgumentsDelta(call_id="1", text="a"), ToolArgumentsDelta(call_id="1", text="b"), True),
        (ToolArgumentsDelta(call_id="1", text="a"), ToolArgumentsDelta(call_id="2", text="b"), False),
        (ToolOutputDelta(call_id="1", text="a"), ToolOutputDelta(call_id="1", text="b"), True),
        (ToolOutputDelta(call_id="1", text="a"), ToolOutputDelta(call_id="1", stream="stderr", text="b"), False),
        (fact(1), fact(1), True),
    ],
)
def test_only_one_stream_is_merged(old: Event, new: Event, same: bool) -> None:
    assert same_stream(old, new) is same


def test_facts_are_never_merged_and_stand_between_deltas() -> None:
    reader = Subscription()
    events = [delta("a"), fact(1), fact(1), delta("b", 1), delta("c", 1)]
    reader.put(events)
    assert reader.drain() == [delta("a"), fact(1), fact(1), delta("bc", 1)]


@given(stories(), st.lists(st.integers(1, 9), max_size=12))
def test_whatever_the_reader_does_it_gets_every_fact_in_order_and_all_the_text(
    events: list[Event], portions: list[int]
) -> None:
    reader = Subscription()
    got: list[Event] = []
    at = 0
    for portion in portions:
        reader.put(events[at : at + portion])
        at += portion
        got.extend(reader.drain())
    reader.put(events[at:])
    got.extend(reader.drain())
    assert facts_of(got) == facts_of(events)
    assert text_by_stream(got) == text_by_stream(events)
    assert reader.dropped_characters == 0


def test_too_much_waiting_text_is_dropped_and_counted_but_no_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "MAX_WAITING_TEXT", 100)
    reader = Subscription()
    sent = 0
    for number in range(1, 51):
        reader.put([fact(number), delta("x" * 9, number)])
        sent += 9
    got = reader.drain()
    assert [event.seq for event in facts_of(got)] == list(range(1, 51))
    kept = sum(len(delta_text(event)) for event in got)
    assert kept <= 100
    assert kept + reader.dropped_characters == sent
    newest = [event.seq for event in got if event.is_delta]
    assert newest == list(range(newest[0], 51)), "the newest text is kept"
    assert kept >= 40, "no more than half the room is made at once"
    reader.put([delta("y" * 100, 60)])
    assert [len(delta_text(event)) for event in reader.drain()] == [100], "draining makes room again"


@given(st.lists(st.tuples(st.integers(0, 3), st.text(max_size=30)), max_size=60))
def test_the_bound_and_the_counter_always_add_up(pieces: list[tuple[int, str]]) -> None:
    reader = Subscription()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hub_module, "MAX_WAITING_TEXT", 50)
        for stream, text in pieces:
            reader.put([ToolOutputDelta(call_id=str(stream), text=text)])
    kept = sum(len(delta_text(event)) for event in reader.drain())
    assert kept <= 50
    assert kept + reader.dropped_characters == sum(len(text) for _, text in pieces)


def test_notify_comes_once_for_what_waits_and_once_more_for_a_fact_behind_text() -> None:
    calls: list[int] = []
    reader = Subscription(lambda: calls.append(1))
    reader.put([delta("a")])
    reader.put([delta("b")])
    assert (len(calls), reader.has_facts) == (1, False)
    reader.put([fact(1)])
    assert (len(calls), reader.has_facts) == (2, True)
    reader.put([fact(2), delta("c")])
    assert len(calls) == 2
    reader.drain()
    assert not reader.has_facts
    reader.put([])
    assert len(calls) == 2
    reader.put([fact(3)])
    reader.put([fact(4)])
    assert len(calls) == 3


def test_a_closed_reader_takes_and_holds_nothing() -> None:
    hub = Hub()
    reader = hub.subscribe()
    hub.publish([fact(1)])
    hub.unsubscribe(reader)
    hub.unsubscribe(reader)
    hub.publish([fact(2)])
    assert reader.drain() == []
    assert reader.closed


def test_a_late_reader_gets_the_facts_from_where_it_asks() -> None:
    hub = Hub()
    hub.publish([fact(1), delta("gone", 1), fact(2), fact(3)])
    assert [event.seq for event in hub.subscribe().drain()] == [1, 2, 3]
    late = hub.subscribe(from_seq=3)
    hub.publish([delta("new", 3), fact(4)])
    assert late.drain() == [fact(3), delta("new", 3), fact(4)]
    assert hub.facts(2) == [fact(2), fact(3), fact(4)]
    assert hub.subscribe(from_seq=99).drain() == []


def test_a_reader_from_the_store_gets_no_fact_twice_that_is_still_on_its_way() -> None:
    hub = Hub()
    hub.publish([fact(1)])
    reader = hub.subscribe(from_seq=4)
    hub.publish([delta("old", 1), fact(2), delta("old", 2), fact(3), delta("new", 3), fact(4)])
    assert reader.drain() == [delta("new", 3), fact(4)]


def test_a_reader_that_asks_too_late_still_sees_a_live_run_end() -> None:
    hub = Hub()
    reader = hub.subscribe(from_seq=99)
    end = RunFinished(run_id="r", seq=2)
    hub.publish([fact(1), end])
    assert reader.drain() == [end]


def test_one_slow_reader_does_not_change_what_another_gets() -> None:
    hub = Hub()
    slow, quick = hub.subscribe(), hub.subscribe()
    got: list[Event] = []
    for number in range(1, 20):
        hub.publish([delta("x", number - 1), fact(number)])
        got.extend(quick.drain())
    assert got == slow.drain()


def test_finished_is_set_by_the_last_fact() -> None:
    hub = Hub()
    hub.emit(RunStarted(run_id="r", seq=1))
    assert not hub.finished.is_set()
    hub.emit(RunFinished(run_id="r", seq=2))
    assert hub.finished.is_set()
    assert hub.barrier().result(timeout=1) is None


def test_readers_that_come_and_go_in_threads_see_no_gap_and_nothing_twice() -> None:
    hub = Hub()
    total = 3000
    failures: list[str] = []
    go = threading.Event()

    def publisher() -> None:
        go.wait(10)
        for number in range(1, total + 1):
            hub.publish([delta("ab", number - 1), fact(number)])
        hub.publish([RunFinished(run_id="r", seq=total + 1)])

    def reader(start: int) -> None:
        go.wait(10)
        woken = threading.Event()
        subscription = hub.subscribe(from_seq=start, notify=woken.set)
        seen: list[Event] = []
        while not seen or not isinstance(seen[-1], RunFinished):
            if not woken.wait(20):
                failures.append(f"reader from {start} was not woken after {len(seen)} events")
                return
            woken.clear()
            seen.extend(subscription.drain())
        found = [event.seq for event in seen if not event.is_delta]
        if found != list(range(max(1, start), total + 2)):
            failures.append(f"reader from {start} saw {len(found)} facts")

    threads = [threading.Thread(target=reader, args=(start,)) for start in (0, 1, 500, 2900)]
    threads.append(threading.Thread(target=publisher))
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert failures == []


class SlowJournal:
    """A journal that stores when a test says so, in another thread, and remembers what was stored before it showed."""

    def __init__(self) -> None:
        self.queue: list[tuple[Event, Callable[[list[Event]], None]]] = []
        self.stored: list[Event] = []

    def submit(self, event: Event, publish: Callable[[list[Event]], None]) -> None:
        self.queue.append((event, publish))

    def barrier(self) -> Future[None]:
        done: Future[None] = Future()
        self.write()
        done.set_result(None)
        return done

    def write(self) -> None:
        queue, self.queue = self.queue, []
        for event, publish in queue:
            self.stored.append(event)
            publish([event])


def test_with_a_journal_nobody_sees_what_is_not_stored() -> None:
    journal = SlowJournal()
    hub = Hub(journal)
    reader = hub.subscribe()
    hub.emit(TurnStarted(run_id="r", seq=1))
    assert reader.drain() == []
    assert hub.facts() == []
    writer = threading.Thread(target=journal.write)
    writer.start()
    writer.join(10)
    assert reader.drain() == journal.stored == hub.facts()
    hub.emit(fact(2))
    hub.barrier().result(timeout=1)
    assert reader.drain() == [fact(2)]
