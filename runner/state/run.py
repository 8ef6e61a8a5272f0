"""The state of one run: a frozen value, made only by folding its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeAlias

from runner.changed import changed
from runner.events import ErrorInfo, LimitReached, PersonCommandFinished
from runner.log import AppendLog
from runner.messages import JsonObject, Message
from runner.state.items import CallItem, CommandItem, Item, UserItem
from runner.state.settings import Asked
from runner.state.spans import Times
from runner.usage import Cost, Price, Usage, UsageSource

Purpose = Literal["turn", "compaction", "sampling"]
Status = Literal["queued", "running", "waiting_approval", "paused", "stopping", "completed", "failed", "cancelled"]
Reason = Literal[
    "complete",
    "stopped",
    "aborted",
    "max_turns_exceeded",
    "budget_exceeded",
    "token_limit_exceeded",
    "time_exceeded",
    "request_limit_exceeded",
    "tool_call_limit_exceeded",
    "guardrail_tripped",
    "approval_terminated",
    "refused",
    "context_overflow",
    "output_invalid",
    "error",
    "interrupted",
]
FINAL: frozenset[str] = frozenset({"completed", "failed", "cancelled"})

STATUS_OF_REASON: dict[str, Status] = {
    "complete": "completed",
    "stopped": "cancelled",
    "aborted": "cancelled",
}
"""Every other reason means failed (SEMANTICS section 4)."""


def status_of(reason: Reason) -> Status:
    return STATUS_OF_REASON.get(reason, "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingApproval:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class PausedBy:
    """limit: the one that the run asks about, "" where somebody paused it."""

    by: str
    limit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """force: an abort."""

    by: str
    force: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    status: Status
    reason: Reason


Lifecycle: TypeAlias = Queued | Running | WaitingApproval | PausedBy | Stopping | Finished


@dataclass(frozen=True, slots=True, kw_only=True)
class Requesting:
    """A request is open. first_mono: when its first piece arrived; characters: written so far.

    position: how many live items came before it. input_estimate: tokens of its prompt, until the provider reports them.
    price: what its tokens cost; None = unknown.
    """

    model: str
    since_mono: float
    first_mono: float | None = None
    last_mono: float | None = None
    characters: int = 0
    position: int = 0
    input_estimate: int = 0
    price: Price | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """until_mono: when the next attempt starts, in seconds of the run's monotonic clock. next_model: the one that could
    be used instead, "" where there is none.
    """

    error: ErrorInfo
    until_mono: float
    action: str
    next_model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacting:
    """A model is asked to summarise the older history. tokens: of the whole context before; input_estimate, price: of
    the request for the summary. Tokens are estimates.
    """

    model: str
    cause: str
    since_mono: float
    tokens: int
    input_estimate: int = 0
    price: Price | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """A model is asked on behalf of somebody besides the agent, while the call that this is for runs."""

    model: str
    who: str
    call_id: str
    since_mono: float
    input_estimate: int = 0
    price: Price | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """No request is open: tools run, or the loop is between two steps."""


Phase: TypeAlias = Requesting | Retrying | Compacting | Sampling | Between


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One request as it was paid for. cost_usd None = unknown; price: what it was reckoned with.

    purpose: what it was made for. discarded: its output is not used; reason says why (an error's type, model_switched,
    interrupted where a part is kept). waited: RunState.waited when it was closed.
    """

    turn: int
    attempt: int
    model: str
    agent: str
    usage: Usage
    cost_usd: Decimal | None
    source: UsageSource
    discarded: bool
    time: datetime
    mono: float = 0.0
    seconds: float = 0.0
    first_token_seconds: float | None = None
    provider: str = ""
    price: Price | None = None
    waited: float = 0.0
    purpose: Purpose = "turn"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """What stands for the older history from here on (see CompactionFinished). at_ledger: requests paid before it."""

    summary: str
    prior_dropped: int
    dropped: int
    at_ledger: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """Everything known of a run. settled items never change again; live ones belong to the turn that is going on.

    history: the messages of this run only. totals (usage, cost) are sums over ledger and nothing else.
    tool_calls counts those that were proposed, calls_started those that began to run.
    context_used, context_window: tokens of the last request. asked: effort and temperature of the next one.
    limits: those that are on, in their own units.
    waited: seconds in which the run only waited for a person or was paused.
    limit_asked: what the run paused for and asks about. compacted: the last compaction of this run.
    untold: commands of the person's that the model is still to be told of.
    todo: the view of the last list of what is to be done, {"type": "todo", "items": [{"text", "status"}]}.
    """

    run_id: str = ""
    session_id: str = ""
    parent_run_id: str | None = None
    agent: str = ""
    model: str = ""
    workspace: str = ""
    config: JsonObject = field(default_factory=dict[str, object])
    lifecycle: Lifecycle = field(default_factory=Queued)
    phase: Phase = field(default_factory=Between)
    seq: int = 0
    turn: int = 0
    turns_accepted: int = 0
    attempt: int = 0
    tool_calls: int = 0
    calls_started: int = 0
    started_at: datetime | None = None
    started_mono: float = 0.0
    last_mono: float = 0.0
    seconds: float = 0.0
    active_seconds: float = 0.0
    waited: float = 0.0
    settled: AppendLog[Item] = field(default_factory=AppendLog[Item])
    live: tuple[Item, ...] = ()
    history: AppendLog[Message] = field(default_factory=AppendLog[Message])
    ledger: AppendLog[LedgerEntry] = field(default_factory=AppendLog[LedgerEntry])
    times: Times = field(default_factory=Times)
    usage: Usage = field(default_factory=Usage)
    cost: Cost = field(default_factory=Cost)
    context_used: int = 0
    context_window: int | None = None
    asked: Asked = field(default_factory=Asked)
    limits: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    limit_asked: LimitReached | None = None
    compacted: Compacted | None = None
    todo: JsonObject | None = None
    untold: tuple[PersonCommandFinished, ...] = ()
    final_output: str = ""
    error: ErrorInfo | None = None
    receipt: JsonObject | None = None

    @property
    def status(self) -> Status:
        match self.lifecycle:
            case Queued():
                return "queued"
            case Running():
                return "running"
            case WaitingApproval():
                return "waiting_approval"
            case PausedBy():
                return "paused"
            case Stopping():
                return "stopping"
            case Finished(status=status):
                return status

    @property
    def reason(self) -> Reason | None:
        return self.lifecycle.reason if isinstance(self.lifecycle, Finished) else None

    @property
    def finished(self) -> bool:
        return isinstance(self.lifecycle, Finished)

    @property
    def inherited(self) -> bool:
        """Whether it was copied from the session that this one was forked from, where it was paid for."""
        return isinstance(self.config.get("inherited"), dict)

    @property
    def idle(self) -> bool:
        """Whether it only waits for a person or stands paused: such time is not active time."""
        if any(call.phase == "running" for call in self.live_calls):
            return False
        return isinstance(self.lifecycle, PausedBy | WaitingApproval)

    @property
    def queued(self) -> tuple[UserItem, ...]:
        """Messages that wait for delivery, in order."""
        return tuple(item for item in self.live if isinstance(item, UserItem) and item.queued)

    @property
    def live_calls(self) -> tuple[CallItem, ...]:
        return tuple(item for item in self.live if isinstance(item, CallItem))

    @property
    def waiting_calls(self) -> tuple[CallItem, ...]:
        """Calls that wait for a person, oldest first."""
        return tuple(call for call in self.live_calls if call.phase == "waiting")

    @property
    def live_commands(self) -> tuple[CommandItem, ...]:
        """The person's own commands that run."""
        return tuple(item for item in self.live if isinstance(item, CommandItem) and item.running)


def insert_item(state: RunState, item: Item) -> RunState:
    """After all that happened so far, before the messages that wait for delivery."""
    queued = tuple(other for other in state.live if isinstance(other, UserItem))
    before = tuple(other for other in state.live if not isinstance(other, UserItem))
    return changed(state, live=(*before, item, *queued))
