"""What the cockpit shows, as one pure value; widgets get it and hold no state of a run of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from runner.events import ErrorOccurred, LimitReached
from runner.messages import AssistantMessage, JsonObject, Message, ToolResult, UserMessage
from runner.state import CallItem, EventItem, LedgerEntry, Requesting, Retrying, RunState, UserItem
from runner.state.pace import CHARACTERS_PER_TOKEN, Pace, active_seconds, coming, pace
from runner.state.settings import Asked
from runner.usage import Cost, Usage

if TYPE_CHECKING:
    from runner.tools.sandbox import SandboxStatus

Level = Literal["info", "warning", "error"]


ApprovalPart = Literal["choose", "reason", "edit", "allow_for", "question", "answer", "form"]
Answering = Literal["", ApprovalPart, "limit", "limit_value", "queue", "calls", "axis", "transcript", "find", "rewrite"]
"""What takes the keys besides the message: the approval card or its fields, for a call or for a question, the card of
a limit or its field, the list of waiting messages, that of running calls, the time axis; rewrite: the message, which
holds a waiting one that is being edited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One sentence of the program itself; until is in seconds of the monotonic clock, None = until replaced.

    holds: what the run does meanwhile does not outdate it.
    """

    text: str
    level: Level = "info"
    until: float | None = None
    holds: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """A stored session that was opened, in words that are not clean. run_id: its newest run then, "" where it has none.

    when: it went on last. origin: what it came from, "" where it began here. busy: another program runs it.
    """

    session_id: str
    run_id: str
    title: str
    when: str
    cost: str
    origin: str = ""
    busy: bool = False
    trashed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """agent, model, asked: what the next request uses. runs: of the session shown, oldest first; the last may be live.

    starting: a run was asked for and has no event yet. elsewhere: live runs of other sessions; waiting_elsewhere:
    approvals that wait in them. now: seconds of the clock that the runs' `mono` comes from.
    unseen: lines of the transcript below what is visible. reading: what can be done with its current item (ReadStep).
    sent: approvals that were answered here and are not resolved yet. refused: why the run refused an answer, by the id
    of its approval. answering: the part of the card in focus.
    failed_servers: names of the MCP servers that cannot be used.
    in_background: processes that go on in the background of this session. sandbox: None until it is known.
    messages: those that wait for delivery, as the person left them. stop_asked: what was pressed here and is not heard
    of from the run yet. today: what all sessions cost since midnight, None while nobody knows; today_estimated: a
    part of it is an estimate. reviewed: the session shown, while nothing went on in it since it was opened.
    """

    agent: str = ""
    model: str = ""
    model_is_demo: bool = False
    asked: Asked = field(default_factory=Asked)
    workspace: str = ""
    session_id: str | None = None
    recovered: str = ""
    title: str = ""
    runs: tuple[RunState, ...] = ()
    starting: bool = False
    store_open: bool = False
    failed_servers: tuple[str, ...] = ()
    elsewhere: int = 0
    waiting_elsewhere: int = 0
    sent: frozenset[str] = frozenset()
    refused: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    messages: tuple[UserItem, ...] = ()
    stop_asked: Literal["", "stop", "abort"] = ""
    notice: Notice | None = None
    confirm: str = ""
    quitting: bool = False
    answering: Answering = ""
    unseen: int = 0
    reading: frozenset[str] = frozenset()
    in_background: int = 0
    sandbox: SandboxStatus | None = None
    today: Cost | None = None
    today_estimated: bool = False
    reviewed: Reviewed | None = None
    now: float = 0.0

    @property
    def run(self) -> RunState | None:
        return self.runs[-1] if self.runs else None

    @property
    def live(self) -> RunState | None:
        """The run that goes on in this session."""
        run = self.run
        return run if run is not None and not run.finished else None

    @property
    def busy(self) -> bool:
        return self.live is not None or self.starting

    @property
    def stopping(self) -> bool:
        return self.live is not None and self.live.status == "stopping"

    @property
    def limit_asked(self) -> LimitReached | None:
        """The limit that the live run is paused at and asks about."""
        return None if self.live is None or self.stopping else self.live.limit_asked

    @property
    def retrying(self) -> bool:
        """The run waits before another attempt."""
        return self.live is not None and not self.stopping and isinstance(self.live.phase, Retrying)

    @property
    def next_model(self) -> str:
        """The model that could be used instead of waiting for another attempt, "" where there is none."""
        phase = None if self.live is None else self.live.phase
        return phase.next_model if isinstance(phase, Retrying) else ""

    @property
    def running_calls(self) -> tuple[CallItem, ...]:
        """Calls of the live run that are running, oldest first."""
        return () if self.live is None else tuple(call for call in self.live.live_calls if call.phase == "running")

    @property
    def waiting(self) -> tuple[CallItem, ...]:
        """Calls that wait for this person, oldest first, without those answered a moment ago."""
        if self.live is None:
            return ()
        calls = self.live.waiting_calls
        return tuple(call for call in calls if call.asked is not None and call.asked.request_id not in self.sent)

    @property
    def queued(self) -> int:
        """Messages that wait for the next turn."""
        return len(queued_messages(self.live)) if self.live else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over the ledgers for the meters, with the estimate of the open request in the costs.

    estimated: a part of the cost or usage is an estimate of ours. inherited: what a fork's copied runs had cost the
    session that they came from; the session's own cost is without it.
    coming: an estimate of the request that is open, whose real figures come with its end; None where none is open.
    active: seconds without waiting for a person and pauses. pace: of the run that goes on. todo: the last list of what
    is to be done, of this run or one before it.
    last: the newest request that was paid for. turn_cost: of the last turn, with its retries. first_token: seconds from
    the request, of the open one as soon as it is there, else of the last one; waiting: seconds since the open one began
    that has none yet. retries: attempts beyond the first one of their turn. today: of all sessions; None = unknown.
    """

    usage: Usage = field(default_factory=Usage)
    coming: Usage | None = None
    run_cost: Cost = field(default_factory=Cost)
    run_estimated: bool = False
    session_cost: Cost = field(default_factory=Cost)
    session_estimated: bool = False
    inherited: Cost = field(default_factory=Cost)
    turn_cost: Cost = field(default_factory=Cost)
    turn_estimated: bool = False
    today: Cost | None = None
    today_estimated: bool = False
    last: LedgerEntry | None = None
    first_token: float | None = None
    waiting: float | None = None
    retries: int = 0
    context_used: int = 0
    context_window: int | None = None
    speed: float | None = None
    speed_estimated: bool = False
    elapsed: float = 0.0
    active: float | None = None
    pace: Pace = field(default_factory=Pace)
    todo: JsonObject | None = None
    asked: Asked = field(default_factory=Asked)


def queued_messages(run: RunState) -> tuple[UserItem, ...]:
    return tuple(item for item in run.live if isinstance(item, UserItem) and item.queued)


def calls_of(runs: tuple[RunState, ...]) -> list[CallItem]:
    """Every tool call of the runs, oldest first."""
    found: list[CallItem] = []
    for run in runs:
        found.extend(item for item in run.settled if isinstance(item, CallItem))
        found.extend(item for item in run.live if isinstance(item, CallItem))
    return found


def refusals(run: RunState) -> int:
    """How many errors the run reported that did not end it; a refused command is one of them."""
    items = (*run.settled[max(0, len(run.settled) - 50) :], *run.live)
    return sum(1 for item in items if isinstance(item, EventItem) and isinstance(item.event, ErrorOccurred))


def totals(view: View) -> Totals:
    run = view.run
    if run is None:
        return Totals(asked=view.asked)
    speed, speed_estimated = _speed(run)
    request = coming(run)
    ahead = Cost() if request is None else Cost().add(request.cost_usd)
    turn_cost, turn_estimated = _last_turn(run)
    first, waiting = _first_token(run, view.now)
    return Totals(
        usage=run.usage,
        coming=None if request is None else request.usage,
        run_cost=run.cost + ahead,
        run_estimated=ahead.known > 0 or run.times.estimated > 0,
        session_cost=sum((each.cost for each in view.runs if not each.inherited), ahead),
        session_estimated=ahead.known > 0 or any(each.times.estimated for each in view.runs if not each.inherited),
        inherited=sum((each.cost for each in view.runs if each.inherited), Cost()),
        turn_cost=turn_cost + ahead,
        turn_estimated=ahead.known > 0 or turn_estimated,
        today=None if view.today is None else view.today + ahead,
        today_estimated=ahead.known > 0 or view.today_estimated,
        last=run.ledger[-1] if len(run.ledger) else None,
        first_token=first,
        waiting=waiting,
        retries=run.times.retries,
        context_used=request.usage.total if request and isinstance(run.phase, Requesting) else run.context_used,
        context_window=run.context_window,
        speed=speed,
        speed_estimated=speed_estimated,
        elapsed=run.seconds if run.finished else max(0.0, view.now - run.started_mono),
        active=active_seconds(run, view.now),
        pace=pace(run, view.now),
        asked=view.asked,
        todo=next((each.todo for each in reversed(view.runs) if each.todo is not None), None),
    )


def history_tokens(view: View) -> int:
    """About how many tokens a model reads again that takes the session over; 0 where there is nothing to read."""
    since = 0
    for run in reversed(view.runs):
        if run.context_used:
            return run.context_used + since
        since += sum(4 + _length(message) // 4 for message in run.history)
    return since


def _length(message: Message) -> int:
    match message:
        case UserMessage(text=text):
            return len(text)
        case AssistantMessage(text=text, tool_calls=calls):
            return len(text) + sum(len(call.tool) + len(call.arguments_json) for call in calls)
        case ToolResult(output=output):
            return len(output)


def _last_turn(run: RunState) -> tuple[Cost, bool]:
    """What the newest turn cost so far, with its retries, and whether a part of that is an estimate."""
    total, estimated = Cost(), False
    for entry in reversed(run.ledger):
        if entry.turn != run.turn:
            break
        total = total.add(entry.cost_usd)
        estimated = estimated or (entry.source == "estimated" and entry.usage.total > 0)
    return total, estimated


def _first_token(run: RunState, now: float) -> tuple[float | None, float | None]:
    """How long the first token took, and for how long it has been waited for."""
    if isinstance(run.phase, Requesting):
        if run.phase.first_mono is None:
            return None, max(0.0, now - run.phase.since_mono)
        return run.phase.first_mono - run.phase.since_mono, None
    return (run.ledger[-1].first_token_seconds if len(run.ledger) else None), None


def _speed(run: RunState) -> tuple[float | None, bool]:
    """Tokens a second of the open request (an estimate), else of the last one."""
    match run.phase:
        case Requesting(first_mono=float(first), last_mono=float(last), characters=written) if last - first >= 0.5:
            return written / CHARACTERS_PER_TOKEN / (last - first), True
        case _:
            pass
    if not len(run.ledger):
        return None, False
    entry = run.ledger[-1]
    writing = entry.seconds - (entry.first_token_seconds or 0.0)
    if writing < 0.05 or not entry.usage.output:
        return None, False
    return entry.usage.output / writing, entry.source == "estimated"
