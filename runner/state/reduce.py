"""reduce(state, event): the only way a RunState changes. Pure; a delta costs O(1) however long the run is."""

from __future__ import annotations

from collections.abc import Iterable

from runner.changed import changed
from runner.events import (
    AbortRequested,
    AgentStarted,
    AttemptDiscarded,
    CompactionFinished,
    CompactionStarted,
    ErrorOccurred,
    Event,
    LimitChanged,
    LimitReached,
    LimitWarning,
    MessageDelivered,
    MessageQueued,
    ModelRequested,
    ModelResponded,
    ModelSwitched,
    Notification,
    Paused,
    QueueChanged,
    Resumed,
    RetryScheduled,
    RetrySkipped,
    RunFinished,
    RunQueued,
    RunStarted,
    SamplingFinished,
    SamplingStarted,
    SettingsChanged,
    SettingsLeftOut,
    StatusChanged,
    StopRequested,
    TurnFinished,
    TurnStarted,
    UnknownEvent,
    UsageUpdated,
)
from runner.log import AppendLog
from runner.messages import AssistantMessage, UserMessage
from runner.state.calls import reduce_call
from runner.state.deltas import reduce_delta
from runner.state.items import CallItem, EventItem, Item, TextItem, TextKind, UserItem, is_open
from runner.state.ledger import ledger_entry, limits_in, with_settings
from runner.state.person import TOLD_BY, tell_command
from runner.state.run import (
    Between,
    Compacted,
    Compacting,
    Finished,
    Lifecycle,
    PausedBy,
    Queued,
    Requesting,
    Retrying,
    Running,
    RunState,
    Sampling,
    Stopping,
    WaitingApproval,
    insert_item,
    status_of,
)
from runner.state.settings import asked_in
from runner.state.spans import Closing, is_paid, timed


def reduce(state: RunState, event: Event) -> RunState:
    """The state after the event. Events of unknown kinds change nothing but seq."""
    if event.is_delta:
        return reduce_delta(state, event)
    state = changed(
        state,
        seq=max(state.seq, event.seq),
        turn=max(state.turn, event.turn),
        attempt=event.attempt,
        agent=event.agent or state.agent,
        last_mono=event.mono,
        waited=state.waited + (max(0.0, event.mono - state.last_mono) if state.idle else 0.0),
        times=timed(state, event),
    )
    match event:
        case RunQueued() | RunStarted():
            return _started(state, event)
        case ModelRequested() | ModelResponded() | AttemptDiscarded() | RetryScheduled() | ModelSwitched():
            return _model(state, event)
        case CompactionStarted() | CompactionFinished() | SamplingStarted() | SamplingFinished():
            return _aside(state, event)
        case TurnStarted() | TurnFinished() | MessageQueued() | QueueChanged() | MessageDelivered() | UsageUpdated():
            return _turn(state, event)
        case StatusChanged() | StopRequested() | AbortRequested() | Paused() | Resumed() | RunFinished():
            return _lifecycle(state, event)
        case ErrorOccurred():
            state = changed(state, error=event.error) if event.fatal else state
            return _show(state, event)
        case LimitReached():
            return _show(_asked(state, event) if event.asks else state, event)
        case LimitChanged() | SettingsChanged() | SettingsLeftOut():
            return _show(with_settings(state, event), event)
        case LimitWarning() | RetrySkipped() | Notification() | UnknownEvent():
            return _show(state, event)
        case AgentStarted():
            return state
        case _:
            return reduce_call(state, event)


def _asked(state: RunState, event: LimitReached) -> RunState:
    """A run that is paused already asks about this limit from here on."""
    lifecycle = state.lifecycle
    if isinstance(lifecycle, PausedBy) and lifecycle.limit:
        lifecycle = changed(lifecycle, limit=event.limit)
    return changed(state, limit_asked=event, lifecycle=lifecycle)


def fold(events: Iterable[Event], state: RunState | None = None) -> RunState:
    """The state after all the events, in order."""
    state = RunState() if state is None else state
    for event in events:
        state = reduce(state, event)
    return state


def _item_id(event: Event, suffix: str = "") -> str:
    return f"{event.run_id}:{event.seq}{suffix}"


def _show(state: RunState, event: Event) -> RunState:
    return insert_item(state, EventItem(item_id=_item_id(event), event=event, time=event.time))


def _started(state: RunState, event: RunQueued | RunStarted) -> RunState:
    state = changed(
        state,
        run_id=event.run_id,
        session_id=event.session_id,
        parent_run_id=event.parent_run_id,
        model=event.model,
        started_at=event.time,
        started_mono=event.mono,
    )
    if isinstance(event, RunQueued):
        return state
    shown: list[Item] = [
        UserItem(item_id=_item_id(event, f".{index}"), text=message.text, time=event.time)
        for index, message in enumerate(event.input)
        if isinstance(message, UserMessage)
    ]
    return changed(
        state,
        lifecycle=Running() if isinstance(state.lifecycle, Queued) else state.lifecycle,
        config=event.config,
        asked=asked_in(event.config),
        limits=limits_in(event.config),
        workspace=event.workspace,
        history=state.history.extend(event.input),
        settled=state.settled.extend(shown),
    )


def _turn(
    state: RunState,
    event: TurnStarted | TurnFinished | MessageQueued | QueueChanged | MessageDelivered | UsageUpdated,
) -> RunState:
    match event:
        case TurnStarted():
            return changed(_settle(state), model=event.model or state.model, phase=Between())
        case TurnFinished():
            return _settle(changed(state, phase=Between()))
        case MessageQueued():
            item = UserItem(item_id=event.message_id, text=event.text, time=event.time, queued=True)
            return changed(state, live=(*state.live, item))
        case QueueChanged():
            return _requeue(state, event)
        case MessageDelivered(by=by) if by == TOLD_BY:
            return tell_command(state, event)
        case MessageDelivered():
            delivered = UserItem(item_id=event.message_id, text=event.text, time=event.time, by=event.by)
            rest = tuple(item for item in state.live if item.item_id != event.message_id)
            state = _settle(changed(state, live=rest))
            message = UserMessage(text=event.text, message_id=event.message_id)
            return changed(state, settled=state.settled.append(delivered), history=state.history.append(message))
        case UsageUpdated():
            return changed(state, context_used=event.context_used, context_window=event.context_window)


def _requeue(state: RunState, event: QueueChanged) -> RunState:
    old = {item.item_id: item for item in state.queued}
    queued = [
        changed(old[message.message_id], text=message.text)
        if message.message_id in old
        else UserItem(item_id=message.message_id, text=message.text, time=event.time, queued=True)
        for message in event.messages
    ]
    rest = [item for item in state.live if not (isinstance(item, UserItem) and item.queued)]
    return changed(state, live=(*rest, *queued))


def _settle(state: RunState) -> RunState:
    """Move what will not change any more; queued messages stay at the end, and so do open calls."""
    done = [item for item in state.live if not is_open(item)]
    if not done:
        return state
    return changed(
        state,
        settled=state.settled.extend(done),
        live=tuple(item for item in state.live if is_open(item)),
    )


def _model(
    state: RunState,
    event: ModelRequested | ModelResponded | AttemptDiscarded | RetryScheduled | ModelSwitched,
) -> RunState:
    match event:
        case ModelRequested():
            opened = Requesting(
                model=event.model,
                since_mono=event.mono,
                position=sum(not isinstance(item, UserItem) for item in state.live),
                input_estimate=event.input_tokens_estimate,
                price=event.price,
            )
            return changed(state, model=event.model, phase=opened, context_window=event.context_window)
        case ModelResponded():
            return _responded(state, event)
        case AttemptDiscarded():
            kept = tuple(item for item in state.live if not _partial(item))
            state = _pay(changed(state, live=kept, phase=Between()), event)
            return _show(state, event)
        case RetryScheduled():
            until = event.mono + event.delay
            phase = Retrying(error=event.error, until_mono=until, action=event.action, next_model=event.next_model)
            return _show(changed(state, phase=phase), event)
        case ModelSwitched():
            return _show(changed(state, model=event.new, asked=changed(state.asked, left_out=())), event)


def _partial(item: Item) -> bool:
    return (isinstance(item, TextItem) and item.live) or (isinstance(item, CallItem) and item.phase == "writing")


def _aside(
    state: RunState, event: CompactionStarted | CompactionFinished | SamplingStarted | SamplingFinished
) -> RunState:
    """A request that is not a turn's."""
    match event:
        case CompactionStarted() | CompactionFinished():
            return _compaction(state, event)
        case _:
            return _sampling(state, event)


def _compaction(state: RunState, event: CompactionStarted | CompactionFinished) -> RunState:
    if isinstance(event, CompactionStarted):
        phase = Compacting(
            model=event.model,
            cause=event.cause,
            since_mono=event.mono,
            tokens=event.tokens_before,
            input_estimate=event.input_tokens_estimate,
            price=event.price,
        )
        return changed(state, phase=phase)
    if is_paid(event):
        state = _pay(state, event)
    if event.how != "none":
        done = Compacted(
            summary=event.summary,
            prior_dropped=event.prior_dropped,
            dropped=event.dropped,
            at_ledger=len(state.ledger),
        )
        state = changed(state, compacted=done, context_used=event.tokens_after)
    return _show(changed(state, phase=Between()), event)


def _sampling(state: RunState, event: SamplingStarted | SamplingFinished) -> RunState:
    if isinstance(event, SamplingStarted):
        phase = Sampling(
            model=event.model,
            who=event.who,
            call_id=event.call_id,
            since_mono=event.mono,
            input_estimate=event.input_tokens_estimate,
            price=event.price,
        )
        return changed(state, phase=phase)
    if is_paid(event):
        state = _pay(state, event)
    return _show(changed(state, phase=Between()), event)


def _pay(state: RunState, event: Closing) -> RunState:
    entry = changed(ledger_entry(event), waited=state.waited)
    return changed(
        state,
        ledger=state.ledger.append(entry),
        usage=state.usage + event.usage,
        cost=state.cost.add(event.cost_usd),
    )


def _responded(state: RunState, event: ModelResponded) -> RunState:
    interrupted = event.finish_reason == "interrupted"
    # What happened while it was written (a stop, a warning) comes after it, as it did on the screen.
    position = state.phase.position if isinstance(state.phase, Requesting) else len(state.live)
    state = _pay(state, event)
    others = [item for item in state.live if not _partial(item)]
    queued = [item for item in others if isinstance(item, UserItem)]
    before = [item for item in others if not isinstance(item, UserItem)]
    shown: tuple[tuple[TextKind, str], ...] = (("reasoning", event.reasoning), ("text", event.text))
    texts = [
        TextItem(
            item_id=f"{event.run_id}:t{event.turn}.{event.attempt}:{what}",
            what=what,
            pieces=AppendLog((text,)),
            model=event.model,
            time=event.time,
            live=False,
            interrupted=interrupted,
            seconds=event.reasoning_seconds if what == "reasoning" else event.seconds,
        )
        for what, text in shown
        if text
    ]
    message = AssistantMessage(
        text=event.text,
        reasoning=event.reasoning,
        tool_calls=event.tool_calls,
        model=event.model,
        finish_reason=event.finish_reason,
        interrupted=interrupted,
        provider_data=event.provider_data,
    )
    return changed(
        state,
        live=(*before[:position], *texts, *before[position:], *queued),
        phase=Between(),
        history=state.history.append(message),
        turns_accepted=state.turns_accepted + (0 if interrupted else 1),
    )


def _lifecycle(
    state: RunState,
    event: StatusChanged | StopRequested | AbortRequested | Paused | Resumed | RunFinished,
) -> RunState:
    match event:
        case StatusChanged():
            return changed(state, lifecycle=_status(state.lifecycle, event.new))
        case StopRequested():
            return _show(changed(state, lifecycle=Stopping(by=event.by, force=False)), event)
        case AbortRequested():
            return _show(changed(state, lifecycle=Stopping(by=event.by, force=True)), event)
        case Paused():
            return _show(changed(state, lifecycle=PausedBy(by=event.by, limit=event.limit)), event)
        case Resumed():
            return _show(changed(state, lifecycle=Running(), limit_asked=None), event)
        case RunFinished():
            return _finished(state, event)


def _status(old: Lifecycle, new: str) -> Lifecycle:
    match new:
        case "running":
            return Running()
        case "waiting_approval":
            return WaitingApproval()
        case "paused":
            return old if isinstance(old, PausedBy) else PausedBy(by="user")
        case "stopping":
            return old if isinstance(old, Stopping) else Stopping(by="user", force=False)
        case _:
            return old


def _finished(state: RunState, event: RunFinished) -> RunState:
    reason = event.reason or "error"
    ended = Finished(status=status_of(reason), reason=reason)  # pyright: ignore[reportArgumentType]
    state = changed(
        state,
        lifecycle=ended,
        phase=Between(),
        limit_asked=None,
        final_output=event.output,
        seconds=event.seconds,
        active_seconds=event.active_seconds,
        receipt=event.receipt,
    )
    # A run of the person's commands alone says by their ends that it is over.
    return _settle(state if reason == "complete" and not state.turn else _show(state, event))
