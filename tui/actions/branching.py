"""Taking a session up again: at any of its turns, and where a run was cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.actions.base import Action

if TYPE_CHECKING:
    from tui.view import View


def _said(view: View) -> str:
    return "" if view.runs else "nothing was said yet"


def _resumable(view: View) -> str:
    from runner.review.resume import cut_off

    if view.busy:
        return "a run goes on; nothing is to be taken up"
    if not view.runs:
        return "" if view.recovered else "nothing was cut off here"
    return "" if cut_off(view.runs) is not None else "the last run came to its end; write a message to go on"


BRANCH = (
    Action(
        id="turns",
        name="turns, rewind",
        help="Every turn of the session: fork there, edit that prompt, or rewind the conversation and the files",
        keys=("alt+shift+b",),
        group="Program",
        run=lambda ui: ui.open_screen("turns"),
        refusal=_said,
        slash="rewind",
    ),
    Action(
        id="fork",
        name="fork",
        help="Go on from a turn in a session of its own; this one stays as it is",
        keys=("alt+shift+y",),
        group="Program",
        run=lambda ui: ui.open_screen("turns"),
        refusal=_said,
        slash="fork",
    ),
    Action(
        id="resume",
        name="resume",
        help="Go on where a run was interrupted, stopped or failed; the model is told what was cut off",
        keys=("alt+shift+g",),
        group="Run",
        run=lambda ui: ui.branching.resume(),
        refusal=_resumable,
        slash="resume",
    ),
    Action(
        id="agent",
        name="agent",
        help='Another agent from the next message on: "/agent reader"; alone it takes the next one',
        keys=("alt+shift+a",),
        group="Run",
        run=lambda ui: ui.branching.use_agent(),
        slash="agent",
    ),
)
