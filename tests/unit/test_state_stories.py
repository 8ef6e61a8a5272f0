"""Made-up runs as event lists, and what must hold of each of them (SEMANTICS section 5, invariants 3 to 6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.events import (
    AgentStarted,
    ApprovalRequested,
    ApprovalResolved,
    AttemptDiscarded,
    Event,
    MessageDelivered,
    MessageQueued,
    ModelRequested,
    ModelResponded,
    Notification,
    ReasoningDelta,
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
from runner.events.base import EPOCH
from runner.messages import ToolCall, ToolStatus, UserMessage
from runner.state import RunState, fold, reduce
from runner.state.items import LIVE_OUTPUT_KEPT
from runner.testing import check_events
from runner.usage import Cost, Usage

E = TypeVar("E", bound=Event)
STATUSES: tuple[ToolStatus, ...] = ("ok", "error", "timeout", "cancelled", "interrupted")


class Story:
    """Builds the events of one valid run, with envelopes as the loop would fill them in."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.seq = 0
        self.turn = 0
        self.attempt = 0
        self.usage = Usage()
        self.cost = Cost()
        self.calls = 0
        self.waiting: list[str] = []
        self.fact(RunStarted(input=(UserMessage(text="do it"),), model="test/one"))
        self.fact(AgentStarted())

    def _stamp(self, event: E) -> E:
        mono = float(len(self.events))
        return replace(
            event,
            run_id="run",
            session_id="session",
            agent="deck",
            seq=self.seq,
            turn=self.turn,
            attempt=self.attempt,
            mono=mono,
            time=EPOCH + timedelta(seconds=mono),
        )

    def fact(self, event: Event) -> None:
        self.seq += 1
        self.events.append(self._stamp(event))

    def delta(self, event: Event) -> None:
        self.events.append(self._stamp(event))

    def queue(self, text: str) -> None:
        self.waiting.append(f"message-{self.seq}")
        self.fact(MessageQueued(message_id=self.waiting[-1], text=text))

    def begin_turn(self) -> None:
        for message_id in self.waiting:
            self.fact(MessageDelivered(message_id=message_id, text="more"))
        self.waiting.clear()
        self.turn += 1
        self.attempt = 0
        self.fact(TurnStarted(model="test/one"))

    def stream(self, pieces: list[str]) -> None:
        """One attempt's deltas: reasoning, text and arguments in turns."""
        self.attempt += 1
        self.fact(ModelRequested(model="test/one"))
        for index, piece in enumerate(pieces):
            match index % 3:
                case 0:
                    self.delta(TextDelta(text=piece))
                case 1:
                    self.delta(ReasoningDelta(text=piece))
                case _:
                    self.delta(ToolArgumentsDelta(call_id=f"call-{self.calls}", tool="shell", text=piece))

    def pay(self, cost: Decimal | None) -> Usage:
        spent = Usage(input=7, output=3)
        self.usage, self.cost = self.usage + spent, self.cost.add(cost)
        return spent

    def discard(self, cost: Decimal | None) -> None:
        self.fact(AttemptDiscarded(model="test/one", reason="stream_broken", usage=self.pay(cost), cost_usd=cost))

    def respond(self, pieces: list[str], calls: int, cost: Decimal | None) -> list[str]:
        ids = [f"call-{self.calls + index}" for index in range(calls)]
        self.calls += calls
        self.fact(
            ModelResponded(
                model="test/one",
                text="".join(pieces[0::3]),
                reasoning="".join(pieces[1::3]),
                tool_calls=tuple(ToolCall(call_id=call_id, tool="shell", arguments={}) for call_id in ids),
                finish_reason="tool_calls" if calls else "stop",
                usage=self.pay(cost),
                cost_usd=cost,
            )
        )
        self.fact(UsageUpdated(usage=self.usage, cost_usd=self.cost.total, context_used=7))
        for call_id in ids:
            self.fact(ToolProposed(call_id=call_id, tool="shell", arguments={"command": "ls"}))
        return ids

    def run_call(self, call_id: str, status: ToolStatus, output: list[str], approval: str) -> None:
        if approval:
            self.fact(ApprovalRequested(request_id=f"ask-{call_id}", call_id=call_id, tool="shell"))
            self.fact(StatusChanged(old="running", new="waiting_approval"))
            decision = "allow" if approval == "allow" else "deny"
            self.fact(ApprovalResolved(request_id=f"ask-{call_id}", call_id=call_id, decision=decision))
            self.fact(StatusChanged(old="waiting_approval", new="running"))
            if decision == "deny":
                self.fact(ToolFinished(call_id=call_id, tool="shell", status="denied", output="no"))
                return
        self.fact(ToolStarted(call_id=call_id, tool="shell"))
        for index, piece in enumerate(output):
            if index == 1:
                self.fact(ToolActivity(call_id=call_id, message="half", progress=0.5))
            self.delta(ToolOutputDelta(call_id=call_id, text=piece))
        self.fact(ToolFinished(call_id=call_id, tool="shell", status=status, output="".join(output)))

    def end_turn(self) -> None:
        self.fact(TurnFinished(tool_calls=self.calls))

    def finish(self) -> list[Event]:
        self.fact(
            RunFinished(
                status="completed", reason="complete", usage=self.usage, cost_usd=self.cost.total, output="done"
            )
        )
        return self.events


PIECES = st.lists(st.text(max_size=5), max_size=7)
COSTS = st.sampled_from([Decimal("0.001"), Decimal("0.25"), None])
Draw = Callable[[st.SearchStrategy[bool]], bool]


@st.composite
def stories(draw: st.DrawFn) -> list[Event]:
    """A valid run of up to three turns with retries, calls, approvals, queued messages and notices anywhere."""
    story = Story()

    def interlude() -> None:
        match draw(st.integers(0, 5)):
            case 0:
                story.queue("more")
            case 1:
                story.fact(Notification(text="by the way"))
            case _:
                pass

    for _ in range(draw(st.integers(1, 3))):
        story.begin_turn()
        for _ in range(draw(st.integers(0, 2))):
            story.stream(draw(PIECES))
            interlude()
            story.discard(draw(COSTS))
        pieces = draw(PIECES)
        story.stream(pieces)
        interlude()
        for call_id in story.respond(pieces, draw(st.integers(0, 3)), draw(COSTS)):
            interlude()
            story.run_call(
                call_id, draw(st.sampled_from(STATUSES)), draw(PIECES), draw(st.sampled_from(["", "allow", "deny"]))
            )
        story.end_turn()
    return story.finish()


@settings(max_examples=40)
@given(stories())
def test_a_made_up_run_keeps_every_invariant(events: list[Event]) -> None:
    assert check_events(events) == []


@settings(max_examples=40)
@given(stories())
def test_facts_alone_give_the_same_state_at_every_turn_end(events: list[Event]) -> None:
    everything, facts = RunState(), RunState()
    compared = 0
    for event in events:
        everything = reduce(everything, event)
        facts = facts if event.is_delta else reduce(facts, event)
        if isinstance(event, TurnFinished | RunFinished):
            assert everything == facts
            compared += 1
    assert compared >= 2
    assert everything.finished


@settings(max_examples=40)
@given(stories(), st.data())
def test_folding_in_two_parts_is_folding_at_once(events: list[Event], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(events)))
    assert fold(events[cut:], fold(events[:cut])) == fold(events)


@settings(max_examples=40)
@given(stories())
def test_an_older_state_never_changes(events: list[Event]) -> None:
    states = [RunState()]
    shown: list[str] = [repr(states[0])]
    for event in events:
        states.append(reduce(states[-1], event))
        shown.append(repr(states[-1]))
    assert [repr(state) for state in states] == shown


@settings(max_examples=40)
@given(stories())
def test_totals_are_sums_over_the_ledger_and_never_go_down(events: list[Event]) -> None:
    before = RunState()
    for event in events:
        after = reduce(before, event)
        assert after.usage.total >= before.usage.total
        assert after.cost.known >= before.cost.known
        assert after.cost.unknown >= before.cost.unknown
        before = after
    assert before.usage == sum((entry.usage for entry in before.ledger), Usage())
    assert before.cost.unknown == sum(entry.cost_usd is None for entry in before.ledger)
    assert before.cost.known == sum((entry.cost_usd or Decimal(0) for entry in before.ledger), Decimal(0))


@settings(max_examples=40)
@given(stories(), st.data())
def test_a_lost_fact_is_noticed(events: list[Event], data: st.DataObject) -> None:
    facts = [index for index, event in enumerate(events) if not event.is_delta]
    lost = data.draw(st.sampled_from(facts))
    assert check_events(events[:lost] + events[lost + 1 :])


def test_a_long_live_output_leaves_no_trace_behind_the_result() -> None:
    story = Story()
    story.begin_turn()
    story.stream(["hm"])
    (call_id,) = story.respond(["hm"], 1, Decimal(0))
    story.run_call(call_id, "ok", ["x" * LIVE_OUTPUT_KEPT] * 3, "")
    story.end_turn()
    assert check_events(story.finish()) == []
