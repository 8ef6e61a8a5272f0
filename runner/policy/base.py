"""The vocabulary of decisions about tool calls (SEMANTICS section 9)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from runner.events import UNBOUNDED, Bound, GrantMatch, Pattern, Scope
from runner.messages import JsonObject
from runner.policy.shell.model import Line
from runner.tools.base import ToolKind

ApprovalMode = Literal["default", "accept_edits", "plan", "bypass", "deny_unlisted"]
Effect = Literal["allow", "deny", "ask"]
GrantKind = GrantMatch

__all__ = [
    "UNBOUNDED",
    "ApprovalMode",
    "Bound",
    "CallFacts",
    "Effect",
    "Grant",
    "GrantKind",
    "PartVerdict",
    "PathFact",
    "Pattern",
    "Rule",
    "Verdict",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """tool: a name or a glob of names. arguments, prefix, below, host: see Pattern; at most one of them.

    expires: from then on an allowance is none, and a denial or question is none either. source: the file and line, or
    the argument, that the rule came from, for explanations.
    """

    effect: Effect
    tool: str
    arguments: JsonObject | None = None
    prefix: tuple[str, ...] | None = None
    below: str | None = None
    host: str | None = None
    note: str = ""
    source: str = ""
    expires: datetime | None = None

    @property
    def pattern(self) -> Pattern:
        return Pattern(arguments=self.arguments, prefix=self.prefix, below=self.below, host=self.host)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A person's decision that outlives one call. effect is never "ask".

    arguments: of an exact match. pattern: of a match by pattern. bound: an allowance that is used up or over is none;
    a denial is bounded by time only. identity: of the tool as it was then; an allowance covers no other (a tool of a
    server may change its meaning under its name). origin: of a counted one, the request whose answer it is: the same
    grant given again is counted anew.
    """

    effect: Literal["allow", "deny"]
    tool: str
    match: GrantKind
    scope: Scope
    arguments: JsonObject | None = None
    pattern: Pattern | None = None
    bound: Bound = UNBOUNDED
    identity: str = ""
    origin: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFact:
    """A path of a call. real: absolute, links followed. inside: it is in the workspace."""

    given: str
    real: str
    inside: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """All that a decision may depend on.

    concern: why this very call must be asked about, or None. workspace: absolute, links followed; "" = not known.
    paths, urls: those among the arguments. line: a shell command taken apart. files: what its redirections open, each
    as the call of a file tool that it amounts to. identity: Tool.identity.
    """

    tool: str
    kind: ToolKind
    read_only: bool
    arguments: JsonObject
    requires_approval: bool | None = None
    concern: str | None = None
    workspace: str = ""
    paths: tuple[PathFact, ...] = ()
    urls: tuple[str, ...] = ()
    line: Line | None = None
    files: tuple[CallFacts, ...] = ()
    identity: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartVerdict:
    """One part of a shell line: a command, a file it opens, or something that was not understood.

    effect "ask": nothing allows it. where: the file and line of the rule.
    """

    text: str
    effect: Effect
    rule: str = ""
    where: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """by: what decided: rule, grant, mode or tool. rule: the rule in words, with its source. why: one sentence for
    the person. where: the file and line of the rule. parts: of a shell line, each with its own decision. used: the
    keys of the grants that decided (`grant_key`).
    """

    effect: Effect
    by: Literal["rule", "grant", "mode", "tool"]
    rule: str
    why: str
    where: str = field(default="", compare=False)
    parts: tuple[PartVerdict, ...] = field(default=(), compare=False)
    used: tuple[str, ...] = field(default=(), compare=False)
