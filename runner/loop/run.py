"""THE loop: turns of one response and its tool calls, until the run ends. Every front end drives this one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from runner.control.commands import Command, EndPersonCommand, PersonCommand, Revoke, SetLimit, SetModel
from runner.errors import RUN_ERRORS, CommandError, RunError, StoreError
from runner.events import (
    AgentFinished,
    AgentStarted,
    ErrorInfo,
    ErrorOccurred,
    MessageDelivered,
    ModelResponded,
    RunFinished,
    RunStarted,
    StatusChanged,
    TurnFinished,
    TurnStarted,
)
from runner.loop import texts
from runner.loop.attempts import deliver_messages, respond
from runner.loop.batch import Batch
from runner.loop.core import EndRun, RunCore
from runner.loop.gate import begin_wrap_up, end_if_stopping, pass_gate
from runner.loop.granting import grants_kept, revoke
from runner.loop.leaving import end_processes
from runner.loop.person import PersonCommands
from runner.loop.results import make_result, receipt_of
from runner.loop.scope import outcome_of
from runner.loop.spending import apply_limits, turn_hit, watch_time
from runner.loop.switching import check_switch, settings_of
from runner.messages import JsonObject, Message
from runner.result import RunResult
from runner.state import RunState, status_of

FAILURES = frozenset({"error", "timeout", "invalid"})


class RunLoop:
    """One run: `announce`, then `execute`, once each; the other methods at any time, on the same event loop."""

    def __init__(self, core: RunCore, messages: tuple[Message, ...]) -> None:
        self._core = core
        self._messages = messages
        self._output: list[str] = []
        self._failed_turns = 0
        self._person = PersonCommands(core)

    @property
    def state(self) -> RunState:
        return self._core.emitter.state

    def take(self, command: Command, message_id: str | None = None) -> None:
        before = self.state.status
        if isinstance(command, SetModel) and not self._core.inbox.finished:
            check_switch(self._core, command)
        self._core.inbox.take(command, message_id)
        if isinstance(command, SetLimit):
            apply_limits(self._core)
        if isinstance(command, Revoke):
            revoke(self._core, command)
        if isinstance(command, PersonCommand | EndPersonCommand):
            self._person.take(command)
        if self._core.inbox.requests.stop:
            self._person.end_all()
        if self.state.status == "stopping" != before:
            detail = "abort" if self._core.inbox.requests.abort else "stop"
            self._core.emitter.fact(StatusChanged(old=before, new="stopping", detail=detail))

    def refuse(self, command: Command | str, error: CommandError) -> None:
        """A command from another thread could not be carried out, or not even read: nothing changes, and it is said."""
        if self._core.inbox.finished:
            return
        name = command if isinstance(command, str) else type(command).__name__
        info = ErrorInfo(type="command", message=f"{name}: {error}", action="none")
        self._core.emitter.fact(ErrorOccurred(error=info))

    def approver_gone(self) -> None:
        core = self._core
        core.approver_present = core.attended = False
        core.inbox.approvals.deny_all("disconnect", "the person who approves is gone")
        core.inbox.limits_changed.set()
        core.inbox.wake.set()

    async def execute(self, recall: Callable[[], Awaitable[None]]) -> RunResult:
        """Run to the end. recall loads what the session already holds. A cancellation from outside is recorded, then
        propagates."""
        core = self._core
        watcher = asyncio.ensure_future(watch_time(core))
        try:
            ended = await outcome_of(self._turns(recall))
            ended = await self._after_commands(ended)
        except asyncio.CancelledError:
            self._person.abandon()
            self._finish(EndRun("aborted"))
            await asyncio.shield(asyncio.gather(self._saved(), grants_kept(core), end_processes(core, aborted=True)))
            raise
        finally:
            watcher.cancel()
        await grants_kept(core)
        end = ended if isinstance(ended, EndRun) else self._failure(ended)
        await end_processes(core, aborted=end.reason == "aborted")
        self._finish(end)
        problem = await self._saved()
        result = make_result(core, problem)
        if core.config.on_error == "raise" and result.status == "failed":
            message = result.error.message if result.error is not None else result.reason
            raise RUN_ERRORS.get(result.reason, RunError)(message, result)
        return result

    def announce(self) -> None:
        """The first facts; called before any command can arrive."""
        core = self._core
        config: JsonObject = core.config.as_json()
        config["tools"] = [tool.name for tool in core.agent.tools]
        settings = settings_of(core)
        config |= {"effort": settings.reasoning_effort, "temperature": settings.temperature}
        core.emitter.fact(
            RunStarted(
                input=self._messages,
                model=core.model.info.name,
                config=config,
                workspace=str(core.workspace),
            )
        )
        core.emitter.fact(AgentStarted())

    async def _turns(self, recall: Callable[[], Awaitable[None]]) -> EndRun:
        """All turns; returns how the run ended. Anything it raises besides EndRun is a failure of ours."""
        core = self._core
        await recall()
        if not self._messages and await self._only_commands():
            return EndRun("complete")
        await asyncio.gather(*(toolset.prepare() for toolset in core.agent.toolsets))
        try:
            while True:
                await self._boundary()
                response = await self._turn()
                end_if_stopping(core)
                if response is None:
                    continue
                if core.wrapping:
                    return EndRun(core.wrap_reason)
                if self._complete(response) and await self._only_commands():
                    return EndRun("complete")
        except EndRun as end:
            return end

    async def _only_commands(self) -> bool:
        """Nothing is left but commands of the person's: wait for them. False where a message of theirs came first."""
        core = self._core
        core.timer.set_active(False)
        await self._person.quiet()
        core.update_timer()
        end_if_stopping(core)
        if core.inbox.requests.messages:
            self._output.clear()
        return not core.inbox.requests.messages

    async def _after_commands(self, ended: EndRun | Exception) -> EndRun | Exception:
        """The run is over, but commands of the person's may still run; a stop of theirs ends these too."""
        core = self._core
        core.timer.set_active(False)
        await self._person.close()
        requests = core.inbox.requests
        if requests.stop and isinstance(ended, EndRun) and ended.reason in ("complete", "stopped"):
            return EndRun("aborted" if requests.abort else "stopped")
        return ended

    async def _boundary(self) -> None:
        """Between two turns: stop, pause, deliver messages, check limits."""
        core = self._core
        await pass_gate(core, lambda: None)
        deliver_messages(core)
        if core.inbox.requests.wrap_up:
            begin_wrap_up(core)
        await pass_gate(core, lambda: turn_hit(core))
        # What was sent while the run asked about a limit belongs to the turn that it let start.
        deliver_messages(core)

    async def _turn(self) -> ModelResponded | None:
        """One response and its tool calls; None where a message of the user interrupted the response."""
        core = self._core
        core.emitter.turn += 1
        core.emitter.attempt = 0
        usage = self.state.usage
        started = core.clock.mono()
        batch: Batch | None = None
        core.emitter.fact(TurnStarted(model=core.model.info.name))
        try:
            response = await respond(core)
            if response is None:
                return None
            if response.text:
                self._output.append(response.text)
            if response.finish_reason == "content_filter":
                raise EndRun("refused")
            if response.tool_calls:
                batch = Batch(core, response)
                await batch.run()
        finally:
            spent = self.state.usage
            core.emitter.fact(
                TurnFinished(
                    tool_calls=len(batch.outcomes) if batch is not None else 0,
                    usage=replace(
                        spent,
                        input=spent.input - usage.input,
                        cached_input=spent.cached_input - usage.cached_input,
                        cache_write=spent.cache_write - usage.cache_write,
                        output=spent.output - usage.output,
                        reasoning=spent.reasoning - usage.reasoning,
                    ),
                    seconds=core.clock.mono() - started,
                )
            )
        if batch is not None:
            self._after_tools(batch)
        return response

    def _after_tools(self, batch: Batch) -> None:
        """Whether what the tools came to ends the run."""
        config = self._core.config
        if batch.end is not None:
            raise batch.end
        statuses = [outcome.status for outcome in batch.outcomes]
        if config.stop_on_tool_error and any(status in FAILURES for status in statuses):
            raise self._tool_errors("a tool failed, and the run is set to end then")
        failed = all(status in FAILURES for status in statuses)
        self._failed_turns = self._failed_turns + 1 if failed else 0
        if self._failed_turns >= config.max_consecutive_errors:
            raise self._tool_errors(f"every tool call of {self._failed_turns} turns in a row failed")

    def _tool_errors(self, message: str) -> EndRun:
        info = ErrorInfo(type="tool_errors", message=message, action="abort")
        self._core.emitter.fact(ErrorOccurred(error=info, fatal=True))
        return EndRun("error", info)

    def _complete(self, response: ModelResponded) -> bool:
        """Whether the answer is the last one; a cut answer is continued, and a waiting message gets its turn."""
        if response.tool_calls:
            self._output.clear()
            return False
        if response.finish_reason == "length":
            message_id = self._core.ids.short_id("continue")
            self._core.emitter.fact(MessageDelivered(message_id=message_id, text=texts.CONTINUE, by="runner"))
            return False
        if self._core.inbox.requests.messages:
            self._output.clear()
            return False
        return True

    def _failure(self, error: Exception) -> EndRun:
        """A bug, in here or in a function that the program gave us: the run ends, never retried, and says what."""
        info = ErrorInfo(type=type(error).__name__, message=str(error), action="abort")
        self._core.emitter.fact(ErrorOccurred(error=info, fatal=True))
        return EndRun("error", info)

    def _finish(self, end: EndRun) -> None:
        core = self._core
        state = self.state
        core.timer.set_active(False)
        core.inbox.finished = True
        core.inbox.approvals.deny_all("stop", "the run has ended")
        self._person.tell()
        output = self._final_output()
        status = status_of(end.reason)
        core.emitter.fact(AgentFinished(output=output))
        core.emitter.fact(StatusChanged(old=state.status, new=status, detail=end.reason))
        core.emitter.fact(
            RunFinished(
                status=status,
                reason=end.reason,
                output=output,
                usage=state.usage,
                cost_usd=state.cost.total,
                turns=state.turns_accepted,
                seconds=core.timer.wall,
                active_seconds=core.timer.active,
                receipt=receipt_of(core) if end.reason == "aborted" else None,
            )
        )

    def _final_output(self) -> str:
        if self._output:
            return "".join(self._output)
        for message in reversed(self.state.history):
            if message.role == "assistant" and message.text:
                return message.text
        return ""

    async def _saved(self) -> StoreError | None:
        """Wait until the end is stored; a store that cannot is told in the result, which is not lost with it."""
        try:
            await self._core.emitter.durable()
        except StoreError as error:
            return error
        return None
