"""From a validated call to the arguments it may run with: policy first, then a person, and closed in every doubt."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from runner.control.approvals import OPTIONS, Answer
from runner.control.commands import Decide
from runner.errors import CommandError, ToolError, ToolInputError
from runner.events import ApprovalRequested, ApprovalResolved, ErrorInfo, ErrorOccurred, Risk, Suggested
from runner.loop import texts
from runner.loop.asking import ask
from runner.loop.core import EndRun, RunCore
from runner.loop.granting import record, verdict_on
from runner.loop.scope import outcome_of
from runner.loop.terms import terms_of
from runner.messages import JsonObject
from runner.policy import call_facts
from runner.policy.base import CallFacts, Verdict
from runner.policy.risk import risk_of
from runner.policy.suggestions import proven
from runner.policy.uses import grant_key
from runner.tools.base import Tool, ToolContext, ToolOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What may run: a call with these arguments. keys: of the grants that allowed it; changes: RunCore.grant_changes
    at that moment.
    """

    context: ToolContext
    facts: CallFacts
    keys: tuple[str, ...] = ()
    changes: int = 0

    @property
    def arguments(self) -> JsonObject:
        return self.facts.arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A call in front of the policy."""

    tool: Tool
    context: ToolContext
    facts: CallFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What a person sees of a call before it runs."""

    preview: JsonObject
    risk: Risk
    risks: tuple[str, ...]
    suggestions: tuple[Suggested, ...]


async def allowed_call(core: RunCore, context: ToolContext, tool: Tool, arguments: JsonObject) -> Allowed | ToolOutcome:
    """What may run, or the outcome of a call that may not. Raises EndRun for end_run."""
    case = _Case(tool=tool, context=context, facts=await asyncio.to_thread(call_facts, tool, context, arguments))
    verdict = verdict_on(core, case.facts)
    match verdict.effect:
        case "allow":
            if verdict.by in ("rule", "grant") or (verdict.by == "mode" and not case.facts.read_only):
                _record_verdict(core, case, verdict)
            keys = verdict.used if verdict.by == "grant" else ()
            return _allowed(core, case, case.facts, keys)
        case "deny":
            _record_verdict(core, case, verdict)
            return texts.denied(verdict.why)
        case "ask":
            return await _ask(core, case, verdict)


def is_still_allowed(core: RunCore, allowed: Allowed) -> bool:
    """Whether what allowed a call still does when it is about to start: a person may have revoked the grant meanwhile,
    or denied such calls, and time may have run out."""
    if core.grant_changes != allowed.changes and verdict_on(core, allowed.facts).effect == "deny":
        return False
    now = core.clock.now()
    live = {
        grant_key(grant)
        for grant in (core.grants if allowed.keys else ())
        if grant.bound.until is None or now < grant.bound.until
    }
    return live.issuperset(allowed.keys)


def _allowed(core: RunCore, case: _Case, facts: CallFacts, keys: tuple[str, ...] = ()) -> Allowed:
    context = replace(case.context, allow_outside=facts.concern is not None)
    return Allowed(context=context, facts=facts, keys=keys, changes=core.grant_changes)


def _record_verdict(core: RunCore, case: _Case, verdict: Verdict) -> None:
    """A decision that nobody was asked for: a resolution without a request."""
    facts = case.facts
    record(
        core,
        ApprovalResolved(
            call_id=case.context.call_id,
            decision="deny" if verdict.effect == "deny" else "allow",
            by="grant" if verdict.by == "grant" else "rule",
            rule=verdict.rule,
            arguments=facts.arguments,
            reason=verdict.why,
            tool=facts.tool,
            proposed=facts.arguments,
            identity=facts.identity,
            grants=verdict.used if verdict.by == "grant" else (),
        ),
    )


async def _ask(core: RunCore, case: _Case, verdict: Verdict) -> Allowed | ToolOutcome:
    try:
        shown = await asyncio.to_thread(_look, core, case)
    except (ToolError, OSError, ValueError) as error:
        return texts.failed(f"This call was not executed: {error}")
    answer, allowed = await _answer_of_person(core, case, verdict, shown)
    match answer.decision:
        case "allow" | "edit":
            await _tell_tool(core, case.tool)
            return allowed
        case "end_run":
            raise EndRun("approval_terminated")
        case "deny" | "answer":
            if answer.by == "stop":
                return texts.stopped_before_start(core.inbox.requests.abort)
            return texts.denied(answer.reason or denied_by(answer))


def denied_by(answer: Answer) -> str:
    match answer.by:
        case "timeout":
            return "nobody answered in time"
        case "disconnect":
            return "nobody is there to approve it"
        case _:
            return "the user denied it"


def _look(core: RunCore, case: _Case) -> _Shown:
    """Called in a thread: it may look at files."""
    tool, context, facts = case.tool, case.context, case.facts
    preview: JsonObject = {"type": "arguments"}
    if tool.preview is not None:
        preview = tool.preview(context, facts.arguments)
    said: tuple[str, ...] = ()
    if tool.risks is not None:
        try:
            said = tool.risks(context, facts.arguments)
        except (ToolError, OSError, ValueError, TypeError, LookupError, AttributeError) as error:
            said = (f"what it risks cannot be told ({type(error).__name__})",)
    risk, risks = risk_of(facts, said)
    suggestions = proven(facts, lambda grants: verdict_on(core, facts, grants))
    return _Shown(preview=preview, risk=risk, risks=risks, suggestions=suggestions)


async def _answer_of_person(core: RunCore, case: _Case, verdict: Verdict, shown: _Shown) -> tuple[Answer, Allowed]:
    """Ask, wait; the second value is the call that the answer is about, which an edit changes."""
    facts = case.facts
    decided = _allowed(core, case, facts)

    def resolve(command: Decide) -> Answer:
        nonlocal decided
        about = _edited(core, case, command)
        if command.decision in ("allow", "edit") and (again := verdict_on(core, about)).effect == "deny":
            raise CommandError(f"the {'edited ' if command.decision == 'edit' else ''}call is denied: {again.why}")
        terms = terms_of(core, command, about)
        # As it is at this moment: what the person says next, before the call wakes up, counts for it already.
        decided = _allowed(core, case, about)
        return Answer(
            decision=command.decision,
            by="user",
            arguments=about.arguments,
            scope=command.scope,
            match=terms.match,
            reason=command.reason,
            patterns=terms.patterns,
            bound=terms.bound,
        )

    def resolved(answer: Answer) -> ApprovalResolved:
        return ApprovalResolved(
            proposed=facts.arguments,
            scope=answer.scope,
            match=answer.match,
            patterns=answer.patterns,
            bound=answer.bound,
            identity=facts.identity,
        )

    request = ApprovalRequested(
        call_id=case.context.call_id,
        tool=case.tool.name,
        arguments=facts.arguments,
        preview=shown.preview,
        why=verdict.why,
        risk=shown.risk,
        risks=shown.risks,
        suggestions=shown.suggestions,
    )
    answer = await ask(
        core,
        request,
        options=OPTIONS,
        unanswered=facts.arguments,
        resolve=resolve,
        resolved=resolved,
        rule=verdict.rule,
    )
    return answer, decided


def _edited(core: RunCore, case: _Case, command: Decide) -> CallFacts:
    """The call that a decision is about. Raises ToolInputError or CommandError where its arguments cannot be used."""
    if (command.arguments is not None) != (command.decision == "edit"):
        raise CommandError('arguments belong to "edit", and "edit" needs them')
    if command.arguments is None:
        return case.facts
    try:
        completed = case.tool.validate(command.arguments)
    except ToolInputError as error:
        raise CommandError(f"the edited arguments do not fit: {error}") from error
    return call_facts(case.tool, case.context, completed)


async def _tell_tool(core: RunCore, tool: Tool) -> None:
    """That a person allowed a call of it. What goes wrong with that is said, and keeps nothing from running."""
    if tool.approved is None:
        return
    result = await outcome_of(asyncio.to_thread(tool.approved))
    if isinstance(result, Exception):
        info = ErrorInfo(type=type(result).__name__, message=f"{tool.name}: {result}", action="none")
        core.emitter.fact(ErrorOccurred(error=info))
