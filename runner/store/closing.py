"""What recovery adds to a run whose program died: the facts that close everything that was open. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from runner.events import (
    AgentFinished,
    ApprovalRequested,
    ApprovalResolved,
    CompactionFinished,
    CompactionStarted,
    Event,
    ModelResponded,
    PersonCommandFinished,
    QueueChanged,
    RunFinished,
    RunQueued,
    RunStarted,
    SamplingFinished,
    SamplingStarted,
    StatusChanged,
    ToolFinished,
    ToolProposed,
    TurnFinished,
    TurnStarted,
)
from runner.messages import AssistantMessage, JsonObject, ToolCall
from runner.state import Requesting, RunState
from runner.state.person import owed_messages
from runner.store.seen import Seen
from runner.usage import Usage

if TYPE_CHECKING:
    from runner.tools.base import ProcessEnd

CHARACTERS_PER_TOKEN = 4
OUTPUT_KEPT = 4000
"""Characters of an interrupted tool's output that the model is told."""

READ_ONLY = frozenset({"list_files", "read_file", "search"})
"""The built-in tools that change nothing; an event does not say it of any other tool."""

NOT_EXECUTED = "This call was not executed: the program ended before it started."
INTERRUPTED = "This call was interrupted while it was running, because the program ended. {effects}"
ONLY_READS = "It only reads, so it changed nothing."
MAY_HAVE = "It may have had effects; check before relying on it or repeating it."
WAS_ENDED = "Its process {names} was still running and was ended."
WERE_ENDED = "Its processes {names} were still running and were ended."
SURVIVED = "What it started could not be ended and still runs: {names}."
NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """events: the closing facts. partial_characters: of the response that was streaming."""

    events: list[Event]
    open_calls: int
    partial_characters: int


def close_run(
    events: Sequence[Event],
    *,
    run_id: str,
    session_id: str,
    next_seq: int,
    now: datetime,
    ended: Sequence[ProcessEnd] = (),
) -> Closing:
    """The facts that end the run. events: all of it, stored deltas included. next_seq: the first free number.

    ended: what became of the processes that its open calls had left.
    """
    seen = Seen()
    for event in events:
        seen.take(event)
    writer = _Writer(seen=seen, run_id=run_id, session_id=session_id, next_seq=next_seq, now=now)
    if not seen.started:
        queued = seen.queued or RunQueued()
        writer.add(RunStarted(input=queued.input, model=queued.model))
    for asked in list(seen.approvals.values()):
        writer.add(_denied(asked, seen))
    response = _interrupted_response(seen)
    if response is not None:
        writer.add(response)
    if seen.compaction is not None:
        writer.add(_compaction_end(seen, seen.compaction))
    if seen.sampling is not None:
        writer.add(_sampling_end(seen, seen.sampling))
    open_calls = _close_calls(seen, writer, _by_call(ended))
    _close_commands(seen, writer)
    if seen.turn is not None:
        writer.add(_turn_end(seen, seen.turn))
    for told in owed_messages(seen.state):
        writer.add(told)
    output = _last_text(seen.state)
    if seen.agent_active:
        writer.add(AgentFinished(output=output))
    writer.add(StatusChanged(old=seen.state.status, new="failed", detail="interrupted"))
    writer.add(_run_end(seen, output, _receipt(seen, writer.events, ended)))
    partial = 0 if response is None else len(response.text) + len(response.reasoning)
    return Closing(events=writer.events, open_calls=open_calls, partial_characters=partial)


def close_cut(events: Sequence[Event], *, run_id: str, session_id: str, next_seq: int, now: datetime) -> Closing:
    """The facts that end a run which is cut after a turn, so that it is complete. events: all of it up to there."""
    seen = Seen()
    for event in events:
        seen.take(event)
    writer = _Writer(seen=seen, run_id=run_id, session_id=session_id, next_seq=next_seq, now=now)
    open_calls = _close_calls(seen, writer, {})
    _close_commands(seen, writer)
    if seen.state.queued:
        writer.add(QueueChanged())
    for told in owed_messages(seen.state):
        writer.add(told)
    output = _last_text(seen.state)
    if seen.agent_active:
        writer.add(AgentFinished(output=output))
    writer.add(StatusChanged(old=seen.state.status, new="completed", detail="complete"))
    writer.add(replace(_run_end(seen, output, None), status="completed", reason="complete"))
    return Closing(events=writer.events, open_calls=open_calls, partial_characters=0)


@dataclass(slots=True, kw_only=True)
class _Writer:
    """Numbers and stamps the closing facts, and lets `seen` follow them.

    mono stays at its last value: the clock of the dead process is not ours to continue.
    """

    seen: Seen
    run_id: str
    session_id: str
    next_seq: int
    now: datetime
    events: list[Event] = field(default_factory=list[Event])

    def add(self, event: Event) -> None:
        state = self.seen.state
        stamped = replace(
            event,
            run_id=self.run_id,
            session_id=self.session_id,
            parent_run_id=state.parent_run_id,
            seq=self.next_seq,
            time=self.now,
            mono=self.seen.last_mono,
            agent=state.agent,
            turn=state.turn,
            attempt=state.attempt,
        )
        self.next_seq += 1
        self.seen.take(stamped)
        self.events.append(stamped)


def _denied(asked: ApprovalRequested, seen: Seen) -> ApprovalResolved:
    return ApprovalResolved(
        request_id=asked.request_id,
        call_id=asked.call_id,
        tool=asked.tool,
        proposed=asked.arguments if asked.asks == "call" else None,
        decision="deny",
        by="disconnect",
        arguments=asked.arguments,
        reason="the program ended before anybody answered",
        seconds=max(0.0, seen.last_mono - asked.mono),
    )


def _interrupted_response(seen: Seen) -> ModelResponded | None:
    """What had arrived of the open request. What it cost is an estimate, and unknown where its price was."""
    request = seen.request
    if request is None:
        return None
    characters = sum(len(piece) for pieces in seen.pieces.values() for piece in pieces)
    phase = seen.state.phase
    arrived = phase.first_mono if isinstance(phase, Requesting) else None
    # Calls are proposed after their response; should any be open without one, the history still needs its owner.
    calls = tuple(
        ToolCall(
            call_id=call_id,
            tool=proposed.tool,
            arguments=proposed.arguments if isinstance(proposed.arguments, dict) else None,
        )
        for call_id, proposed in seen.proposed.items()
        if call_id not in seen.responded and proposed.seq > request.seq
    )
    usage = Usage(input=request.input_tokens_estimate, output=math.ceil(characters / CHARACTERS_PER_TOKEN))
    return ModelResponded(
        model=request.model,
        provider=request.provider,
        price=request.price,
        text=seen.text("text_delta") or seen.text("refusal_delta"),
        reasoning=seen.text("reasoning_delta"),
        tool_calls=calls,
        finish_reason="interrupted",
        usage=usage,
        cost_usd=None if request.price is None else request.price.cost(usage),
        usage_source="estimated",
        seconds=max(0.0, seen.last_mono - request.mono),
        first_token_seconds=None if arrived is None else max(0.0, arrived - request.mono),
    )


def _compaction_end(seen: Seen, started: CompactionStarted) -> CompactionFinished:
    """Nothing is replaced, but the request for the summary was made and read its input."""
    usage = Usage(input=started.input_tokens_estimate)
    cost = None if started.price is None else started.price.cost(usage)
    return CompactionFinished(
        tokens_before=started.tokens_before,
        tokens_after=started.tokens_before,
        how="none",
        error="the program ended",
        model=started.model,
        provider=started.provider,
        price=started.price,
        usage=usage,
        cost_usd=cost if usage.total else Decimal(0),
        usage_source="estimated",
        seconds=max(0.0, seen.last_mono - started.mono),
    )


def _sampling_end(seen: Seen, started: SamplingStarted) -> SamplingFinished:
    usage = Usage(input=started.input_tokens_estimate)
    cost = None if started.price is None else started.price.cost(usage)
    return SamplingFinished(
        call_id=started.call_id,
        who=started.who,
        how="none",
        error="the program ended",
        model=started.model,
        provider=started.provider,
        price=started.price,
        usage=usage,
        cost_usd=cost if usage.total else Decimal(0),
        usage_source="estimated",
        seconds=max(0.0, seen.last_mono - started.mono),
    )


def _by_call(ended: Sequence[ProcessEnd]) -> dict[str, list[ProcessEnd]]:
    found: dict[str, list[ProcessEnd]] = {}
    for end in ended:
        found.setdefault(end.call_id, []).append(end)
    return found


def _close_calls(seen: Seen, writer: _Writer, ended: Mapping[str, Sequence[ProcessEnd]]) -> int:
    """Give every open call its one end; returns how many there were."""
    outputs = {call.call_id: "".join(call.live_output) for call in seen.state.live_calls}
    for call in list(seen.responded.values()):
        if call.call_id not in seen.proposed and call.call_id not in seen.ended:
            given = call.arguments_json if call.arguments is None else call.arguments
            valid = call.arguments is not None
            writer.add(ToolProposed(call_id=call.call_id, tool=call.tool, arguments=given, valid=valid))
    still_open = [proposed for call_id, proposed in seen.proposed.items() if call_id not in seen.ended]
    for proposed in still_open:
        told = _ends_in_words(ended.get(proposed.call_id, ()))
        writer.add(_call_end(seen, proposed, outputs.get(proposed.call_id, ""), told))
    return len(still_open)


def _close_commands(seen: Seen, writer: _Writer) -> None:
    """The person's own commands died with the program."""
    for item in seen.state.live_commands:
        printed = "".join(item.live_output)
        writer.add(
            PersonCommandFinished(
                command_id=item.command_id,
                command=item.command,
                share=item.share,
                status="interrupted",
                output=printed[-OUTPUT_KEPT:],
                seconds=max(0.0, seen.last_mono - item.mono),
                truncated=len(printed) > OUTPUT_KEPT or item.dropped_characters > 0,
            )
        )


def _ends_in_words(ended: Sequence[ProcessEnd]) -> list[str]:
    """What became of a call's processes, for the model and the person."""
    stopped = [end for end in ended if end.how in ("terminated", "killed")]
    alive = [end for end in ended if end.how == "survived"]
    told: list[str] = []
    if stopped:
        told.append((WAS_ENDED if len(stopped) == 1 else WERE_ENDED).format(names=_names(stopped)))
    if alive:
        told.append(SURVIVED.format(names=_names(alive)))
    return told


def _names(ended: Sequence[ProcessEnd]) -> str:
    names = [f"`{end.name}` ({end.pid})" if end.name else str(end.pid) for end in ended[:NAMES_SHOWN]]
    more = len(ended) - len(names) + sum(end.more for end in ended)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _call_end(seen: Seen, proposed: ToolProposed, printed: str, told: Sequence[str]) -> ToolFinished:
    began = seen.began.get(proposed.call_id)
    if began is None:
        return ToolFinished(
            call_id=proposed.call_id, tool=proposed.tool, status="interrupted", output=NOT_EXECUTED, side_effects="none"
        )
    harmless = proposed.tool in READ_ONLY and proposed.call_id not in seen.asked
    output = " ".join([INTERRUPTED.format(effects=ONLY_READS if harmless else MAY_HAVE), *told])
    if printed:
        output += f"\nThe end of what it had printed:\n{printed[-OUTPUT_KEPT:]}"
    return ToolFinished(
        call_id=proposed.call_id,
        tool=proposed.tool,
        status="interrupted",
        output=output,
        seconds=max(0.0, seen.last_mono - began),
        truncated=len(printed) > OUTPUT_KEPT,
        side_effects="none" if harmless else "unknown",
    )


def _turn_end(seen: Seen, turn: TurnStarted) -> TurnFinished:
    usage = Usage()
    for entry in seen.state.ledger:
        if entry.turn == turn.turn:
            usage = usage + entry.usage
    calls = sum(1 for proposed in seen.proposed.values() if proposed.seq > turn.seq)
    return TurnFinished(tool_calls=calls, usage=usage, seconds=max(0.0, seen.last_mono - turn.mono))


def _last_text(state: RunState) -> str:
    for message in reversed(state.history):
        if isinstance(message, AssistantMessage) and message.text:
            return message.text
    return ""


def _receipt(seen: Seen, closed: Sequence[Event], ended: Sequence[ProcessEnd]) -> JsonObject | None:
    """What the death of the program cut, in the shape of the receipt after an abort; None where nothing was open."""
    requests: list[JsonObject] = []
    tools: list[JsonObject] = []
    for event in closed:
        match event:
            case ModelResponded() | CompactionFinished() | SamplingFinished():
                cost = None if event.cost_usd is None else str(event.cost_usd)
                usage = {"input": event.usage.input, "output": event.usage.output}
                source = event.usage_source
                requests.append(
                    {"model": event.model, "closed": True, "usage": usage, "usage_source": source, "cost_usd": cost}
                )
            case ToolFinished() if event.call_id in seen.began:
                tools.append({"call_id": event.call_id, "tool": event.tool, "side_effects": event.side_effects})
            case _:
                pass
    processes = [asdict(end) for end in ended if end.how != "gone"]
    if not (requests or tools or processes):
        return None
    return {"requests": requests, "processes": processes, "tools": tools}


def _run_end(seen: Seen, output: str, receipt: JsonObject | None) -> RunFinished:
    state = seen.state
    seconds = max(0.0, seen.last_mono - state.started_mono)
    total = state.cost.total
    if receipt is not None:
        receipt["cost_usd"] = None if total is None else str(total)
        receipt["estimated"] = any(entry.source == "estimated" for entry in state.ledger)
    return RunFinished(
        status="failed",
        reason="interrupted",
        output=output,
        usage=state.usage,
        cost_usd=total,
        turns=state.turns_accepted,
        seconds=seconds,
        active_seconds=max(0.0, seconds - state.waited),
        receipt=receipt,
    )
