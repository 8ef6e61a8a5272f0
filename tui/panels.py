"""Screens about what runs may do and did. Each is loaded when it is first opened.

A new one: its name in `PanelName` (tui/actions/base.py), a case here, and an action whose id is that name.
"""

from __future__ import annotations

from typing import Literal, TypeGuard, get_args

from tui.actions import PanelName
from tui.desk import Desk

_OfSession = Literal["undo", "changes", "turns", "compare", "hand_on", "open", "replay", "usage", "tag", "note"]


def is_panel(name: str | None) -> TypeGuard[PanelName]:
    return name in get_args(PanelName)


def open_panel(name: PanelName, desk: Desk, argument: str = "") -> None:
    """argument: what stood behind the "/command"."""
    match name:
        case "grants":
            from tui.screens.grants import open_grants

            open_grants(desk, argument)
        case "decisions":
            from tui.screens.decisions import open_decisions

            open_decisions(desk, argument)
        case "processes":
            from tui.screens.processes import open_processes

            open_processes(desk, argument)
        case "try":
            from tui.screens.trial import open_trial

            open_trial(desk, argument)
        case "servers":
            from tui.screens.servers import open_servers

            open_servers(desk, argument)
        case "ledger":
            from tui.screens.ledger import open_ledger

            open_ledger(desk, argument)
        case "settings":
            from tui.screens.settings import open_settings

            open_settings(desk, argument)
        case _:
            _open_of_session(name, desk, argument)


def _open_of_session(name: _OfSession, desk: Desk, argument: str) -> None:
    """Those about what one session, or several, did."""
    match name:
        case "undo":
            from tui.screens.undo import open_undo

            open_undo(desk, argument)
        case "changes":
            from tui.screens.changes import open_changes

            open_changes(desk, argument)
        case "turns":
            from tui.screens.turns import open_turns

            open_turns(desk, argument)
        case "compare":
            from tui.screens.compare import open_compare

            open_compare(desk, argument)
        case "hand_on":
            from tui.screens.handing_on import open_hand_on

            open_hand_on(desk, argument)
        case "open":
            from tui.screens.open_link import open_by_link

            open_by_link(desk, argument)
        case "replay":
            from tui.screens.replay import open_replay

            open_replay(desk, argument)
        case "usage":
            from tui.screens.usage import open_usage

            open_usage(desk, argument)
        case "tag" | "note":
            from tui.annotating import open_note, open_tag

            (open_tag if name == "tag" else open_note)(desk, argument)
