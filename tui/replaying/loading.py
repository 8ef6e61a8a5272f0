"""Reading a stored session to be played again; blocks, so it is for another thread than the screen's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runner.review.player import Player
from runner.review.reel import Reel
from runner.state import RunState

if TYPE_CHECKING:
    from runner.store import Store
    from runner.store.base import Problem, SessionSummary


LONGEST: Final = 10.0
"""Recorded seconds of silence that are played at most, unless real waits are wanted."""


class LeftError(Exception):
    """Nobody waits for the session any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A session ready to be played. problems: what of it cannot be read."""

    summary: SessionSummary
    player: Player
    problems: tuple[Problem, ...]


def load(store: Store, session_id: str, told: Callable[[int], None]) -> Recording:
    """session_id: or its beginning. told: hears how many events were read; raises LeftError to end it.

    Raises NotFoundError, StoreError.
    """
    summary = store.session(session_id)
    found = summary.session_id
    problems: list[Problem] = []
    runs = (
        (RunState(run_id=run_id, session_id=found), store.events(found, run_id, on_problem=problems.append))
        for run_id in store.run_ids(found)
    )
    return Recording(summary=summary, player=Player(Reel(runs, told), longest=LONGEST), problems=tuple(problems))
