"""What providers say of their limits in the headers of an answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from runner.models.base import RateLimitChunk

_KINDS: Final = ("requests", "tokens", "input-tokens", "output-tokens")
_UNITS: Final = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|d|h|m|s)")


def read_rate_limits(headers: Mapping[str, str], now: datetime | None = None) -> RateLimitChunk | None:
    """The limit that is closest to being used up, in OpenAI's or Anthropic's headers; None where there are none."""
    plain = {name.lower().removeprefix("llm_provider-"): value for name, value in headers.items()}
    tightest: RateLimitChunk | None = None
    for kind in _KINDS:
        for limit, left, reset in (
            (f"x-ratelimit-limit-{kind}", f"x-ratelimit-remaining-{kind}", f"x-ratelimit-reset-{kind}"),
            (
                f"anthropic-ratelimit-{kind}-limit",
                f"anthropic-ratelimit-{kind}-remaining",
                f"anthropic-ratelimit-{kind}-reset",
            ),
        ):
            most, remaining = _number(plain.get(limit)), _number(plain.get(left))
            if not most or remaining is None:
                continue
            used = min(1.0, max(0.0, 1.0 - remaining / most))
            if tightest is None or used > (tightest.utilization or 0.0):
                wait = seconds_until(plain.get(reset, ""), now or datetime.now(UTC))
                tightest = RateLimitChunk(utilization=used, reset_at=wait, allowed=remaining > 0)
    return tightest


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def seconds_until(text: str, now: datetime) -> float | None:
    """Seconds in "6m0s", "120ms", "3.5", or until an RFC 3339 moment; None for anything else."""
    text = text.strip()
    number = _number(text)
    if number is not None:
        return max(0.0, number)
    parts = _DURATION.findall(text)
    if parts and "".join(amount + unit for amount, unit in parts) == text:
        return sum(float(amount) * _UNITS[unit] for amount, unit in parts)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
