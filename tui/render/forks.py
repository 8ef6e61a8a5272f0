"""The quiet line that says where a fork begins to be a session of its own. It is shown, and never stored. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from runner.events import Notification
from runner.messages import JsonObject
from runner.state import EventItem, RunState
from tui.render.clean import clean
from tui.words import cut, one_line

NAME_SHOWN = 60


class Forks:
    """Gives the same value for the same run, so that nothing is drawn again."""

    def __init__(self) -> None:
        self._known: tuple[RunState, RunState] | None = None

    def shown(self, runs: Sequence[RunState]) -> Sequence[RunState]:
        """The runs, with the line at the end of the last one that was copied."""
        if not runs or not runs[0].inherited:
            return runs
        last = max(index for index, run in enumerate(runs) if run.inherited)
        if self._known is None or self._known[0] is not runs[last]:
            self._known = runs[last], _with_line(runs[last])
        return [*runs[:last], self._known[1], *runs[last + 1 :]]


def _with_line(run: RunState) -> RunState:
    origin = cast("JsonObject", run.config["inherited"])
    name, after = origin.get("name"), origin.get("after")
    of = f" {cut(clean(one_line(name)), NAME_SHOWN)}" if isinstance(name, str) and name.strip() else " another session"
    turn = f" after turn {after}" if isinstance(after, int) else ""
    time = run.settled[-1].time if len(run.settled) else run.started_at
    if time is None or run.live:
        return run
    told = Notification(text=f"forked from{of}{turn}", run_id=run.run_id, session_id=run.session_id, time=time)
    line = EventItem(item_id=f"{run.run_id}:fork", event=told, time=time)
    return replace(run, settled=run.settled.append(line))
