"""The registry of approvals that wait for an answer. Futures live here and nowhere else, keyed by request id."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from runner.control.commands import Decide
from runner.errors import CommandError
from runner.events import DecidedBy, Decision, GrantMatch, Scope
from runner.messages import JsonObject

OPTIONS: tuple[Decision, ...] = ("allow", "deny", "edit", "end_run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How an approval was resolved. arguments: those to run with."""

    decision: Decision
    by: DecidedBy
    arguments: JsonObject
    scope: Scope = "call"
    match: GrantMatch = "tool"
    reason: str = ""


@dataclass(slots=True)
class Pending:
    """One open request. check_edit validates edited arguments (and the deny rules) and returns them completed;
    it raises ToolInputError or CommandError with what is wrong."""

    request_id: str
    call_id: str
    tool: str
    arguments: JsonObject
    check_edit: Callable[[JsonObject], JsonObject]
    answer: asyncio.Future[Answer] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Approvals:
    """Used from the run's event loop only. A request is answered once; a later answer is refused."""

    def __init__(self) -> None:
        self._open: dict[str, Pending] = {}
        self._known: set[str] = set()

    def __len__(self) -> int:
        return len(self._open)

    def open(self, pending: Pending) -> None:
        self._open[pending.request_id] = pending
        self._known.add(pending.request_id)

    def close(self, request_id: str) -> None:
        self._open.pop(request_id, None)

    def decide(self, command: Decide) -> None:
        """Answer a request. Raises CommandError, and leaves the request open, where the answer cannot be used."""
        pending = self._open.get(command.request_id)
        if pending is None:
            was = "is answered already" if command.request_id in self._known else "does not exist"
            raise CommandError(f"approval {command.request_id!r} {was}")
        if command.decision not in OPTIONS:
            raise CommandError(f"decision {command.decision!r} is none of {', '.join(OPTIONS)}")
        if (command.arguments is not None) != (command.decision == "edit"):
            raise CommandError('arguments belong to "edit", and "edit" needs them')
        arguments = pending.arguments
        if command.arguments is not None:
            arguments = pending.check_edit(command.arguments)
        longer = command.scope in ("project", "user")
        answer = Answer(
            decision=command.decision,
            by="user",
            arguments=arguments,
            scope=command.scope,
            match=command.match or ("exact" if longer else "tool"),
            reason=command.reason,
        )
        self._settle(pending, answer)

    def deny_all(self, by: DecidedBy, reason: str) -> None:
        """Resolve all that wait as denied: nobody waits for a person who is not there or a run that is stopping."""
        for pending in list(self._open.values()):
            self._settle(pending, Answer(decision="deny", by=by, arguments=pending.arguments, reason=reason))

    def _settle(self, pending: Pending, answer: Answer) -> None:
        self.close(pending.request_id)
        if not pending.answer.done():
            pending.answer.set_result(answer)
