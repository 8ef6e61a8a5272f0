"""What a decision covers, how far it goes and how much of that is left, in words for people. Pure.

Nothing here is cleaned: who puts it into a widget does that.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui.words import count, money, span

if TYPE_CHECKING:
    from runner.events import Bound, Pattern, Scope
    from runner.policy.base import Grant, Rule

SCOPES: Final[Mapping[str, str]] = {
    "call": "this call",
    "run": "this run",
    "session": "this session",
    "project": "this project",
    "user": "every project",
}
"""How long a decision holds, or how wide."""

LEVELS: Final[Mapping[str, str]] = {
    "user": "your rules",
    "project": "the project's rules",
    "session": "rules of this start",
    "environment": "the environment",
    "flag": "an option",
    "default": "the defaults",
}
"""Where a rule was written."""


def covers(tool: str, pattern_words: str) -> str:
    """What is meant: "every call of shell", "shell, commands that begin with: git status"."""
    return f"{tool}, {pattern_words}" if pattern_words else f"every call of {tool}"


def pattern_covers(pattern: Pattern, workspace: Path | None = None) -> str:
    """After the tool's name, what of it a pattern is about; "" = every call. A folder inside the workspace is named
    as it is seen from there."""
    from runner.policy.words import pattern_words

    if pattern.arguments is not None:
        return arguments_words(pattern.arguments)
    if pattern.below is not None and workspace is not None:
        return f"below {_from(workspace, pattern.below)}"
    return pattern_words(pattern)


def arguments_words(arguments: Mapping[str, object]) -> str:
    """Exact arguments: a command as it is written, others as JSON; what is null counts as not given."""
    given = {name: value for name, value in arguments.items() if value is not None}
    command = given.get("command")
    if len(given) == 1 and isinstance(command, str):
        return f"exactly: {command}"
    return f"with {json.dumps(given, ensure_ascii=False, default=str)}"


def _from(workspace: Path, folder: str) -> str:
    root = os.path.realpath(workspace)
    if folder == root:
        return "this folder"
    return folder.removeprefix(root + os.sep)


def grant_covers(grant: Grant, workspace: Path | None = None) -> str:
    """After the tool's name, what of it a grant is about; "" = every call."""
    match grant.match:
        case "tool":
            return ""
        case "exact":
            return arguments_words(grant.arguments or {})
        case "pattern":
            return "nothing" if grant.pattern is None else pattern_covers(grant.pattern, workspace) or "nothing"


def rule_covers(rule: Rule, workspace: Path | None = None) -> str:
    """After the tool's name, what of it a rule is about; "" = every call."""
    return pattern_covers(rule.pattern, workspace)


def bound_words(bound: Bound, now: datetime) -> str:
    """How far something goes that begins now: "for 5 calls, until 14:32 (10 min)"; "" = without a bound."""
    parts: list[str] = []
    if bound.calls is not None:
        parts.append(f"for {count(bound.calls, 'call')}")
    if bound.until is not None:
        parts.append(f"{moment(bound.until, now)} ({span((bound.until - now).total_seconds())})")
    if bound.until_failure:
        parts.append("until the first failure")
    if bound.until_cost is not None:
        parts.append(f"until the run has cost {money(bound.until_cost)}")
    return ", ".join(parts)


def left_words(bound: Bound, now: datetime, *, used: int = 0, spent: Decimal | None = None) -> str:
    """What is left: "3 of 5 calls left, until 14:32 (6 min), $0.40 left"; "" = without a bound.

    used: calls allowed so far. spent: what the run that a limit of money counts in has cost, None = not known.
    """
    parts: list[str] = []
    if bound.calls is not None:
        parts.append(f"{max(0, bound.calls - used)} of {count(bound.calls, 'call')} left")
    if bound.until is not None:
        seconds = (bound.until - now).total_seconds()
        parts.append("over" if seconds <= 0 else f"{moment(bound.until, now)} ({span(seconds)})")
    if bound.until_failure:
        parts.append("until the first failure")
    if bound.until_cost is not None:
        left_money = None if spent is None else max(Decimal(0), bound.until_cost - spent)
        whole = money(bound.until_cost)
        parts.append(
            f"until the run has cost {whole}" if left_money is None else f"{money(left_money)} of {whole} left"
        )
    return ", ".join(parts)


def moment(when: datetime, now: datetime) -> str:
    """When something ends, in local time: "until 14:32", with the day where it is not today."""
    local, today = when.astimezone(), now.astimezone()
    form = "%H:%M" if local.date() == today.date() else "%Y-%m-%d %H:%M"
    return f"until {local.strftime(form)}"


def scope_words(scope: Scope | str) -> str:
    return SCOPES.get(scope, scope)
