"""The vocabulary of decisions about tool calls (SEMANTICS section 9)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from runner.events import Scope
from runner.messages import JsonObject
from runner.policy.shell.model import Line
from runner.tools.base import ToolKind

ApprovalMode = Literal["default", "accept_edits", "plan", "bypass", "deny_unlisted"]
Effect = Literal["allow", "deny", "ask"]
GrantKind = Literal["tool", "exact", "pattern"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Which calls of a tool are meant; at most one field is set, none means every call.

    arguments: calls with equal arguments. prefix: shell commands that begin with these words. below: calls whose
    paths all lie in this folder (relative to the workspace, absolute, or from ~). host: calls whose URLs all go to
    this host ("api.example.com", "*.example.com", "example.com:8080").
    """

    arguments: JsonObject | None = None
    prefix: tuple[str, ...] | None = None
    below: str | None = None
    host: str | None = None

    @property
    def whole(self) -> bool:
        return self.arguments is None and self.prefix is None and self.below is None and self.host is None


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
class Bound:
    """How far a grant goes; what is None or False does not bound it.

    calls: so many calls. until: a moment. until_failure: up to and including the first call that fails.
    """

    calls: int | None = None
    until: datetime | None = None
    until_failure: bool = False

    @property
    def counted(self) -> bool:
        """Whether somebody must keep a ledger of uses for it."""
        return self.calls is not None or self.until_failure


UNBOUNDED = Bound()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A person's decision that outlives one call. effect is never "ask".

    arguments: of an exact match. pattern: of a match by pattern. bound: an allowance that is used up or over is none;
    a denial is bounded by time only.
    """

    effect: Literal["allow", "deny"]
    tool: str
    match: GrantKind
    scope: Scope
    arguments: JsonObject | None = None
    pattern: Pattern | None = None
    bound: Bound = UNBOUNDED


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
    as the call of a file tool that it amounts to.
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
    keys of the bounded grants that allowed it (`grant_key`).
    """

    effect: Effect
    by: Literal["rule", "grant", "mode", "tool"]
    rule: str
    why: str
    where: str = field(default="", compare=False)
    parts: tuple[PartVerdict, ...] = field(default=(), compare=False)
    used: tuple[str, ...] = field(default=(), compare=False)
