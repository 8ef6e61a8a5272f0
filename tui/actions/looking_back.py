"""Looking back over all sessions, and marking what is worth finding again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.actions.base import Action

if TYPE_CHECKING:
    from tui.view import View


def _runs(view: View) -> str:
    return "" if view.runs else "nothing was said yet"


LOOK_BACK = (
    Action(
        id="usage",
        name="usage",
        help='All sessions: cost and tokens by day, model, agent, project; tools, approvals, cache: "/usage 7d"',
        keys=("alt+shift+u",),
        group="Look",
        run=lambda ui: ui.open_screen("usage"),
        slash="usage",
    ),
    Action(
        id="tag",
        name="tag",
        help='Tag the turn of the current item, else the session: "/tag slow", "/tag -slow" takes it away',
        keys=("T",),
        group="Transcript",
        run=lambda ui: ui.open_screen("tag"),
        scope="transcript",
        refusal=_runs,
        slash="tag",
    ),
    Action(
        id="note",
        name="note",
        help='A note on the turn of the current item, else on the session: "/note ask Ada about this"',
        keys=("w",),
        group="Transcript",
        run=lambda ui: ui.open_screen("note"),
        scope="transcript",
        refusal=_runs,
        slash="note",
    ),
)
