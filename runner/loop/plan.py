"""What to do after a failed attempt: one pure table, by the error's type (SEMANTICS section 7).

Bounded by construction: each call either ends the turn, spends one of the current model's retries, or gives that
model up for the rest of the turn; so a turn has at most (max_retries + 1) x models attempts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from runner.errors import ContentFilterError, ContextOverflowError, ModelError
from runner.state import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Ask the same model again after delay seconds."""

    delay: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NextModel:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    reason: Reason


Plan: TypeAlias = Retry | NextModel | GiveUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """initial, maximum, retry_after_max: seconds. random gives the jitter's 0..1."""

    initial: float
    factor: float
    maximum: float
    retry_after_max: float

    def delay(self, retry: int, retry_after: float | None, random: float) -> float | None:
        """Seconds before retry number `retry` (from 0); full jitter. None: the provider wants longer than we wait."""
        if retry_after is not None:
            return retry_after if retry_after <= self.retry_after_max else None
        return min(self.maximum, self.initial * self.factor**retry) * random


def plan_next(
    error: ModelError,
    *,
    retries_used: int,
    max_retries: int,
    switch_after: int,
    has_next_model: bool,
    backoff: Backoff,
    random: float,
) -> Plan:
    """retries_used: of this model in this turn. switch_after: retries before a waiting fallback model is used."""
    give_up = GiveUp(reason=_reason(error))
    match error.action:
        case "retry":
            allowed = min(max_retries, switch_after) if has_next_model else max_retries
            delay = backoff.delay(retries_used, error.retry_after, random)
            if retries_used < allowed and delay is not None:
                return Retry(delay=delay)
            return NextModel() if has_next_model else give_up
        case "next_model" | "compact":
            return NextModel() if has_next_model else give_up
        case "repair" | "abort" | "end_refused" | "tell_model":
            return give_up


def _reason(error: ModelError) -> Reason:
    match error:
        case ContextOverflowError():
            return "context_overflow"
        case ContentFilterError():
            return "refused"
        case _:
            return "error"
