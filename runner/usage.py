"""Tokens and money of requests."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

UsageSource = Literal["reported", "estimated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one request, or a sum of requests.

    input counts the whole prompt; cached_input and cache_write are parts of it.
    output counts all that the model wrote; reasoning is a part of it.
    """

    input: int = 0
    cached_input: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input=self.input + other.input,
            cached_input=self.cached_input + other.cached_input,
            cache_write=self.cache_write + other.cache_write,
            output=self.output + other.output,
            reasoning=self.reasoning + other.reasoning,
        )

    @property
    def total(self) -> int:
        return self.input + self.output


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """US dollars for one million tokens of each kind; a kind without a price of its own costs as input or output."""

    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None
    cache_write: Decimal | None = None

    def cost(self, usage: Usage) -> Decimal:
        """The exact cost in US dollars."""
        cached = self.input if self.cached_input is None else self.cached_input
        write = self.input if self.cache_write is None else self.cache_write
        fresh = max(0, usage.input - usage.cached_input - usage.cache_write)
        total = (
            self.input * fresh + cached * usage.cached_input + write * usage.cache_write + self.output * usage.output
        )
        return total / 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """A sum of costs that keeps apart what is unknown: unknown is never 0 (SEMANTICS section 4).

    known is in US dollars; unknown counts the requests whose price is not known.
    """

    known: Decimal = Decimal(0)
    unknown: int = 0

    def add(self, cost: Decimal | None) -> Cost:
        if cost is None:
            return Cost(known=self.known, unknown=self.unknown + 1)
        return Cost(known=self.known + cost, unknown=self.unknown)

    def __add__(self, other: Cost) -> Cost:
        return Cost(known=self.known + other.known, unknown=self.unknown + other.unknown)

    @property
    def total(self) -> Decimal | None:
        """US dollars, or None where a part is unknown."""
        return None if self.unknown else self.known
