"""What a person's decision covers beyond one call: data that events carry and the policy reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from runner.messages import JsonObject


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
class ToolPattern:
    """A pattern of one tool's calls."""

    tool: str
    pattern: Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggested:
    """A way to cover the call that is asked about. patterns: all of them together do. words: what they cover."""

    words: str
    patterns: tuple[ToolPattern, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """How far a grant goes; what is None or False does not bound it.

    calls: so many calls. until: a moment. until_failure: up to and including the first call that fails.
    until_cost: as long as the run has cost less, in US dollars; it counts in that run only.
    """

    calls: int | None = None
    until: datetime | None = None
    until_failure: bool = False
    until_cost: Decimal | None = None

    @property
    def counted(self) -> bool:
        """Whether somebody must keep a ledger of uses for it."""
        return self.calls is not None or self.until_failure


UNBOUNDED = Bound()
