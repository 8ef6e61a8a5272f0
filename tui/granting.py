"""From "allow for…" to a decision: what it covers, how long, how far; checked and said in words. Pure.

The runner checks all of it again. Nothing here is cleaned: who puts it into a widget does that.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final, Literal

from runner.control.commands import Decide
from runner.events import Pattern, Suggested, ToolPattern
from tui.words import money, span

if TYPE_CHECKING:
    from runner.events import GrantMatch, Scope
    from runner.state import ApprovalView

BoundKind = Literal["none", "calls", "minutes", "failure", "cost"]
PatternKind = Literal["prefix", "below", "host"]

SCOPES: Final[tuple[tuple[Scope, str], ...]] = (
    ("run", "this run"),
    ("session", "this session"),
    ("project", "this project"),
    ("user", "always"),
)
BOUNDS: Final[tuple[tuple[BoundKind, str], ...]] = (
    ("none", "no bound"),
    ("calls", "calls"),
    ("minutes", "minutes"),
    ("failure", "one failure"),
    ("cost", "dollars"),
)
COUNTS: Final[Mapping[Scope, frozenset[BoundKind]]] = {
    "run": frozenset({"none", "calls", "minutes", "failure", "cost"}),
    "session": frozenset({"none", "calls", "minutes", "failure"}),
    "project": frozenset({"none", "minutes"}),
    "user": frozenset({"none", "minutes"}),
}
"""The bounds that somebody can keep count of, for each scope."""

AMOUNTS: Final[Mapping[BoundKind, tuple[str, str]]] = {
    "calls": ("5", "calls"),
    "minutes": ("10", "minutes"),
    "cost": ("0.50", "US dollars from now on"),
}
"""The first amount of a bound that has one, and what it counts."""

MOST_CALLS, MOST_MINUTES = 10_000, 60 * 24 * 30

_UNTIL: Final[Mapping[str, str]] = {
    "run": "in this run",
    "session": "in this session, its later runs too",
    "project": "in this project, from now on",
    "user": "in every project, from now on",
}


class GrantError(ValueError):
    """What is wrong with what was written, in words for the person who wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long and how far. amount: as it was written."""

    scope: Scope = "run"
    bound: BoundKind = "none"
    amount: str = ""


def offers(approval: ApprovalView) -> tuple[Suggested, ...]:
    """What could be covered, from narrow to wide, these very arguments first."""
    exact = ToolPattern(tool=approval.tool, pattern=Pattern(arguments=approval.arguments))
    others = [each for each in approval.suggestions if all(one.pattern.arguments is None for one in each.patterns)]
    return (Suggested(words="these arguments", patterns=(exact,)), *others)


def offer_words(offer: Suggested) -> str:
    """One line for the list of what can be covered."""
    return " and ".join(covered(pattern) for pattern in offer.patterns)


def covered(pattern: ToolPattern) -> str:
    """What a pattern covers, as a part of a sentence."""
    tool, found = pattern.tool, pattern.pattern
    if found.arguments is not None:
        return f"{tool} with exactly these arguments"
    if found.prefix is not None:
        return f"every `{shlex.join(found.prefix)} …`"
    if found.below is not None:
        where = "the workspace" if found.below in (".", "./") else found.below
        return f"every {tool} in {where} and below"
    if found.host is not None:
        return f"every {tool} on {found.host}"
    return f"every call of {tool}, whatever its arguments"


def kind_of(pattern: Pattern) -> PatternKind | None:
    """What of a pattern can be edited."""
    if pattern.prefix is not None:
        return "prefix"
    if pattern.below is not None:
        return "below"
    return "host" if pattern.host is not None else None


def label_of(pattern: ToolPattern) -> str:
    match kind_of(pattern.pattern):
        case "prefix":
            return f"{pattern.tool} begins with"
        case "below":
            return f"{pattern.tool} below"
        case "host":
            return f"{pattern.tool} on host"
        case None:
            return pattern.tool


def written(pattern: Pattern) -> str:
    """A pattern as a person edits it."""
    if pattern.prefix is not None:
        return shlex.join(pattern.prefix)
    return pattern.below or pattern.host or ""


def edited(pattern: ToolPattern, text: str) -> ToolPattern:
    """The pattern with what a person wrote. Raises GrantError."""
    kind = kind_of(pattern.pattern)
    if kind is None or text == written(pattern.pattern):
        return pattern
    match kind:
        case "prefix":
            made = Pattern(prefix=_prefix(text))
        case "below":
            made = Pattern(below=_folder(text))
        case "host":
            made = Pattern(host=_host(text))
    problem = _problem(made)
    if problem is not None:
        raise GrantError(f"{text.strip()} {problem}")
    return replace(pattern, pattern=made)


def _problem(pattern: Pattern) -> str | None:
    from runner.policy.check import pattern_problem

    return pattern_problem(pattern, "allow")


def _prefix(text: str) -> tuple[str, ...]:
    from runner.policy.prefix import PrefixError, words_of

    try:
        return words_of(text, "allow")
    except PrefixError as error:
        raise GrantError(f"the beginning of the command {error}") from error


def _folder(text: str) -> str:
    folder = text.strip()
    if not folder:
        raise GrantError("the folder is missing; . is the workspace")
    if not folder.isprintable():
        raise GrantError("the folder has a character in it that cannot be seen")
    if any(sign in folder for sign in "*?["):
        raise GrantError("a folder is written without * and ?: all that is below it is covered")
    return folder


def _host(text: str) -> str:
    from runner.policy.hosts import host_problem

    host = text.strip().lower()
    problem = host_problem(host)
    if problem is not None:
        raise GrantError(f"{host or 'an empty text'} {problem}")
    return host


def checked(terms: Terms) -> Terms:
    """The terms, where they can be kept. Raises GrantError."""
    if terms.bound not in COUNTS[terms.scope]:
        what = {"calls": "calls are", "failure": "failures are", "cost": "money is"}[terms.bound]
        where = "one run" if terms.bound == "cost" else "one session"
        raise GrantError(f"{what} counted in {where}; choose a shorter time, or minutes")
    _amount(terms)
    return terms


def _amount(terms: Terms) -> Decimal:
    """The amount of a bound that has one, else 0. Raises GrantError."""
    if terms.bound not in AMOUNTS:
        return Decimal(0)
    try:
        amount = Decimal(terms.amount.strip().removeprefix("$"))
    except InvalidOperation as error:
        raise GrantError(f"{terms.amount.strip() or 'an empty text'} is not a number") from error
    most = {"calls": MOST_CALLS, "minutes": MOST_MINUTES}.get(terms.bound, 1_000_000)
    if not amount.is_finite() or amount <= 0 or amount > most:
        raise GrantError(f"the number is above 0 and at most {most:,}")
    if terms.bound == "calls" and amount != int(amount):
        raise GrantError("calls are a whole number")
    return amount


def bound_words(terms: Terms) -> str:
    """How far it goes, as a part of a sentence; "" = without a bound."""
    amount = _amount(terms)
    match terms.bound:
        case "none":
            return ""
        case "calls":
            return "1 call, which is this one" if amount == 1 else f"{int(amount)} calls at most, this one counted"
        case "minutes":
            return f"for the next {span(float(amount) * 60)}"
        case "failure":
            return "until one of them fails"
        case "cost":
            return f"until the run has cost {money(amount)} more"


def sentence(patterns: Sequence[ToolPattern], terms: Terms) -> str:
    """What saving will do. Raises GrantError where it would do nothing."""
    bound = bound_words(checked(terms))
    what = " and ".join(covered(pattern) for pattern in patterns)
    return f"{what} {_UNTIL[terms.scope]}{f', {bound}' if bound else ''}"


def decision(approval: ApprovalView, patterns: tuple[ToolPattern, ...], terms: Terms) -> Decide:
    """Allow the call that is asked about, and what the patterns cover. Raises GrantError."""
    amount = _amount(checked(terms))
    match = _match(approval.tool, patterns)
    return Decide(
        request_id=approval.request_id,
        decision="allow",
        scope=terms.scope,
        match=match,
        patterns=patterns if match == "pattern" else (),
        calls=int(amount) if terms.bound == "calls" else None,
        minutes=float(amount) if terms.bound == "minutes" else None,
        until_failure=terms.bound == "failure",
        spend_usd=amount if terms.bound == "cost" else None,
    )


def _match(tool: str, patterns: tuple[ToolPattern, ...]) -> GrantMatch:
    if len(patterns) == 1 and patterns[0].tool == tool:
        if patterns[0].pattern.arguments is not None:
            return "exact"
        if patterns[0].pattern.whole:
            return "tool"
    return "pattern"


def leaves_out(offer: Suggested, patterns: Sequence[ToolPattern]) -> bool:
    """Whether the edited patterns, by their looks, no longer cover the call that is asked about."""
    pairs = zip(offer.patterns, patterns, strict=True)
    return any(not _wider(old.pattern, new.pattern) for old, new in pairs)


def _wider(old: Pattern, new: Pattern) -> bool:
    if old.prefix is not None and new.prefix is not None:
        return old.prefix[: len(new.prefix)] == new.prefix
    if old.below is not None and new.below is not None:
        one, other = old.below.rstrip("/"), new.below.rstrip("/")
        return one == other or one.startswith(f"{other}/") or (other == "." and not one.startswith(("/", "~", "..")))
    if old.host is not None and new.host is not None:
        return old.host == new.host or (new.host.startswith("*.") and old.host.endswith(new.host[1:]))
    return old == new
