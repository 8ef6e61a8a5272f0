"""What a run came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from runner.events import ErrorInfo
from runner.messages import JsonObject, Message
from runner.state import LedgerEntry, Reason, Status
from runner.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUsage:
    """A sum over the ledger's entries of one model. cost_usd None = a part is unknown."""

    usage: Usage
    cost_usd: Decimal | None
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """Always complete, whatever the end was; what was produced before a failure is kept.

    elapsed_seconds, active_seconds: the latter without waiting for people and pauses. cost_usd None = unknown, never 0.
    history: the session's messages up to the end of this run, valid for a further run.
    """

    run_id: str
    session_id: str
    status: Status
    reason: Reason
    final_output: str
    error: ErrorInfo | None
    turn_count: int
    elapsed_seconds: float
    active_seconds: float
    tool_calls: int
    model_responses: int
    history: tuple[Message, ...]
    usage: Usage
    cost_usd: Decimal | None
    usage_by_model: dict[str, ModelUsage]
    ledger: tuple[LedgerEntry, ...]
    last_agent: str
    receipt: JsonObject | None = None
    metadata: JsonObject = field(default_factory=dict[str, Any])
