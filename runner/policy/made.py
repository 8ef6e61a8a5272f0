"""The grants that a decision makes: from the fact that records it, so that the loop and the store agree on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runner.events import ApprovalResolved, Pattern, ToolPattern
from runner.policy.base import Grant, GrantKind
from runner.policy.canonical import canonical


def grants_made(event: ApprovalResolved) -> tuple[Grant, ...]:
    """None for a single call, for the end of the run, and for what nobody decided."""
    if event.by != "user" or event.scope == "call" or event.decision not in ("allow", "deny", "edit"):
        return ()
    # Only what is counted, and in one session, needs to be told apart from the same grant given at another time.
    counted = event.bound.counted and event.scope in ("run", "session")
    patterns: tuple[ToolPattern, ...] = event.patterns
    if event.match == "tool":
        patterns = (ToolPattern(tool=event.tool, pattern=Pattern()), *patterns)
    elif event.match == "exact":
        patterns = (ToolPattern(tool=event.tool, pattern=Pattern(arguments=event.arguments)), *patterns)
    return tuple(
        Grant(
            effect="deny" if event.decision == "deny" else "allow",
            tool=each.tool,
            match=match_of(each.pattern),
            scope=event.scope,
            arguments=each.pattern.arguments,
            pattern=each.pattern if match_of(each.pattern) == "pattern" else None,
            bound=event.bound,
            identity=event.identity if each.tool == event.tool else "",
            origin=f"{event.run_id}/{event.request_id}" if counted else "",
        )
        for each in patterns
    )


def match_of(pattern: Pattern) -> GrantKind:
    if pattern.arguments is not None:
        return "exact"
    return "tool" if pattern.whole else "pattern"


def about_the_same(one: Grant, other: Grant) -> bool:
    """Whether two grants say the same of the same calls, in the same scope."""
    return _calls(one) == _calls(other)


def with_grants(grants: Sequence[Grant], new: Iterable[Grant]) -> list[Grant]:
    """The grants and new ones; what a new one says of the same calls replaces what was said before."""
    found = list(grants)
    for grant in new:
        found = [*(old for old in found if not about_the_same(old, grant)), grant]
    return found


def _calls(grant: Grant) -> str:
    pattern = grant.pattern
    shape = None if pattern is None else [pattern.arguments, pattern.prefix, pattern.below, pattern.host]
    return canonical([grant.effect, grant.tool, grant.match, grant.scope, grant.arguments, shape])
