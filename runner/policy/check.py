"""Whether a pattern can be granted for a call: well-formed, about this very call, and enough to cover it."""

from __future__ import annotations

from collections.abc import Iterable

from runner.events import Pattern
from runner.policy.base import CallFacts, Grant
from runner.policy.cover import grant_covers, grant_means
from runner.policy.hosts import host_problem
from runner.policy.prefix import PrefixError, words_of
from runner.policy.shell.named import prefix_covers
from runner.policy.words import grant_words


def pattern_problem(pattern: Pattern, effect: str) -> str | None:
    """What is wrong with a pattern as a person wrote it, in words; None where nothing is. effect: allow or deny."""
    given = [name for name in ("arguments", "prefix", "below", "host") if getattr(pattern, name) is not None]
    if len(given) > 1:
        return f"has both {given[0]} and {given[1]}; it takes one of them"
    if pattern.prefix is not None:
        try:
            words_of(pattern.prefix, effect)
        except PrefixError as error:
            return f"prefix {error}"
    if pattern.below is not None and not (pattern.below.strip() and pattern.below.isprintable()):
        return "below is not the name of a folder"
    if pattern.host is not None and (problem := host_problem(pattern.host)) is not None:
        return f"host {pattern.host!r} {problem}"
    return None


def tools_of(facts: CallFacts) -> frozenset[str]:
    """The tools that a grant for this call may name: its own, and those that a shell line's redirections amount to."""
    return frozenset({facts.tool, *(file.tool for file in facts.files)})


def stray(grants: Iterable[Grant], facts: CallFacts) -> str | None:
    """The grant, in words, that has nothing to do with the call; None where each has."""
    return next((grant_words(grant) for grant in grants if not _concerns(grant, facts)), None)


def _concerns(grant: Grant, facts: CallFacts) -> bool:
    parts = (facts, *facts.files)
    if grant.effect == "deny":
        return any(grant_means(grant, part) != "no" for part in parts)
    if grant.match != "pattern" or grant.pattern is None or grant.pattern.prefix is None:
        return any(grant_covers(grant, part) for part in parts)
    line, prefix = facts.line, grant.pattern.prefix
    if line is None or grant.tool != facts.tool:
        return False
    return any(prefix_covers(prefix, line, place) for place in range(len(line.commands)))


def denies(grants: Iterable[Grant], facts: CallFacts) -> bool:
    """Whether one of the denials certainly means the call."""
    return any(grant_means(grant, part) == "yes" for grant in grants for part in (facts, *facts.files))
