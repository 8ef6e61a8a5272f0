"""What may run: rules, modes, grants, and the one function that decides.

Each name is imported when it is first used, so that reading a configuration does not load what tools need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.policy.base import (
        ApprovalMode,
        Bound,
        CallFacts,
        Effect,
        Grant,
        PartVerdict,
        PathFact,
        Pattern,
        Rule,
        Verdict,
    )
    from runner.policy.canonical import fingerprint
    from runner.policy.decision import decide
    from runner.policy.facts import call_facts
    from runner.policy.grants import GrantFile, grants_of
    from runner.policy.live import LiveGrant, live_grants
    from runner.policy.reflex import ReflexHint, reflex
    from runner.policy.suggestions import Suggestion, grants_for, suggest
    from runner.policy.uses import Uses, uses_of

_HOMES = {
    "ApprovalMode": "runner.policy.base",
    "Bound": "runner.policy.base",
    "CallFacts": "runner.policy.base",
    "Effect": "runner.policy.base",
    "Grant": "runner.policy.base",
    "GrantFile": "runner.policy.grants",
    "LiveGrant": "runner.policy.live",
    "PartVerdict": "runner.policy.base",
    "PathFact": "runner.policy.base",
    "Pattern": "runner.policy.base",
    "ReflexHint": "runner.policy.reflex",
    "Rule": "runner.policy.base",
    "Suggestion": "runner.policy.suggestions",
    "Uses": "runner.policy.uses",
    "Verdict": "runner.policy.base",
    "call_facts": "runner.policy.facts",
    "decide": "runner.policy.decision",
    "fingerprint": "runner.policy.canonical",
    "grants_for": "runner.policy.suggestions",
    "grants_of": "runner.policy.grants",
    "live_grants": "runner.policy.live",
    "reflex": "runner.policy.reflex",
    "suggest": "runner.policy.suggestions",
    "uses_of": "runner.policy.uses",
}

__all__ = [
    "ApprovalMode",
    "Bound",
    "CallFacts",
    "Effect",
    "Grant",
    "GrantFile",
    "LiveGrant",
    "PartVerdict",
    "PathFact",
    "Pattern",
    "ReflexHint",
    "Rule",
    "Suggestion",
    "Uses",
    "Verdict",
    "call_facts",
    "decide",
    "fingerprint",
    "grants_for",
    "grants_of",
    "live_grants",
    "reflex",
    "suggest",
    "uses_of",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value
