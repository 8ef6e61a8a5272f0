"""A program that died while somebody besides the agent was asking the model."""

from __future__ import annotations

from decimal import Decimal

import pytest

from runner.clock import SystemClock
from runner.events import SamplingFinished, SamplingStarted, ToolStarted
from runner.messages import ToolCall
from runner.state import Between
from runner.store import Store
from runner.testing.invariants import check_events
from runner.usage import Price
from tests.store.making import Maker, kill_owner, write


@pytest.mark.parametrize("price", [Price(input=Decimal(2), output=Decimal(8)), None], ids=["priced", "unpriced"])
def test_a_server_that_was_asking_the_model_is_closed_before_its_call_and_paid_for(
    store: Store, price: Price | None
) -> None:
    maker = Maker()
    maker.begin()
    maker.begin_turn()
    call = ToolCall(call_id="call-1", tool="describe", arguments={})
    maker.request("anthropic/first", price=price)
    maker.answer(model="anthropic/first", cost=Decimal(0), calls=(call,))
    maker.propose(call)
    maker.add(ToolStarted(call_id="call-1", tool="describe"))
    maker.add(
        SamplingStarted(call_id="call-1", who="git", model="anthropic/first", price=price, input_tokens_estimate=5000)
    )
    write(store, maker.events)
    kill_owner(store.path)
    store.recover(SystemClock())
    events = list(store.events("session-1"))
    assert check_events(events) == []
    finished = next(event for event in events if isinstance(event, SamplingFinished))
    assert (finished.how, finished.who, finished.usage_source) == ("none", "git", "estimated")
    assert finished.cost_usd == (None if price is None else Decimal("0.01"))
    (state,) = store.runs("session-1")
    assert (state.ledger[-1].purpose, state.ledger[-1].discarded, state.phase) == ("sampling", True, Between())
    assert store.session("session-1").cost_usd == finished.cost_usd
