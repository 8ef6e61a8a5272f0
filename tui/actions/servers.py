"""Servers of the Model Context Protocol."""

from __future__ import annotations

from tui.actions.base import Action

SERVERS = (
    Action(
        id="servers",
        name="servers",
        help="MCP servers: their state, what they offer and what they printed; restart them, switch them on and off",
        keys=("alt+s",),
        group="Look",
        run=lambda ui: ui.open_screen("servers"),
        slash="mcp",
    ),
)
