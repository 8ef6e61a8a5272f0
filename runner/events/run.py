"""Events about the run as a whole, its agent, its turns and its messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from runner.events.base import Event
from runner.messages import JsonObject, Message
from runner.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQueued(Event):
    """The run exists and waits for its turn to start; comes before run_started."""

    kind: Literal["run_queued"] = "run_queued"
    input: tuple[Message, ...] = ()
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """First fact of a run, exactly once.

    input: the messages given to this run (the session's earlier history is not repeated).
    config: the run configuration as JSON, for people and for recovery. workspace: the folder tools work in.
    """

    kind: Literal["run_started"] = "run_started"
    input: tuple[Message, ...] = ()
    model: str = ""
    config: JsonObject = field(default_factory=dict[str, object])
    workspace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged(Event):
    """The status of SEMANTICS section 4 changed; detail is a short machine word such as a limit's name."""

    kind: Literal["status_changed"] = "status_changed"
    old: str = ""
    new: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStarted(Event):
    """Once per activation of an agent, before its first turn."""

    kind: Literal["agent_started"] = "agent_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFinished(Event):
    kind: Literal["agent_finished"] = "agent_finished"
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStarted(Event):
    kind: Literal["turn_started"] = "turn_started"
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFinished(Event):
    """After the response and all its tool results. usage: tokens of this turn, discarded attempts included."""

    kind: Literal["turn_finished"] = "turn_finished"
    tool_calls: int = 0
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageQueued(Event):
    """A person or program sent a message while the run was going; it is not in the history yet."""

    kind: Literal["message_queued"] = "message_queued"
    message_id: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDelivered(Event):
    """A message entered the history, at a boundary. by: user, or runner (a request to go on or to wrap up)."""

    kind: Literal["message_delivered"] = "message_delivered"
    message_id: str = ""
    text: str = ""
    by: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedText:
    """A message that waits for delivery."""

    message_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueChanged(Event):
    """Waiting messages were edited, moved or deleted. messages: all that wait now, in the order of their delivery."""

    kind: Literal["queue_changed"] = "queue_changed"
    messages: tuple[QueuedText, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequested(Event):
    """by: user, program, signal, parent."""

    kind: Literal["stop_requested"] = "stop_requested"
    by: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class AbortRequested(Event):
    kind: Literal["abort_requested"] = "abort_requested"
    by: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused(Event):
    """The run reached a boundary and waits there. by: user, program, limit. limit: the one it asks about."""

    kind: Literal["paused"] = "paused"
    by: str = "user"
    limit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(Event):
    kind: Literal["resumed"] = "resumed"
    by: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitWarning(Event):
    """80 % of a limit is used. used and value are in the limit's own unit (turns, seconds, tokens, US dollars)."""

    kind: Literal["limit_warning"] = "limit_warning"
    limit: str = ""
    used: Decimal = Decimal(0)
    value: Decimal = Decimal(0)


LimitWhy = Literal["used", "next_request", "unknown_price"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitReached(Event):
    """Nothing new starts. asks: the run pauses here for a person's decision instead of ending.

    why: used (all of it is), next_request (the input of the next request alone could pass it; needed says by what
    amount it costs, an estimate), unknown_price (a cost limit cannot be kept with this model).
    """

    kind: Literal["limit_reached"] = "limit_reached"
    limit: str = ""
    used: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    why: LimitWhy = "used"
    needed: Decimal | None = None
    model: str = ""
    asks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitChanged(Event):
    """A limit of the run is another one from here on; None: it is off."""

    kind: Literal["limit_changed"] = "limit_changed"
    limit: str = ""
    old: Decimal | None = None
    value: Decimal | None = None
    by: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorInfo:
    """An error as data. type: a name of runner.errors or of the exception; action: what the loop does about it."""

    type: str
    message: str
    action: str = ""
    retryable: bool = False
    status_code: int | None = None
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorOccurred(Event):
    """fatal: the run ends because of it. A refused command is a non-fatal error too."""

    kind: Literal["error"] = "error"
    error: ErrorInfo
    fatal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification(Event):
    """Something a person should know; changes nothing. level: info, warning, error."""

    kind: Literal["notification"] = "notification"
    level: str = "info"
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateUpdated(Event):
    """A tool or program published a JSON-able state of its own."""

    kind: Literal["state_updated"] = "state_updated"
    data: JsonObject = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Event):
    """Last fact of a run, exactly once.

    cost_usd: US dollars, None where a part is unknown. seconds: elapsed; active_seconds: without waiting for people
    and pauses.
    receipt: after an abort, what was closed and what may have had effects: requests (model, usage, usage_source,
    cost_usd), processes (name, pid, pgid, how, call_id), tools (call_id, tool, side_effects, files, files_complete),
    cost_usd, estimated.
    """

    kind: Literal["run_finished"] = "run_finished"
    status: str = ""
    reason: str = ""
    output: str = ""
    usage: Usage = field(default_factory=Usage)
    cost_usd: Decimal | None = None
    turns: int = 0
    seconds: float = 0.0
    active_seconds: float = 0.0
    receipt: JsonObject | None = None
