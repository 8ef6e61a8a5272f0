"""The vocabulary of decisions about tool calls (SEMANTICS section 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from runner.events import GrantMatch, Scope
from runner.messages import JsonObject
from runner.tools.base import ToolKind

ApprovalMode = Literal["default", "accept_edits", "plan", "bypass", "deny_unlisted"]
Effect = Literal["allow", "deny", "ask"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """tool: a name or a glob of names. arguments: None covers every call, an object only calls with equal arguments.
    source: the file or argument that the rule came from, for explanations."""

    effect: Effect
    tool: str
    arguments: JsonObject | None = None
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A person's decision that outlives one call. effect is never "ask"."""

    effect: Literal["allow", "deny"]
    tool: str
    match: GrantMatch
    scope: Scope
    arguments: JsonObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """All that a decision may depend on."""

    tool: str
    kind: ToolKind
    read_only: bool
    arguments: JsonObject
    requires_approval: bool | None = None
    concern: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """by: what decided: rule, grant, mode or tool. rule: the rule in words, with its source. why: one sentence for
    the person.
    """

    effect: Effect
    by: Literal["rule", "grant", "mode", "tool"]
    rule: str
    why: str
