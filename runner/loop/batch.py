"""The tool calls of one response. Each gets exactly one result, by construction: one function makes it, whatever
happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace

from runner.control.inbox import MESSAGE_INSTEAD, WRAPPING_UP
from runner.errors import ToolInputError
from runner.events import ErrorInfo, ErrorOccurred, ModelResponded, ToolFinished, ToolProposed, ToolStarted
from runner.loop import texts
from runner.loop.approve import Allowed, allowed_call, is_still_allowed
from runner.loop.core import EndRun, RunCore
from runner.loop.gate import pass_tool_gate
from runner.loop.host import Host
from runner.loop.keeping import kept_files, settle
from runner.loop.report import CallReporter
from runner.loop.scope import UNWIND_SECONDS, outcome_of, run_scope
from runner.loop.spending import call_hit
from runner.messages import JsonObject, ToolCall
from runner.tools.base import Tool, ToolContext, ToolOutcome
from runner.tools.deadline import Deadline
from runner.tools.execute import aborted_outcome, execute
from runner.tools.touched import Touched, files_touched


class Batch:
    """One response's calls while they are decided and run."""

    def __init__(self, core: RunCore, response: ModelResponded) -> None:
        self._core = core
        self._response = response
        self._tools = core.offered
        self._slots = asyncio.Semaphore(core.config.tool_concurrency)
        self.end: EndRun | None = None
        self.outcomes: list[ToolOutcome] = []
        self._touched: dict[str, Touched] = {}

    async def run(self) -> None:
        """Propose all, then decide and run them, side by side between serial ones."""
        prepared = [self._propose(call) for call in self._response.tool_calls]
        for group in _groups(prepared):
            await self._run_group(group)
        await settle(self._core, [each.call.call_id for each in prepared if each.tool and not each.tool.read_only])

    async def _run_group(self, group: Sequence[_Prepared]) -> None:
        await asyncio.gather(*(self._finish(prepared) for prepared in group))

    def _propose(self, call: ToolCall) -> _Prepared:
        """Check the call and announce it; an outcome that is known already keeps it from being run."""
        core = self._core
        tool = self._tools.get(call.tool)
        arguments: JsonObject | None = None
        outcome: ToolOutcome | None = None
        if self._response.finish_reason == "length" and call is self._response.tool_calls[-1]:
            outcome = texts.cut_call()
        elif tool is None:
            outcome = texts.unknown_tool(call.tool, list(self._tools))
        elif call.arguments is None:
            outcome = texts.invalid("its arguments are not a JSON object.")
        else:
            try:
                arguments = tool.validate(call.arguments)
            except ToolInputError as error:
                outcome = texts.invalid(str(error))
        shown = call.arguments if call.arguments is not None else call.arguments_json
        core.emitter.fact(ToolProposed(call_id=call.call_id, tool=call.tool, arguments=shown, valid=outcome is None))
        return _Prepared(call, tool, arguments or {}, outcome)

    async def _finish(self, prepared: _Prepared) -> None:
        """The call's one end. A foreign cancellation is recorded as an interruption and propagates."""
        core = self._core
        call, reporter = prepared.call, CallReporter(core, prepared.call)
        outcome = prepared.outcome
        try:
            if outcome is None and prepared.tool is not None:
                result = await outcome_of(self._decide_and_run(prepared, prepared.tool, reporter))
                outcome = self._broken(result) if isinstance(result, Exception) else result
        except asyncio.CancelledError:
            read_only = prepared.tool is not None and prepared.tool.read_only
            started = reporter.started_mono is not None
            self._record(
                call,
                reporter,
                texts.interrupted(read_only=read_only) if started else texts.stopped_before_start(True),
                None,
            )
            raise
        assert outcome is not None, "a call without a tool has an outcome from the start"
        artifact = await self._keep(call, outcome)
        self._record(call, reporter, outcome, artifact)

    def _broken(self, error: Exception) -> ToolOutcome:
        """The store, a policy or a preview failed: the call did not run to its end, and the run ends (section 7)."""
        info = ErrorInfo(type=type(error).__name__, message=str(error), action="abort")
        self._core.emitter.fact(ErrorOccurred(error=info, fatal=True))
        self.end = self.end or EndRun("error", info)
        return texts.failed(f"This call failed inside the runner ({info.type}: {info.message}).")

    async def _keep(self, call: ToolCall, outcome: ToolOutcome) -> str | None:
        archive = self._core.archive
        if not outcome.truncated or outcome.full_output is None or archive is None:
            return None
        run_id = self._core.emitter.state.run_id
        return await asyncio.to_thread(archive.put_artifact, run_id, call.call_id, outcome.full_output)

    def _record(self, call: ToolCall, reporter: CallReporter, outcome: ToolOutcome, artifact: str | None) -> None:
        core = self._core
        reporter.close()
        if (close := core.closers.pop(call.call_id, None)) is not None:
            close()
        self.outcomes.append(outcome)
        if outcome.status in ("interrupted", "cancelled"):
            touched = self._touched.get(call.call_id, Touched())
            core.receipt.tools.append(
                {
                    "call_id": call.call_id,
                    "tool": call.tool,
                    "side_effects": outcome.side_effects,
                    "files": list(touched.files),
                    "files_complete": touched.complete,
                }
            )
        finished = core.emitter.fact(
            ToolFinished(
                call_id=call.call_id,
                tool=call.tool,
                status=outcome.status,
                output=outcome.output,
                display=outcome.display,
                seconds=reporter.seconds,
                truncated=outcome.truncated,
                artifact=artifact,
                side_effects=outcome.side_effects,
            )
        )
        core.uses = core.uses.take(finished)

    async def _decide_and_run(self, prepared: _Prepared, tool: Tool, reporter: CallReporter) -> ToolOutcome:
        core = self._core
        early = self._held_back()
        if early is not None:
            return early
        context = ToolContext(
            run_id=core.emitter.state.run_id,
            call_id=prepared.call.call_id,
            agent=core.agent.name,
            workspace=core.workspace,
            reporter=reporter,
            scratch=core.scratch,
            context=core.config.context,
            abort_grace=core.config.abort_grace,
            session_id=core.emitter.state.session_id,
            turn=core.emitter.turn,
            keeper=core.keeper,
            sandbox=core.config.sandbox,
            background=core.background,
            hidden_env=tuple(core.config.hidden_env),
            pass_env=tuple(core.config.pass_env),
        )
        while True:
            try:
                decided = await allowed_call(core, context, tool, prepared.arguments)
            except EndRun as end:
                self._end_run(end)
                return texts.skipped("the user ended the run")
            if isinstance(decided, ToolOutcome):
                return decided
            async with self._slots:
                if not await pass_tool_gate(core, lambda: call_hit(core), lambda: self._held_back() is not None):
                    return self._held_back() or texts.skipped("the limit of tool calls is reached")
                if not is_still_allowed(core, decided):
                    continue
                core.calls_started += 1
                outcome = await self._execute(tool, decided, reporter)
            return outcome if decided.arguments == prepared.arguments else texts.edited(outcome, decided.arguments)

    def _end_run(self, end: EndRun) -> None:
        """A person ended the run in place of a decision: nothing is asked and nothing starts any more."""
        self.end = self.end or end
        self._core.ended = True
        self._core.inbox.approvals.deny_all("stop", "the user ended the run")

    def _held_back(self) -> ToolOutcome | None:
        """Why nothing new may start now, as the call's outcome."""
        core = self._core
        requests = core.inbox.requests
        if requests.abort:
            return texts.stopped_before_start(True)
        if requests.stop and core.config.stop_policy == "step":
            return texts.stopped_before_start(False)
        if core.limit_hit is not None:
            limit = core.limit_hit.limit
            what = "the limit of tool calls" if limit == "max_tool_calls" else "a limit of the run"
            return texts.skipped(f"{what} is reached")
        if requests.interrupt:
            return texts.skipped(MESSAGE_INSTEAD)
        if requests.wrap_up or core.wrapping:
            return texts.skipped(WRAPPING_UP)
        if self.end is not None:
            return texts.skipped("the user ended the run")
        return None

    async def _execute(self, tool: Tool, allowed: Allowed, reporter: CallReporter) -> ToolOutcome:
        core, arguments = self._core, allowed.arguments
        deadline = Deadline()
        host = Host(core, call_id=allowed.context.call_id, tool=tool, deadline=deadline, end=self._end_run)
        context = replace(allowed.context, host=host)
        core.running_tools += 1
        core.update_activity()
        try:
            core.emitter.fact(ToolStarted(call_id=context.call_id, tool=tool.name))
            await core.emitter.durable()
            limit = None if tool.unlimited else core.config.tool_timeout
            async with kept_files(core, tool, context):
                reporter.start()
                result = await run_scope(
                    core.inbox,
                    execute(
                        tool,
                        context,
                        arguments,
                        timeout=tool.timeout if tool.timeout is not None else limit,
                        max_output=core.config.max_tool_output,
                        deadline=deadline,
                    ),
                    what="tool",
                    call_id=context.call_id,
                    unwind=core.config.abort_grace + UNWIND_SECONDS,
                )
        finally:
            host.close()
            core.running_tools -= 1
            core.update_activity()
        if isinstance(result, ToolOutcome) and result.status != "timeout":
            return result
        if isinstance(result, Exception):
            raise result
        touched = await asyncio.to_thread(files_touched, tool, context, arguments, reporter.started_at)
        self._touched[context.call_id] = touched
        if isinstance(result, ToolOutcome):
            return texts.with_files(result, touched.files)
        what = texts.INTERRUPTED[result]
        outcome = aborted_outcome(
            tool, context, what=what, by_person=result == "cancel", max_output=core.config.max_tool_output
        )
        return texts.with_files(outcome, touched.files)


class _Prepared:
    """A proposed call: its tool and validated arguments, or the outcome it has without running."""

    __slots__ = ("arguments", "call", "outcome", "tool")

    def __init__(self, call: ToolCall, tool: Tool | None, arguments: JsonObject, outcome: ToolOutcome | None) -> None:
        self.call = call
        self.tool = tool
        self.arguments = arguments
        self.outcome = outcome


def _groups(prepared: Sequence[_Prepared]) -> Iterator[list[_Prepared]]:
    """Calls that may run side by side; a serial one stands alone."""
    group: list[_Prepared] = []
    for item in prepared:
        if item.tool is not None and item.tool.serial:
            if group:
                yield group
            yield [item]
            group = []
        else:
            group.append(item)
    if group:
        yield group
