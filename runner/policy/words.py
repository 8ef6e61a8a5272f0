"""Rules, grants and patterns in words, for verdicts and lists."""

from __future__ import annotations

import json
import shlex

from runner.policy.base import Grant, Pattern, Rule

SCOPES = {
    "call": "this call",
    "run": "this run",
    "session": "this session",
    "project": "this project",
    "user": "every project",
}


def pattern_words(pattern: Pattern) -> str:
    """What a pattern covers, after the name of the tool; "" = every call."""
    if pattern.prefix is not None:
        return f"commands that begin with: {shlex.join(pattern.prefix)}"
    if pattern.below is not None:
        return f"below {pattern.below}"
    if pattern.host is not None:
        return f"on {pattern.host}"
    if pattern.arguments is not None:
        return f"with {json.dumps(pattern.arguments, ensure_ascii=True, default=str)}"
    return ""


def rule_words(rule: Rule) -> str:
    if rule.arguments is not None:
        which = " with given arguments"
    else:
        words = pattern_words(rule.pattern)
        which = f", {words}" if words else ""
    source = f" ({rule.source})" if rule.source else ""
    return f"{rule.effect} {rule.tool}{which}{source}"


def grant_words(grant: Grant) -> str:
    match grant.match:
        case "exact":
            covered = "these arguments"
        case "tool":
            covered = "every call"
        case "pattern":
            covered = pattern_words(grant.pattern or Pattern()) or "nothing"
    return f"{grant.effect} {grant.tool}, {covered}, for {SCOPES[grant.scope]}{bound_words(grant)}"


def bound_words(grant: Grant) -> str:
    """How far a grant goes, with a leading comma; "" = not bounded."""
    bound = grant.bound
    parts: list[str] = []
    if bound.calls is not None:
        parts.append(f"for {bound.calls} call{'s' if bound.calls != 1 else ''}")
    if bound.until is not None:
        parts.append(f"until {bound.until.isoformat(timespec='minutes')}")
    if bound.until_failure:
        parts.append("until the first failure")
    if bound.until_cost is not None:
        parts.append(f"until the run has cost ${bound.until_cost:f}")
    return f", {' and '.join(parts)}" if parts else ""
