"""Screens about what runs may do and did. Each is loaded when it is first opened.

A new one: its name in `PanelName` (tui/actions/base.py), a case here, and an action whose id is that name.
"""

from __future__ import annotations

from typing import TypeGuard, get_args

from tui.actions import PanelName
from tui.desk import Desk


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
        case "undo":
            from tui.screens.undo import open_undo

            open_undo(desk, argument)
        case "settings":
            from tui.screens.settings import open_settings

            open_settings(desk, argument)
