"""The table of errors to actions: what it says, and that no sequence of errors goes on for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner import errors
from runner.errors import (
    AuthenticationError,
    BillingError,
    ContentFilterError,
    ContextOverflowError,
    InvalidRequestError,
    ModelError,
    RateLimitError,
    ServerError,
)
from runner.loop.plan import (
    Allowance,
    Backoff,
    Compact,
    GiveUp,
    NextModel,
    Plan,
    Repair,
    Retry,
    Rules,
    action_of,
    plan_next,
)

BACKOFF = Backoff(initial=0.5, factor=2.0, maximum=30.0, retry_after_max=120.0)
KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ModelError) and kind is not ModelError
]


def rules(max_retries: int = 3, switch_after: int = 1) -> Rules:
    return Rules(max_retries=max_retries, switch_after=switch_after, backoff=BACKOFF)


def first_plan(error: ModelError, allowance: Allowance, given_rules: Rules | None = None, **more: bool) -> Plan:
    made = plan_next(error, allowance, given_rules or rules(), random=1.0, **more)
    return made if isinstance(made, GiveUp) else made[0]


@pytest.mark.parametrize(
    ("error", "allowance", "wanted"),
    [
        (RateLimitError("busy"), Allowance(models=0, retries=3), Retry(delay=0.5)),
        (RateLimitError("busy", retry_after=7.0), Allowance(models=0, retries=3), Retry(delay=7.0)),
        (RateLimitError("busy", retry_after=500.0), Allowance(models=0, retries=3), GiveUp(reason="error")),
        (RateLimitError("busy", retry_after=500.0), Allowance(models=1, retries=3), NextModel()),
        (ServerError("500"), Allowance(models=1, retries=2), NextModel()),
        (ServerError("500"), Allowance(models=0, retries=1), Retry(delay=2.0)),
        (ServerError("500"), Allowance(models=0, retries=0), GiveUp(reason="error")),
        (BillingError("no credit"), Allowance(models=0, retries=3), GiveUp(reason="error")),
        (BillingError("no credit"), Allowance(models=2, retries=3), NextModel()),
        (ContextOverflowError("long"), Allowance(models=2, retries=3), Compact()),
        (ContextOverflowError("long"), Allowance(models=2, retries=3, compact=False), NextModel()),
        (
            ContextOverflowError("long"),
            Allowance(models=0, retries=3, compact=False),
            GiveUp(reason="context_overflow"),
        ),
        (ContextOverflowError("long"), Allowance(models=0, retries=0), GiveUp(reason="context_overflow")),
        (InvalidRequestError("400"), Allowance(models=2, retries=3), Repair()),
        (InvalidRequestError("400"), Allowance(models=2, retries=3, repair=False), GiveUp(reason="error")),
        (AuthenticationError("no key"), Allowance(models=2, retries=3), GiveUp(reason="error")),
        (ContentFilterError("no"), Allowance(models=2, retries=3), GiveUp(reason="refused")),
    ],
)
def test_the_table(error: ModelError, allowance: Allowance, wanted: Plan) -> None:
    assert first_plan(error, allowance) == wanted


def test_an_overflow_with_nothing_to_summarise_goes_to_a_larger_model() -> None:
    plan = first_plan(ContextOverflowError("long"), Allowance(models=1, retries=3), can_compact=False)
    assert plan == NextModel()


@given(
    st.lists(st.sampled_from(KINDS), min_size=1, max_size=60),
    st.integers(0, 4),
    st.integers(0, 4),
    st.integers(0, 4),
)
def test_every_sequence_of_errors_ends(
    kinds: list[type[ModelError]], max_retries: int, switch_after: int, others: int
) -> None:
    """At most (max_retries + 1) x models attempts, whatever the errors are; each plan leaves less than before."""
    allowed = rules(max_retries, switch_after)
    allowance = allowed.fresh(others)
    attempts = 1
    for kind in (kinds * 60)[:200]:
        made = plan_next(kind("again"), allowance, allowed, random=0.0)
        if isinstance(made, GiveUp):
            break
        plan, left = made
        assert left.measure < allowance.measure
        assert left.models >= 0
        assert left.retries >= 0
        assert action_of(plan) in ("retry", "switch", "compact", "repair")
        allowance = left
        attempts += 1
    else:
        pytest.fail("the turn never ended")
    assert attempts <= (max_retries + 1) * (others + 1)
