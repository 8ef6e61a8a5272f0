"""The part of the reducer that is about tool calls and their approvals."""

from __future__ import annotations

from collections.abc import Callable

from runner.changed import changed
from runner.events import (
    ApprovalRequested,
    ApprovalResolved,
    Event,
    FilesChanged,
    HandoffCompleted,
    HandoffIgnored,
    PersonCommandFinished,
    PersonCommandStarted,
    PersonOutputDelta,
    ToolActivity,
    ToolArgumentsDelta,
    ToolFinished,
    ToolOutputDelta,
    ToolProposed,
    ToolStarted,
)
from runner.log import AppendLog
from runner.messages import ToolResult
from runner.state.items import ApprovalView, CallItem, EventItem, printed
from runner.state.person import reduce_command
from runner.state.run import RunState, insert_item


def reduce_call(state: RunState, event: Event) -> RunState:
    match event:
        case ToolProposed():
            return _proposed(state, event)
        case ApprovalRequested():
            return _change(state, event.call_id, lambda call: _asked(call, event))
        case ApprovalResolved():
            return _change(state, event.call_id, lambda call: _resolved(call, event))
        case FilesChanged():
            return _change(state, event.call_id, lambda call: _changed(call, event))
        case ToolStarted():
            first = any(call.call_id == event.call_id and call.started_mono is None for call in state.live_calls)
            state = changed(state, calls_started=state.calls_started + first)
            return _change(state, event.call_id, lambda call: _began(call, event))
        case ToolActivity():
            return _change(
                state,
                event.call_id,
                lambda call: changed(call, activity=event.message, progress=event.progress, heard_mono=event.mono),
            )
        case ToolOutputDelta():
            return _change(state, event.call_id, lambda call: _printed(call, event.text, event.mono))
        case ToolFinished():
            return _finished(state, event)
        case PersonCommandStarted() | PersonOutputDelta() | PersonCommandFinished():
            return reduce_command(state, event)
        case HandoffCompleted() | HandoffIgnored():
            item = EventItem(item_id=f"{event.run_id}:{event.seq}", event=event, time=event.time)
            return insert_item(state, item)
        case _:
            return state


def write_arguments(state: RunState, event: ToolArgumentsDelta) -> RunState:
    if any(call.call_id == event.call_id for call in state.live_calls):
        return _change(
            state,
            event.call_id,
            lambda call: changed(call, tool=call.tool or event.tool, written=call.written.append(event.text)),
        )
    call = CallItem(
        item_id=event.call_id,
        call_id=event.call_id,
        tool=event.tool,
        time=event.time,
        mono=event.mono,
        agent=event.agent,
        phase="writing",
        written=AppendLog((event.text,)),
    )
    return insert_item(state, call)


def _change(state: RunState, call_id: str, change: Callable[[CallItem], CallItem]) -> RunState:
    for index, item in enumerate(state.live):
        if isinstance(item, CallItem) and item.call_id == call_id:
            return changed(state, live=(*state.live[:index], change(item), *state.live[index + 1 :]))
    return state


def _proposed(state: RunState, event: ToolProposed) -> RunState:
    call = CallItem(
        item_id=event.call_id,
        call_id=event.call_id,
        tool=event.tool,
        time=event.time,
        mono=event.mono,
        agent=event.agent,
        arguments=event.arguments,
        valid=event.valid,
    )
    return insert_item(changed(state, tool_calls=state.tool_calls + 1), call)


def _approval(event: ApprovalRequested) -> ApprovalView:
    return ApprovalView(
        request_id=event.request_id,
        call_id=event.call_id,
        tool=event.tool,
        agent=event.agent,
        arguments=event.arguments,
        preview=event.preview,
        why=event.why,
        options=event.options,
        time=event.time,
        mono=event.mono,
        expires_at=event.expires_at,
        asks=event.asks,
        risk=event.risk,
        risks=event.risks,
        suggestions=event.suggestions,
    )


def _asked(call: CallItem, event: ApprovalRequested) -> CallItem:
    view = _approval(event)
    before = call.question if event.asks == "question" else call.approval
    call = changed(call, phase="waiting", earlier=call.earlier if before is None else (*call.earlier, before))
    return changed(call, question=view) if event.asks == "question" else changed(call, approval=view)


def _resolved_view(view: ApprovalView, event: ApprovalResolved) -> ApprovalView:
    return changed(
        view,
        decision=event.decision,
        by=event.by,
        rule=event.rule,
        scope=event.scope,
        reason=event.reason,
        seconds=event.seconds,
        given=event.arguments,
        match=event.match,
        patterns=event.patterns,
        bound=event.bound,
    )


def _changed(call: CallItem, event: FilesChanged) -> CallItem:
    return changed(call, changes=(*call.changes, *event.files), uncovered=event.uncovered or call.uncovered)


def _resolved(call: CallItem, event: ApprovalResolved) -> CallItem:
    question = call.question
    if question is not None and question.request_id == event.request_id:
        return changed(call, phase="running", question=_resolved_view(question, event))
    arguments = event.arguments if event.decision in ("allow", "edit") else call.arguments
    call = changed(call, phase="proposed", arguments=arguments)
    approval = call.approval
    if approval is not None and (event.request_id or not approval.decision):
        return changed(call, approval=_resolved_view(approval, event))
    return call if event.request_id else changed(call, verdict=_resolved_view(_unasked(event), event))


def _unasked(event: ApprovalResolved) -> ApprovalView:
    return ApprovalView(
        request_id="",
        call_id=event.call_id,
        tool=event.tool,
        agent=event.agent,
        arguments=event.proposed or {},
        preview={},
        why="",
        options=(),
        time=event.time,
        mono=event.mono,
    )


def _began(call: CallItem, event: ToolStarted) -> CallItem:
    started = event.mono if call.started_mono is None else call.started_mono
    return changed(
        call,
        phase="running",
        started_mono=started,
        pid=event.pid if event.pid is not None else call.pid,
        pgid=event.pgid if event.pgid is not None else call.pgid,
        process=event.name or call.process,
    )


def _printed(call: CallItem, text: str, mono: float) -> CallItem:
    pieces, characters, dropped = printed(call.live_output, call.live_characters, call.dropped_characters, text)
    return changed(call, live_output=pieces, live_characters=characters, dropped_characters=dropped, heard_mono=mono)


def _finished(state: RunState, event: ToolFinished) -> RunState:
    state = _change(
        state,
        event.call_id,
        lambda call: changed(
            call,
            phase="finished",
            status=event.status,
            output=event.output,
            display=event.display,
            seconds=event.seconds,
            truncated=event.truncated,
            artifact=event.artifact,
            side_effects=event.side_effects,
            progress=None,
            live_output=AppendLog[str](),
            live_characters=0,
            dropped_characters=0,
            heard_mono=None,
        ),
    )
    result = ToolResult(call_id=event.call_id, tool=event.tool, output=event.output, status=event.status)
    is_list = event.status == "ok" and event.display is not None and event.display.get("type") == "todo"
    return changed(state, history=state.history.append(result), todo=event.display if is_list else state.todo)
