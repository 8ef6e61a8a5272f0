"""Closing what a dead program left open, at whatever point it died."""

from __future__ import annotations

import random
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.clock import SystemClock
from runner.errors import StoreError
from runner.events import (
    ApprovalRequested,
    ApprovalResolved,
    CompactionFinished,
    CompactionStarted,
    Event,
    LimitReached,
    MessageQueued,
    ModelResponded,
    Paused,
    QueueChanged,
    QueuedText,
    ReasoningDelta,
    RunFinished,
    RunQueued,
    RunStarted,
    StatusChanged,
    TextDelta,
    ToolFinished,
    ToolOutputDelta,
    ToolStarted,
    TurnFinished,
)
from runner.messages import AssistantMessage, ToolResult, UserMessage
from runner.state import Between, fold
from runner.store import RecoveredRun, Store
from runner.store.closing import close_run
from runner.testing.invariants import check_events, check_history
from runner.usage import Price, Usage
from tests.conftest import soak_factor
from tests.store.making import START, Maker, a_call, kill_owner, short_run, write
from tests.store.random_runs import random_run


@settings(deadline=None, max_examples=120 * soak_factor())
@given(rng=st.randoms(use_true_random=False), data=st.data())
def test_every_invariant_holds_wherever_the_program_died(rng: random.Random, data: st.DataObject) -> None:
    made = random_run(rng)
    cut = data.draw(st.integers(min_value=0, max_value=len(made.events) - 1))
    left = made.events[:cut]
    last = max((event.seq for event in left), default=0)
    end = close_run(left, run_id="run-1", session_id="session-1", next_seq=last + 1, now=START)
    whole = [*left, *end.events]
    assert check_events(whole) == []
    state = fold(whole)
    assert state == fold([event for event in whole if not event.is_delta])
    assert (state.status, state.reason) == ("failed", "interrupted")
    assert state.live_calls == ()
    assert check_history(list(state.history)) == []


def test_what_recovery_says(store: Store) -> None:
    call, other, harmless, waiting = a_call(1), a_call(2), a_call(3, "read_file"), a_call(4)
    maker = Maker()
    maker.begin("Do it")
    maker.begin_turn()
    maker.request()
    maker.answer("On it.", (call, other, harmless, waiting))
    for each in (call, other, harmless, waiting):
        maker.propose(each)
    maker.add(ToolStarted(call_id=call.call_id, tool=call.tool))
    maker.add(ToolOutputDelta(call_id=call.call_id, text="half of the outp"))
    maker.add(ToolStarted(call_id=harmless.call_id, tool=harmless.tool))
    maker.add(ApprovalRequested(request_id="ask", call_id=waiting.call_id, tool=waiting.tool, arguments={"a": 1}))
    write(store, maker.events)
    kill_owner(store.path)
    summary = store.session("session-1")
    assert (summary.status, summary.reason, summary.live) == ("failed", "interrupted", False)

    recovered = store.recover(SystemClock())
    assert recovered == [
        RecoveredRun(session_id="session-1", run_id="run-1", title="Do it", open_calls=4, partial_characters=0)
    ]
    events = list(store.events("session-1"))
    assert check_events(events) == []
    resolved = next(event for event in events if isinstance(event, ApprovalResolved))
    assert (resolved.request_id, resolved.decision, resolved.by) == ("ask", "deny", "disconnect")
    ends = {event.call_id: event for event in events if isinstance(event, ToolFinished)}
    assert {end.status for end in ends.values()} == {"interrupted"}
    assert ends[call.call_id].side_effects == "unknown"
    assert "may have had effects" in ends[call.call_id].output
    assert ends[call.call_id].output.endswith("half of the outp")
    assert ends[harmless.call_id].side_effects == "none"
    assert "changed nothing" in ends[harmless.call_id].output
    for untouched in (other, waiting):
        assert ends[untouched.call_id].side_effects == "none"
        assert "was not executed" in ends[untouched.call_id].output
    summary = store.session("session-1")
    assert (summary.status, summary.reason, summary.live, summary.tool_calls) == ("failed", "interrupted", False, 4)
    assert store.recover(SystemClock()) == []
    assert list(store.events("session-1")) == events


def test_what_a_cut_request_cost_is_estimated_at_its_price(store: Store) -> None:
    price = Price(input=Decimal("3"), output=Decimal("15"))
    maker = Maker()
    maker.begin()
    maker.begin_turn()
    maker.request("anthropic/first", estimate=1000, price=price)
    maker.add(TextDelta(text="x" * 40))
    write(store, maker.events)
    kill_owner(store.path)
    store.recover(SystemClock())
    response = next(event for event in store.events("session-1") if isinstance(event, ModelResponded))
    assert (response.provider, response.price) == ("anthropic", price)
    assert (response.usage, response.usage_source) == (Usage(input=1000, output=10), "estimated")
    assert response.cost_usd == Decimal("0.00315")
    (row,) = store.usage("model")
    assert (row.cost.total, row.estimated_cost.total, row.estimated) == (response.cost_usd, response.cost_usd, 1)
    end = store.runs("session-1")[0]
    assert end.cost.total == store.session("session-1").cost_usd == response.cost_usd
    assert end.receipt == {
        "requests": [
            {
                "model": "anthropic/first",
                "closed": True,
                "usage": {"input": 1000, "output": 10},
                "usage_source": "estimated",
                "cost_usd": "0.00315",
            }
        ],
        "processes": [],
        "tools": [],
        "cost_usd": "0.00315",
        "estimated": True,
    }


@pytest.mark.parametrize("price", [Price(input=Decimal(2), output=Decimal(9)), None], ids=["priced", "unknown"])
def test_a_summary_that_was_being_made_replaces_nothing_and_is_paid_for(store: Store, price: Price | None) -> None:
    maker = Maker()
    maker.begin()
    maker.begin_turn()
    maker.request("anthropic/first", price=price)
    maker.answer(model="anthropic/first", cost=Decimal(0))
    maker.add(TurnFinished())
    maker.begin_turn()
    maker.add(
        CompactionStarted(
            tokens_before=9000,
            cause="user",
            model="anthropic/first",
            provider="anthropic",
            price=price,
            input_tokens_estimate=5000,
        )
    )
    write(store, maker.events)
    kill_owner(store.path)
    store.recover(SystemClock())
    events = list(store.events("session-1"))
    assert check_events(events) == []
    finished = next(event for event in events if isinstance(event, CompactionFinished))
    assert (finished.how, finished.summary, finished.dropped, finished.provider) == ("none", "", 0, "anthropic")
    assert (finished.usage, finished.usage_source) == (Usage(input=5000), "estimated")
    assert finished.cost_usd == (None if price is None else Decimal("0.01"))
    (state,) = store.runs("session-1")
    assert (state.compacted, state.ledger[-1].purpose, state.phase) == (None, "compaction", Between())
    assert store.history("session-1") == tuple(state.history)
    assert store.session("session-1").cost_usd == finished.cost_usd


def test_a_run_that_asked_about_a_limit_with_messages_waiting_is_closed_too(store: Store) -> None:
    maker = Maker()
    maker.begin()
    maker.begin_turn()
    maker.request()
    maker.answer()
    maker.add(MessageQueued(message_id="m1", text="first"))
    maker.add(MessageQueued(message_id="m2", text="second"))
    maker.add(QueueChanged(messages=(QueuedText(message_id="m2", text="second, edited"),)))
    maker.add(LimitReached(limit="max_cost_usd", used=Decimal(1), value=Decimal(1), asks=True))
    maker.add(StatusChanged(old="running", new="paused"))
    maker.add(Paused(by="limit", limit="max_cost_usd"))
    write(store, maker.events)
    assert store.runs("session-1")[0].limit_asked is not None
    kill_owner(store.path)
    store.recover(SystemClock())
    assert check_events(list(store.events("session-1"))) == []
    (state,) = store.runs("session-1")
    assert (state.status, state.reason, state.limit_asked) == ("failed", "interrupted", None)
    # What was never delivered is no part of the history, but it is not forgotten either.
    assert [item.text for item in state.queued] == ["second, edited"]
    assert [message.role for message in store.history("session-1")] == ["user", "assistant"]


def test_the_text_that_had_arrived_is_kept_and_its_price_is_unknown(store: Store) -> None:
    maker = Maker()
    maker.begin()
    maker.begin_turn()
    maker.request(estimate=321)
    maker.add(ReasoningDelta(text="hmm"))
    maker.add(TextDelta(text="This is as far as"))
    write(store, maker.events)
    write(store, [maker.add(TextDelta(text=" it got"))])
    (before,) = store.runs("session-1")
    assert before == fold(maker.events)
    kill_owner(store.path)
    (recovered,) = store.recover(SystemClock())
    assert recovered.partial_characters == len("hmmThis is as far as it got")
    response = next(event for event in store.events("session-1") if isinstance(event, ModelResponded))
    assert (response.text, response.reasoning) == ("This is as far as it got", "hmm")
    assert response.finish_reason == "interrupted"
    assert (response.cost_usd, response.usage_source) == (None, "estimated")
    assert response.usage == Usage(input=321, output=7)
    assert store.session("session-1").cost_usd is None
    assert store.session("session-1").usage == Usage(input=321, output=7)
    assert store.history("session-1")[-1] == AssistantMessage(
        text="This is as far as it got",
        reasoning="hmm",
        model="demo/pilot",
        finish_reason="interrupted",
        interrupted=True,
    )
    with closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("SELECT count(*) FROM deltas").fetchone() == (0,)


def test_calls_of_a_response_that_were_not_yet_proposed_get_their_results_too(store: Store) -> None:
    maker = Maker()
    maker.begin()
    maker.begin_turn()
    maker.request()
    maker.answer("", (a_call(1), a_call(2)))
    maker.propose(a_call(1))
    write(store, maker.events)
    kill_owner(store.path)
    (recovered,) = store.recover(SystemClock())
    assert recovered.open_calls == 2
    assert check_events(list(store.events("session-1"))) == []
    results = [message for message in store.history("session-1") if isinstance(message, ToolResult)]
    assert [result.call_id for result in results] == ["run-1-call-1", "run-1-call-2"]


def test_a_run_that_only_waited_in_the_queue_keeps_its_message(store: Store) -> None:
    maker = Maker()
    maker.add(RunQueued(input=(UserMessage(text="Later"),), model="demo/pilot"))
    write(store, maker.events)
    kill_owner(store.path)
    store.recover(SystemClock())
    events = list(store.events("session-1"))
    assert check_events(events) == []
    assert isinstance(events[1], RunStarted)
    assert store.history("session-1") == (UserMessage(text="Later"),)


def test_waiting_for_an_answer_is_left_out_of_the_active_time() -> None:
    maker = Maker()
    maker.begin()
    maker.add(StatusChanged(old="running", new="waiting_approval"))
    left = [*maker.events, replace(maker.add(StatusChanged(old="waiting_approval", new="running")), mono=160.0)]
    end = close_run(left, run_id="run-1", session_id="session-1", next_seq=5, now=START).events[-1]
    assert isinstance(end, RunFinished)
    assert end.seconds == pytest.approx(60.0)
    assert end.active_seconds == pytest.approx(0.02)


def test_damaged_rows_do_not_keep_a_run_from_being_closed(store: Store) -> None:
    maker = Maker()
    maker.begin()
    maker.begin_turn()
    maker.request()
    write(store, maker.events)
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("UPDATE events SET json = '{\"kind\":' WHERE seq = 2")
        connection.execute("INSERT INTO deltas(run_id, owner, seq, json) VALUES ('run-1', '', 4, 'x')")
        connection.execute("INSERT INTO deltas(run_id, owner, seq, json) VALUES ('run-1', '', 4, x'ff')")
        connection.commit()
    kill_owner(store.path)
    assert len(store.recover(SystemClock())) == 1
    assert store.session("session-1").reason == "interrupted"
    (state,) = store.runs("session-1")
    assert state.reason == "interrupted"
    assert [problem.seq for problem in store.problems] == [2]


def test_a_run_of_this_living_program_is_left_alone(store: Store) -> None:
    maker = Maker()
    maker.begin()
    write(store, maker.events)
    with Store.open(store.path) as second:
        assert second.session("session-1").live
        assert second.session("session-1").status == "running"
        assert second.recover(SystemClock()) == []
    assert list(store.events("session-1")) == maker.events


def test_a_run_of_a_store_that_was_closed_is_closed_although_the_program_lives(database: Path) -> None:
    maker = Maker()
    maker.begin()
    with Store.open(database) as first:
        write(first, maker.events)
    with Store.open(database) as second:
        assert [run.run_id for run in second.recover(SystemClock())] == ["run-1"]


def test_two_programs_that_recover_at_once_close_each_run_once(database: Path) -> None:
    with Store.open(database) as store:
        for number in range(20):
            maker = Maker(run_id=f"run-{number}", session_id=f"session-{number}")
            maker.begin()
            maker.begin_turn()
            maker.request()
            write(store, maker.events)
    first, second = Store.open(database), Store.open(database)
    found: list[list[RecoveredRun]] = []
    start = threading.Barrier(2)

    def recover(store: Store) -> None:
        start.wait()
        found.append(store.recover(SystemClock()))

    threads = [threading.Thread(target=recover, args=(store,)) for store in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(run.run_id for runs in found for run in runs) == sorted(f"run-{number}" for number in range(20))
    for number in range(20):
        events: list[Event] = list(first.events(f"session-{number}"))
        assert check_events(events) == []
    first.close()
    second.close()


@pytest.mark.parametrize("how", ["recover", "lease"])
def test_what_could_not_be_closed_for_want_of_room_is_closed_later(store: Store, how: str) -> None:
    """And until then it belongs to the dead: neither the run nor the session's lease is kept from others."""
    maker = Maker()
    maker.begin("x" * 50_000)
    maker.begin_turn()
    maker.request()
    maker.answer("y" * 50_000)
    write(store, maker.events)
    kill_owner(store.path)
    with Store.open(store.path) as second:

        def close_it() -> None:
            if how == "recover":
                assert len(second.recover(SystemClock())) == 1
            else:
                second.lease("session-1").release()

        def limit(pages: int) -> None:
            second.journal.call(lambda connection: connection.execute(f"PRAGMA max_page_count = {pages}").fetchall())

        second.lease("another session")
        limit(1)
        with pytest.raises(StoreError, match="full"):
            close_it()
        assert list(store.events("session-1")) == maker.events
        assert not second.session("session-1").live
        limit(1_000_000)
        close_it()
        assert check_events(list(second.events("session-1"))) == []
        assert second.session("session-1").reason == "interrupted"


def test_a_session_goes_on_after_recovery(store: Store) -> None:
    first = Maker()
    first.begin("One")
    first.begin_turn()
    first.request()
    first.answer("", (a_call(1),))
    write(store, first.events)
    kill_owner(store.path)
    with store.lease("session-1"):
        store.recover(SystemClock())
        write(store, short_run("run-2", text="Two").events)
    history = store.history("session-1")
    assert check_history(history) == []
    assert [message.role for message in history] == ["user", "assistant", "tool", "user", "assistant"]
    assert store.session("session-1").runs == 2
    assert store.session("session-1").status == "completed"
