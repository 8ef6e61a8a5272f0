"""The registry of approvals and questions that wait for an answer. Futures live here and nowhere else, keyed by request
id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from runner.control.commands import Decide
from runner.errors import CommandError
from runner.events import UNBOUNDED, Bound, DecidedBy, Decision, GrantMatch, Scope, ToolPattern
from runner.messages import JsonObject

OPTIONS: tuple[Decision, ...] = ("allow", "deny", "edit", "end_run")
"""The decisions about a call."""

ANSWERS: tuple[Decision, ...] = ("answer", "deny", "end_run")
"""The decisions about a question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a request was resolved. arguments: those to run with, or the answer to a question. patterns, bound: of the
    grant that the decision makes.
    """

    decision: Decision
    by: DecidedBy
    arguments: JsonObject
    scope: Scope = "call"
    match: GrantMatch = "tool"
    reason: str = ""
    patterns: tuple[ToolPattern, ...] = ()
    bound: Bound = UNBOUNDED


@dataclass(slots=True)
class Pending:
    """One open request. unanswered: the arguments to record where nobody decides.

    resolve: makes the answer of a decision that is among the options; raises ToolInputError or CommandError with what
    is wrong with it. record: called once, at the moment when the request is answered and before anything else happens,
    so that the facts have the order of the commands.
    """

    request_id: str
    call_id: str
    unanswered: JsonObject
    options: tuple[Decision, ...]
    resolve: Callable[[Decide], Answer]
    record: Callable[[Answer], None]
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

    def decide(self, command: Decide) -> None:
        """Answer a request. Raises CommandError, and leaves the request open, where the answer cannot be used."""
        pending = self._open.get(command.request_id)
        if pending is None:
            was = "is answered already" if command.request_id in self._known else "does not exist"
            raise CommandError(f"approval {command.request_id!r} {was}")
        if command.decision not in pending.options:
            what = "a question" if "answer" in pending.options else "about a call"
            known = ", ".join(pending.options)
            raise CommandError(f"decision {command.decision!r} is none of {known}: this request is {what}")
        self.settle(pending, pending.resolve(command))

    def deny(self, pending: Pending, by: DecidedBy, reason: str = "") -> None:
        """Resolve a request as denied, unless it is answered."""
        self.settle(pending, Answer(decision="deny", by=by, arguments=pending.unanswered, reason=reason))

    def deny_all(self, by: DecidedBy, reason: str) -> None:
        """Resolve all that wait as denied: nobody waits for a person who is not there or a run that is stopping."""
        for pending in list(self._open.values()):
            self.deny(pending, by, reason)

    def deny_call(self, call_id: str, by: DecidedBy, reason: str) -> None:
        """Resolve what a call waits for: it has ended."""
        for pending in [each for each in self._open.values() if each.call_id == call_id]:
            self.deny(pending, by, reason)

    def settle(self, pending: Pending, answer: Answer) -> None:
        if self._open.pop(pending.request_id, None) is None:
            return
        pending.record(answer)
        if not pending.answer.done():
            pending.answer.set_result(answer)
