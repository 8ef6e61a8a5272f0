"""The invariants of a run's event stream (SEMANTICS section 5) as far as a list of events can show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from runner.events import (
    ApprovalRequested,
    ApprovalResolved,
    AttemptDiscarded,
    CompactionFinished,
    CompactionStarted,
    Event,
    MessageDelivered,
    ModelRequested,
    ModelResponded,
    PersonCommandFinished,
    PersonCommandStarted,
    RunFinished,
    RunQueued,
    RunStarted,
    SamplingFinished,
    SamplingStarted,
    ToolFinished,
    ToolProposed,
    ToolStarted,
    TurnFinished,
    UsageUpdated,
)
from runner.log import AppendLog
from runner.messages import AssistantMessage, Message, ToolResult
from runner.state import CommandItem, RunState, reduce
from runner.state.compacted import effective_history
from runner.usage import Cost, Usage


def check_events(events: Iterable[Event], *, complete: bool = True) -> list[str]:
    """What is wrong with the events of one run; empty where all is right.

    complete: the list reaches from the start to the end of the run; False checks the start of one that goes on.
    """
    listed = list(events)
    return [
        *_check_frame(listed, complete),
        *_check_seq(listed),
        *_check_requests(listed, complete),
        *_check_calls(listed, complete),
        *_check_approvals(listed, complete),
        *_check_commands(listed, complete),
        *_check_folds(listed, complete),
        *_check_money(listed, complete),
    ]


def check_history(messages: Sequence[Message], *, open_end: bool = False) -> list[str]:
    """What would make a provider refuse this history; open_end allows calls of the last response without result."""
    broken: list[str] = []
    seen: set[str] = set()
    waiting: set[str] = set()
    for message in messages:
        match message:
            case ToolResult(call_id=call_id):
                if call_id not in waiting:
                    broken.append(f"6: result of {call_id} without an open call")
                waiting.discard(call_id)
            case _:
                if waiting:
                    broken.append(f"6: no result of {sorted(waiting)} before the next {message.role} message")
                waiting = set()
                if isinstance(message, AssistantMessage):
                    ids = [call.call_id for call in message.tool_calls]
                    broken.extend(f"6: call id {call_id} is used twice" for call_id in ids if call_id in seen)
                    if len(set(ids)) != len(ids):
                        broken.append(f"6: one response uses a call id twice: {ids}")
                    seen.update(ids)
                    waiting = set(ids)
    if waiting and not open_end:
        broken.append(f"6: no result of {sorted(waiting)} at the end")
    return broken


def _check_frame(events: list[Event], complete: bool) -> list[str]:
    broken: list[str] = []
    started = [index for index, event in enumerate(events) if isinstance(event, RunStarted)]
    finished = [index for index, event in enumerate(events) if isinstance(event, RunFinished)]
    if len(started) != 1:
        broken.append(f"1: run_started {len(started)} times")
    elif any(not isinstance(event, RunQueued) for event in events[: started[0]]):
        broken.append("1: something but run_queued comes before run_started")
    if len(finished) > 1 or (complete and not finished):
        broken.append(f"1: run_finished {len(finished)} times")
    if finished and finished[0] != len(events) - 1:
        broken.append(f"1: {events[finished[0] + 1].kind} comes after run_finished")
    if len({event.run_id for event in events}) > 1:
        broken.append("1: the events belong to more than one run")
    return broken


def _check_seq(events: list[Event]) -> list[str]:
    broken: list[str] = []
    last = 0
    mono = float("-inf")
    for event in events:
        if event.is_delta and event.seq != last:
            broken.append(f"2: a {event.kind} carries seq {event.seq} after fact {last}")
        if not event.is_delta:
            if event.seq != last + 1:
                broken.append(f"2: {event.kind} has seq {event.seq} after {last}")
            last = event.seq
            if event.mono < mono:
                broken.append(f"2: the clock of {event.kind} {event.seq} goes back")
            mono = event.mono
    return broken


def _check_requests(events: list[Event], complete: bool) -> list[str]:
    broken: list[str] = []
    waiting = False
    for event in events:
        match event:
            case ModelRequested() | CompactionStarted() | SamplingStarted():
                if waiting:
                    broken.append(f"3: {event.kind} {event.seq} while another request is open")
                waiting = True
            case ModelResponded() | AttemptDiscarded() | CompactionFinished() | SamplingFinished():
                if not waiting:
                    broken.append(f"3: {event.kind} {event.seq} without an open request")
                waiting = False
            case _:
                pass
    return [*broken, "3: a request has no end"] if waiting and complete else broken


def _check_calls(events: list[Event], complete: bool) -> list[str]:
    broken: list[str] = []
    waiting: set[str] = set()
    ended: set[str] = set()
    sampling = ""
    for event in events:
        match event:
            case SamplingStarted(call_id=call_id):
                sampling = call_id
                if call_id not in waiting:
                    broken.append(f"3: {call_id} samples without being open")
            case SamplingFinished():
                sampling = ""
            case ToolProposed(call_id=call_id):
                if call_id in waiting or call_id in ended:
                    broken.append(f"3: {call_id} is proposed twice")
                waiting.add(call_id)
            case ToolStarted(call_id=call_id) if call_id not in waiting:
                broken.append(f"3: {call_id} starts without being open")
            case ToolFinished(call_id=call_id):
                if call_id not in waiting:
                    broken.append(f"3: {call_id} finishes without being open")
                if call_id == sampling:
                    broken.append(f"3: {call_id} finishes while it samples")
                waiting.discard(call_id)
                ended.add(call_id)
            case _:
                pass
    return [*broken, *(f"3: {call_id} has no tool_finished" for call_id in sorted(waiting) if complete)]


def _check_commands(events: list[Event], complete: bool) -> list[str]:
    """Commands of the person's: one end each, and the model is told once of those that it is to know of."""
    broken: list[str] = []
    running: set[str] = set()
    owed: set[str] = set()
    for event in events:
        match event:
            case PersonCommandStarted(command_id=command_id):
                if command_id in running and event.pid is None:
                    broken.append(f"3: {command_id} starts twice")
                running.add(command_id)
            case PersonCommandFinished(command_id=command_id):
                if command_id not in running:
                    broken.append(f"3: {command_id} finishes without being open")
                running.discard(command_id)
                if event.share and event.status != "not_started":
                    owed.add(command_id)
            case MessageDelivered(by="command", message_id=command_id):
                if command_id not in owed:
                    broken.append(f"3: the model is told of {command_id} for no reason")
                owed.discard(command_id)
            case _:
                pass
    left = [f"3: {command_id} has no person_command_finished" for command_id in sorted(running)]
    left += [f"3: the model is never told of {command_id}" for command_id in sorted(owed)]
    return broken + (left if complete else [])


def _check_approvals(events: list[Event], complete: bool) -> list[str]:
    broken: list[str] = []
    book = _Asked()
    for event in events:
        match event:
            case ApprovalRequested():
                broken.extend(book.ask(event))
            case ApprovalResolved():
                broken.extend(book.resolve(event))
            case ToolStarted():
                broken.extend(book.start(event))
            case ToolFinished(call_id=call_id):
                book.running.discard(call_id)
                if call_id in book.of(book.open):
                    broken.append(f"3: {call_id} finishes while something is asked for it")
            case _:
                pass
    return [*broken, *(f"3: approval {request_id} is never resolved" for request_id in book.open if complete)]


@dataclass(slots=True)
class _Asked:
    """What is asked and decided of the calls of a run so far. open: requests that wait, by their ids."""

    open: dict[str, ApprovalRequested] = field(default_factory=dict[str, ApprovalRequested])
    seen: set[str] = field(default_factory=set[str])
    denied: set[str] = field(default_factory=set[str])
    running: set[str] = field(default_factory=set[str])

    def of(self, requests: dict[str, ApprovalRequested], asks: str = "") -> set[str]:
        """The calls that requests are about."""
        return {request.call_id for request in requests.values() if asks in ("", request.asks)}

    def ask(self, event: ApprovalRequested) -> list[str]:
        broken: list[str] = []
        if event.request_id in self.seen:
            broken.append(f"3: approval {event.request_id} is requested twice")
        if event.call_id in self.of(self.open):
            broken.append(f"3: {event.call_id} has two requests open at once")
        if event.asks == "question" and event.call_id not in self.running:
            broken.append(f"3: {event.call_id} asks a question without running")
        if event.asks == "call" and event.call_id in self.running:
            broken.append(f"3: {event.call_id} is asked about while it runs")
        self.seen.add(event.request_id)
        self.open[event.request_id] = event
        return broken

    def resolve(self, event: ApprovalResolved) -> list[str]:
        request = self.open.pop(event.request_id, None)
        if request is None:
            # What a rule or a grant decides without asking is recorded by a resolution alone.
            if event.decision in ("deny", "end_run"):
                self.denied.add(event.call_id)
            asked = event.by in ("user", "timeout", "stop", "disconnect")
            return [f"3: approval {event.request_id} is resolved without being open"] if asked else []
        if request.asks == "call" and event.decision in ("deny", "end_run"):
            self.denied.add(event.call_id)
        if request.options and event.decision not in request.options:
            return [f"3: approval {event.request_id} is resolved by {event.decision}, which it does not take"]
        return []

    def start(self, event: ToolStarted) -> list[str]:
        """A second tool_started of a call says which process it runs."""
        call_id = event.call_id
        if call_id in self.running and event.pid is None:
            return [f"3: {call_id} starts twice"]
        self.running.add(call_id)
        if call_id in self.of(self.open, "call"):
            return [f"3: {call_id} starts while its approval is open"]
        return [f"3: {call_id} starts although it was denied"] if call_id in self.denied else []


def _check_folds(events: list[Event], complete: bool) -> list[str]:
    broken: list[str] = []
    everything, facts = RunState(), RunState()
    for event in events:
        if isinstance(event, ModelRequested):
            sent = effective_history((), everything)
            broken.extend(f"{what} (at request {event.seq})" for what in check_history(everything.history))
            broken.extend(f"{what} (sent by request {event.seq})" for what in check_history(sent))
        everything = reduce(everything, event)
        if event.is_delta:
            continue
        facts = reduce(facts, event)
        if isinstance(event, TurnFinished | RunFinished) and _without_running(everything) != facts:
            broken.append(f"4: with deltas the state differs after {event.kind} {event.seq}")
    broken.extend(check_history(everything.history, open_end=not complete))
    return broken


def _without_running(state: RunState) -> RunState:
    """A command of the person's may outlive a turn: what it prints is made void by its own end, which comes later."""
    live = tuple(
        replace(item, live_output=AppendLog[str](), live_characters=0, dropped_characters=0)
        if isinstance(item, CommandItem)
        else item
        for item in state.live
    )
    return replace(state, live=live)


def _check_money(events: list[Event], complete: bool) -> list[str]:
    broken: list[str] = []
    paid, cost = Usage(), Cost()
    shown: Usage = Usage()
    dollars = Decimal(0)
    for event in events:
        match event:
            case ModelResponded() | AttemptDiscarded() | CompactionFinished() | SamplingFinished():
                paid, cost = paid + event.usage, cost.add(event.cost_usd)
            case UsageUpdated() | RunFinished():
                if _less(event.usage, shown):
                    broken.append(f"5: usage goes down at {event.kind} {event.seq}")
                shown = event.usage
                if event.cost_usd is not None:
                    if event.cost_usd < dollars:
                        broken.append(f"5: cost goes down at {event.kind} {event.seq}")
                    dollars = event.cost_usd
                    if cost.unknown:
                        broken.append(f"5: {event.kind} {event.seq} gives a cost though a part is unknown")
                if isinstance(event, RunFinished) and complete and (event.usage, event.cost_usd) != (paid, cost.total):
                    broken.append(f"5: the end says {event.usage}, {event.cost_usd}; paid: {paid}, {cost.total}")
            case _:
                pass
    return broken


def _less(new: Usage, old: Usage) -> bool:
    pairs = (
        (new.input, old.input),
        (new.cached_input, old.cached_input),
        (new.cache_write, old.cache_write),
        (new.output, old.output),
        (new.reasoning, old.reasoning),
    )
    return any(after < before for after, before in pairs)
