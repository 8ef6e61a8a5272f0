"""The parts of a shell line, each decided alone: its commands, the files that it opens, what was not understood."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from runner.policy.base import CallFacts, Grant, PartVerdict, Rule, Verdict
from runner.policy.cover import is_named
from runner.policy.shell.deny import names_command
from runner.policy.shell.model import Line, Simple
from runner.policy.shell.named import prefix_covers
from runner.policy.uses import grant_key
from runner.policy.words import grant_words, rule_words

SHOWN = 120
"""Characters of a part that are repeated in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """verdicts: of each part, as they stand in the line. counted: some part is allowed by a rule or a grant for it.

    used: the keys of the grants among them.
    """

    verdicts: tuple[PartVerdict, ...]
    counted: bool
    by_grant: bool
    used: tuple[str, ...]

    @property
    def all_allowed(self) -> bool:
        return self.counted and all(part.effect == "allow" for part in self.verdicts)

    @property
    def some_allowed(self) -> bool:
        return self.counted

    @property
    def first_open(self) -> PartVerdict | None:
        return next((part for part in self.verdicts if part.effect != "allow"), None)

    def verdict(self, facts: CallFacts) -> Verdict:
        """Of the whole line, where all of it is allowed."""
        names = tuple(dict.fromkeys(part.rule for part in self.verdicts if part.rule))
        where = next((part.where for part in self.verdicts if part.where), "")
        who = "You" if self.by_grant else "Rules"
        why = f"{who} allowed every part of this line." if len(self.verdicts) > 1 else f"{who} allowed this command."
        return Verdict(
            effect="allow",
            by="grant" if self.by_grant else "rule",
            rule="; ".join(names),
            why=why,
            where=where,
            used=self.used,
        )


def decide_parts(
    facts: CallFacts, rules: Sequence[Rule], grants: Sequence[Grant], file_verdict: Callable[[CallFacts], Verdict]
) -> Parts:
    """file_verdict: what the policy says to the call of a file tool."""
    line = facts.line or Line()
    verdicts: list[PartVerdict] = []
    used: list[str] = []
    counted = by_grant = False
    for place, command in enumerate(line.commands):
        grant = _grant_for(facts, line, place, grants)
        rule = None if grant else _rule_for(facts, line, place, rules)
        counted = counted or grant is not None or rule is not None
        by_grant = by_grant or grant is not None
        if grant is not None:
            used.append(grant_key(grant))
        verdicts.append(_command_verdict(facts, command, grant, rule, rules))
    for file in facts.files:
        found = file_verdict(file)
        text = f"{'reads' if file.read_only else 'writes'} {file.arguments.get('path', '')}"
        effect = found.effect if found.effect != "deny" or found.by != "mode" else "ask"
        verdicts.append(PartVerdict(text=text, effect=effect, rule=found.rule, where=found.where, why=found.why))
        used.extend(found.used)
    for problem in line.problems:
        verdicts.append(PartVerdict(text=problem.raw[:SHOWN], effect="ask", why=problem.why))
    return Parts(verdicts=tuple(verdicts), counted=counted, by_grant=by_grant, used=tuple(dict.fromkeys(used)))


def granted_despite(facts: CallFacts, rule: Rule, grants: Sequence[Grant]) -> bool:
    """Whether a grant covers every command that an ask rule by prefix is about, and nothing else could be one."""
    line = facts.line
    if line is None or rule.prefix is None or line.hides:
        return False
    for place, command in enumerate(line.commands):
        if names_command(rule.prefix, command) != "no" and _grant_for(facts, line, place, grants) is None:
            return False
    return True


def what_rule_means(rule: Rule, facts: CallFacts) -> str:
    if rule.prefix is not None:
        return shlex.join(rule.prefix)
    if rule.below is not None:
        return f"{facts.tool} below {rule.below}"
    if rule.host is not None:
        return f"{facts.tool} on {rule.host}"
    return facts.tool


def what_grant_means(grant: Grant, facts: CallFacts) -> str:
    pattern = grant.pattern
    if grant.match != "pattern" or pattern is None:
        return facts.tool
    return what_rule_means(Rule(effect="deny", tool=grant.tool, prefix=pattern.prefix, below=pattern.below), facts)


def _grant_for(facts: CallFacts, line: Line, place: int, grants: Sequence[Grant]) -> Grant | None:
    for grant in grants:
        if grant.effect != "allow" or grant.match != "pattern" or grant.pattern is None:
            continue
        if grant.tool != facts.tool or grant.identity != facts.identity:
            continue
        if grant.pattern.prefix is not None and prefix_covers(grant.pattern.prefix, line, place):
            return grant
    return None


def _rule_for(facts: CallFacts, line: Line, place: int, rules: Sequence[Rule]) -> Rule | None:
    for rule in rules:
        if rule.effect != "allow" or rule.prefix is None or not fnmatchcase(facts.tool, rule.tool):
            continue
        if prefix_covers(rule.prefix, line, place):
            return rule
    return None


def _command_verdict(
    facts: CallFacts, command: Simple, grant: Grant | None, rule: Rule | None, rules: Sequence[Rule]
) -> PartVerdict:
    text = command.raw.strip()[:SHOWN]
    other = _against(facts, command, rules, granted=grant is not None)
    if other is not None:
        words = rule_words(other)
        return PartVerdict(text=text, effect=other.effect, rule=words, where=other.source, why=other.note)
    if grant is not None:
        return PartVerdict(text=text, effect="allow", rule=grant_words(grant))
    if rule is not None:
        return PartVerdict(text=text, effect="allow", rule=rule_words(rule), where=rule.source, why=rule.note)
    if command.harmless:
        return PartVerdict(text=text, effect="allow", why="it does nothing but end or skip")
    named = [risk.why for risk in command.risks]
    return PartVerdict(text=text, effect="ask", why="; ".join(dict.fromkeys(named)) or "no rule names it")


def _against(facts: CallFacts, command: Simple, rules: Sequence[Rule], *, granted: bool) -> Rule | None:
    """The rule that denies a command, else the one that asks about it where nobody granted it."""
    found = [
        rule
        for rule in rules
        if rule.effect != "allow" and rule.prefix is not None and is_named(rule.tool, facts)
        if names_command(rule.prefix, command) == "yes" and (rule.effect == "deny" or not granted)
    ]
    return next((rule for rule in found if rule.effect == "deny"), found[0] if found else None)
