"""Sessions beside each other and handed on: comparing, exporting, links."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.actions.base import Action

if TYPE_CHECKING:
    from tui.view import View


def _session(view: View) -> str:
    return "" if view.runs else "nothing was said yet"


HANDING = (
    Action(
        id="compare",
        name="compare",
        help='Two sessions side by side, from where they part: "/compare ID", "/compare ID ID"',
        keys=("alt+shift+d",),
        group="Sessions",
        run=lambda ui: ui.open_screen("compare"),
        slash="compare",
    ),
    Action(
        id="hand_on",
        name="export",
        help='Write the session as Markdown, HTML or JSON lines, with a look at what is masked: "/export html"',
        keys=("alt+shift+e",),
        group="Sessions",
        run=lambda ui: ui.open_screen("hand_on"),
        refusal=_session,
        slash="export",
    ),
    Action(
        id="copy_link",
        name="copy link",
        help="Copy a link to the session, and in the transcript to the current item",
        keys=("alt+shift+k",),
        group="Sessions",
        run=lambda ui: ui.links.copy(),
        refusal=_session,
        slash="link",
    ),
    Action(
        id="open",
        name="open link",
        help='Open a session by its link or its id: "/open quarterdeck://session/…"',
        keys=("alt+shift+o",),
        group="Sessions",
        run=lambda ui: ui.open_screen("open"),
        slash="open",
    ),
)
