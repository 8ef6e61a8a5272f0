"""What a rule would have done to the approvals of the past: a pure question about stored events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from runner.events import ApprovalRequested, ApprovalResolved, Event
from runner.messages import JsonObject
from runner.policy.base import CallFacts, Effect, Rule, Verdict
from runner.policy.decision import decide


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRequest:
    """A call that a person was asked about. decision: "" where nobody answered (a timeout, a stop).

    arguments: as they were proposed, also where the person edited them. workspace: of the session, "" = not known.
    """

    session_id: str
    request_id: str
    time: datetime
    tool: str
    arguments: JsonObject
    decision: str = ""
    reason: str = ""
    workspace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One past request and what would be decided about it; effect, verdict None: its tool is not known."""

    request: PastRequest
    verdict: Verdict | None

    @property
    def effect(self) -> Effect | None:
        return None if self.verdict is None else self.verdict.effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    tried: tuple[Tried, ...]

    def with_effect(self, effect: Effect) -> tuple[Tried, ...]:
        return tuple(one for one in self.tried if one.effect == effect)

    @property
    def allowed_but_denied(self) -> tuple[Tried, ...]:
        """What would be allowed although the person denied it."""
        return tuple(one for one in self.with_effect("allow") if one.request.decision in ("deny", "end_run"))

    @property
    def denied_but_allowed(self) -> tuple[Tried, ...]:
        """What would be denied although the person allowed it."""
        return tuple(one for one in self.with_effect("deny") if one.request.decision in ("allow", "edit"))

    @property
    def summary(self) -> str:
        allowed, denied = self.with_effect("allow"), self.with_effect("deny")
        total = len(self.tried)
        text = f"would have allowed {len(allowed)} of the {total} past request{'' if total == 1 else 's'}"
        if self.allowed_but_denied:
            text += f", among them {len(self.allowed_but_denied)} that you denied"
        if denied:
            text += f"; would have denied {len(denied)}"
            if self.denied_but_allowed:
                text += f", among them {len(self.denied_but_allowed)} that you allowed"
        return text


def past_requests(events: Iterable[Event]) -> list[PastRequest]:
    """The requests among stored events, in order, with what a person said to each."""
    asked: dict[tuple[str, str], ApprovalRequested] = {}
    answers: dict[tuple[str, str], ApprovalResolved] = {}
    for event in events:
        match event:
            case ApprovalRequested(asks="call"):
                asked.setdefault((event.run_id, event.request_id), event)
            case ApprovalResolved(by="user"):
                answers[event.run_id, event.request_id] = event
            case _:
                pass
    return [_request(event, answers.get(key)) for key, event in asked.items()]


def _request(event: ApprovalRequested, answer: ApprovalResolved | None) -> PastRequest:
    return PastRequest(
        session_id=event.session_id,
        request_id=event.request_id,
        time=event.time,
        tool=event.tool,
        arguments=event.arguments,
        decision="" if answer is None else answer.decision,
        reason="" if answer is None else answer.reason,
    )


def try_rules(
    requests: Iterable[PastRequest],
    rules: Sequence[Rule],
    facts_of: Callable[[PastRequest], CallFacts | None],
    now: datetime,
) -> Trial:
    """Decide each request again, in default mode, by these rules. facts_of: None where the tool is not known."""
    tried: list[Tried] = []
    for request in requests:
        facts = facts_of(request)
        verdict = None if facts is None else decide(facts, mode="default", rules=rules, grants=(), now=now)
        tried.append(Tried(request=request, verdict=verdict))
    return Trial(tried=tuple(tried))
