"""How far a person's decision about a call goes: checked before it counts, so that nothing is granted by mistake."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from runner.control.commands import Decide
from runner.errors import CommandError
from runner.events import UNBOUNDED, ApprovalResolved, Bound, GrantMatch, Pattern, ToolPattern
from runner.loop.core import RunCore
from runner.loop.granting import verdict_on
from runner.policy.base import CallFacts, Grant
from runner.policy.check import denies, pattern_problem, stray, tools_of
from runner.policy.grants import LASTING, placed, placed_pattern
from runner.policy.made import grants_made
from runner.policy.uses import grant_key
from runner.policy.words import pattern_words

MOST_CALLS: Final = 1_000_000
MOST_MINUTES: Final = 10 * 366 * 24 * 60
MOST_PATTERNS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    match: GrantMatch
    patterns: tuple[ToolPattern, ...] = ()
    bound: Bound = UNBOUNDED


def terms_of(core: RunCore, command: Decide, facts: CallFacts) -> Terms:
    """What the decision covers beyond the call. facts: of the call as it would run. Raises CommandError."""
    match = _match(command)
    if command.scope == "call" or command.decision == "end_run":
        if command.patterns or _bounds(command):
            raise CommandError("patterns and bounds belong to a decision for more than this call: give it a scope")
        return Terms(match=match)
    bound = _bound(core, command)
    patterns = _patterns(core, command, facts)
    if command.decision == "deny":
        if denies(_made(core, command, facts, Terms(match=match, patterns=patterns)), facts):
            return Terms(match=match, patterns=patterns, bound=bound)
        raise CommandError(f"that does not mean this call: {_in_words(patterns)}")
    terms = Terms(match=match, patterns=patterns, bound=bound)
    if _covers(core, command, facts, terms):
        return terms
    if match == "tool":
        # Something about this very call is not answered by an allowance of its tool (its concern, a doubt).
        exact = ToolPattern(tool=facts.tool, pattern=Pattern(arguments=facts.arguments))
        return Terms(match=match, patterns=(exact,), bound=bound)
    if match == "pattern":
        raise CommandError(f"that does not cover this call: {_in_words(patterns)}")
    return terms


def _match(command: Decide) -> GrantMatch:
    if command.patterns and command.match not in (None, "pattern"):
        raise CommandError(f'patterns belong to a match by "pattern", not by "{command.match}"')
    if command.match == "pattern" and not command.patterns:
        raise CommandError('a match by "pattern" needs patterns')
    if command.patterns:
        return "pattern"
    return command.match or ("exact" if command.scope in LASTING else "tool")


def _bounds(command: Decide) -> list[str]:
    """The names of the bounds that are given."""
    given = {
        "calls": command.calls is not None,
        "minutes": command.minutes is not None,
        "until_failure": command.until_failure,
        "spend_usd": command.spend_usd is not None,
    }
    return [name for name, there in given.items() if there]


def _bound(core: RunCore, command: Decide) -> Bound:
    given = _bounds(command)
    if command.decision == "deny" and given not in ([], ["minutes"]):
        raise CommandError("a denial is bounded by minutes only")
    if command.scope in LASTING and (command.calls is not None or command.until_failure):
        whose = "a project" if command.scope == "project" else "every project"
        raise CommandError(f"calls and failures are counted in one session: for {whose} bound it by minutes")
    if command.calls is not None and not 1 <= command.calls <= MOST_CALLS:
        raise CommandError(f"calls is a number from 1 to {MOST_CALLS:,}")
    return Bound(
        calls=command.calls,
        until=_until(core, command.minutes),
        until_failure=command.until_failure,
        until_cost=_until_cost(core, command),
    )


def _until(core: RunCore, minutes: float | None) -> datetime | None:
    if minutes is None:
        return None
    if not (math.isfinite(minutes) and 0 < minutes <= MOST_MINUTES):
        raise CommandError(f"minutes is more than 0, at most {MOST_MINUTES:,}")
    return core.clock.now() + timedelta(minutes=minutes)


def _until_cost(core: RunCore, command: Decide) -> Decimal | None:
    spend = command.spend_usd
    if spend is None:
        return None
    if not spend.is_finite() or spend <= 0:
        raise CommandError("spend_usd is more than 0 US dollars")
    if command.scope != "run":
        raise CommandError("what is spent is counted in one run: a bound by spend_usd is for this run")
    cost = core.emitter.state.cost.total
    if cost is None:
        raise CommandError("what the run costs is not known, so a bound by spend_usd could not be kept")
    return cost + spend


def _patterns(core: RunCore, command: Decide, facts: CallFacts) -> tuple[ToolPattern, ...]:
    """The patterns as they are kept: within a session their folders are fixed to where they are now, so that the same
    words mean no other place in a later run."""
    if len(command.patterns) > MOST_PATTERNS:
        raise CommandError(f"at most {MOST_PATTERNS} patterns")
    tools = tools_of(facts)
    for each in command.patterns:
        problem = pattern_problem(each.pattern, "deny" if command.decision == "deny" else "allow")
        if problem is not None:
            raise CommandError(f"the pattern of {each.tool} {problem}")
        if each.tool not in tools:
            raise CommandError(f"the pattern of {each.tool} is not about this call of {facts.tool}")
    if command.scope in LASTING:
        return command.patterns
    return tuple(
        ToolPattern(tool=each.tool, pattern=placed_pattern(each.pattern, core.workspace)) for each in command.patterns
    )


def _made(core: RunCore, command: Decide, facts: CallFacts, terms: Terms) -> list[Grant]:
    """The grants that the decision would make."""
    event = ApprovalResolved(
        request_id=command.request_id,
        decision=command.decision,
        tool=facts.tool,
        arguments=facts.arguments,
        scope=command.scope,
        match=terms.match,
        patterns=terms.patterns,
        bound=terms.bound,
        identity=facts.identity,
    )
    made = [placed(grant, core.workspace) for grant in grants_made(event)]
    odd = stray(made, facts) if terms.match == "pattern" else None
    if odd is not None:
        raise CommandError(f"that does not mean this call: {odd}")
    return made


def _covers(core: RunCore, command: Decide, facts: CallFacts, terms: Terms) -> bool:
    """Whether the grants of the decision would let this very call run, by the rules as they are."""
    made = _made(core, command, facts, terms)
    keys = {grant_key(grant) for grant in made}
    verdict = verdict_on(core, facts, made)
    return verdict.effect == "allow" and not keys.isdisjoint(verdict.used)


def _in_words(patterns: tuple[ToolPattern, ...]) -> str:
    return "; ".join(f"{each.tool}, {pattern_words(each.pattern) or 'every call'}" for each in patterns)
