"""Asking a person, about a call or on behalf of one: one request, one answer, closed in every doubt."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from runner.config import Approver
from runner.control.approvals import Answer, Pending
from runner.control.commands import Decide
from runner.errors import CommandError
from runner.events import ApprovalRequested, ApprovalResolved, DecidedBy, Decision, ErrorInfo, ErrorOccurred
from runner.loop.core import RunCore
from runner.loop.granting import record
from runner.loop.scope import outcome_of
from runner.messages import JsonObject


async def ask(
    core: RunCore,
    request: ApprovalRequested,
    *,
    options: tuple[Decision, ...],
    unanswered: JsonObject,
    resolve: Callable[[Decide], Answer],
    resolved: Callable[[Answer], ApprovalResolved],
    rule: str = "",
) -> Answer:
    """Emit the request and wait for its answer. resolved: the fact that records an answer, but for what is common."""
    asked_mono = core.clock.mono()

    def write(answer: Answer) -> None:
        made = resolved(answer)
        record(
            core,
            replace(
                made,
                request_id=request_id,
                call_id=request.call_id,
                tool=request.tool,
                decision=answer.decision,
                by=answer.by,
                rule=rule,
                arguments=answer.arguments,
                reason=answer.reason,
                seconds=core.clock.mono() - asked_mono,
            ),
        )

    request_id = core.ids.short_id("approval")
    pending = Pending(
        request_id=request_id,
        call_id=request.call_id,
        unanswered=unanswered,
        options=options,
        resolve=resolve,
        record=write,
    )
    timeout = core.config.approval_timeout
    expires = None if timeout is None else core.clock.now() + timedelta(seconds=timeout)
    core.inbox.approvals.open(pending)
    asked = core.emitter.fact(replace(request, request_id=request_id, options=options, expires_at=expires))
    assert isinstance(asked, ApprovalRequested)
    asked_mono = asked.mono
    core.waiting += 1
    core.update_activity()
    try:
        await _answered(core, pending, asked, timeout)
    finally:
        core.waiting -= 1
        core.inbox.approvals.deny(pending, "stop", "the run was cancelled")
        core.update_activity()
    return pending.answer.result()


async def _answered(core: RunCore, pending: Pending, asked: ApprovalRequested, timeout: float | None) -> None:
    """Return once the request is resolved. Fails closed: no approver, an approver's error, a timeout, a stop are all
    denials."""
    approvals = core.inbox.approvals
    closed = core.inbox.closed_to_approvals
    if closed is None and core.ended:
        closed = "stop", "the user ended the run"
    if closed is None and core.limit_hit is not None:
        closed = "stop", "a limit of the run is reached"
    if closed is not None:
        approvals.deny(pending, *closed)
        return
    approver = core.config.approver
    waiting: set[asyncio.Future[Any]] = {pending.answer}
    if callable(approver):
        waiting.add(asyncio.ensure_future(_ask_program(core, approver, asked)))
    elif not core.approver_present:
        approvals.deny(pending, "disconnect")
        return
    try:
        await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for other in waiting - {pending.answer}:
            other.cancel()
    by: DecidedBy = "timeout" if timeout is not None and not callable(approver) else "disconnect"
    approvals.deny(pending, by)


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
