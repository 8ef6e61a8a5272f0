"""What the doctor says of the MCP servers: each one that is on is started, asked what it offers, and ended."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import ConfigError
from tui.commands.findings import Finding
from tui.server_words import offers_words
from tui.settings import Settings, load_settings

if TYPE_CHECKING:
    from runner.mcp.hub import McpHub
    from runner.mcp.state import ServerState

AREA = "MCP servers"

PATIENCE = 15.0
"""Seconds until a server that is still starting is called slow."""


def mcp_servers() -> Iterator[Finding]:
    try:
        settings = load_settings(Path.cwd(), os.environ)
    except ConfigError:
        return  # The configuration has a finding of its own.
    if not settings.mcp:
        return
    for state in asyncio.run(look(settings)):
        yield _finding(state)


async def look(settings: Settings) -> Sequence[ServerState]:
    """The servers once each of them is ready, failed or off."""
    from runner.store.paths import data_dir
    from tui.engine_parts.services import make_hub

    changed = asyncio.Event()
    hub = make_hub(settings, data_dir(), changed.set)
    if hub is None:
        return ()
    await hub.start()
    try:
        async with asyncio.timeout(PATIENCE):
            await _settled(hub, changed)
    except TimeoutError:
        return hub.servers()
    else:
        return hub.servers()
    finally:
        await hub.close()


async def _settled(hub: McpHub, changed: asyncio.Event) -> None:
    while any(state.phase in ("starting", "restarting") for state in hub.servers()):
        await changed.wait()
        changed.clear()


def _finding(state: ServerState) -> Finding:
    show = f"quarterdeck mcp show {state.name} says more"
    match state.phase:
        case "ready":
            return Finding(area=AREA, name=state.name, value=f"ready, offers {offers_words(state) or 'nothing'}")
        case "off":
            return Finding(area=AREA, name=state.name, value="switched off", level="note")
        case "failed":
            value = f"cannot be used: {state.problem}"
            return Finding(area=AREA, name=state.name, value=value, level="warning", fix=show)
        case "starting" | "restarting":
            value = f"still {state.phase} after {PATIENCE:g} s"
            return Finding(area=AREA, name=state.name, value=value, level="warning", fix=show)
