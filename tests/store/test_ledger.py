"""The ledger: a row for each request, written with its fact; every total is a sum over the rows."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner import Agent, RunConfig, Runner
from runner.clock import SystemClock
from runner.errors import RateLimitError, StoreError
from runner.events import (
    AttemptDiscarded,
    CompactionFinished,
    CompactionStarted,
    Event,
    Notification,
    RunFinished,
    SamplingFinished,
)
from runner.ids import SequentialIds
from runner.state import LedgerEntry, RunState, fold
from runner.store import Store, UsageBy, UsageSum
from runner.store.process import this_process
from runner.store.schema import open_database
from runner.store.write import EventWriter
from runner.testing.invariants import check_events
from runner.testing.scripted import ScriptedModel, reply, text, usage
from runner.usage import Cost, Price, Usage
from tests.conftest import soak_factor
from tests.store.making import Collector, Maker, kill_owner, short_run, write
from tests.store.random_runs import random_run

PAID = {"model_responded", "attempt_discarded", "compaction_finished", "sampling_finished"}
KINDS: tuple[UsageBy, ...] = ("all", "model", "provider", "agent", "project", "day", "session", "run")


@pytest.fixture
def local_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets the time zone of this process."""

    def change(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield change
    monkeypatch.undo()
    time.tzset()


def key_of(by: UsageBy, entry: LedgerEntry, state: RunState) -> str:
    match by:
        case "all":
            return ""
        case "model":
            return entry.model
        case "provider":
            return entry.provider or (entry.model.partition("/")[0] if "/" in entry.model else "")
        case "agent":
            return entry.agent
        case "day":
            return entry.time.astimezone().date().isoformat()
        case "project":
            return state.workspace
        case "session":
            return state.session_id
        case "run":
            return state.run_id


def by_hand(by: UsageBy, states: Sequence[RunState]) -> dict[str, tuple[object, ...]]:
    """What a person with the facts and a pencil would come to."""
    groups: dict[str, list[LedgerEntry]] = defaultdict(list)
    for state in states:
        for entry in state.ledger:
            groups[key_of(by, entry, state)].append(entry)

    def cost(entries: Sequence[LedgerEntry]) -> Cost:
        total = Cost()
        for entry in entries:
            total = total.add(entry.cost_usd)
        return total

    found: dict[str, tuple[object, ...]] = {}
    for key, entries in groups.items():
        tokens = Usage()
        for entry in entries:
            tokens = tokens + entry.usage
        discarded = [entry for entry in entries if entry.discarded]
        estimated = [
            entry for entry in entries if entry.source == "estimated" and (entry.usage.total or entry.cost_usd != 0)
        ]
        retries = sum(entry.attempt > 1 for entry in entries)
        first, last = min(entry.time for entry in entries), max(entry.time for entry in entries)
        found[key] = (
            *(len(entries), retries, first, last, tokens, cost(entries)),
            *(len(estimated), cost(estimated), len(discarded), cost(discarded)),
        )
    return found


def as_found(rows: Sequence[UsageSum]) -> dict[str, tuple[object, ...]]:
    return {
        row.key: (
            *(row.requests, row.retries, row.first, row.last, row.usage, row.cost),
            *(row.estimated, row.estimated_cost, row.discarded, row.discarded_cost),
        )
        for row in rows
    }


@settings(deadline=None, max_examples=25 * soak_factor())
@given(rng=st.randoms(use_true_random=False), count=st.integers(min_value=1, max_value=4))
def test_every_total_is_the_same_sum(rng: random.Random, count: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The fold, the end of the run, the list of sessions and every grouping agree, to the last digit."""
    makers = [random_run(rng, f"run-{number}", f"session-{rng.randint(0, 2)}") for number in range(count)]
    with Store.open(tmp_path_factory.mktemp("store") / "q.db") as store:
        waiting = [list(maker.events) for maker in makers]
        while any(waiting):
            # Runs that go on side by side, stored in one transaction or in several.
            events = rng.choice([events for events in waiting if events])
            store.journal.submit(events.pop(0), lambda events: None)
            if rng.random() < 0.1:
                store.journal.barrier().result(timeout=20)
        store.journal.barrier().result(timeout=20)
        states = [fold(maker.facts) for maker in makers]
        for by in KINDS:
            assert as_found(store.usage(by)) == by_hand(by, states), by
        for summary in store.sessions():
            own = [state for state in states if state.session_id == summary.session_id]
            assert summary.usage == sum((state.usage for state in own), Usage())
            assert summary.cost_usd == sum((state.cost for state in own), Cost()).total
            assert as_found(store.usage("model", session_id=summary.session_id)) == by_hand("model", own)
        for row in store.usage("run"):
            (state,) = (state for state in states if state.run_id == row.key)
            end = next(
                event for event in store.events(state.session_id, state.run_id) if isinstance(event, RunFinished)
            )
            assert (row.usage, row.cost.total) == (state.usage, state.cost.total) == (end.usage, end.cost_usd)


@settings(deadline=None, max_examples=25 * soak_factor())
@given(rng=st.randoms(use_true_random=False), data=st.data())
def test_after_a_death_at_any_moment_the_ledger_equals_the_facts(
    rng: random.Random, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = random_run(rng)
    cut = data.draw(st.integers(min_value=1, max_value=len(made.events) - 1))
    with Store.open(tmp_path_factory.mktemp("store") / "q.db") as store:
        write(store, made.events[:cut])
        kill_owner(store.path)
        assert len(store.recover(SystemClock())) == 1
        events = list(store.events("session-1"))
        assert check_events(events) == []
        state = fold(events)
        for by in KINDS:
            assert as_found(store.usage(by)) == by_hand(by, [state]), by
        assert (store.session("session-1").usage, store.session("session-1").cost_usd) == (
            state.usage,
            state.cost.total,
        )


async def test_what_a_run_says_it_cost_is_the_sum_of_its_rows(store: Store, tmp_path: Path) -> None:
    price = Price(input=Decimal("3"), output=Decimal("15"), cached_input=Decimal("0.3"))
    answers = [RateLimitError("slow down"), reply(text("It is done."), usage(1200, 40, cached=1000, reasoning=7))]
    model = ScriptedModel(answers, name="anthropic/first", price=price)
    runner = Runner(store=store, ids=SequentialIds(), jitter=lambda: 0.0)
    config = RunConfig(workspace=tmp_path, backoff_initial=0.01)
    result = await runner.run(Agent(name="deck", model=model), "Do it", config)
    (row,) = store.usage("run")
    assert (row.key, row.title, row.requests, row.retries, row.discarded) == (result.run_id, "Do it", 2, 1, 1)
    assert (row.usage, row.cost.total) == (result.usage, result.cost_usd)
    assert result.cost_usd == Decimal("0.0015")
    (summary,) = store.sessions()
    assert (summary.usage, summary.cost_usd) == (result.usage, result.cost_usd)
    for by in KINDS:
        (same,) = store.usage(by)
        assert (same.usage, same.cost) == (row.usage, row.cost)
        assert same.key == {"provider": "test", "model": "anthropic/first", "agent": "deck"}.get(by, same.key)


def is_paid(event: Event) -> bool:
    """A compaction, or a sampling, that could not even be asked for is no request."""
    aside = isinstance(event, CompactionFinished | SamplingFinished)
    return event.kind in PAID and not (aside and not event.usage.total)


def rows_in(store: Store) -> list[dict[str, object]]:
    with closing(sqlite3.connect(store.path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM requests ORDER BY n")]


def test_a_row_says_all_that_was_known(store: Store) -> None:
    price = Price(input=Decimal("0.30"), output=Decimal("1E+1"), cached_input=Decimal("0.000000000000000000003"))
    maker = Maker()
    maker.begin()
    maker.begin_turn()
    maker.request("openai/small", price=price)
    thrown = AttemptDiscarded(
        model="openai/small", provider="openai", price=price, reason="rate_limit", cost_usd=Decimal(0)
    )
    maker.add(thrown)
    maker.request("openai/small")
    maker.answer(cost=Decimal("1.000000000001"), model="openai/small", source="estimated")
    maker.add(CompactionStarted(model="openai/small"))
    maker.add(CompactionFinished(model="openai/small", usage=Usage(input=9), cost_usd=None, how="outline"))
    write(store, maker.events)
    first, second, third = rows_in(store)
    assert json.loads(str(first.pop("price"))) == {
        "input": "0.30",
        "output": "1E+1",
        "cached_input": "3E-21",
    }
    assert first == {
        "n": 1,
        "run_id": "run-1",
        "session_id": "session-1",
        "seq": 5,
        "time": int(maker.events[4].time.timestamp() * 1_000_000 + 0.5),
        "turn": 1,
        "attempt": 1,
        "provider": "openai",
        "model": "openai/small",
        "agent": "deck",
        "purpose": "turn",
        "input": 0,
        "cached_input": 0,
        "cache_write": 0,
        "output": 0,
        "reasoning": 0,
        "cost": 0,
        "source": "estimated",
        "discarded": 1,
        "reason": "rate_limit",
    }
    assert (second["attempt"], second["cost"], second["price"]) == (2, 1_000_000_000_001, None)
    assert (second["source"], second["discarded"], second["reason"]) == ("estimated", 0, "")
    assert (third["purpose"], third["cost"], third["discarded"], third["reason"]) == ("compaction", None, 1, "failed")
    assert store.usage("all")[0].cost == Cost(known=Decimal("1.000000000001"), unknown=1)


def test_a_sum_can_be_of_one_session_and_of_a_time(store: Store) -> None:
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for number in range(4):
        maker = short_run(f"run-{number}", f"session-{number % 2}", start=start + timedelta(days=number))
        write(store, maker.events)
    assert [row.requests for row in store.usage("all")] == [4]
    assert [row.key for row in store.usage("run", since=start + timedelta(days=2))] == ["run-2", "run-3"]
    assert [row.key for row in store.usage("run", session_id="session-1")] == ["run-1", "run-3"]
    (row,) = store.usage("session", since=start + timedelta(days=2), session_id="session-1")
    assert (row.key, row.title, row.requests) == ("session-1", "Hello", 1)
    assert store.usage("all", session_id="never seen") == []
    assert store.usage("all", since=start + timedelta(days=9)) == []


def test_a_day_is_the_one_that_the_calendar_on_the_wall_showed(store: Store, local_time: Callable[[str], None]) -> None:
    """Also over the change to summer time, and whatever the offset is now."""
    moments = [
        datetime(2026, 3, 28, 22, 59, tzinfo=UTC),  # 23:59 in winter
        datetime(2026, 3, 28, 23, 1, tzinfo=UTC),  # 00:01 in winter
        datetime(2026, 3, 29, 21, 59, tzinfo=UTC),  # 23:59 in summer
        datetime(2026, 3, 29, 22, 1, tzinfo=UTC),  # 00:01 in summer
    ]
    for number, moment in enumerate(moments):
        write(store, short_run(f"run-{number}", start=moment).events)
    local_time("Europe/Paris")
    assert [(row.key, row.requests) for row in store.usage("day")] == [
        ("2026-03-28", 1),
        ("2026-03-29", 2),
        ("2026-03-30", 1),
    ]
    local_time("UTC")
    assert [(row.key, row.requests) for row in store.usage("day")] == [("2026-03-28", 2), ("2026-03-29", 2)]


def test_what_a_deleted_session_cost_stays_counted_without_its_name(store: Store) -> None:
    write(store, short_run("run-1", "session-1").events)
    write(store, short_run("run-2", "session-2").events)
    before = store.usage("model")
    store.delete_session("session-1")
    assert store.usage("model") == before
    assert [(row.key, row.title) for row in store.usage("session")] == [("", ""), ("session-2", "Hello")]
    assert [row.key for row in store.usage("run")] == ["", "run-2"]
    with Store.open(store.path) as again:
        # In another program the same ids may come again, and go again.
        write(again, short_run("run-1", "session-1").events)
        assert again.session("session-1").usage == Usage(input=100, cached_input=10, output=20, reasoning=5)
        again.delete_session("session-1")
        assert [row.requests for row in again.usage("session")] == [2, 1]


@pytest.mark.parametrize("cost", [Decimal("NaN"), Decimal("Infinity"), Decimal("1e30")], ids=str)
def test_a_cost_that_is_none_is_unknown_and_nonsense_breaks_no_sum(store: Store, cost: Decimal) -> None:
    maker = Maker()
    maker.begin()
    for _ in range(200):
        maker.begin_turn()
        maker.request()
        maker.answer(cost=cost, usage=Usage(input=10**30, output=-(10**30)))
    maker.begin_turn()
    maker.request()
    maker.answer("half a pair \ud83d", model="nul \0 and \ud83d", cost=Decimal("0.5"))
    write(store, maker.events)
    (total,) = store.usage("all")
    assert total.cost == Cost(known=Decimal("0.5"), unknown=200)
    assert total.usage.input > 10**12
    assert {row.key for row in store.usage("model")} == {"demo/pilot", "nul   and ?"}
    assert store.session("session-1").cost_usd is None


def test_a_request_is_in_the_ledger_when_its_fact_is_seen(store: Store) -> None:
    missing: list[Event] = []

    def check(events: list[Event]) -> None:
        rows = {(row["run_id"], row["seq"]) for row in rows_in(store)}
        missing.extend(event for event in events if is_paid(event) and (event.run_id, event.seq) not in rows)

    runs = (random_run(random.Random(seed)) for seed in range(200))
    maker = next(run for run in runs if {event.kind for event in run.events} >= PAID)
    for event in maker.events:
        write(store, [event], Collector(check))
    assert missing == []


def test_a_run_that_is_refused_leaves_no_row(store: Store) -> None:
    """Its id is taken, which is found when a whole batch is written."""
    write(store, short_run().events)
    with closing(open_database(store.path)) as connection:
        writer = EventWriter(connection, this_process("another"))
        for event in [*short_run(session_id="session-2").events, *short_run("run-3", "session-3").events]:
            writer.take(event, 0.0)
        with pytest.raises(StoreError, match="run-1"):
            writer.write(deltas=True)
        writer.call(writer.unregister)
    assert [(row["run_id"], row["session_id"]) for row in rows_in(store)] == [
        ("run-1", "session-1"),
        ("run-3", "session-3"),
    ]
    assert [summary.session_id for summary in store.sessions()] == ["session-3", "session-1"]


def test_while_the_disk_is_full_there_is_neither_fact_nor_row(store: Store) -> None:
    write(store, short_run().events)
    store.journal.call(lambda connection: connection.execute("PRAGMA max_page_count = 1").fetchall())
    maker = Maker(run_id="run-2", session_id="session-2")
    maker.begin("x" * 200_000)
    maker.begin_turn()
    maker.request()
    maker.answer()
    maker.add(Notification(text="y" * 200_000))
    for event in maker.events:
        store.journal.submit(event, lambda events: None)
    with pytest.raises(StoreError, match="full"):
        store.journal.barrier().result(timeout=20)
    assert [row["run_id"] for row in rows_in(store)] == ["run-1"]
    store.journal.call(lambda connection: connection.execute("PRAGMA max_page_count = 1000000").fetchall())
    store.journal.barrier().result(timeout=20)
    assert [(row["run_id"], row["seq"]) for row in rows_in(store)] == [("run-1", 5), ("run-2", 5)]
    assert store.session("session-2").cost_usd == Decimal("0.001")
