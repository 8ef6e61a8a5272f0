"""The command union (SEMANTICS section 1). Commands are data; a bad one changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from runner.events import Decision, GrantMatch, Scope, ToolPattern
from runner.messages import JsonObject

LimitName = Literal[
    "max_turns",
    "max_time",
    "max_wall_time",
    "max_model_requests",
    "max_tool_calls",
    "max_input_tokens",
    "max_output_tokens",
    "max_total_tokens",
    "max_cost_usd",
    "timeout_per_turn",
    "first_token_timeout",
    "stream_idle_timeout",
    "tool_timeout",
]
"""Everything that may be raised, lowered or taken away (value None) while a run goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    by: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort:
    by: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    by: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    by: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """A message for the next turn; now: interrupt what goes on and deliver every waiting message at once."""

    text: str
    now: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EditMessage:
    """Change a message that waits for delivery."""

    message_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteMessage:
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveMessage:
    """position: from 0, its new place among the waiting messages; beyond the end means last."""

    message_id: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverNow:
    """Interrupt what goes on (the open request, the running tools) and deliver the waiting messages at once."""

    by: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryNow:
    """Skip the wait before the next attempt."""

    by: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextModel:
    """Instead of waiting for another attempt, use the next fallback model now."""

    by: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUp:
    """One last answer without tools, then the end; at a limit this grants exactly that one request."""

    by: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compact:
    """Summarise the older part of the history before the next request."""

    by: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetModel:
    """now: discard the running attempt (allowed only while no tool of that response started).

    model "" keeps the model, effort and temperature None keep those; "default" in their place leaves them to the
    agent's own settings.
    """

    model: str = ""
    now: bool = False
    effort: str | None = None
    temperature: float | Literal["default"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """The answer to an approval_requested. arguments: with "edit" those to run with, with "answer" the answer itself.

    match None: the tool for run and session, the exact arguments for project and user (the narrower the longer it
    lasts). patterns: with match "pattern", what is meant. calls, minutes, until_failure, spend_usd: how far a decision
    for more than this call goes, see events.Bound; minutes and spend_usd count from now.
    """

    request_id: str
    decision: Decision
    scope: Scope = "call"
    reason: str = ""
    arguments: JsonObject | None = None
    match: GrantMatch | None = None
    patterns: tuple[ToolPattern, ...] = ()
    calls: int | None = None
    minutes: float | None = None
    until_failure: bool = False
    spend_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke:
    """Take back a grant by its key (policy.uses.grant_key); "" takes back every one of this run's grants."""

    key: str = ""
    by: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonCommand:
    """A shell command by the person, run with their environment and outside of any sandbox; it is not asked about.

    share: the model gets the command and what it printed, at the next turn or with the next message.
    """

    command: str
    share: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPersonCommand:
    """command_id: of person_command_started."""

    command_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTool:
    call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLimit:
    """value None takes the limit away; in the limit's own unit (turns, seconds, tokens, US dollars)."""

    limit: LimitName
    value: Decimal | None
    by: str = "user"


Command: TypeAlias = (
    Stop
    | Abort
    | Pause
    | Resume
    | Send
    | EditMessage
    | DeleteMessage
    | MoveMessage
    | DeliverNow
    | RetryNow
    | NextModel
    | WrapUp
    | Compact
    | SetModel
    | Decide
    | Revoke
    | PersonCommand
    | EndPersonCommand
    | CancelTool
    | SetLimit
)
