"""What may run: rules, modes, grants, and the one function that decides."""

from runner.policy.base import ApprovalMode, CallFacts, Effect, Grant, Rule, Verdict
from runner.policy.canonical import fingerprint
from runner.policy.decide import decide
from runner.policy.facts import call_facts
from runner.policy.grants import GrantFile, grants_of

__all__ = [
    "ApprovalMode",
    "CallFacts",
    "Effect",
    "Grant",
    "GrantFile",
    "Rule",
    "Verdict",
    "call_facts",
    "decide",
    "fingerprint",
    "grants_of",
]
