"""Makes runs of ours out of what another program's log says: one run for each message of the person.

The same log gives the same runs, ids and all, so that reading it again makes no second session.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from runner.errors import ConfigError
from runner.events import (
    AgentStarted,
    Event,
    ModelRequested,
    ModelResponded,
    Notification,
    RunFinished,
    RunStarted,
    StatusChanged,
    ToolFinished,
    ToolProposed,
    ToolStarted,
    TurnFinished,
    TurnStarted,
    UsageUpdated,
)
from runner.importing.steps import NAMES, Ended, Log, Prompt, Remark, Response, Result, Step
from runner.messages import JsonObject, ToolCall, ToolStatus, UserMessage
from runner.state.run import Reason, status_of
from runner.usage import Usage

_SPACE: Final = uuid.UUID("6d3b8f0e-91c4-5d3e-8f3a-0c7f5b1e2a44")


def session_id_of(log: Log) -> str:
    """Ours for that session. Raises ConfigError where the log has no id: it is no session's log."""
    if not log.session_id:
        raise ConfigError("this is no session log: no line of it has a session's id")
    return str(uuid.uuid5(_SPACE, f"{log.source}:{log.session_id}"))


def runs_of(log: Log) -> Iterator[list[Event]]:
    """The events of each run, oldest first; none where the log has no message of a person. Raises ConfigError."""
    session_id = session_id_of(log)
    used: set[str] = set()
    for number, steps in enumerate(_split(log.steps)):
        run_id = str(uuid.uuid5(_SPACE, f"{session_id}:{number}"))
        run = _Run(log=log, session_id=session_id, run_id=run_id, used=used)
        yield run.build(steps)


def _split(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """What came before the first message belongs to its run."""
    early: list[Step] = []
    current: list[Step] = []
    for step in steps:
        if isinstance(step, Prompt):
            if current:
                yield current
            current = [step, *early]
            early = []
        elif current:
            current.append(step)
        else:
            early.append(step)
    if current:
        yield current


@dataclass(slots=True, kw_only=True)
class _Run:
    """Fills the envelope in as the loop does. used: the calls' ids of the whole session."""

    log: Log
    session_id: str
    run_id: str
    used: set[str]
    events: list[Event] = field(default_factory=list[Event])
    began: datetime | None = None
    now: datetime | None = None
    turn: int = 0
    attempt: int = 0
    open: dict[str, tuple[ToolCall, datetime]] = field(default_factory=dict[str, tuple[ToolCall, datetime]])
    turn_began: datetime | None = None
    turn_calls: int = 0
    turn_usage: Usage = field(default_factory=Usage)
    usage: Usage = field(default_factory=Usage)
    output: str = ""
    finish_reason: str = ""

    def build(self, steps: Sequence[Step]) -> list[Event]:
        prompt = steps[0]
        assert isinstance(prompt, Prompt)
        self.began = self.now = self.turn_began = prompt.time
        model = next((step.model for step in steps if isinstance(step, Response)), "")
        origin = {"imported": {"from": self.log.source, "session": self.log.session_id, "version": self.log.version}}
        message = UserMessage(text=prompt.text)
        self._emit(RunStarted(input=(message,), model=model, config=origin, workspace=self.log.workspace))
        self._emit(StatusChanged(old="queued", new="running"))
        self._emit(AgentStarted())
        how: str | None = None
        for step in steps[1:]:
            if not isinstance(step, Response):
                self._at(step.time)
            match step:
                case Response():
                    self._respond(step)
                case Result():
                    self._return(step)
                case Remark():
                    self._emit(Notification(level=step.level, text=step.text))
                case Ended():
                    how = step.how
                case Prompt():
                    raise AssertionError("a message begins a run of its own")
        self._finish(how)
        return self.events

    def _at(self, time: datetime) -> None:
        """Logs put lines down a little out of order; time never goes back here."""
        assert self.now is not None
        self.now = max(self.now, time)

    def _emit(self, event: Event) -> None:
        assert self.now is not None
        assert self.began is not None
        self.events.append(
            replace(
                event,
                run_id=self.run_id,
                session_id=self.session_id,
                seq=len(self.events) + 1,
                time=self.now,
                mono=(self.now - self.began).total_seconds(),
                agent=NAMES[self.log.source],
                turn=self.turn,
                attempt=self.attempt,
            )
        )

    def _respond(self, step: Response) -> None:
        self._end_turn()
        assert self.now is not None
        self.turn, self.attempt = self.turn + 1, 1
        self.turn_began, self.turn_calls = self.now, len({call.call_id for call in step.calls})
        self.turn_usage = step.usage or Usage()
        self.usage += self.turn_usage
        self._emit(TurnStarted(model=step.model))
        # A log has a response's end; it was asked for when what came before it was there.
        self._emit(ModelRequested(model=step.model))
        asked = self.now
        self._at(step.time)
        calls = {call.call_id: self._own(call) for call in step.calls}
        self._emit(
            ModelResponded(
                model=step.model,
                text=step.text,
                reasoning=step.reasoning,
                tool_calls=tuple(calls.values()),
                finish_reason=step.finish_reason,
                usage=self.turn_usage,
                usage_source="reported" if step.usage else "estimated",
                seconds=(self.now - asked).total_seconds(),
            )
        )
        self._emit(UsageUpdated(usage=self.usage, context_used=self.turn_usage.total))
        self.output, self.finish_reason = step.text, step.finish_reason
        for there, call in calls.items():
            self.open[there] = (call, self.now)
            arguments = call.arguments_json if call.arguments is None else call.arguments
            self._emit(
                ToolProposed(
                    call_id=call.call_id, tool=call.tool, arguments=arguments, valid=call.arguments is not None
                )
            )
        for call in calls.values():
            self._emit(ToolStarted(call_id=call.call_id, tool=call.tool))

    def _own(self, call: ToolCall) -> ToolCall:
        """A call's id is its own in the session, whatever the log says."""
        own, number = call.call_id, 1
        while not own or own in self.used:
            number += 1
            own = f"{call.call_id or 'call'}~{number}"
        self.used.add(own)
        return replace(call, call_id=own)

    def _return(self, step: Result) -> None:
        assert self.now is not None
        call, since = self.open.pop(step.call_id, (None, self.now))
        if call is not None:
            seconds = (self.now - since).total_seconds() if step.seconds is None else step.seconds
            self._end_call(call, "error" if step.failed else "ok", step.output, seconds, step.display)

    def _end_call(
        self,
        call: ToolCall,
        status: ToolStatus,
        output: str,
        seconds: float = 0.0,
        display: JsonObject | None = None,
    ) -> None:
        self._emit(
            ToolFinished(
                call_id=call.call_id, tool=call.tool, status=status, output=output, seconds=seconds, display=display
            )
        )

    def _end_turn(self) -> None:
        for call, _ in self.open.values():
            self._end_call(call, "interrupted", "The log has no result of this call.")
        self.open.clear()
        if self.turn:
            assert self.now is not None
            assert self.turn_began is not None
            seconds = (self.now - self.turn_began).total_seconds()
            self._emit(TurnFinished(tool_calls=self.turn_calls, usage=self.turn_usage, seconds=seconds))

    def _finish(self, how: str | None) -> None:
        complete = self.turn > 0 and not self.open and self.finish_reason != "tool_calls"
        self._end_turn()
        reason: Reason = "interrupted"
        if how == "aborted":
            reason = "aborted"
        elif how == "failed":
            reason = "error"
        elif how == "completed" or complete:
            reason = "complete"
        status = status_of(reason)
        assert self.now is not None
        assert self.began is not None
        seconds = (self.now - self.began).total_seconds()
        self._emit(
            RunFinished(
                status=status,
                reason=reason,
                output=self.output if status == "completed" else "",
                usage=self.usage,
                cost_usd=None if self.turn else Decimal(0),
                turns=self.turn,
                seconds=seconds,
                active_seconds=seconds,
            )
        )
