"""The decision about one call: a pure function of the call, the mode, the rules and the grants (SEMANTICS section 9).

In this order, and the first that applies decides:

1. deny rules and deny grants: nothing beats them;
2. plan mode denies what is not read-only;
3. allow grants: a person gave them about this very tool, so they also answer an ask rule;
4. ask rules (bypass mode does not ask);
5. allow rules, and grants and allow rules together where each covers a part of a shell line;
6. the mode.

A concern (a path outside the workspace, say) is about the call and not about the tool: an allow for these exact
arguments answers it, one for a folder outside the workspace that the path is in, or bypass mode.

A shell line is allowed by prefixes only where each of its commands is, each file that it opens may be opened, and all
of it was understood. Where a part of it could be what a rule denies and nobody can tell, it asks, in every mode and
whatever allows the tool; only an allow for these exact arguments answers that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from runner.policy import parts
from runner.policy.base import ApprovalMode, CallFacts, Effect, Grant, Rule, Verdict
from runner.policy.cover import answers_concern, grant_covers, grant_means, rule_covers, rule_means
from runner.policy.uses import Uses, grant_key, is_live
from runner.policy.words import SCOPES, grant_words, rule_words


def decide(
    facts: CallFacts,
    *,
    mode: ApprovalMode,
    rules: Sequence[Rule],
    grants: Sequence[Grant],
    uses: Uses | None = None,
    now: datetime | None = None,
    cost: Decimal | None = None,
) -> Verdict:
    """May this call run? Total: every call gets a verdict, and the same call always the same one.

    uses, now, cost (of the run, in US dollars): needed by what is bounded; without them a bounded allowance is none,
    and a bounded denial still denies.
    """
    live_rules = [rule for rule in rules if _is_current(rule, now)]
    live_grants = [grant for grant in grants if is_live(grant, uses, now, cost)]
    # What costs nothing to use goes before what is counted.
    live_grants.sort(key=lambda grant: grant.bound.counted)
    case = _Case(facts, mode, live_rules, live_grants)
    verdict = case.verdict()
    return verdict if facts.line is None else replace(verdict, parts=case.part_verdicts())


def _is_current(rule: Rule, now: datetime | None) -> bool:
    if rule.expires is None:
        return True
    return rule.effect != "allow" if now is None else now < rule.expires


class _Case:
    """One call before the rules and grants that count."""

    def __init__(self, facts: CallFacts, mode: ApprovalMode, rules: Sequence[Rule], grants: Sequence[Grant]) -> None:
        self.facts = facts
        self.mode: ApprovalMode = mode
        self.rules = rules
        self.grants = grants

    def verdict(self) -> Verdict:
        denied = self._denied()
        if denied is not None:
            return denied
        doubt = self._doubt()
        return (
            self._denied_by_plan()
            or self._granted(doubt)
            or self._asked_by_rule()
            or self._allowed_by_rule(doubt)
            or self._allowed_by_parts(doubt)
            or self._by_mode(doubt)
        )

    def part_verdicts(self) -> tuple[parts.PartVerdict, ...]:
        return parts.decide_parts(self.facts, self.rules, self.grants, self.file_verdict).verdicts

    def file_verdict(self, file: CallFacts) -> Verdict:
        """What the policy says to the call of a file tool that a redirection amounts to."""
        return _Case(file, self.mode, self.rules, self.grants).verdict()

    def _denied(self) -> Verdict | None:
        facts = self.facts
        for rule in self.rules:
            if rule.effect == "deny" and rule_means(rule, facts) == "yes":
                why = f"A rule denies {parts.what_rule_means(rule, facts)}{_note(rule)}."
                return _rule_verdict("deny", rule, why)
        for grant in self.grants:
            if grant.effect == "deny" and grant_means(grant, facts) == "yes":
                why = f"You denied {parts.what_grant_means(grant, facts)} for {SCOPES[grant.scope]}."
                return Verdict(effect="deny", by="grant", rule=grant_words(grant), why=why, used=(grant_key(grant),))
        for file in facts.files:
            found = _Case(file, self.mode, self.rules, self.grants)._denied()
            if found is not None:
                return replace(found, why=f"{_does(facts, file)} {found.why}")
        return None

    def _doubt(self) -> Verdict | None:
        """An ask where nobody can tell whether a denial means this call."""
        for rule in self.rules:
            if rule.effect == "deny" and rule_means(rule, self.facts) == "maybe":
                what = parts.what_rule_means(rule, self.facts)
                return _rule_verdict("ask", rule, f"A rule denies {what}, and this call could hide it{_note(rule)}.")
        for grant in self.grants:
            if grant.effect == "deny" and grant_means(grant, self.facts) == "maybe":
                why = f"You denied {parts.what_grant_means(grant, self.facts)}, and this call could hide it."
                return Verdict(effect="ask", by="grant", rule=grant_words(grant), why=why)
        return None

    def _denied_by_plan(self) -> Verdict | None:
        if self.mode != "plan" or self.facts.read_only:
            return None
        name = self.facts.tool
        why = f"In plan mode only read-only tools run, and {name} is not one. Describe what you would do instead."
        return _mode_verdict("deny", self.mode, why)

    def _granted(self, doubt: Verdict | None) -> Verdict | None:
        facts = self.facts
        for grant in self.grants:
            if grant.effect != "allow" or not grant_covers(grant, facts):
                continue
            exact = grant.match == "exact"
            answered = exact or (grant.pattern is not None and answers_concern(grant.pattern, facts))
            if exact or (doubt is None and (answered or facts.concern is None)):
                why = f"You allowed {_what(facts, exact=exact)} for {SCOPES[grant.scope]}."
                return Verdict(effect="allow", by="grant", rule=grant_words(grant), why=why, used=(grant_key(grant),))
        if facts.line is None or doubt is not None:
            return None
        found = parts.decide_parts(facts, (), self.grants, self.file_verdict)
        return found.verdict(facts) if found.all_allowed else None

    def _asked_by_rule(self) -> Verdict | None:
        if self.mode == "bypass":
            return None
        for rule in self.rules:
            if rule.effect != "ask" or rule_means(rule, self.facts) == "no":
                continue
            if rule.prefix is not None and self._is_granted_in_parts(rule):
                continue
            why = f"A rule asks about {parts.what_rule_means(rule, self.facts)}{_note(rule)}."
            return _rule_verdict("ask", rule, _with_concern(why, self.facts))
        return self._asked_by_rule_for_others()

    def _asked_by_rule_for_others(self) -> Verdict | None:
        """What a rule asks about in the tools that this call does the work of. A line's files are parts of it."""
        for file in self.facts.files if self.facts.line is None else ():
            found = _Case(file, self.mode, self.rules, self.grants)._asked_by_rule()
            if found is not None:
                return replace(found, why=f"{_does(self.facts, file)} {found.why}")
        return None

    def _is_granted_in_parts(self, rule: Rule) -> bool:
        """Whether a person granted every command that the ask rule is about."""
        return parts.granted_despite(self.facts, rule, self.grants)

    def _allowed_by_rule(self, doubt: Verdict | None) -> Verdict | None:
        facts = self.facts
        for rule in self.rules:
            if rule.effect != "allow" or not rule_covers(rule, facts):
                continue
            exact = rule.arguments is not None
            if exact or (doubt is None and (facts.concern is None or answers_concern(rule.pattern, facts))):
                return _rule_verdict("allow", rule, f"A rule allows {_what(facts, exact=exact)}.")
        return None

    def _allowed_by_parts(self, doubt: Verdict | None) -> Verdict | None:
        if self.facts.line is None or doubt is not None:
            return None
        found = parts.decide_parts(self.facts, self.rules, self.grants, self.file_verdict)
        return found.verdict(self.facts) if found.all_allowed else None

    def _by_mode(self, doubt: Verdict | None) -> Verdict:
        facts, mode = self.facts, self.mode
        if mode == "bypass" and doubt is None:
            return _mode_verdict("allow", mode, "Bypass mode runs everything that no rule denies.")
        if mode == "deny_unlisted" and not self._is_listed():
            why = f"Only what a rule or a grant lists may run here, and {facts.tool} is not listed."
            return _mode_verdict("deny", mode, why)
        if doubt is not None:
            return doubt
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
        return _mode_verdict("ask", mode, self._why_asked())

    def _why_asked(self) -> str:
        """Where prefixes cover a part of the line, the part that they do not cover is the reason."""
        if self.facts.line is not None:
            found = parts.decide_parts(self.facts, self.rules, self.grants, self.file_verdict)
            if found.some_allowed and found.first_open is not None:
                return f"Nothing allows this part: {found.first_open.text} ({found.first_open.why})."
        return f"{self.facts.tool} is not read-only, and {self.mode} mode asks about it."

    def _is_listed(self) -> bool:
        """Reached in spite of that only by a call with a concern or in doubt, which is then asked about."""
        by_rule = any(rule.effect == "allow" and rule_covers(rule, self.facts) for rule in self.rules)
        if by_rule or any(grant.effect == "allow" and grant_covers(grant, self.facts) for grant in self.grants):
            return True
        if self.facts.line is None:
            return False
        return parts.decide_parts(self.facts, self.rules, self.grants, self.file_verdict).all_allowed


def _rule_verdict(effect: Effect, rule: Rule, why: str) -> Verdict:
    return Verdict(effect=effect, by="rule", rule=rule_words(rule), why=why, where=rule.source)


def _mode_verdict(effect: Effect, mode: ApprovalMode, why: str) -> Verdict:
    return Verdict(effect=effect, by="mode", rule=f"mode {mode}", why=why)


def _note(rule: Rule) -> str:
    return f": {rule.note}" if rule.note else ""


def _what(facts: CallFacts, *, exact: bool) -> str:
    return f"{facts.tool} with these arguments" if exact else facts.tool


def _does(facts: CallFacts, file: CallFacts) -> str:
    path = file.arguments.get("path", "")
    if facts.line is None:
        return f"This call does to {path} what {file.tool} does."
    return f"The line {'reads' if file.read_only else 'writes to'} {path}."


def _with_concern(why: str, facts: CallFacts) -> str:
    return why if facts.concern is None else f"{why} {facts.concern}"
