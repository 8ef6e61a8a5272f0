"""Limits as pure checks over what is used; the loop asks before it spends."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from runner.config import RunConfig
from runner.control.commands import LimitName
from runner.events import LimitWhy
from runner.state import Reason, RunState

WARN_AT = Decimal("0.8")

REASONS: dict[LimitName, Reason] = {
    "max_turns": "max_turns_exceeded",
    "max_time": "time_exceeded",
    "max_wall_time": "time_exceeded",
    "max_model_requests": "request_limit_exceeded",
    "max_tool_calls": "tool_call_limit_exceeded",
    "max_input_tokens": "token_limit_exceeded",
    "max_output_tokens": "token_limit_exceeded",
    "max_total_tokens": "token_limit_exceeded",
    "max_cost_usd": "budget_exceeded",
}

CLOCK_LIMITS: frozenset[LimitName] = frozenset({"max_time", "max_wall_time"})
"""Limits that are watched all the time; the others are checked before a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitState:
    """One limit against what is used, both in its own unit (turns, requests, calls, seconds, tokens, US dollars)."""

    limit: LimitName
    used: Decimal
    value: Decimal

    @property
    def reached(self) -> bool:
        return self.used >= self.value

    @property
    def near(self) -> bool:
        return self.used >= self.value * WARN_AT


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A limit that keeps something from starting. needed: what the next request costs by its input alone, estimated."""

    state: LimitState
    why: LimitWhy = "used"
    needed: Decimal | None = None
    model: str = ""

    @property
    def limit(self) -> LimitName:
        return self.state.limit

    def same(self, other: Hit) -> bool:
        """Whether it is the same obstacle still, which is not said twice."""
        if (self.limit, self.state.value, self.why) != (other.limit, other.state.value, other.why):
            return False
        return self.why == "used" or self.model == other.model


def limits_of(config: RunConfig) -> dict[LimitName, Decimal]:
    """The limits that are on."""
    values: dict[LimitName, float | int | Decimal | None] = {
        "max_turns": config.max_turns,
        "max_time": config.max_time,
        "max_wall_time": config.max_wall_time,
        "max_model_requests": config.request_limit,
        "max_tool_calls": config.max_tool_calls,
        "max_input_tokens": config.max_input_tokens,
        "max_output_tokens": config.max_output_tokens,
        "max_total_tokens": config.max_total_tokens,
        "max_cost_usd": config.max_cost_usd,
    }
    return {name: Decimal(str(value)) for name, value in values.items() if value is not None}


def measure(
    limits: dict[LimitName, Decimal], state: RunState, *, requests: int, calls: int, active: float, wall: float
) -> list[LimitState]:
    """Every limit that is on, with what is used of it. active and wall are in seconds."""
    used: dict[LimitName, Decimal] = {
        "max_turns": Decimal(state.turns_accepted),
        "max_time": Decimal(str(round(active, 3))),
        "max_wall_time": Decimal(str(round(wall, 3))),
        "max_model_requests": Decimal(requests),
        "max_tool_calls": Decimal(calls),
        "max_input_tokens": Decimal(state.usage.input),
        "max_output_tokens": Decimal(state.usage.output),
        "max_total_tokens": Decimal(state.usage.total),
        "max_cost_usd": state.cost.known,
    }
    return [LimitState(limit=name, used=used[name], value=value) for name, value in limits.items()]
