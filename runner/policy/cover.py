"""Does a rule or a grant mean this call? Allowances are read strictly, denials and questions loosely."""

from __future__ import annotations

from fnmatch import fnmatchcase

from runner.messages import JsonObject
from runner.policy.base import CallFacts, Grant, Pattern, Rule
from runner.policy.canonical import alike, same
from runner.policy.hosts import goes_to, may_go_to
from runner.policy.paths import all_below, any_below, folder_path, may_be_below
from runner.policy.shell.deny import Certainty, names_line
from runner.policy.shell.model import Line


def rule_covers(rule: Rule, facts: CallFacts) -> bool:
    """An allow rule about the whole call. A prefix covers parts of a shell line instead (`prefix_covers`)."""
    return fnmatchcase(facts.tool, rule.tool) and _covers(rule.pattern, facts)


def rule_means(rule: Rule, facts: CallFacts) -> Certainty:
    """A rule that denies or asks."""
    return _means(rule.pattern, facts) if is_named(rule.tool, facts) else "no"


def is_named(tool: str, facts: CallFacts) -> bool:
    """Whether a denial or a question about `tool`, a name or a glob, is about this call's tool.

    One about shell is about every tool that runs a shell line: the same command by another tool is no way around it.
    """
    return fnmatchcase(facts.tool, tool) or (facts.kind == "shell" and fnmatchcase("shell", tool))


def grant_covers(grant: Grant, facts: CallFacts) -> bool:
    """An allowance: of this very tool, and of what it was when a person allowed it."""
    if grant.tool != facts.tool or grant.identity != facts.identity:
        return False
    match grant.match:
        case "tool":
            return True
        case "exact":
            return same(grant.arguments, facts.arguments)
        case "pattern":
            return grant.pattern is not None and not grant.pattern.whole and _covers(grant.pattern, facts)


def grant_means(grant: Grant, facts: CallFacts) -> Certainty:
    """A denial, whatever the tool has become. One that lost its arguments or its pattern is the wider one, not none."""
    if not is_named(grant.tool, facts):
        return "no"
    if grant.match == "exact" and grant.arguments is not None:
        return "yes" if alike(grant.arguments, facts.arguments) else "no"
    return _means(grant.pattern, facts) if grant.match == "pattern" and grant.pattern is not None else "yes"


def answers_concern(pattern: Pattern, facts: CallFacts) -> bool:
    """Whether a pattern is about the very place that makes the call a concern: a folder outside the workspace."""
    if pattern.arguments is not None:
        return True
    return pattern.below is not None and bool(facts.paths) and not any(path.inside for path in facts.paths)


def _covers(pattern: Pattern, facts: CallFacts) -> bool:
    if pattern.prefix is not None:
        return False
    if pattern.arguments is not None:
        return same(_given(pattern.arguments), _given(facts.arguments))
    if pattern.below is not None:
        return facts.kind != "shell" and all_below(facts.paths, pattern.below, facts.workspace)
    if pattern.host is not None:
        return bool(facts.urls) and all(goes_to(url, pattern.host) for url in facts.urls)
    return True


def _means(pattern: Pattern, facts: CallFacts) -> Certainty:
    if pattern.arguments is not None:
        return "yes" if alike(_given(pattern.arguments), _given(facts.arguments)) else "no"
    if pattern.prefix is not None:
        if facts.line is None:
            return "maybe" if facts.kind == "shell" else "no"
        return names_line(pattern.prefix, facts.line)
    if pattern.below is not None:
        return _means_folder(pattern.below, facts)
    if pattern.host is not None:
        return _means_host(pattern.host, facts)
    return "yes"


def _means_folder(folder: str, facts: CallFacts) -> Certainty:
    if any_below(facts.paths, folder, facts.workspace):
        return "yes"
    if facts.kind != "shell":
        return "no"
    if facts.line is None:
        return "maybe"
    return _line_in_folder(facts.line, folder, facts.workspace)


def _line_in_folder(line: Line, folder: str, workspace: str) -> Certainty:
    """By the words as they are written: what a program makes of them nobody knows."""
    found = folder_path(folder, workspace)
    doubt = found is None or line.hides
    for command in line.commands:
        for text in command.argv[1:]:
            if text is None or text.startswith("~"):
                doubt = True
                continue
            path = folder_path(text.rpartition("=")[2] or text, workspace)
            if found is not None and path is not None and may_be_below(path, found):
                return "yes"
    return "maybe" if doubt else "no"


def _means_host(host: str, facts: CallFacts) -> Certainty:
    answers = {may_go_to(url, host) for url in facts.urls}
    if True in answers:
        return "yes"
    return "maybe" if None in answers else "no"


def _given(arguments: JsonObject) -> JsonObject:
    """A rule is written by hand, so a parameter that is null there or here counts as not given."""
    return {name: value for name, value in arguments.items() if value is not None}
