"""The decision about one call: a pure function of the call, the mode, the rules and the grants (SEMANTICS section 9).

In this order, and the first that applies decides:

1. deny rules and deny grants: nothing beats them;
2. plan mode denies what is not read-only;
3. allow grants: a person gave them about this very tool, so they also answer an ask rule;
4. ask rules (bypass mode does not ask);
5. allow rules;
6. the mode.

A concern (a path outside the workspace, say) is about the call and not about the tool: only an allow for these exact
arguments answers it, or bypass mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from runner.messages import JsonObject
from runner.policy.base import ApprovalMode, CallFacts, Effect, Grant, Rule, Verdict
from runner.policy.canonical import same

_SCOPES = {
    "call": "this call",
    "run": "this run",
    "session": "this session",
    "project": "this project",
    "user": "every project",
}


def decide(facts: CallFacts, *, mode: ApprovalMode, rules: Sequence[Rule], grants: Sequence[Grant]) -> Verdict:
    """May this call run? Total: every call gets a verdict, and the same call always the same one."""
    return (
        _denied(facts, rules, grants)
        or _denied_by_plan(facts, mode)
        or _granted(facts, grants)
        or _asked_by_rule(facts, mode, rules)
        or _allowed_by_rule(facts, rules)
        or _by_mode(facts, mode, rules, grants)
    )


def _denied(facts: CallFacts, rules: Sequence[Rule], grants: Sequence[Grant]) -> Verdict | None:
    for rule in rules:
        if rule.effect == "deny" and _rule_covers(rule, facts):
            note = f": {rule.note}" if rule.note else ""
            return Verdict(effect="deny", by="rule", rule=_rule_words(rule), why=f"A rule denies {facts.tool}{note}.")
    for grant in grants:
        # A denial that has lost its arguments is the wider one, not none.
        if grant.effect == "deny" and (_grant_covers(grant, facts) or _is_broken(grant, facts)):
            why = f"You denied {facts.tool} for {_SCOPES[grant.scope]}."
            return Verdict(effect="deny", by="grant", rule=_grant_words(grant), why=why)
    return None


def _denied_by_plan(facts: CallFacts, mode: ApprovalMode) -> Verdict | None:
    if mode != "plan" or facts.read_only:
        return None
    why = f"In plan mode only read-only tools run, and {facts.tool} is not one. Describe what you would do instead."
    return _mode_verdict("deny", mode, why)


def _granted(facts: CallFacts, grants: Sequence[Grant]) -> Verdict | None:
    for grant in grants:
        if grant.effect != "allow" or not _grant_covers(grant, facts):
            continue
        if grant.match == "exact" or facts.concern is None:
            why = f"You allowed {_what(facts, exact=grant.match == 'exact')} for {_SCOPES[grant.scope]}."
            return Verdict(effect="allow", by="grant", rule=_grant_words(grant), why=why)
    return None


def _asked_by_rule(facts: CallFacts, mode: ApprovalMode, rules: Sequence[Rule]) -> Verdict | None:
    if mode == "bypass":
        return None
    for rule in rules:
        if rule.effect == "ask" and _rule_covers(rule, facts):
            note = f": {rule.note}" if rule.note else ""
            why = f"A rule asks about {facts.tool}{note}."
            return Verdict(effect="ask", by="rule", rule=_rule_words(rule), why=_with_concern(why, facts))
    return None


def _allowed_by_rule(facts: CallFacts, rules: Sequence[Rule]) -> Verdict | None:
    for rule in rules:
        if rule.effect != "allow" or not _rule_covers(rule, facts):
            continue
        exact = rule.arguments is not None
        if exact or facts.concern is None:
            why = f"A rule allows {_what(facts, exact=exact)}."
            return Verdict(effect="allow", by="rule", rule=_rule_words(rule), why=why)
    return None


def _by_mode(facts: CallFacts, mode: ApprovalMode, rules: Sequence[Rule], grants: Sequence[Grant]) -> Verdict:
    if mode == "bypass":
        return _mode_verdict("allow", mode, "Bypass mode runs everything that no rule denies.")
    if mode == "deny_unlisted" and not _is_listed(facts, rules, grants):
        why = f"Only what a rule or a grant lists may run here, and {facts.tool} is not listed."
        return _mode_verdict("deny", mode, why)
    if facts.concern is not None:
        return Verdict(effect="ask", by="tool", rule=f"{facts.tool}: concern", why=facts.concern)
    if facts.requires_approval:
        why = f"{facts.tool} always asks for approval."
        return Verdict(effect="ask", by="tool", rule=f"{facts.tool}: requires approval", why=why)
    if facts.read_only:
        return _mode_verdict("allow", mode, f"{facts.tool} only reads.")
    if facts.requires_approval is False:
        why = f"{facts.tool} is declared to need no approval."
        return Verdict(effect="allow", by="tool", rule=f"{facts.tool}: requires no approval", why=why)
    if mode == "accept_edits" and facts.kind == "edit":
        return _mode_verdict("allow", mode, "Edits inside the workspace are accepted.")
    return _mode_verdict("ask", mode, f"{facts.tool} is not read-only, and {mode} mode asks about it.")


def _is_listed(facts: CallFacts, rules: Sequence[Rule], grants: Sequence[Grant]) -> bool:
    """Reached in spite of that only by a call with a concern, which is then asked about."""
    by_rule = any(rule.effect == "allow" and _rule_covers(rule, facts) for rule in rules)
    return by_rule or any(grant.effect == "allow" and _grant_covers(grant, facts) for grant in grants)


def _rule_covers(rule: Rule, facts: CallFacts) -> bool:
    """A rule is written by hand, so a parameter that is null there or here counts as not given."""
    if not fnmatchcase(facts.tool, rule.tool):
        return False
    return rule.arguments is None or same(_given(rule.arguments), _given(facts.arguments))


def _given(arguments: JsonObject) -> JsonObject:
    return {name: value for name, value in arguments.items() if value is not None}


def _grant_covers(grant: Grant, facts: CallFacts) -> bool:
    if grant.tool != facts.tool:
        return False
    return grant.match == "tool" or same(grant.arguments, facts.arguments)


def _is_broken(grant: Grant, facts: CallFacts) -> bool:
    return grant.tool == facts.tool and grant.match == "exact" and grant.arguments is None


def _mode_verdict(effect: Effect, mode: ApprovalMode, why: str) -> Verdict:
    return Verdict(effect=effect, by="mode", rule=f"mode {mode}", why=why)


def _what(facts: CallFacts, *, exact: bool) -> str:
    return f"{facts.tool} with these arguments" if exact else facts.tool


def _with_concern(why: str, facts: CallFacts) -> str:
    return why if facts.concern is None else f"{why} {facts.concern}"


def _rule_words(rule: Rule) -> str:
    arguments = " with given arguments" if rule.arguments is not None else ""
    source = f" ({rule.source})" if rule.source else ""
    return f"{rule.effect} {rule.tool}{arguments}{source}"


def _grant_words(grant: Grant) -> str:
    covered = "these arguments" if grant.match == "exact" else "every call"
    return f"{grant.effect} {grant.tool}, {covered}, for {_SCOPES[grant.scope]}"
