"""The part of the reducer that is about streaming text."""

from __future__ import annotations

from runner.changed import changed
from runner.events import Event, ReasoningDelta, RefusalDelta, TextDelta, ToolArgumentsDelta
from runner.log import AppendLog
from runner.state.calls import reduce_call, write_arguments
from runner.state.items import TextItem, TextKind
from runner.state.run import Requesting, RunState, insert_item


def reduce_delta(state: RunState, event: Event) -> RunState:
    """The state after a piece of streaming text; O(1) however long the run."""
    match event:
        case TextDelta(text=text):
            return _write(state, event, "text", text)
        case ReasoningDelta(text=text):
            return _write(state, event, "reasoning", text)
        case RefusalDelta(text=text):
            return _write(state, event, "refusal", text)
        case ToolArgumentsDelta(text=text):
            return write_arguments(_progress(state, event, len(text)), event)
        case _:
            return reduce_call(state, event)


def _progress(state: RunState, event: Event, characters: int) -> RunState:
    phase = state.phase
    if not isinstance(phase, Requesting):
        return state
    first = event.mono if phase.first_mono is None else phase.first_mono
    written = phase.characters + characters
    return changed(state, phase=changed(phase, first_mono=first, last_mono=event.mono, characters=written))


def _write(state: RunState, event: Event, what: TextKind, text: str) -> RunState:
    state = _progress(state, event, len(text))
    item_id = f"{event.run_id}:t{event.turn}.{event.attempt}:{what}"
    live = state.live
    for index in range(len(live) - 1, -1, -1):
        item = live[index]
        if isinstance(item, TextItem) and item.item_id == item_id:
            grown = changed(item, pieces=item.pieces.append(text))
            return changed(state, live=(*live[:index], grown, *live[index + 1 :]))
    new = TextItem(
        item_id=item_id,
        what=what,
        pieces=AppendLog((text,)),
        model=state.model,
        time=event.time,
    )
    return insert_item(state, new)
