"""What is open in a run at any moment, from its events alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from runner.events import (
    AgentFinished,
    AgentStarted,
    ApprovalRequested,
    ApprovalResolved,
    AttemptDiscarded,
    CompactionFinished,
    CompactionStarted,
    Event,
    ModelRequested,
    ModelResponded,
    ReasoningDelta,
    RefusalDelta,
    RunQueued,
    RunStarted,
    SamplingFinished,
    SamplingStarted,
    TextDelta,
    ToolArgumentsDelta,
    ToolFinished,
    ToolProposed,
    ToolStarted,
    TurnFinished,
    TurnStarted,
)
from runner.messages import ToolCall
from runner.state import RunState, reduce


@dataclass(slots=True)
class Seen:
    """What the events taken in have left open, and what is needed to close it.

    last_mono: of the run's clock. request, compaction, sampling: the open one. pieces: what had arrived of the request,
    by kind. approvals: open ones, questions too. asked: calls that somebody was asked about. responded: calls of
    responses. began: when calls started. turn: the open one.
    """

    state: RunState = field(default_factory=RunState)
    last_mono: float = 0.0
    queued: RunQueued | None = None
    started: bool = False
    request: ModelRequested | None = None
    compaction: CompactionStarted | None = None
    sampling: SamplingStarted | None = None
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
                if event.asks == "call":
                    self.asked.add(call_id)
            case ApprovalResolved(request_id=request_id):
                self.approvals.pop(request_id, None)
            case _:
                self._take_rest(event)

    def _take_rest(self, event: Event) -> None:
        match event:
            case AgentStarted() | AgentFinished():
                self.agent_active = isinstance(event, AgentStarted)
            case ModelRequested() | ModelResponded() | AttemptDiscarded() | CompactionStarted() | CompactionFinished():
                self._take_request(event)
            case SamplingStarted() | SamplingFinished():
                self.sampling = event if isinstance(event, SamplingStarted) else None
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

    def _take_request(
        self, event: ModelRequested | ModelResponded | AttemptDiscarded | CompactionStarted | CompactionFinished
    ) -> None:
        self.pieces = {}
        self.request = event if isinstance(event, ModelRequested) else None
        self.compaction = event if isinstance(event, CompactionStarted) else None
        if isinstance(event, ModelResponded):
            self.responded.update((call.call_id, call) for call in event.tool_calls)

    def text(self, kind: str) -> str:
        return "".join(self.pieces.get(kind, ()))
