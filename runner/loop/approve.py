"""From a validated call to the arguments it may run with: policy first, then a person, and closed in every doubt."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from runner.config import Approver
from runner.control.approvals import OPTIONS, Answer, Pending
from runner.control.commands import Decide
from runner.errors import CommandError, ToolError
from runner.events import ApprovalRequested, ApprovalResolved, DecidedBy, ErrorInfo, ErrorOccurred
from runner.loop import texts
from runner.loop.core import EndRun, RunCore
from runner.loop.scope import outcome_of
from runner.messages import JsonObject
from runner.policy import call_facts, decide, grants_of
from runner.policy.base import CallFacts, Verdict
from runner.policy.uses import NO_USES, Uses, has_failed
from runner.state.items import CallItem
from runner.tools.base import Tool, ToolContext, ToolOutcome

_USES = "runner.loop.approve.uses"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A call in front of the policy. facts change where a person edits the arguments."""

    tool: Tool
    context: ToolContext
    facts: CallFacts


async def allowed_arguments(
    core: RunCore, context: ToolContext, tool: Tool, arguments: JsonObject
) -> tuple[ToolContext, JsonObject] | ToolOutcome:
    """The context and arguments to run with, or the outcome of a call that may not run. Raises EndRun for end_run."""
    case = _Case(tool=tool, context=context, facts=await asyncio.to_thread(call_facts, tool, context, arguments))
    verdict = _decide(core, case.facts)
    match verdict.effect:
        case "allow":
            if verdict.by in ("rule", "grant"):
                _record_verdict(core, case, verdict)
            if verdict.used:
                core.scratch[_USES] = _uses(core).used(context.call_id, verdict.used)
            return replace(context, allow_outside=case.facts.concern is not None), arguments
        case "deny":
            _record_verdict(core, case, verdict)
            return texts.denied(verdict.why)
        case "ask":
            return await _ask(core, case, verdict)


def _decide(core: RunCore, facts: CallFacts) -> Verdict:
    config = core.config
    return decide(
        facts,
        mode=config.approval_mode,
        rules=config.approval_policy,
        grants=core.grants,
        uses=_uses(core),
        now=core.clock.now(),
    )


def _uses(core: RunCore) -> Uses:
    """The ledger of this run's bounded grants, with the calls closed in it that have ended since."""
    uses: Uses = core.scratch.get(_USES, NO_USES)
    if uses.open:
        state = core.emitter.state
        for item in (*state.settled, *state.live):
            if isinstance(item, CallItem) and item.status is not None:
                uses = uses.ended(item.call_id, failed=has_failed(item.status, item.display))
    return uses


async def _ask(core: RunCore, case: _Case, verdict: Verdict) -> tuple[ToolContext, JsonObject] | ToolOutcome:
    tool, context, arguments = case.tool, case.context, case.facts.arguments
    preview: JsonObject = {"type": "arguments"}
    if tool.preview is not None:
        try:
            preview = await asyncio.to_thread(tool.preview, context, arguments)
        except (ToolError, OSError, ValueError) as error:
            return texts.failed(f"This call was not executed: {error}")
    answer, outside = await _wait_for_answer(core, case, verdict, preview)
    match answer.decision:
        case "allow" | "edit":
            return replace(context, allow_outside=outside), answer.arguments
        case "end_run":
            raise EndRun("approval_terminated")
        case "deny":
            if answer.by == "stop":
                return texts.stopped_before_start(core.inbox.requests.abort)
            return texts.denied(answer.reason or _denied_by(answer))


def _denied_by(answer: Answer) -> str:
    match answer.by:
        case "timeout":
            return "nobody answered in time"
        case "disconnect":
            return "nobody is there to approve it"
        case _:
            return "the user denied it"


async def _wait_for_answer(core: RunCore, case: _Case, verdict: Verdict, preview: JsonObject) -> tuple[Answer, bool]:
    """Ask, wait, record; the second value tells whether the allowed arguments leave the workspace."""
    tool, context, facts = case.tool, case.context, case.facts
    outside = [facts.concern is not None]

    def check_edit(edited: JsonObject) -> JsonObject:
        completed = tool.validate(edited)
        edited_facts = call_facts(tool, context, completed)
        again = _decide(core, edited_facts)
        if again.effect == "deny":
            raise CommandError(f"the edited call is denied: {again.why}")
        outside[0] = edited_facts.concern is not None
        return completed

    pending = Pending(
        request_id=core.ids.short_id("approval"),
        call_id=context.call_id,
        tool=tool.name,
        arguments=facts.arguments,
        check_edit=check_edit,
    )
    timeout = core.config.approval_timeout
    core.inbox.approvals.open(pending)
    asked = core.emitter.fact(
        ApprovalRequested(
            request_id=pending.request_id,
            call_id=context.call_id,
            tool=tool.name,
            arguments=facts.arguments,
            preview=preview,
            why=verdict.why,
            options=OPTIONS,
            expires_at=None if timeout is None else core.clock.now() + timedelta(seconds=timeout),
        )
    )
    assert isinstance(asked, ApprovalRequested)
    answer = Answer(decision="deny", by="stop", arguments=facts.arguments, reason="the run was cancelled")
    core.waiting += 1
    core.update_activity()
    try:
        answer = await _answer(core, pending, asked, timeout)
    finally:
        core.waiting -= 1
        core.inbox.approvals.close(pending.request_id)
        _record(core, pending, answer, asked.mono, verdict)
        core.update_activity()
    await _keep_grants(core, facts, answer)
    return answer, outside[0]


def _record_verdict(core: RunCore, case: _Case, verdict: Verdict) -> None:
    """A decision that nobody was asked for: a resolution without a request."""
    core.emitter.fact(
        ApprovalResolved(
            call_id=case.context.call_id,
            decision="deny" if verdict.effect == "deny" else "allow",
            by="grant" if verdict.by == "grant" else "rule",
            rule=verdict.rule,
            arguments=case.facts.arguments,
            reason=verdict.why,
        )
    )


def _record(core: RunCore, pending: Pending, answer: Answer, asked: float, verdict: Verdict) -> None:
    core.emitter.fact(
        ApprovalResolved(
            request_id=pending.request_id,
            call_id=pending.call_id,
            decision=answer.decision,
            by=answer.by,
            rule=verdict.rule,
            arguments=answer.arguments,
            scope=answer.scope,
            match=answer.match,
            reason=answer.reason,
            seconds=core.clock.mono() - asked,
        )
    )


async def _answer(core: RunCore, pending: Pending, asked: ApprovalRequested, timeout: float | None) -> Answer:
    """Fails closed: no approver, an approver's error, a timeout, a stop are all denials."""
    closed = core.inbox.closed_to_approvals
    if closed is None and core.limit_hit is not None:
        closed = "stop", "a limit of the run is reached"
    if closed is not None:
        return Answer(decision="deny", by=closed[0], arguments=pending.arguments, reason=closed[1])
    approver = core.config.approver
    waiting: set[asyncio.Future[Any]] = {pending.answer}
    if callable(approver):
        waiting.add(asyncio.ensure_future(_ask_program(core, approver, asked)))
    elif not core.approver_present:
        return Answer(decision="deny", by="disconnect", arguments=pending.arguments)
    try:
        await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for other in waiting - {pending.answer}:
            other.cancel()
    if pending.answer.done():
        return pending.answer.result()
    by: DecidedBy = "timeout" if timeout is not None and not callable(approver) else "disconnect"
    return Answer(decision="deny", by=by, arguments=pending.arguments)


async def _ask_program(core: RunCore, approver: Approver, asked: ApprovalRequested) -> None:
    """Ask the program's own approver. Returning without a usable answer makes the call denied, and is said."""
    result = await outcome_of(_call_approver(approver, asked))
    if isinstance(result, Exception):
        info = ErrorInfo(type=type(result).__name__, message=f"the approver failed: {result}", action="deny")
        core.emitter.fact(ErrorOccurred(error=info))
        return
    try:
        core.inbox.take(replace(result, request_id=asked.request_id))
    except CommandError as error:
        info = ErrorInfo(type="command", message=f"the approver's answer cannot be used: {error}", action="deny")
        core.emitter.fact(ErrorOccurred(error=info))


async def _call_approver(approver: Approver, asked: ApprovalRequested) -> Decide:
    made = approver(asked)
    answer = await made if isinstance(made, Awaitable) else made
    return answer if isinstance(answer, Decide) else Decide(request_id=asked.request_id, decision=answer)


async def _keep_grants(core: RunCore, facts: CallFacts, answer: Answer) -> None:
    """Remember a decision that was given for more than this call."""
    if answer.by != "user":
        return
    command = Decide(
        request_id="",
        decision=answer.decision,
        scope=answer.scope,
        match=answer.match,
        arguments=answer.arguments if answer.decision == "edit" else None,
    )
    for grant in grants_of(command, facts):
        core.grants.append(grant)
        if grant.scope in ("project", "user") and core.lasting_grants is not None:
            await asyncio.to_thread(core.lasting_grants.add, grant, core.workspace)
