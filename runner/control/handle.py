"""All that a front end may hold of a run: its events, its state, its result, and the way to send commands."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from decimal import Decimal
from typing import Literal, Protocol

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
from runner.errors import CommandError
from runner.events import Decision, Event, GrantMatch, RunFinished, Scope, ToolPattern
from runner.hub import Hub, Subscription
from runner.messages import JsonObject
from runner.result import RunResult
from runner.state import RunState


class LiveRun(Protocol):
    """The side of the loop that a handle talks to; every method is called on the run's event loop."""

    @property
    def state(self) -> RunState: ...

    def take(self, command: Command, message_id: str | None = None) -> None: ...

    def refuse(self, command: Command | str, error: CommandError) -> None: ...

    def approver_gone(self) -> None: ...


class RunHandle:
    """A live (or ended) run.

    Commands may be sent from any thread, at any moment; they return at once. On the run's own event loop a command
    that cannot be carried out raises CommandError; from another thread the refusal comes as an `error` event.
    """

    def __init__(
        self,
        *,
        run_id: str,
        session_id: str,
        hub: Hub,
        run: LiveRun,
        task: asyncio.Task[RunResult],
        new_id: Callable[[], str],
    ) -> None:
        self.run_id = run_id
        self.session_id = session_id
        self._hub = hub
        self._run = run
        self._task = task
        self._new_id = new_id
        self._loop = asyncio.get_running_loop()

    @property
    def state(self) -> RunState:
        """The fold of the facts so far: an immutable value, safe to read from any thread."""
        return self._run.state

    @property
    def done(self) -> bool:
        return self._task.done()

    def subscribe(self, from_seq: int = 0, notify: Callable[[], None] | None = None) -> Subscription:
        """A queue of events that any thread may drain; it starts with the facts since from_seq."""
        return self._hub.subscribe(from_seq, notify)

    def unsubscribe(self, subscription: Subscription) -> None:
        self._hub.unsubscribe(subscription)

    async def events(self, from_seq: int = 0) -> AsyncGenerator[Event, None]:
        """Every event since from_seq, until run_finished; a slow reader gets merged deltas, never fewer facts."""
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()

        def notify() -> None:
            # A reader whose loop is closed reads no more, and must not hold up the others.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(ready.set)

        subscription = self._hub.subscribe(from_seq, notify)
        try:
            while True:
                ready.clear()
                over = self._hub.finished.is_set()
                for event in subscription.drain():
                    yield event
                    if isinstance(event, RunFinished):
                        return
                if over:
                    # A reader that asked for what comes after the end has nothing to wait for.
                    return
                await ready.wait()
        finally:
            self._hub.unsubscribe(subscription)

    async def result(self) -> RunResult:
        """Wait for the end; cancelling the wait leaves the run alone.

        With on_error="raise" a failed run raises its typed exception.
        """
        if asyncio.get_running_loop() is self._loop:
            return await asyncio.shield(self._task)
        future = asyncio.run_coroutine_threadsafe(self.result(), self._loop)
        return await asyncio.wrap_future(future)

    def stop(self, by: str = "user") -> None:
        """End after the current step: a streaming response may finish, running tools may finish, nothing new starts."""
        self.command(Stop(by=by))

    def abort(self, by: str = "user") -> None:
        """End now: connections closed, processes ended, what was produced is kept."""
        self.command(Abort(by=by))

    def pause(self, by: str = "user") -> None:
        """Wait at the next boundary until resume."""
        self.command(Pause(by=by))

    def resume(self, by: str = "user") -> None:
        self.command(Resume(by=by))

    def send(self, text: str, *, now: bool = False) -> str:
        """Queue a message for the next turn; returns its id. now: interrupt what goes on and deliver all that wait."""
        message_id = self._new_id()
        self._dispatch(Send(text=text, now=now), message_id)
        return message_id

    def edit_message(self, message_id: str, text: str) -> None:
        """Change a message that waits for delivery."""
        self.command(EditMessage(message_id=message_id, text=text))

    def delete_message(self, message_id: str) -> None:
        self.command(DeleteMessage(message_id=message_id))

    def move_message(self, message_id: str, position: int) -> None:
        """Give a waiting message another place, from 0."""
        self.command(MoveMessage(message_id=message_id, position=position))

    def deliver_now(self, by: str = "user") -> None:
        """Interrupt the open request or the running tools, and deliver the waiting messages at once."""
        self.command(DeliverNow(by=by))

    def retry_now(self, by: str = "user") -> None:
        """Skip the wait before the next attempt."""
        self.command(RetryNow(by=by))

    def next_model(self, by: str = "user") -> None:
        """Use the next fallback model instead of waiting for another attempt."""
        self.command(NextModel(by=by))

    def wrap_up(self, by: str = "user") -> None:
        """One last answer without tools, then the end."""
        self.command(WrapUp(by=by))

    def compact(self, by: str = "user") -> None:
        """Summarise the older part of the history before the next request."""
        self.command(Compact(by=by))

    def set_model(
        self,
        model: str = "",
        *,
        now: bool = False,
        effort: str | None = None,
        temperature: float | Literal["default"] | None = None,
    ) -> None:
        """Use another model, effort or temperature from the next request on; now: give up the request that is open.

        What is not given stays; "default" leaves it to the agent's own settings.
        """
        self.command(SetModel(model=model, now=now, effort=effort, temperature=temperature))

    def decide(
        self,
        request_id: str,
        decision: Decision,
        *,
        scope: Scope = "call",
        reason: str = "",
        arguments: JsonObject | None = None,
        match: GrantMatch | None = None,
        patterns: Sequence[ToolPattern] = (),
        calls: int | None = None,
        minutes: float | None = None,
        until_failure: bool = False,
        spend_usd: Decimal | int | float | None = None,
    ) -> None:
        """Answer an approval_requested, a question too (decision "answer"). The rest: see commands.Decide."""
        self.command(
            Decide(
                request_id=request_id,
                decision=decision,
                scope=scope,
                reason=reason,
                arguments=arguments,
                match=match,
                patterns=tuple(patterns),
                calls=calls,
                minutes=minutes,
                until_failure=until_failure,
                spend_usd=None if spend_usd is None else Decimal(str(spend_usd)),
            )
        )

    def revoke(self, key: str = "", by: str = "user") -> None:
        """Take back a grant by its key (policy.uses.grant_key), from its file too; "": every one that this run has."""
        self.command(Revoke(key=key, by=by))

    def cancel_tool(self, call_id: str) -> None:
        """End one running tool; the run goes on, and the model is told."""
        self.command(CancelTool(call_id=call_id))

    def person_command(self, command: str, *, share: bool = False) -> None:
        """Run a shell command of the person's own; share: the model is told of it."""
        self.command(PersonCommand(command=command, share=share))

    def end_person_command(self, command_id: str) -> None:
        self.command(EndPersonCommand(command_id=command_id))

    def set_limit(self, limit: LimitName, value: Decimal | int | float | None) -> None:
        """Change a limit of the run from its next check on; None takes it away."""
        exact = None if value is None else Decimal(str(value))
        self.command(SetLimit(limit=limit, value=exact))

    def approver_gone(self) -> None:
        """Nobody answers approvals any more: what waits is denied, and so is what would ask from now on."""
        self._call(self._run.approver_gone)

    def report(self, what: str, reason: str) -> None:
        """Record an `error` event about something that could not even be read as a command; changes nothing."""
        self._call(lambda: self._run.refuse(what, CommandError(reason)))

    def command(self, command: Command) -> None:
        self._dispatch(command, None)

    def _dispatch(self, command: Command, message_id: str | None) -> None:
        if self._on_loop():
            self._run.take(command, message_id)
            return

        def later() -> None:
            try:
                self._run.take(command, message_id)
            except CommandError as error:
                self._run.refuse(command, error)

        self._call(later)

    def _call(self, function: Callable[[], None]) -> None:
        if self._on_loop():
            function()
            return
        if self._loop.is_closed():
            raise CommandError("the run has ended")
        self._loop.call_soon_threadsafe(function)

    def _on_loop(self) -> bool:
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False
