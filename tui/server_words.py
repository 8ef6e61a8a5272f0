"""Servers of the Model Context Protocol in words for people. Pure; what comes from a server is cleaned by whoever
shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.words import count

if TYPE_CHECKING:
    from runner.mcp.state import Phase, ServerState, ToolInfo

PHASES: dict[Phase, tuple[str, str]] = {
    "off": ("off", "muted"),
    "starting": ("starting", "state-queued"),
    "ready": ("ready", "state-ok"),
    "failed": ("failed", "state-failed"),
    "restarting": ("restarting", "state-waiting"),
}
"""The word for a state, and the theme variable."""

SIGNS: dict[Phase, str] = {"off": "○", "starting": "◌", "ready": "●", "failed": "✗", "restarting": "↻"}


def offers_words(server: ServerState) -> str:
    """ "13 tools, 2 prompts"; "" where it offers nothing (yet)."""
    found = (("tool", server.tools), ("prompt", server.prompts), ("resource", server.resources))
    return ", ".join(count(len(items), what) for what, items in found if items)


def hints_words(tool: ToolInfo, *, trusted: bool) -> str:
    """What the server says about a tool, called what it is: a hint, believed only of a trusted server."""
    said: list[str] = []
    if tool.read_only:
        said.append("only reads" if trusted else "says that it only reads")
    if tool.destructive:
        said.append("may destroy")
    if tool.approval == "changed":
        said.append("changed since it was approved")
    return ", ".join(said)


def failed_words(names: tuple[str, ...]) -> str:
    """A word about servers that failed; "" where none did."""
    if not names:
        return ""
    return f"server {names[0]} failed" if len(names) == 1 else f"{len(names)} servers failed"
