"""What recovery adds to a run whose program died: the facts that close everything that was open. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from runner.events import (
    AgentFinished,
    AgentStarted,
    ApprovalRequested,
    ApprovalResolved,
    AttemptDiscarded,
    Event,
    ModelRequested,
    ModelResponded,
    ReasoningDelta,
    RefusalDelta,
    RunFinished,
    RunQueued,
    RunStarted,
    StatusChanged,
    TextDelta,
    ToolArgumentsDelta,
    ToolFinished,
    ToolProposed,
    ToolStarted,
    TurnFinished,
    TurnStarted,
)
from runner.messages import AssistantMessage, ToolCall
from runner.state import Requesting, RunState, reduce
from runner.usage import Usage

CHARACTERS_PER_TOKEN = 4
OUTPUT_KEPT = 4000
"""Characters of an interrupted tool's output that the model is told."""

READ_ONLY = frozenset({"list_files", "read_file", "search"})
"""The built-in tools that change nothing; an event does not say it of any other tool."""

NOT_EXECUTED = "This call was not executed: the program ended before it started."
INTERRUPTED = "This call was interrupted while it was running, because the program ended. {effects}"
ONLY_READS = "It only reads, so it changed nothing."
MAY_HAVE = "It may have had effects; check before relying on it or repeating it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """events: the closing facts. partial_characters: of the response that was streaming."""

    events: list[Event]
    open_calls: int
    partial_characters: int


@dataclass(slots=True)
class _Seen:
    """What is open after the events taken in."""

    state: RunState = field(default_factory=RunState)
    last_mono: float = 0.0
    inactive: float = 0.0
    queued: RunQueued | None = None
    started: bool = False
    request: ModelRequested | None = None
    pieces: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    approvals: dict[str, ApprovalRequested] = field(default_factory=dict[str, ApprovalRequested])
    asked: set[str] = field(default_factory=set[str])
    responded: dict[str, ToolCall] = field(default_factory=dict[str, ToolCall])
    proposed: dict[str, ToolProposed] = field(default_factory=dict[str, ToolProposed])
    began: dict[str, float] = field(default_factory=dict[str, float])
    ended: set[str] = field(default_factory=set[str])
    turn: TurnStarted | None = None
    agent_active: bool = False

    def take(self, event: Event) -> None:
        if self.state.status in ("waiting_approval", "paused"):
            self.inactive += max(0.0, event.mono - self.last_mono)
        self.last_mono = max(self.last_mono, event.mono)
        self.state = reduce(self.state, event)
        match event:
            case RunQueued():
                self.queued = event
            case RunStarted():
                self.started = True
            case TurnStarted():
                self.turn = event
            case TurnFinished():
                self.turn = None
            case ApprovalRequested(request_id=request_id, call_id=call_id):
                self.approvals[request_id] = event
                self.asked.add(call_id)
            case ApprovalResolved(request_id=request_id):
                self.approvals.pop(request_id, None)
            case _:
                self._take_rest(event)

    def _take_rest(self, event: Event) -> None:
        match event:
            case AgentStarted() | AgentFinished():
                self.agent_active = isinstance(event, AgentStarted)
            case ModelRequested():
                self.request, self.pieces = event, {}
            case ModelResponded() | AttemptDiscarded():
                self.request, self.pieces = None, {}
                if isinstance(event, ModelResponded):
                    self.responded.update((call.call_id, call) for call in event.tool_calls)
            case TextDelta() | ReasoningDelta() | RefusalDelta() | ToolArgumentsDelta():
                self.pieces.setdefault(event.kind, []).append(event.text)
            case ToolProposed(call_id=call_id):
                self.proposed[call_id] = event
            case ToolStarted(call_id=call_id):
                self.began.setdefault(call_id, event.mono)
            case ToolFinished(call_id=call_id):
                self.ended.add(call_id)
            case _:
                pass

    def text(self, kind: str) -> str:
        return "".join(self.pieces.get(kind, ()))


def close_run(events: Sequence[Event], *, run_id: str, session_id: str, next_seq: int, now: datetime) -> Closing:
    """The facts that end the run. events: all of it, stored deltas included. next_seq: the first free number."""
    seen = _Seen()
    for event in events:
        seen.take(event)
    writer = _Writer(seen=seen, run_id=run_id, session_id=session_id, next_seq=next_seq, now=now)
    if not seen.started:
        queued = seen.queued or RunQueued()
        writer.add(RunStarted(input=queued.input, model=queued.model))
    for asked in list(seen.approvals.values()):
        writer.add(_denied(asked, seen))
    response = _interrupted_response(seen)
    if response is not None:
        writer.add(response)
    open_calls = _close_calls(seen, writer)
    if seen.turn is not None:
        writer.add(_turn_end(seen, seen.turn))
    output = _last_text(seen.state)
    if seen.agent_active:
        writer.add(AgentFinished(output=output))
    writer.add(StatusChanged(old=seen.state.status, new="failed", detail="interrupted"))
    writer.add(_run_end(seen, output))
    partial = 0 if response is None else len(response.text) + len(response.reasoning)
    return Closing(events=writer.events, open_calls=open_calls, partial_characters=partial)


@dataclass(slots=True, kw_only=True)
class _Writer:
    """Numbers and stamps the closing facts, and lets `seen` follow them.

    mono stays at its last value: the clock of the dead process is not ours to continue.
    """

    seen: _Seen
    run_id: str
    session_id: str
    next_seq: int
    now: datetime
    events: list[Event] = field(default_factory=list[Event])

    def add(self, event: Event) -> None:
        state = self.seen.state
        stamped = replace(
            event,
            run_id=self.run_id,
            session_id=self.session_id,
            parent_run_id=state.parent_run_id,
            seq=self.next_seq,
            time=self.now,
            mono=self.seen.last_mono,
            agent=state.agent,
            turn=state.turn,
            attempt=state.attempt,
        )
        self.next_seq += 1
        self.seen.take(stamped)
        self.events.append(stamped)


def _denied(asked: ApprovalRequested, seen: _Seen) -> ApprovalResolved:
    return ApprovalResolved(
        request_id=asked.request_id,
        call_id=asked.call_id,
        decision="deny",
        by="disconnect",
        arguments=asked.arguments,
        reason="the program ended before anybody answered",
        seconds=max(0.0, seen.last_mono - asked.mono),
    )


def _interrupted_response(seen: _Seen) -> ModelResponded | None:
    """What had arrived of the open request; its cost cannot be known any more, so it is unknown and not 0."""
    request = seen.request
    if request is None:
        return None
    characters = sum(len(piece) for pieces in seen.pieces.values() for piece in pieces)
    phase = seen.state.phase
    arrived = phase.first_mono if isinstance(phase, Requesting) else None
    # Calls are proposed after their response; should any be open without one, the history still needs its owner.
    calls = tuple(
        ToolCall(
            call_id=call_id,
            tool=proposed.tool,
            arguments=proposed.arguments if isinstance(proposed.arguments, dict) else None,
        )
        for call_id, proposed in seen.proposed.items()
        if call_id not in seen.responded and proposed.seq > request.seq
    )
    return ModelResponded(
        model=request.model,
        text=seen.text("text_delta") or seen.text("refusal_delta"),
        reasoning=seen.text("reasoning_delta"),
        tool_calls=calls,
        finish_reason="interrupted",
        usage=Usage(input=request.input_tokens_estimate, output=math.ceil(characters / CHARACTERS_PER_TOKEN)),
        cost_usd=None,
        usage_source="estimated",
        seconds=max(0.0, seen.last_mono - request.mono),
        first_token_seconds=None if arrived is None else max(0.0, arrived - request.mono),
    )


def _close_calls(seen: _Seen, writer: _Writer) -> int:
    """Give every open call its one end; returns how many there were."""
    outputs = {call.call_id: "".join(call.live_output) for call in seen.state.live_calls}
    for call in list(seen.responded.values()):
        if call.call_id not in seen.proposed and call.call_id not in seen.ended:
            given = call.arguments_json if call.arguments is None else call.arguments
            valid = call.arguments is not None
            writer.add(ToolProposed(call_id=call.call_id, tool=call.tool, arguments=given, valid=valid))
    still_open = [proposed for call_id, proposed in seen.proposed.items() if call_id not in seen.ended]
    for proposed in still_open:
        writer.add(_call_end(seen, proposed, outputs.get(proposed.call_id, "")))
    return len(still_open)


def _call_end(seen: _Seen, proposed: ToolProposed, printed: str) -> ToolFinished:
    began = seen.began.get(proposed.call_id)
    if began is None:
        return ToolFinished(
            call_id=proposed.call_id, tool=proposed.tool, status="interrupted", output=NOT_EXECUTED, side_effects="none"
        )
    harmless = proposed.tool in READ_ONLY and proposed.call_id not in seen.asked
    output = INTERRUPTED.format(effects=ONLY_READS if harmless else MAY_HAVE)
    if printed:
        output += f"\nThe end of what it had printed:\n{printed[-OUTPUT_KEPT:]}"
    return ToolFinished(
        call_id=proposed.call_id,
        tool=proposed.tool,
        status="interrupted",
        output=output,
        seconds=max(0.0, seen.last_mono - began),
        truncated=len(printed) > OUTPUT_KEPT,
        side_effects="none" if harmless else "unknown",
    )


def _turn_end(seen: _Seen, turn: TurnStarted) -> TurnFinished:
    usage = Usage()
    for entry in seen.state.ledger:
        if entry.turn == turn.turn:
            usage = usage + entry.usage
    calls = sum(1 for proposed in seen.proposed.values() if proposed.seq > turn.seq)
    return TurnFinished(tool_calls=calls, usage=usage, seconds=max(0.0, seen.last_mono - turn.mono))


def _last_text(state: RunState) -> str:
    for message in reversed(state.history):
        if isinstance(message, AssistantMessage) and message.text:
            return message.text
    return ""


def _run_end(seen: _Seen, output: str) -> RunFinished:
    state = seen.state
    seconds = max(0.0, seen.last_mono - state.started_mono)
    return RunFinished(
        status="failed",
        reason="interrupted",
        output=output,
        usage=state.usage,
        cost_usd=state.cost.total,
        turns=state.turns_accepted,
        seconds=seconds,
        active_seconds=max(0.0, seconds - seen.inactive),
    )
