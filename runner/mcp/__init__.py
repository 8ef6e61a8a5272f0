"""Servers of the Model Context Protocol: their tools, prompts and resources.

Importing this loads nothing heavy; the protocol's package is imported in a thread when the first server starts.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.mcp.config import McpError, McpServer, Timing
    from runner.mcp.hub import McpHub
    from runner.mcp.state import Phase, PromptArgument, PromptInfo, ResourceInfo, ServerState, ToolInfo

_HOMES = {
    "McpError": "runner.mcp.config",
    "McpHub": "runner.mcp.hub",
    "McpServer": "runner.mcp.config",
    "Phase": "runner.mcp.state",
    "PromptArgument": "runner.mcp.state",
    "PromptInfo": "runner.mcp.state",
    "ResourceInfo": "runner.mcp.state",
    "ServerState": "runner.mcp.state",
    "Timing": "runner.mcp.config",
    "ToolInfo": "runner.mcp.state",
}

__all__ = [
    "McpError",
    "McpHub",
    "McpServer",
    "Phase",
    "PromptArgument",
    "PromptInfo",
    "ResourceInfo",
    "ServerState",
    "Timing",
    "ToolInfo",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'runner.mcp' has no attribute {name!r}")
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
