"""What the store keeps and gives back (SEMANTICS section 12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple

from runner.usage import Cost, Usage

if TYPE_CHECKING:
    from runner.tools.base import ProcessEnd

ExportFormat = Literal["jsonl", "markdown", "html"]
AnnotationKind = Literal["tag", "note"]
UsageBy = Literal["all", "model", "provider", "agent", "project", "day", "session", "run"]
"""What requests are summed by. day: of the local calendar, as 2026-01-31. project: the folder of their session. all:
one sum over everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSummary:
    """One row of a list of sessions. title: the given name, else the first line of the first message.

    status, reason: of the newest run; "running" with live=True where a living program runs it now. usage, cost_usd:
    sums over the ledger, None = a part is unknown. imported: the program that it was brought in from ("claude-code",
    "codex"), "" where it began here. tags, note: of the session as a whole. deleted: since when it lies in the trash.
    root_id: the session that its family of forks began with, its own id where it is no fork; forked_from, forked_turn:
    the session that it was forked from, "" for none, and the last turn that it took from there. seconds: how long its
    own runs took together.
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
    tags: tuple[str, ...] = ()
    note: str = ""
    pinned: bool = False
    deleted: datetime | None = None
    root_id: str = ""
    forked_from: str = ""
    forked_turn: int = 0
    seconds: float = 0.0


class SessionKey(NamedTuple):
    """What a list needs of every session to order and to group them. depth: 0 for a root, 1 and more for forks.

    A tuple, because a list makes thousands of them at once.
    """

    session_id: str
    root_id: str
    updated: datetime
    created: datetime
    pinned: bool
    workspace: str
    depth: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """What a person or a program noted beside the events. run_id "": of the whole session, turn 0: of all the run."""

    session_id: str
    run_id: str
    turn: int
    kind: AnnotationKind
    text: str
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSum:
    """A sum over requests. key: what they share, "" where that is not known (a session that was deleted).

    title: of the session, where they share one. first, last: when the first and the last one was closed.
    retries: requests that were not the first attempt of their turn. discarded: requests whose output was not used.
    estimated: requests whose tokens were estimated, because the provider did not report them; estimated_tokens: of
    those requests.
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
    estimated_tokens: int
    discarded: int
    discarded_cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSum:
    """The calls of one tool. failed: those that ended with an error; timeouts, denied: beside these. seconds: of all of
    them that ran, slowest: of one; p50, p95: half of them, and 95 of 100, took no longer."""

    tool: str
    calls: int
    failed: int
    timeouts: int
    denied: int
    seconds: float
    slowest: float
    p50: float
    p95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalSum:
    """Decisions about calls of one tool with one outcome. by: who took them. seconds: what they took together."""

    tool: str
    decision: str
    by: str
    count: int
    seconds: float
    slowest: float


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
    """A stored row that cannot be read. seq is 0 where not even the row's place is known.

    gone: it is not there any more; message says what.
    """

    session_id: str
    run_id: str
    seq: int
    message: str
    gone: bool = False
