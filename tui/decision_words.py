"""Decisions of the ledger in words. Pure, and not cleaned: who shows it does that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from runner.policy.words import pattern_words
from runner.store.decisions import DecisionRow
from tui.grant_words import bound_words, covers, scope_words
from tui.words import one_line

DECIDED: Final[Mapping[str, str]] = {
    "allow": "allowed",
    "edit": "edited",
    "answer": "answered",
    "deny": "denied",
    "end_run": "run ended",
}
_BY: Final[Mapping[str, str]] = {
    "user": "you",
    "timeout": "no answer",
    "stop": "the stop",
    "disconnect": "nobody",
}


def by_words(row: DecisionRow) -> str:
    """Who or what decided."""
    return _BY.get(row.by, row.by)


def call_words(row: DecisionRow) -> str:
    """A call on one line, as the model wanted it and, where it was changed, as it was allowed."""
    if row.asks == "question":
        return one_line(f"{row.question}  →  {short(row.arguments)}")
    before, after = short(row.proposed), short(row.arguments)
    if row.decision == "edit" and before != after:
        return f"{before}  →  {after}"
    return before or after


def short(arguments: Mapping[str, object] | None) -> str:
    """Arguments on one line: the command of a shell, else all of them as JSON."""
    if not arguments:
        return ""
    command = arguments.get("command")
    if isinstance(command, str) and command:
        return one_line(command)
    return one_line(json.dumps(dict(arguments), ensure_ascii=False, default=str))


def granted_words(row: DecisionRow) -> str:
    """What a decision granted beyond the call; "" where it granted nothing."""
    if row.by != "user" or row.scope == "call":
        return ""
    what = "; ".join(covers(one.tool, pattern_words(one.pattern)) for one in row.patterns)
    if row.match == "tool":
        what = covers(row.tool, "")
    elif row.match == "exact":
        what = f"{row.tool} with these arguments"
    bound = bound_words(row.bound, row.time)
    return f"for {scope_words(row.scope)}: {what}{f', {bound}' if bound else ''}"
