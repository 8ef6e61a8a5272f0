"""Putting files back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.actions.base import Action

if TYPE_CHECKING:
    from tui.view import View


def changed(view: View) -> str:
    if not view.store_open:
        return "the session store is not open yet, a moment"
    return "" if view.session_id is not None else "this session has not changed anything yet"


UNDO = (
    Action(
        id="undo",
        name="undo",
        help="What the agent changed, turn by turn and file by file, with the diff; put it back, or do it again",
        keys=("alt+u",),
        group="Look",
        run=lambda ui: ui.open_screen("undo"),
        refusal=changed,
        slash="undo",
    ),
)
