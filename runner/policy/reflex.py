"""When approving has become a reflex: fast, always yes, always the like. Then a grant is the better answer. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final, Protocol

from runner.events import Risk, Scope, Suggested

LEAST: Final = 8
"""Answers in a row that are needed before anything is said."""

MOST: Final = 20
"""Answers that are looked at."""

QUICK_SECONDS: Final = 2.0
"""A median below this is less than it takes to read a command."""

COVERED: Final = 0.75
"""The part of the answers that a proposal must have covered."""

RECENT: Final = timedelta(hours=12)


class Decided(Protocol):
    """What is looked at of a decision; runner.store.decisions.DecisionRow is one."""

    @property
    def time(self) -> datetime: ...
    @property
    def tool(self) -> str: ...
    @property
    def decision(self) -> str: ...
    @property
    def by(self) -> str: ...
    @property
    def scope(self) -> str: ...
    @property
    def asks(self) -> str: ...
    @property
    def seconds(self) -> float: ...
    @property
    def risk(self) -> Risk | None: ...
    @property
    def suggestions(self) -> tuple[Suggested, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReflexHint:
    """words: for the person. suggested: what a grant should cover, scope: for how long. covered, of: answers that it
    would have spared, and those looked at. again_after: say it again only once there are newer answers than this, at
    least LEAST of them.
    """

    words: str
    suggested: Suggested
    scope: Scope
    covered: int
    of: int
    seconds: float
    again_after: datetime


def reflex(rows: Iterable[Decided], *, shown: datetime | None = None) -> ReflexHint | None:
    """The hint for these decisions, the newest first; None where there is nothing to say. shown: again_after of the
    hint that was shown last."""
    answers = [row for row in rows if row.by == "user" and row.asks == "call"]
    if shown is not None:
        answers = [row for row in answers if row.time > shown]
    answers = [row for row in answers[:MOST] if answers[0].time - row.time <= RECENT]
    answers = _of_one_habit(answers)
    if len(answers) < LEAST:
        return None
    seconds = median(row.seconds for row in answers)
    found = _narrowest(answers) if seconds < QUICK_SECONDS else None
    if found is None:
        return None
    suggested, covered = found
    words = (
        f"You allowed the last {len(answers)} calls in about {seconds:.1f} s each. "
        f"{covered} of them are {suggested.words}: allow these for the session?"
    )
    return ReflexHint(
        words=words,
        suggested=suggested,
        scope="session",
        covered=covered,
        of=len(answers),
        seconds=seconds,
        again_after=answers[0].time,
    )


def _of_one_habit(answers: Sequence[Decided]) -> list[Decided]:
    """The newest answers up to the first that was not simply yes, or was about something that may do harm: nobody is
    to be led to allow such a thing unseen."""
    found: list[Decided] = []
    for row in answers:
        if row.decision != "allow" or row.scope != "call" or row.risk == "high":
            break
        found.append(row)
    return found


def _narrowest(answers: Sequence[Decided]) -> tuple[Suggested, int] | None:
    """The suggestion that covers most of the calls and as little else as possible; never a whole tool."""
    count: dict[str, int] = {}
    width: dict[str, int] = {}
    found: dict[str, Suggested] = {}
    for row in answers:
        safe = [one for one in row.suggestions if not any(each.pattern.whole for each in one.patterns)]
        for place, one in enumerate(safe):
            key = repr(one.patterns)
            found.setdefault(key, one)
            count[key] = count.get(key, 0) + 1
            width[key] = max(width.get(key, 0), place)
    enough = [key for key in found if count[key] >= COVERED * len(answers)]
    best = min(enough, key=lambda key: (width[key], -count[key]), default=None)
    return None if best is None else (found[best], count[best])
