"""The transcript as data: what a person can read of a run, one item after the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from runner.events import UNBOUNDED, Asks, Bound, Event, FileChange, PersonCommandStatus, Risk, Suggested, ToolPattern
from runner.log import AppendLog
from runner.messages import JsonObject, SideEffects, ToolStatus

EMPTY: AppendLog[str] = AppendLog()


@dataclass(frozen=True, slots=True, kw_only=True)
class UserItem:
    """A message from the person. queued: waiting to be delivered at the next turn. by: user, or runner."""

    item_id: str
    text: str
    time: datetime
    queued: bool = False
    by: str = "user"


TextKind = Literal["text", "reasoning", "refusal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextItem:
    """Text, reasoning or a refusal of one response. Pieces are joined by whoever shows them, once per frame at most.

    live: more may come. interrupted: an abort closed the request here. discarded: the attempt was thrown away.
    """

    item_id: str
    what: TextKind
    pieces: AppendLog[str]
    model: str
    time: datetime
    live: bool = True
    interrupted: bool = False
    seconds: float | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalView:
    """An approval or a question as it stands: open while decision is empty. given: what it was resolved with."""

    request_id: str
    call_id: str
    tool: str
    agent: str
    arguments: JsonObject
    preview: JsonObject
    why: str
    options: tuple[str, ...]
    time: datetime
    mono: float
    expires_at: datetime | None = None
    decision: str = ""
    by: str = ""
    rule: str = ""
    scope: str = ""
    reason: str = ""
    seconds: float = 0.0
    asks: Asks = "call"
    risk: Risk = "medium"
    risks: tuple[str, ...] = ()
    suggestions: tuple[Suggested, ...] = ()
    given: JsonObject | None = None
    match: str = ""
    patterns: tuple[ToolPattern, ...] = ()
    bound: Bound = UNBOUNDED


CallPhase = Literal["writing", "proposed", "waiting", "running", "finished"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallItem:
    """A tool call from the first piece of its arguments to its result.

    phase: writing (the model still writes the arguments), proposed, waiting (for a person), running, finished.
    live_output: the last part of what it printed so far; output: what the model read.
    started_mono: when it began to run, seconds; seconds: how long it ran. process: what its process runs, short.
    approval: whether it may run. verdict: the same where nobody was asked: a rule, a grant or the mode decided.
    question: what it asked last while it ran. earlier: what was asked before these.
    changes: the files it changed. heard_mono: when a running call last printed or told something.
    """

    item_id: str
    call_id: str
    tool: str
    time: datetime
    mono: float
    agent: str = ""
    arguments: JsonObject | str = ""
    written: AppendLog[str] = EMPTY
    valid: bool = True
    phase: CallPhase = "proposed"
    approval: ApprovalView | None = None
    verdict: ApprovalView | None = None
    question: ApprovalView | None = None
    earlier: tuple[ApprovalView, ...] = ()
    changes: tuple[FileChange, ...] = ()
    uncovered: str = ""
    pid: int | None = None
    pgid: int | None = None
    process: str = ""
    started_mono: float | None = None
    activity: str = ""
    progress: float | None = None
    live_output: AppendLog[str] = EMPTY
    live_characters: int = 0
    dropped_characters: int = 0
    heard_mono: float | None = None
    status: ToolStatus | None = None
    output: str = ""
    display: JsonObject | None = None
    seconds: float = 0.0
    truncated: bool = False
    artifact: str | None = None
    side_effects: SideEffects = "none"

    @property
    def asked(self) -> ApprovalView | None:
        """What is open and waits for a person: the call's question, else its approval."""
        return next((view for view in (self.question, self.approval) if view is not None and not view.decision), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandItem:
    """A command of the person's own: it ran with their environment and outside of any sandbox.

    share: the model gets it. status None: it runs. live_output: the last part of what it printed so far; output: what
    was kept of it at the end.
    """

    item_id: str
    command_id: str
    command: str
    cwd: str
    share: bool
    time: datetime
    mono: float
    pid: int | None = None
    pgid: int | None = None
    live_output: AppendLog[str] = EMPTY
    live_characters: int = 0
    dropped_characters: int = 0
    status: PersonCommandStatus | None = None
    exit_code: int | None = None
    signal: str | None = None
    output: str = ""
    seconds: float = 0.0
    truncated: bool = False
    artifact: str | None = None
    left_over: tuple[str, ...] = ()
    error: str = ""

    @property
    def running(self) -> bool:
        return self.status is None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventItem:
    """A fact shown as itself: a retry, a switch, a limit, a stop, an error, an end."""

    item_id: str
    event: Event
    time: datetime


Item: TypeAlias = UserItem | TextItem | CallItem | CommandItem | EventItem


def is_open(item: Item) -> bool:
    """Whether it may still change."""
    match item:
        case UserItem(queued=queued):
            return queued
        case TextItem(live=live):
            return live
        case CallItem(phase=phase):
            return phase != "finished"
        case CommandItem():
            return item.running
        case EventItem():
            return False


LIVE_OUTPUT_KEPT = 128 * 1024
"""Characters of live output kept for display; what is recorded at the end is not cut by this."""


def printed(pieces: AppendLog[str], characters: int, dropped: int, text: str) -> tuple[AppendLog[str], int, int]:
    """Live output after another piece, its length, and what was dropped of it; O(1) but for a cut now and then."""
    pieces, characters = pieces.append(text), characters + len(text)
    if characters > 2 * LIVE_OUTPUT_KEPT:
        kept = "".join(pieces)[-LIVE_OUTPUT_KEPT:]
        dropped += characters - len(kept)
        pieces, characters = AppendLog((kept,)), len(kept)
    return pieces, characters, dropped
