"""One call on a connection, to its one output; and other small matters of a server."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

from runner.errors import ToolError
from runner.mcp.calls import RunningCall
from runner.mcp.config import McpServer
from runner.mcp.tools import Offered
from runner.messages import JsonObject, SideEffects
from runner.tools.base import ToolOutput
from runner.tools.caught import Caught
from runner.tools.child import Ending

if TYPE_CHECKING:
    from runner.mcp.session import Connection

_MOST_REASONS = 50


class NotExecuted(ToolError):
    """The server was not even asked."""

    side_effects: SideEffects = "none"


async def carry_out(
    config: McpServer, connection: Connection, offered: Offered, call: RunningCall, arguments: JsonObject
) -> ToolOutput:
    reasons: Any = import_module("runner.mcp.reasons")
    content: Any = import_module("runner.mcp.content")
    read_only = config.trusted and offered.hint("readOnlyHint") is True
    connection.watch.status = None
    with Caught(Exception) as caught:
        result = await connection.call(offered.original, arguments, call.number, call.progress)
        return content.output_of(result, read_only=read_only)
    assert caught.error is not None
    if reasons.lost(caught.error):
        effects = "It only reads." if read_only else "It may have had effects: check before relying on it."
        text = f"The MCP server {config.name!r} ended while this call was running. The call was interrupted. {effects}"
        return ToolOutput(text=text, status="interrupted", side_effects="none" if read_only else "unknown")
    why: str = reasons.why(caught.error, config, connection.watch)
    return ToolOutput(
        text=f"The MCP server {config.name!r} did not carry out the call: {why}.",
        status="error",
        side_effects="none" if read_only or reasons.refused(caught.error) else "unknown",
    )


def bounded(reasons: tuple[str, ...]) -> tuple[str, ...]:
    """A server can make up any number of them."""
    more = len(reasons) - _MOST_REASONS
    return reasons if more <= 0 else (*reasons[:_MOST_REASONS], f"and {more} more")


def how_it_ended(ending: Ending | None) -> str:
    if ending is None or ending.how != "exited":
        return "it closed its output"
    return f"it was ended by {ending.signal}" if ending.signal else f"it ended with exit code {ending.exit_code}"


async def wait_for(events: set[asyncio.Event], seconds: float | None) -> None:
    """Until one of the events is set, or so many seconds are over."""
    waiting = {asyncio.ensure_future(event.wait()) for event in events}
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
