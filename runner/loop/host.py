"""What a running call may ask of the run it belongs to (runner.tools.base.CallHost)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from runner.control.approvals import ANSWERS, Answer
from runner.control.commands import Decide
from runner.errors import CommandError
from runner.events import ApprovalRequested, ApprovalResolved
from runner.loop.approve import denied_by
from runner.loop.asking import ask
from runner.loop.core import EndRun, RunCore
from runner.loop.forms import check_answer, schema_problem
from runner.messages import JsonObject
from runner.tools.base import Question, Reply, Sampled, Sampling, Tool
from runner.tools.deadline import Deadline

OVER = "the call has ended"


class Host:
    """Of one call, from its start to its end. deadline: the call's time, which stands still while it asks.

    end: ends the run, as a person may do in place of an answer.
    """

    def __init__(
        self, core: RunCore, *, call_id: str, tool: Tool, deadline: Deadline, end: Callable[[EndRun], None]
    ) -> None:
        self._core = core
        self._call_id = call_id
        self._tool = tool
        self._deadline = deadline
        self._end = end
        self._turn = asyncio.Lock()
        self._over = False

    async def ask(self, question: Question) -> Reply:
        """One question at a time; the others of this call wait for their turn."""
        problem = schema_problem(question)
        if problem is not None:
            return Reply(answer=None, reason=problem)
        with self._deadline.held():
            async with self._turn:
                return Reply(answer=None, reason=OVER) if self._over else await self._ask(question)

    async def sample(self, request: Sampling) -> Sampled:
        from runner.loop.sampling import sample

        return await sample(self._core, self._call_id, request)

    def close(self) -> None:
        """The call ends: nothing is asked for it any more, whatever it left running."""
        self._over = True
        self._core.inbox.approvals.deny_call(self._call_id, "stop", OVER)

    async def _ask(self, question: Question) -> Reply:
        core = self._core

        def resolve(command: Decide) -> Answer:
            _check_terms(command)
            given: JsonObject = {}
            if command.decision == "answer":
                given = check_answer(question, command.arguments)
            elif command.arguments is not None:
                raise CommandError('arguments belong to "answer"')
            return Answer(decision=command.decision, by="user", arguments=given, reason=command.reason)

        request = ApprovalRequested(
            call_id=self._call_id, tool=self._tool.name, preview=_preview(question), why=question.text, asks="question"
        )
        # While it asks the call does nothing, so that its wait is no active time.
        core.running_tools -= 1
        try:
            answer = await ask(
                core,
                request,
                options=ANSWERS,
                unanswered={},
                resolve=resolve,
                resolved=lambda _: ApprovalResolved(identity=self._tool.identity),
            )
        finally:
            core.running_tools += 1
            core.update_activity()
        match answer.decision:
            case "answer":
                return Reply(answer=answer.arguments)
            case "end_run":
                self._end(EndRun("approval_terminated"))
                return Reply(answer=None, reason="the user ended the run")
            case _:
                return Reply(answer=None, reason=answer.reason or _why_not(answer))


def _why_not(answer: Answer) -> str:
    return "the user would not answer" if answer.by == "user" else denied_by(answer)


def _check_terms(command: Decide) -> None:
    bounds = (command.calls, command.minutes, command.spend_usd, command.match)
    if command.scope != "call" or command.patterns or command.until_failure or any(each is not None for each in bounds):
        raise CommandError("the answer to a question is for this question only: it has no scope, pattern or bound")


def _preview(question: Question) -> JsonObject:
    return {
        "type": question.kind,
        "text": question.text,
        "who": question.who,
        "choices": list(question.choices),
        "free": question.free,
        "several": question.several,
        "schema": question.schema,
    }
