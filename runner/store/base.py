"""What the store keeps and gives back (SEMANTICS section 12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from runner.usage import Usage

ExportFormat = Literal["jsonl", "markdown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSummary:
    """One row of a list of sessions. title: the given name, else the first line of the first message.

    status, reason: of the newest run; "running" with live=True where a living program runs it now. cost_usd None =
    a part is unknown.
    """

    session_id: str
    title: str
    name: str
    workspace: str
    agent: str
    models: tuple[str, ...]
    created: datetime
    updated: datetime
    runs: int
    turns: int
    tool_calls: int
    usage: Usage
    cost_usd: Decimal | None
    status: str
    reason: str
    live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveredRun:
    """A run that the death of its program left open, and what recovery closed."""

    session_id: str
    run_id: str
    title: str
    open_calls: int
    partial_characters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A stored row that cannot be read. seq is 0 where not even the row's place is known."""

    session_id: str
    run_id: str
    seq: int
    message: str
