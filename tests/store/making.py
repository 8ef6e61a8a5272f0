"""Events made by hand, stamped as the loop stamps them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Event as Flag

from runner.events import (
    AgentFinished,
    AgentStarted,
    ApprovalRequested,
    ApprovalResolved,
    AttemptDiscarded,
    ErrorInfo,
    Event,
    MessageDelivered,
    MessageQueued,
    ModelRequested,
    ModelResponded,
    ReasoningDelta,
    RetryScheduled,
    RunFinished,
    RunStarted,
    StatusChanged,
    TextDelta,
    ToolActivity,
    ToolArgumentsDelta,
    ToolFinished,
    ToolOutputDelta,
    ToolProposed,
    ToolStarted,
    TurnFinished,
    TurnStarted,
    UsageUpdated,
)
from runner.messages import ToolCall, UserMessage
from runner.state import RunState, reduce
from runner.store import Store
from runner.usage import Usage

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

    def request(self, model: str = "demo/pilot", estimate: int = 100) -> None:
        self.attempt += 1
        self.add(ModelRequested(model=model, messages=1, input_tokens_estimate=estimate))

    def answer(
        self, text: str = "Hi.", calls: tuple[ToolCall, ...] = (), cost: Decimal | None = Decimal("0.001")
    ) -> None:
        finish = "tool_calls" if calls else "stop"
        usage = Usage(input=100, cached_input=10, output=20, reasoning=5)
        self.add(
            ModelResponded(
                model="demo/pilot", text=text, tool_calls=calls, finish_reason=finish, usage=usage, cost_usd=cost
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


def random_run(rng: random.Random, run_id: str = "run-1", session_id: str = "session-1") -> Maker:
    """A complete run as a loop could have made it: turns, retries, parallel tools, approvals, messages, deltas."""
    maker = Maker(run_id=run_id, session_id=session_id)
    maker.begin(_words(rng))
    for number in range(rng.randint(0, 3)):
        maker.begin_turn()
        while rng.random() < 0.3:
            _failed_attempt(maker, rng)
        calls = tuple(
            a_call(10 * number + index, rng.choice(["shell", "read_file", "mine"]), run_id)
            for index in range(rng.choice([0, 0, 1, 2, 3]))
        )
        maker.request()
        _stream(maker, rng, calls)
        if rng.random() < 0.3:
            maker.add(MessageQueued(message_id=f"{run_id}-m{number}", text=_words(rng)))
        maker.answer(_words(rng), calls, rng.choice([None, Decimal("0.0000123"), Decimal(0)]))
        maker.add(UsageUpdated(usage=maker.state.usage, cost_usd=maker.state.cost.total, context_used=7))
        _tools(maker, rng, calls)
        maker.add(TurnFinished(tool_calls=len(calls), usage=Usage(input=100, output=20), seconds=1.0))
        for item in [item for item in maker.state.live if getattr(item, "queued", False)]:
            maker.add(MessageDelivered(message_id=item.item_id, text=getattr(item, "text", "")))
    maker.end(rng.choice(["complete", "error", "max_turns_exceeded"]))
    return maker


def _words(rng: random.Random) -> str:
    return "".join(rng.choice("ab é\n\t☃\U0001f600\x1b\x00\"'\\`%_") for _ in range(rng.randint(0, 12)))


def _failed_attempt(maker: Maker, rng: random.Random) -> None:
    maker.request()
    _stream(maker, rng, ())
    maker.add(AttemptDiscarded(model="demo/pilot", reason="rate_limit", usage=Usage(input=3), cost_usd=Decimal("0.5")))
    maker.add(RetryScheduled(error=ErrorInfo(type="rate_limit", message="slow down"), delay=0.5))


def _stream(maker: Maker, rng: random.Random, calls: tuple[ToolCall, ...]) -> None:
    for _ in range(rng.randint(0, 4)):
        maker.add(rng.choice([TextDelta, ReasoningDelta])(text=_words(rng)))
    for call in calls:
        for piece in ('{"command"', ': "ls"}'):
            maker.add(ToolArgumentsDelta(call_id=call.call_id, tool=call.tool, text=piece))


def _tools(maker: Maker, rng: random.Random, calls: tuple[ToolCall, ...]) -> None:
    """Side by side: each step belongs to a call chosen at random."""
    for call in calls:
        maker.propose(call)
    steps = {call.call_id: _steps(call, rng) for call in calls}
    while steps:
        call_id = rng.choice(list(steps))
        maker.add(steps[call_id].pop(0))
        if not steps[call_id]:
            del steps[call_id]


def _steps(call: ToolCall, rng: random.Random) -> list[Event]:
    steps: list[Event] = []
    allowed = True
    if rng.random() < 0.5:
        allowed = rng.random() < 0.7
        request_id = f"ask-{call.call_id}"
        steps.append(ApprovalRequested(request_id=request_id, call_id=call.call_id, tool=call.tool))
        steps.append(StatusChanged(old="running", new="waiting_approval"))
        decision = "allow" if allowed else "deny"
        steps.append(ApprovalResolved(request_id=request_id, call_id=call.call_id, decision=decision))
        steps.append(StatusChanged(old="waiting_approval", new="running"))
    if allowed:
        steps.append(ToolStarted(call_id=call.call_id, tool=call.tool))
        for _ in range(rng.randint(0, 3)):
            steps.append(
                ToolOutputDelta(call_id=call.call_id, stream=rng.choice(["stdout", "stderr"]), text=_words(rng))
            )
        steps.append(ToolActivity(call_id=call.call_id, message="half", progress=0.5))
    status = "ok" if allowed else "denied"
    steps.append(ToolFinished(call_id=call.call_id, tool=call.tool, status=status, output=_words(rng)))
    return steps


def until(reached: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    """Wait for a state."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.005)
