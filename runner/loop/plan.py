"""What to do after a failed attempt: one pure table, by the error's type (SEMANTICS section 7).

Bounded by construction: `plan_next` gives back, with its plan, an Allowance that is smaller than the one it was given,
in an order that has no endless descent; the only plan without one ends the turn. So no sequence of errors goes on for
ever, and a turn has at most (max_retries + 1) x models attempts, however the errors come.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from runner.errors import ContentFilterError, ContextOverflowError, ModelError
from runner.state import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a turn may still try. models: other models left; retries: further attempts of the current one.

    compact, repair: the one compaction and the one repair of the history a turn may make; each is also a retry.
    """

    models: int
    retries: int
    compact: bool = True
    repair: bool = True

    @property
    def measure(self) -> tuple[int, int]:
        """Falls with every plan: a retry lowers the second number, another model the first."""
        return self.models, self.retries


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Ask the same model again after delay seconds."""

    delay: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Compact:
    """Summarise the history, then ask the same model again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """Ask the same model again, with a history of nothing but what every provider takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextModel:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    reason: Reason


Again: TypeAlias = Retry | Compact | Repair | NextModel
Plan: TypeAlias = Again | GiveUp


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """max_retries: of one model in one turn. switch_after: of them, how many before a waiting fallback is used."""

    max_retries: int
    switch_after: int
    backoff: Backoff

    def fresh(self, models: int) -> Allowance:
        """For a turn that starts, with so many models besides the current one."""
        return Allowance(models=models, retries=self.max_retries)


def plan_next(
    error: ModelError, allowance: Allowance, rules: Rules, *, random: float, can_compact: bool = True
) -> tuple[Again, Allowance] | GiveUp:
    """The plan and what is left after it, or the end. can_compact: there is something to summarise.

    allowance.models counts the models that this error may be answered with: for an overflow the larger ones.
    """
    give_up = GiveUp(reason=_reason(error))
    other = (NextModel(), replace(allowance, models=allowance.models - 1, retries=rules.max_retries))
    on = other if allowance.models > 0 else give_up
    again = replace(allowance, retries=allowance.retries - 1)
    match error.action:
        case "retry":
            used = rules.max_retries - allowance.retries
            patience = min(rules.max_retries, rules.switch_after) if allowance.models > 0 else rules.max_retries
            delay = rules.backoff.delay(used, error.retry_after, random)
            if used < patience and delay is not None:
                return Retry(delay=delay), again
            return on
        case "next_model":
            return on
        case "compact":
            if allowance.compact and allowance.retries > 0 and can_compact:
                return Compact(), replace(again, compact=False)
            return on
        case "repair":
            if allowance.repair and allowance.retries > 0:
                return Repair(), replace(again, repair=False)
            return give_up
        case "abort" | "end_refused" | "tell_model":
            return give_up


RetryAction = Literal["retry", "switch", "compact", "repair"]


def action_of(plan: Again) -> RetryAction:
    """The plan in the word of retry_scheduled."""
    match plan:
        case Retry():
            return "retry"
        case Compact():
            return "compact"
        case Repair():
            return "repair"
        case NextModel():
            return "switch"


def _reason(error: ModelError) -> Reason:
    match error:
        case ContextOverflowError():
            return "context_overflow"
        case ContentFilterError():
            return "refused"
        case _:
            return "error"
