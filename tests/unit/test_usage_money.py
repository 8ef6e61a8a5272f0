"""Usage, prices and costs: exact to the last digit, and unknown is never 0."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from runner.usage import Cost, Price, Usage

COUNTS = st.integers(0, 10_000_000)
PRICES = st.decimals(min_value=0, max_value=1000, places=6, allow_nan=False, allow_infinity=False)
USAGES = st.builds(Usage, input=COUNTS, cached_input=COUNTS, cache_write=COUNTS, output=COUNTS, reasoning=COUNTS)
COSTS = st.none() | st.decimals(min_value=0, max_value=100, places=8)


@given(USAGES, USAGES, USAGES)
def test_usage_adds_up_in_any_order(a: Usage, b: Usage, c: Usage) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + Usage() == a
    assert (a + b).total == a.total + b.total
    assert (a + b).reasoning == a.reasoning + b.reasoning


def test_parts_of_the_input_are_not_counted_twice() -> None:
    usage = Usage(input=100, cached_input=60, cache_write=10, output=20, reasoning=15)
    assert usage.total == 120
    price = Price(input=Decimal(3), output=Decimal(15), cached_input=Decimal("0.3"), cache_write=Decimal("3.75"))
    assert price.cost(usage) == (Decimal(30 * 3) + Decimal("18") + Decimal("37.5") + Decimal(300)) / 1_000_000


def test_a_kind_without_a_price_of_its_own_costs_as_input() -> None:
    usage = Usage(input=1_000_000, cached_input=500_000, cache_write=100_000)
    assert Price(input=Decimal(2), output=Decimal(9)).cost(usage) == Decimal(2)
    free_cache = Price(input=Decimal(2), output=Decimal(9), cached_input=Decimal(0))
    assert free_cache.cost(usage) == Decimal(1)


def test_more_cached_than_input_never_makes_a_request_cheaper_than_its_cache() -> None:
    usage = Usage(input=10, cached_input=50)
    assert Price(input=Decimal(1), output=Decimal(1)).cost(usage) == Decimal(50) / 1_000_000


@given(USAGES, PRICES, PRICES, PRICES, PRICES)
def test_the_cost_is_exact(usage: Usage, fresh: Decimal, output: Decimal, cached: Decimal, write: Decimal) -> None:
    price = Price(input=fresh, output=output, cached_input=cached, cache_write=write)
    uncached = max(0, usage.input - usage.cached_input - usage.cache_write)
    exact = (
        Fraction(fresh) * uncached
        + Fraction(cached) * usage.cached_input
        + Fraction(write) * usage.cache_write
        + Fraction(output) * usage.output
    ) / 1_000_000
    assert Fraction(price.cost(usage)) == exact


@given(st.lists(COSTS, max_size=12))
def test_a_sum_with_an_unknown_part_is_unknown(costs: list[Decimal | None]) -> None:
    total = Cost()
    for cost in costs:
        total = total.add(cost)
    known = [cost for cost in costs if cost is not None]
    assert total.known == sum(known, Decimal(0))
    assert total.unknown == costs.count(None)
    assert total.total == (None if None in costs else sum(known, Decimal(0)))


@given(st.lists(COSTS, max_size=6), st.lists(COSTS, max_size=6))
def test_sums_of_sums_keep_what_is_unknown(left: list[Decimal | None], right: list[Decimal | None]) -> None:
    def add(costs: list[Decimal | None]) -> Cost:
        total = Cost()
        for cost in costs:
            total = total.add(cost)
        return total

    assert add(left) + add(right) == add(left + right)


def test_nothing_spent_is_zero_and_not_unknown() -> None:
    assert Cost().total == Decimal(0)
    assert Cost().add(Decimal(0)).total == Decimal(0)
    assert Cost().add(None).total is None
    assert Cost().add(None).add(Decimal(1)).total is None


def test_ten_cents_ten_times_is_one_dollar() -> None:
    total = Cost()
    for _ in range(10):
        total = total.add(Decimal("0.1"))
    assert total.total == Decimal(1)
