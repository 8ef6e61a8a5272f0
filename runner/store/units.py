"""How values are kept in columns: times in microseconds, money in units of 1e-12 US dollars, text without traps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

_PICO = Decimal(10) ** 12
_MOST_TOKENS = 10**13
_MOST_PICO = 10**17
EPOCH = datetime.fromtimestamp(0, UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Microseconds since the epoch, exact."""
    return (moment - EPOCH) // _MICROSECOND


def from_micros(value: int) -> datetime:
    return EPOCH + value * _MICROSECOND


def pico(dollars: Decimal | None) -> int | None:
    """A cost as it is stored. None where it is unknown, or is none: not finite, or more than 100,000 US dollars."""
    if dollars is None or not dollars.is_finite() or abs(dollars) * _PICO > _MOST_PICO:
        return None
    return int((dollars * _PICO).to_integral_value())


def from_pico(value: int) -> Decimal:
    """US dollars of a stored cost, without trailing zeros and never in exponent form."""
    return Decimal(format((Decimal(value) / _PICO).normalize(), "f"))


def bounded(tokens: int) -> int:
    """A count that no provider's nonsense makes so large that a sum of them overflows."""
    return max(-_MOST_TOKENS, min(tokens, _MOST_TOKENS))


def clean(text: str) -> str:
    """Text that a column can hold: no half surrogate pairs, no NUL (where SQLite's text functions end)."""
    return text.encode("utf-8", "replace").decode().replace("\0", " ")
