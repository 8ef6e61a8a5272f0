"""What the store keeps and gives back (SEMANTICS section 12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from runner.usage import Cost, Usage

if TYPE_CHECKING:
    from runner.tools.base import ProcessEnd

ExportFormat = Literal["jsonl", "markdown", "html"]
UsageBy = Literal["all", "model", "provider", "agent", "day", "session", "run"]
"""What requests are summed by. day: of the local calendar, as 2026-01-31. all: one sum over everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSummary:
    """One row of a list of sessions. title: the given name, else the first line of the first message.

    status, reason: of the newest run; "running" with live=True where a living program runs it now. usage, cost_usd:
    sums over the ledger, None = a part is unknown. imported: the program that it was brought in from ("claude-code",
    "codex"), "" where it began here.
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
    imported: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSum:
    """A sum over requests. key: what they share, "" where that is not known (a session that was deleted).

    title: of the session, where they share one. first, last: when the first and the last one was closed.
    retries: requests that were not the first attempt of their turn. discarded: requests whose output was not used.
    estimated: requests whose tokens were estimated, because the provider did not report them.
    """

    key: str
    title: str
    requests: int
    retries: int
    first: datetime
    last: datetime
    usage: Usage
    cost: Cost
    estimated: int
    estimated_cost: Cost
    discarded: int
    discarded_cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveredRun:
    """A run that the death of its program left open, and what recovery closed.

    processes: what its calls had left running, and how that ended.
    """

    session_id: str
    run_id: str
    title: str
    open_calls: int
    partial_characters: int
    processes: tuple[ProcessEnd, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A stored row that cannot be read. seq is 0 where not even the row's place is known."""

    session_id: str
    run_id: str
    seq: int
    message: str
