"""Commands as they reach the run: taken in at any moment, acted on at boundaries or by closing a scope at once."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from runner.control.approvals import Approvals
from runner.control.commands import (
    Abort,
    CancelTool,
    Command,
    Compact,
    Decide,
    DeleteMessage,
    DeliverNow,
    EditMessage,
    EndPersonCommand,
    LimitName,
    MoveMessage,
    NextModel,
    Pause,
    PersonCommand,
    Resume,
    RetryNow,
    Revoke,
    Send,
    SetLimit,
    SetModel,
    Stop,
    WrapUp,
)
from runner.errors import CommandError, ToolInputError
from runner.events import (
    AbortRequested,
    DecidedBy,
    Event,
    MessageQueued,
    QueueChanged,
    QueuedText,
    RetrySkipped,
    StopRequested,
)

ScopeCause: TypeAlias = Literal["abort", "switch", "limit", "cancel", "message"]
_KEY = re.compile(r"[0-9a-f]{16}", re.ASCII)
MESSAGE_INSTEAD = "the user sent a message instead"
WRAPPING_UP = "the run is wrapping up"


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
    """What was asked of the run and is not carried out yet.

    interrupt: the waiting messages are to be delivered before anything else starts. skip: how to end the wait for the
    next attempt; retry_wait: that wait goes on, and whether there is another model to go to.
    """

    stop: bool = False
    abort: bool = False
    pause: bool = False
    paused_by: str = "user"
    model: str | None = None
    effort: str | None = None
    temperature: float | Literal["default"] | None = None
    messages: deque[QueuedText] = field(default_factory=deque[QueuedText])
    interrupt: bool = False
    wrap_up: bool = False
    compact: bool = False
    skip: Literal["retry", "next_model"] | None = None
    retry_wait: Literal["none", "alone", "next_model"] = "none"
    limits: list[SetLimit] = field(default_factory=list[SetLimit])


TIMEOUTS: frozenset[LimitName] = frozenset(
    {"timeout_per_turn", "first_token_timeout", "stream_idle_timeout", "tool_timeout"}
)


def _refuse_empty(text: str) -> None:
    if not text.strip():
        raise CommandError("the message is empty")


class Inbox:
    """Takes commands in, on the run's event loop. emit: records a fact. What only the loop can judge, such as the name
    of a model, is checked there first."""

    def __init__(self, *, emit: Callable[[Event], object]) -> None:
        self._emit = emit
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
            case Send() | EditMessage() | DeleteMessage() | MoveMessage() | DeliverNow():
                self._take_message(command, message_id or "")
            case RetryNow() | NextModel() | WrapUp() | Compact():
                self._take_step(command)
            case SetModel():
                self._set_model(command)
            case Decide() | Revoke():
                self._take_decision(command)
            case PersonCommand() | EndPersonCommand():
                # Carried out by the loop, which runs the process.
                pass
            case CancelTool():
                self._cancel_tool(command.call_id)
            case SetLimit():
                self._set_limit(command)
        self.wake.set()

    @property
    def closed_to_approvals(self) -> tuple[DecidedBy, str] | None:
        """Why nobody is to be asked any more, and in whose name that is a denial; None where a person may be asked."""
        requests = self.requests
        if requests.stop:
            return "stop", "the run is stopping"
        if requests.interrupt:
            return "user", MESSAGE_INSTEAD
        return ("user", WRAPPING_UP) if requests.wrap_up else None

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

    def _take_decision(self, command: Decide | Revoke) -> None:
        if isinstance(command, Revoke):
            # The grants are the loop's, which takes back what is meant.
            if command.key and not _KEY.fullmatch(command.key):
                raise CommandError(f"{command.key!r} is not the key of a grant")
            return
        try:
            self.approvals.decide(command)
        except ToolInputError as error:
            raise CommandError(f"the arguments do not fit: {error}") from error

    def _take_step(self, command: RetryNow | NextModel | WrapUp | Compact) -> None:
        match command:
            case WrapUp():
                self.requests.wrap_up = True
                self.approvals.deny_all("user", WRAPPING_UP)
            case Compact():
                self.requests.compact = True
            case _:
                self._skip(command)

    def _take_message(
        self, command: Send | EditMessage | DeleteMessage | MoveMessage | DeliverNow, message_id: str
    ) -> None:
        match command:
            case Send():
                self._send(command, message_id)
            case DeliverNow():
                if not self.requests.messages:
                    raise CommandError("no message waits for delivery")
                self._interrupt()
            case _:
                self._change_queue(command)

    def _send(self, command: Send, message_id: str) -> None:
        _refuse_empty(command.text)
        self.requests.messages.append(QueuedText(message_id=message_id, text=command.text))
        self._emit(MessageQueued(message_id=message_id, text=command.text))
        if command.now:
            self._interrupt()

    def _change_queue(self, command: EditMessage | DeleteMessage | MoveMessage) -> None:
        messages = self.requests.messages
        index = next((n for n, waiting in enumerate(messages) if waiting.message_id == command.message_id), None)
        if index is None:
            raise CommandError(f"no message {command.message_id!r} waits for delivery")
        match command:
            case EditMessage(text=text):
                _refuse_empty(text)
                messages[index] = QueuedText(message_id=command.message_id, text=text)
            case DeleteMessage():
                del messages[index]
            case MoveMessage(position=position):
                if position < 0:
                    raise CommandError("a position is 0 or more")
                message = messages[index]
                del messages[index]
                messages.insert(position, message)
        self._emit(QueueChanged(messages=tuple(messages)))

    def _interrupt(self) -> None:
        """End what goes on, so that the waiting messages are delivered before anything else; a stop goes first."""
        if self.requests.stop:
            return
        self.requests.interrupt = True
        self.approvals.deny_all("user", MESSAGE_INSTEAD)
        self.end_scopes("message")

    def _skip(self, command: RetryNow | NextModel) -> None:
        requests = self.requests
        if requests.retry_wait == "none":
            raise CommandError("nothing waits to be tried again")
        if isinstance(command, NextModel) and requests.retry_wait != "next_model":
            raise CommandError("there is no other model to go to")
        if requests.skip is None:
            requests.skip = "next_model" if isinstance(command, NextModel) else "retry"
            self._emit(RetrySkipped(by=command.by, to=requests.skip))

    def _set_model(self, command: SetModel) -> None:
        requests = self.requests
        requests.model = command.model or requests.model
        requests.effort = requests.effort if command.effort is None else command.effort
        requests.temperature = requests.temperature if command.temperature is None else command.temperature
        if command.now:
            for scope in self._scopes:
                if scope.what == "request":
                    scope.end("switch")

    def _cancel_tool(self, call_id: str) -> None:
        if not self.end_call(call_id):
            raise CommandError(f"no tool call {call_id!r} is running")

    def end_call(self, call_id: str) -> bool:
        """End all that goes on for a call, itself and what it asked the model; whether there was anything."""
        mine = [scope for scope in self._scopes if scope.what == "tool" and scope.call_id == call_id]
        for scope in mine:
            scope.end("cancel")
        return bool(mine)

    def _set_limit(self, command: SetLimit) -> None:
        value = command.value
        if value is not None and not (value.is_finite() and value >= 0):
            raise CommandError(f"{command.limit} cannot be {'negative' if value < 0 else value}")
        if value == 0 and command.limit in TIMEOUTS:
            raise CommandError(f"{command.limit} cannot be 0")
        self.requests.limits.append(command)
        self.limits_changed.set()

    def await_retry(self, kind: Literal["alone", "next_model"]) -> None:
        """From here on the wait for the next attempt may be skipped; next_model: there is another model to go to."""
        self.requests.skip, self.requests.retry_wait = None, kind

    def end_retry_wait(self) -> Literal["retry", "next_model"] | None:
        """The wait is over; returns how somebody ended it."""
        self.requests.retry_wait = "none"
        return self.requests.skip

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
