"""Commands as they reach the run: taken in at any moment, acted on at boundaries or by closing a scope at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from runner.control.approvals import Approvals
from runner.control.commands import (
    Abort,
    CancelTool,
    Command,
    Decide,
    LimitName,
    Pause,
    Resume,
    Send,
    SetLimit,
    SetModel,
    Stop,
)
from runner.errors import CommandError, ToolInputError
from runner.events import AbortRequested, Event, MessageQueued, StopRequested

ScopeCause: TypeAlias = Literal["abort", "switch", "limit", "cancel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedMessage:
    message_id: str
    text: str


@dataclass(slots=True)
class Scope:
    """A piece of work that a command can end at once: an open request, a running tool."""

    task: asyncio.Task[Any]
    what: Literal["request", "tool"]
    call_id: str = ""
    cause: ScopeCause | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self, cause: ScopeCause) -> None:
        """Cancel the work; the first cause stays."""
        if self.cause is None:
            self.cause = cause
            self.ended.set()
            self.task.cancel()


@dataclass(slots=True)
class Requests:
    """What was asked of the run and is not carried out yet."""

    stop: bool = False
    abort: bool = False
    pause: bool = False
    paused_by: str = "user"
    model: str | None = None
    messages: deque[QueuedMessage] = field(default_factory=deque[QueuedMessage])
    limits: dict[LimitName, Decimal | None] = field(default_factory=dict[LimitName, "Decimal | None"])


class Inbox:
    """Takes commands in, on the run's event loop. emit: records a fact. check_model: raises CommandError for a model
    that cannot be used."""

    def __init__(
        self,
        *,
        emit: Callable[[Event], object],
        check_model: Callable[[str], None],
    ) -> None:
        self._emit = emit
        self._check_model = check_model
        self._scopes: list[Scope] = []
        self.requests = Requests()
        self.approvals = Approvals()
        self.wake = asyncio.Event()
        self.limits_changed = asyncio.Event()
        self.finished = False

    def take(self, command: Command, message_id: str | None = None) -> None:
        """Act on a command, or note it for the next boundary. message_id: the id of a message that is sent.

        Raises CommandError, and changes nothing, where it cannot be carried out. After the end every command but a
        repeated stop or abort is refused.
        """
        if self.finished:
            if isinstance(command, Stop | Abort):
                return
            raise CommandError("the run has ended")
        match command:
            case Stop() | Abort():
                self._end(command)
            case Pause() | Resume():
                self.requests.pause = isinstance(command, Pause)
                self.requests.paused_by = command.by
            case Send():
                self._send(command.text, message_id or "")
            case SetModel():
                self._set_model(command)
            case Decide():
                self._decide(command)
            case CancelTool():
                self._cancel_tool(command.call_id)
            case SetLimit():
                self._set_limit(command)
        self.wake.set()

    def _end(self, command: Stop | Abort) -> None:
        """Both count once; an abort also counts after a stop."""
        requests = self.requests
        if isinstance(command, Abort):
            if requests.abort:
                return
            requests.stop = requests.abort = True
            self._emit(AbortRequested(by=command.by))
            self.approvals.deny_all("stop", "the run was aborted")
            self.end_scopes("abort")
        elif not requests.stop:
            requests.stop = True
            self._emit(StopRequested(by=command.by))
            self.approvals.deny_all("stop", "the run is stopping")

    def _decide(self, command: Decide) -> None:
        try:
            self.approvals.decide(command)
        except ToolInputError as error:
            raise CommandError(f"the edited arguments do not fit: {error}") from error

    def _send(self, text: str, message_id: str) -> None:
        if not text.strip():
            raise CommandError("the message is empty")
        message = QueuedMessage(message_id=message_id, text=text)
        self.requests.messages.append(message)
        self._emit(MessageQueued(message_id=message.message_id, text=text))

    def _set_model(self, command: SetModel) -> None:
        self._check_model(command.model)
        self.requests.model = command.model
        if command.now:
            for scope in self._scopes:
                if scope.what == "request":
                    scope.end("switch")

    def _cancel_tool(self, call_id: str) -> None:
        for scope in self._scopes:
            if scope.what == "tool" and scope.call_id == call_id:
                scope.end("cancel")
                return
        raise CommandError(f"no tool call {call_id!r} is running")

    def _set_limit(self, command: SetLimit) -> None:
        if command.value is not None and command.value < 0:
            raise CommandError(f"{command.limit} cannot be negative")
        self.requests.limits[command.limit] = command.value
        self.limits_changed.set()

    def enter(self, scope: Scope) -> None:
        """Make a piece of work reachable for commands; one that came in before counts at once."""
        self._scopes.append(scope)
        if self.requests.abort:
            scope.end("abort")

    def leave(self, scope: Scope) -> None:
        self._scopes.remove(scope)

    def end_scopes(self, cause: ScopeCause) -> None:
        for scope in list(self._scopes):
            scope.end(cause)
