"""Why a connection or a request failed, in words. Heavy to import, like runner.mcp.session."""

from __future__ import annotations

import asyncio
from typing import cast

import httpx2
import mcp_types as types
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from runner.mcp.config import McpError, McpServer
from runner.mcp.text import one_line
from runner.mcp.wire import Watch

_SAID = 300
_SDK_WORDS = "Server returned an error response"


def lost(error: BaseException) -> bool:
    """Whether an error of a request says that the connection was lost while it was waiting."""
    return isinstance(error, MCPError) and error.code == types.CONNECTION_CLOSED


def why(error: BaseException, config: McpServer, watch: Watch) -> str:
    """What went wrong, in words for a person or a model; never with a header or a variable in it."""
    first = telling(error)
    match watch.status:
        case 401 | 403:
            return f"it refuses access (HTTP {watch.status}): its headers need a valid key"
        case 404:
            return "there is no such server at its address (HTTP 404)"
        case int():
            said = first.message if isinstance(first, MCPError) and first.message != _SDK_WORDS else ""
            return f"it answered with HTTP status {watch.status}{f': {one_line(said, _SAID)}' if said else ''}"
        case None:
            pass
    match first:
        case McpError():
            return str(first)
        case TimeoutError():
            return f"it was not ready within {config.connect_timeout:g} s"
        case httpx2.TimeoutException():
            return "it cannot be reached: no connection in time"
        case httpx2.TransportError():
            return f"it cannot be reached: {one_line(str(first) or type(first).__name__, _SAID)}"
        case MCPError():
            return f"it answered with an error: {one_line(first.message, _SAID)}"
        case ValidationError():
            return f"it sent what is not the protocol: {first.error_count()} errors in a {first.title}"
        case _:
            return one_line(f"{type(first).__name__}: {first}", _SAID)


def refused(error: BaseException) -> bool:
    """Whether a server says that it did not even begin."""
    return isinstance(error, MCPError) and error.code in (types.INVALID_PARAMS, types.METHOD_NOT_FOUND)


def telling(error: BaseException) -> BaseException:
    """The one of a group that says most: a lost connection is what the others lead to."""
    leaves = _leaves(error)
    others = [leaf for leaf in leaves if not lost(leaf) and not isinstance(leaf, asyncio.CancelledError)]
    return (others or leaves)[0]


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return [leaf for inner in group.exceptions for leaf in _leaves(inner)]
    return [error]
