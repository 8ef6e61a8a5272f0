"""The command union (SEMANTICS section 1). Commands are data; a bad one changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from runner.events import Decision, GrantMatch, Scope
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
]


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
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetModel:
    """now: discard the running attempt (allowed only while no tool of that response started)."""

    model: str
    now: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """The answer to an approval_requested. arguments: only with "edit". match None: the tool for run and session,
    the exact arguments for project and user (the narrower the longer it lasts)."""

    request_id: str
    decision: Decision
    scope: Scope = "call"
    reason: str = ""
    arguments: JsonObject | None = None
    match: GrantMatch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTool:
    call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLimit:
    """value None takes the limit away."""

    limit: LimitName
    value: Decimal | None


Command: TypeAlias = Stop | Abort | Pause | Resume | Send | SetModel | Decide | CancelTool | SetLimit
