"""What is damaged in the store, in words."""

from __future__ import annotations

from collections.abc import Sequence

from runner.store.base import Problem
from tui.render.clean import clean
from tui.words import cut, one_line

MOST_SAID = 3


def problem_line(problem: Problem) -> str:
    if problem.seq and not problem.gone:
        return f"run {problem.run_id}, event {problem.seq} cannot be read: {problem.message}"
    if problem.run_id:
        return f"run {problem.run_id}: {problem.message}"
    return f"session {problem.session_id}: {problem.message}" if problem.session_id else problem.message


def missing_line(problems: Sequence[Problem]) -> str:
    """One line about a session that was opened, "" where all of it can be read."""
    if not problems:
        return ""
    said = "; ".join(_short(problem) for problem in problems[:MOST_SAID])
    more = f"; and {len(problems) - MOST_SAID} more" if len(problems) > MOST_SAID else ""
    return f"Part of this session is damaged: {said}{more}. The rest is here."


def _short(problem: Problem) -> str:
    """Without the long ids, which nobody who only reads has a use for."""
    if problem.seq and not problem.gone:
        return f"event {problem.seq} cannot be read"
    return cut(one_line(clean(problem.message)), 100)
