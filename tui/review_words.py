"""What a person looks at who opened a stored session, in a few words. Pure; nothing is clean."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, cast

from tui.view import Reviewed
from tui.words import cut, money, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.state import RunState
    from runner.store.base import SessionSummary

_PROGRAMS: Final = {"claude-code": "Claude Code", "codex": "Codex"}
LONGEST_NAME: Final = 60


def reviewed(summary: SessionSummary, runs: Sequence[RunState], now: datetime) -> Reviewed:
    return Reviewed(
        session_id=summary.session_id,
        run_id=runs[-1].run_id if runs else "",
        title=cut(one_line(summary.title), LONGEST_NAME) or "a session without a name",
        when=moment_words(summary.updated, now),
        cost="cost unknown" if summary.cost_usd is None else money(summary.cost_usd),
        origin=_origin(summary, runs),
        busy=summary.live,
        trashed=summary.deleted is not None,
    )


def moment_words(moment: datetime, now: datetime) -> str:
    """A time of day, with the day where it is another one, and the year where that is."""
    local, today = moment.astimezone(), now.astimezone()
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local:%d %b %H:%M}" if local.year == today.year else f"{local:%d %b %Y}"


def _origin(summary: SessionSummary, runs: Sequence[RunState]) -> str:
    if summary.imported:
        return f"imported from {_PROGRAMS.get(summary.imported, summary.imported)}"
    if not summary.forked_from:
        return ""
    configs = (run.config.get("inherited") for run in reversed(runs))
    name = next((cast("Mapping[str, object]", each).get("name") for each in configs if isinstance(each, dict)), None)
    whose = f"a fork of {cut(one_line(name), 30)}" if isinstance(name, str) and name else "a fork"
    return f"{whose}, after turn {summary.forked_turn}" if summary.forked_turn else whose
