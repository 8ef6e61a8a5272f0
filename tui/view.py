"""What the cockpit shows, as one pure value; widgets get it and hold no state of a run of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import Literal

from runner.events import ErrorOccurred
from runner.state import CallItem, EventItem, Requesting, RunState, UserItem
from runner.usage import Cost, Usage

Level = Literal["info", "warning", "error"]


Answering = Literal["", "choose", "reason", "edit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One sentence of the program itself; until is in seconds of the monotonic clock, None = until replaced."""

    text: str
    level: Level = "info"
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """agent, model: what the next request uses. runs: of the session shown, oldest first; the last may be live.

    starting: a run was asked for and has no event yet. elsewhere: live runs of other sessions; waiting_elsewhere:
    approvals that wait in them. now: seconds of the clock that the runs' `mono` comes from.
    unseen: lines of the transcript below what is visible.
    sent: approvals that were answered here and are not resolved yet. answering: the part of the card in focus.
    """

    agent: str = ""
    model: str = ""
    model_is_demo: bool = False
    workspace: str = ""
    session_id: str | None = None
    title: str = ""
    runs: tuple[RunState, ...] = ()
    starting: bool = False
    store_open: bool = False
    elsewhere: int = 0
    waiting_elsewhere: int = 0
    sent: frozenset[str] = frozenset()
    notice: Notice | None = None
    confirm: str = ""
    quitting: bool = False
    answering: Answering = ""
    unseen: int = 0
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
    def waiting(self) -> tuple[CallItem, ...]:
        """Calls that wait for this person, oldest first, without those answered a moment ago."""
        if self.live is None:
            return ()
        return tuple(call for call in self.live.waiting_calls if call.approval and not self._sent(call))

    def _sent(self, call: CallItem) -> bool:
        return call.approval is not None and call.approval.request_id in self.sent

    @property
    def queued(self) -> int:
        """Messages that wait for the next turn."""
        return len(queued_messages(self.live)) if self.live else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums for the meters. estimated: a part of the cost or usage is our estimate.

    coming: an estimate of the request that is open, whose real figures come with its end; None where none is open.
    """

    usage: Usage = field(default_factory=Usage)
    coming: Usage | None = None
    run_cost: Cost = field(default_factory=Cost)
    run_estimated: bool = False
    session_cost: Cost = field(default_factory=Cost)
    session_estimated: bool = False
    context_used: int = 0
    context_window: int | None = None
    speed: float | None = None
    speed_estimated: bool = False
    elapsed: float = 0.0
    active: float | None = None


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
        return Totals()
    speed, speed_estimated = _speed(run)
    coming = _coming(run)
    return Totals(
        usage=run.usage,
        coming=coming,
        run_cost=run.cost,
        run_estimated=_estimated(run),
        session_cost=sum((each.cost for each in view.runs), Cost()),
        session_estimated=any(_estimated(each) for each in view.runs),
        context_used=run.context_used if coming is None else coming.total,
        context_window=run.context_window,
        speed=speed,
        speed_estimated=speed_estimated,
        elapsed=run.seconds if run.finished else max(0.0, view.now - run.started_mono),
        active=run.active_seconds if run.finished else None,
    )


def _coming(run: RunState) -> Usage | None:
    if not isinstance(run.phase, Requesting):
        return None
    return Usage(input=run.phase.input_estimate, output=ceil(run.phase.characters / CHARACTERS_PER_TOKEN))


def _estimated(run: RunState) -> bool:
    return any(entry.source == "estimated" and entry.usage.total for entry in run.ledger)


CHARACTERS_PER_TOKEN = 4.0
"""The usual rule of thumb for English; only for an answer that is still coming."""


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
