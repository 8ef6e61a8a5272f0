"""What a run did when: a folded list of spans, exact to the fact, for whoever draws a time axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from runner.changed import changed
from runner.events import (
    AbortRequested,
    ApprovalRequested,
    ApprovalResolved,
    AttemptDiscarded,
    CompactionFinished,
    CompactionStarted,
    Event,
    MessageDelivered,
    ModelRequested,
    ModelResponded,
    ModelSwitched,
    Paused,
    Resumed,
    RetryScheduled,
    RetrySkipped,
    RunFinished,
    SamplingFinished,
    SamplingStarted,
    StopRequested,
    ToolFinished,
    ToolStarted,
)
from runner.log import AppendLog

if TYPE_CHECKING:
    from runner.state.run import RunState

Closing: TypeAlias = ModelResponded | AttemptDiscarded | CompactionFinished | SamplingFinished
"""The facts that close a request."""

SpanKind = Literal["request", "compaction", "sampling", "retry", "tool", "approval", "question", "limit", "pause"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Something that took time, from one fact to another; open while end is None.

    seq: of the fact that began it, and so its name within the run. start, end: seconds of the run's monotonic clock.
    key: the model, the id of the approval, the limit that is asked about, the error that is retried, or who paused.
    outcome: why an attempt was discarded, a call's status, a decision; "interrupted" where an abort cut an answer.
    entry: the place in the ledger of the request that it was. A call that never ran is a span without length.
    """

    kind: SpanKind
    seq: int
    start: float
    turn: int = 0
    key: str = ""
    call_id: str = ""
    end: float | None = None
    end_seq: int = 0
    outcome: str = ""
    entry: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """closed: in the order of their ends; open: in the order of their beginnings.

    retries: attempts beyond the first one of their turn. estimated: paid requests whose tokens are an estimate.
    """

    closed: AppendLog[Span] = field(default_factory=AppendLog[Span])
    open: tuple[Span, ...] = ()
    retries: int = 0
    estimated: int = 0


_ENDS_RETRY = (ModelRequested, RetrySkipped, ModelSwitched, CompactionStarted, MessageDelivered, Paused)
_ENDS_PAUSE = (Resumed,)
_STOPS = (StopRequested, AbortRequested)
_WAITS = frozenset({"retry", "pause", "limit"})


def timed(state: RunState, event: Event) -> Times:
    """The times after a fact; state: before it."""
    times = _ended(state, event)
    begun = _begun(event, times)
    if begun is None:
        return times
    if begun.end is not None:
        return changed(times, closed=times.closed.append(begun))
    return changed(times, open=(*times.open, begun))


def _begun(event: Event, times: Times) -> Span | None:
    """What begins with the fact."""
    kind: SpanKind
    key, call_id = "", ""
    match event:
        case ModelRequested():
            kind, key = "request", event.model
        case CompactionStarted():
            kind, key = "compaction", event.model
        case SamplingStarted():
            kind, key, call_id = "sampling", event.model, event.call_id
        case RetryScheduled() if event.delay > 0:
            kind, key = "retry", event.error.type
        case ToolStarted():
            if any(span.kind == "tool" and span.call_id == event.call_id for span in times.open):
                return None
            kind, key, call_id = "tool", event.tool, event.call_id
        case ApprovalRequested():
            kind, key, call_id = "question" if event.asks == "question" else "approval", event.request_id, event.call_id
        case Paused():
            kind, key = "limit" if event.limit else "pause", event.limit or event.by
        case _:
            return None
    return Span(kind=kind, seq=event.seq, start=event.mono, turn=event.turn, key=key, call_id=call_id)


def _ended(state: RunState, event: Event) -> Times:
    """What ends with the fact."""
    times = state.times
    match event:
        case ModelResponded() | AttemptDiscarded() | CompactionFinished() | SamplingFinished():
            return _answered(state, event)
        case ToolFinished():
            return _finished(times, event)
        case ApprovalResolved():
            return _close(times, event, lambda span: span.key == event.request_id, outcome=event.decision)
        case RunFinished():
            return _close(times, event, lambda span: True)
        case _ if isinstance(event, _STOPS):
            return _close(times, event, lambda span: span.kind in _WAITS)
        case _ if isinstance(event, _ENDS_PAUSE):
            return _close(times, event, lambda span: span.kind in ("pause", "limit"))
        case _ if isinstance(event, _ENDS_RETRY):
            return _close(times, event, lambda span: span.kind == "retry")
        case _:
            return times


def is_paid(event: Closing) -> bool:
    """Whether the request has a place in the ledger: one aside of the turns only where it cost something."""
    match event:
        case CompactionFinished():
            return bool(event.model) and bool(event.usage.total or event.cost_usd is None)
        case SamplingFinished():
            return bool(event.usage.total or event.cost_usd is None)
        case _:
            return True


def _answered(state: RunState, event: Closing) -> Times:
    entry = len(state.ledger) if is_paid(event) else None
    times = state.times
    if entry is not None:
        estimated = event.usage_source == "estimated" and event.usage.total > 0
        again = event.attempt > 1 and isinstance(event, ModelResponded | AttemptDiscarded)
        times = changed(times, retries=times.retries + again, estimated=times.estimated + estimated)
    match event:
        case ModelResponded():
            outcome = "interrupted" if event.finish_reason == "interrupted" else ""
            return _close(times, event, lambda span: span.kind == "request", outcome=outcome, entry=entry)
        case AttemptDiscarded():
            outcome = event.reason or "discarded"
            return _close(times, event, lambda span: span.kind == "request", outcome=outcome, entry=entry)
        case CompactionFinished():
            outcome = "" if event.how == "model" else event.error or event.how
            return _close(times, event, lambda span: span.kind == "compaction", outcome=outcome, entry=entry)
        case SamplingFinished():
            outcome = "" if event.how == "model" else event.error or event.how
            return _close(
                times,
                event,
                lambda span: span.kind == "sampling" and span.call_id == event.call_id,
                outcome=outcome,
                entry=entry,
            )


def _finished(times: Times, event: ToolFinished) -> Times:
    """A call that never ran has its moment too."""
    if not any(span.kind == "tool" and span.call_id == event.call_id for span in times.open):
        moment = Span(
            kind="tool",
            seq=event.seq,
            start=event.mono,
            turn=event.turn,
            key=event.tool,
            call_id=event.call_id,
            end=event.mono,
            end_seq=event.seq,
            outcome=event.status,
        )
        times = changed(times, closed=times.closed.append(moment))
    return _close(times, event, lambda span: span.call_id == event.call_id, outcome=event.status)


def _close(
    times: Times, event: Event, wanted: Callable[[Span], bool], *, outcome: str = "", entry: int | None = None
) -> Times:
    done = [span for span in times.open if wanted(span)]
    if not done:
        return times
    closed = [
        changed(span, end=max(span.start, event.mono), end_seq=event.seq, outcome=outcome, entry=entry) for span in done
    ]
    return changed(
        times,
        closed=times.closed.extend(closed),
        open=tuple(span for span in times.open if not wanted(span)),
    )
