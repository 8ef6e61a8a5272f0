"""Events made by hand, stamped as the loop stamps them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Event as Flag

from runner.events import (
    AgentFinished,
    AgentStarted,
    Event,
    ModelRequested,
    ModelResponded,
    RunFinished,
    RunStarted,
    StatusChanged,
    ToolFinished,
    ToolProposed,
    TurnFinished,
    TurnStarted,
)
from runner.messages import ToolCall, UserMessage
from runner.state import RunState, reduce
from runner.store import Store
from runner.usage import Price, Usage, UsageSource

USAGE = Usage(input=100, cached_input=10, output=20, reasoning=5)
START = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


@dataclass
class Maker:
    """Stamps the events of one run and keeps them in order. The clock moves by 10 ms with each."""

    run_id: str = "run-1"
    session_id: str = "session-1"
    start: datetime = START
    agent: str = "deck"
    parent_run_id: str | None = None
    events: list[Event] = field(default_factory=list[Event])
    seq: int = 0
    turn: int = 0
    attempt: int = 0

    def add(self, event: Event) -> Event:
        if not event.is_delta:
            self.seq += 1
        passed = 0.01 * len(self.events)
        stamped = replace(
            event,
            run_id=self.run_id,
            session_id=self.session_id,
            parent_run_id=self.parent_run_id,
            seq=self.seq,
            time=self.start + timedelta(seconds=passed),
            mono=100.0 + passed,
            agent=self.agent,
            turn=self.turn,
            attempt=self.attempt,
        )
        self.events.append(stamped)
        return stamped

    def begin(self, text: str = "Hello", model: str = "demo/pilot", workspace: str = "/somewhere") -> None:
        self.add(RunStarted(input=(UserMessage(text=text),), model=model, workspace=workspace))
        self.add(AgentStarted())

    def request(self, model: str = "demo/pilot", estimate: int = 100, price: Price | None = None) -> None:
        self.attempt += 1
        self.add(
            ModelRequested(
                model=model,
                provider=model.partition("/")[0],
                price=price,
                messages=1,
                input_tokens_estimate=estimate,
            )
        )

    def answer(
        self,
        text: str = "Hi.",
        calls: tuple[ToolCall, ...] = (),
        cost: Decimal | None = Decimal("0.001"),
        usage: Usage = USAGE,
        model: str = "demo/pilot",
        source: UsageSource = "reported",
    ) -> None:
        finish = "tool_calls" if calls else "stop"
        self.add(
            ModelResponded(
                model=model,
                provider=model.partition("/")[0],
                text=text,
                tool_calls=calls,
                finish_reason=finish,
                usage=usage,
                cost_usd=cost,
                usage_source=source,
            )
        )

    def begin_turn(self) -> None:
        self.turn += 1
        self.attempt = 0
        self.add(TurnStarted(model="demo/pilot"))

    def propose(self, call: ToolCall) -> None:
        self.add(ToolProposed(call_id=call.call_id, tool=call.tool, arguments=call.arguments or {}))

    def finish_call(self, call: ToolCall, output: str = "done") -> None:
        self.add(ToolFinished(call_id=call.call_id, tool=call.tool, output=output, side_effects="done"))

    def end(self, reason: str = "complete") -> None:
        state = self.state
        status = "completed" if reason == "complete" else "failed"
        self.add(AgentFinished(output="Hi."))
        self.add(StatusChanged(old=state.status, new=status, detail=reason))
        self.add(
            RunFinished(
                status=status,
                reason=reason,
                output="Hi.",
                usage=state.usage,
                cost_usd=state.cost.total,
                turns=state.turns_accepted,
                seconds=2.5,
                active_seconds=1.5,
            )
        )

    @property
    def state(self) -> RunState:
        state = RunState()
        for event in self.events:
            state = reduce(state, event)
        return state

    @property
    def facts(self) -> list[Event]:
        return [event for event in self.events if not event.is_delta]


def a_call(number: int = 1, tool: str = "shell", run_id: str = "run-1") -> ToolCall:
    return ToolCall(
        call_id=f"{run_id}-call-{number}",
        tool=tool,
        arguments={"command": "ls"},
        arguments_json='{"command": "ls"}',
        provider_id=f"p{number}",
    )


def short_run(run_id: str = "run-1", session_id: str = "session-1", text: str = "Hello", **named: object) -> Maker:
    """One complete run of one turn."""
    maker = Maker(run_id=run_id, session_id=session_id)
    for name, value in named.items():
        setattr(maker, name, value)
    maker.begin(text)
    maker.begin_turn()
    maker.request()
    maker.answer()
    maker.add(TurnFinished(usage=Usage(input=100, output=20)))
    maker.end()
    return maker


class Collector:
    """A reader: what was published, and a flag for each time something came."""

    def __init__(self, check: Callable[[list[Event]], None] | None = None) -> None:
        self.events: list[Event] = []
        self.came = Flag()
        self._check = check

    def __call__(self, events: list[Event]) -> None:
        if self._check is not None:
            self._check(events)
        self.events.extend(events)
        self.came.set()


def write(store: Store, events: list[Event], reader: Collector | None = None) -> Collector:
    """Submit all, wait until they are stored; returns the reader."""
    reader = reader or Collector()
    for event in events:
        store.journal.submit(event, reader)
    store.journal.barrier().result(timeout=30)
    return reader


def kill_owner(database: Path) -> None:
    """Make the database say that its owner is a process that has never been."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE owners SET started = 'never'")
        connection.commit()


def until(reached: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    """Wait for a state."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.005)
