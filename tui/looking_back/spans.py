"""How far back one looks. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tui.since import since


@dataclass(frozen=True, slots=True)
class Span:
    """text: as people write it, "" for all there is."""

    name: str
    text: str

    def since(self, now: datetime) -> datetime | None:
        return since(self.text, now) if self.text else None


SPANS: Final = (
    Span("last 7 days", "7d"),
    Span("last 30 days", "30d"),
    Span("last 90 days", "90d"),
    Span("all time", ""),
)
USUAL: Final = 1
"""The one that is shown first."""


def spans(text: str, now: datetime) -> tuple[tuple[Span, ...], int]:
    """Those to choose from, with the one that a person wrote, and which of them is shown first. Raises ValueError."""
    if not text:
        return SPANS, USUAL
    for place, span in enumerate(SPANS):
        if span.text == text or (text == "all" and not span.text):
            return SPANS, place
    since(text, now)
    return (Span("today" if text == "today" else f"since {text}", text), *SPANS), 0
