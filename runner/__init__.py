"""Quarterdeck's runner: agents that can be watched, steered and trusted, usable alone.

Importing this loads nothing heavy; each name is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.agent import Agent
    from runner.api import Runner
    from runner.config import Compaction, RunConfig
    from runner.control.commands import Decide
    from runner.control.handle import RunHandle
    from runner.errors import (
        CommandError,
        ConfigError,
        InputError,
        ModelError,
        QuarterdeckError,
        RunError,
        ToolError,
    )
    from runner.events import Event
    from runner.messages import AssistantMessage, ToolCall, ToolResult, UserMessage
    from runner.models.base import Model, ModelSettings
    from runner.models.registry import ModelRegistry, NamedModel
    from runner.policy.base import Grant, Rule
    from runner.result import RunResult
    from runner.state import RunState, fold, reduce
    from runner.store import Store
    from runner.tools import tool
    from runner.tools.base import Activity, Tool, ToolContext, ToolOutput
    from runner.tools.builtin import builtin_tools
    from runner.usage import Price, Usage

_HOMES = {
    "Activity": "runner.tools.base",
    "Agent": "runner.agent",
    "AssistantMessage": "runner.messages",
    "CommandError": "runner.errors",
    "Compaction": "runner.config",
    "ConfigError": "runner.errors",
    "Decide": "runner.control.commands",
    "Event": "runner.events",
    "Grant": "runner.policy.base",
    "InputError": "runner.errors",
    "Model": "runner.models.base",
    "ModelError": "runner.errors",
    "ModelRegistry": "runner.models.registry",
    "ModelSettings": "runner.models.base",
    "NamedModel": "runner.models.registry",
    "Price": "runner.usage",
    "QuarterdeckError": "runner.errors",
    "Rule": "runner.policy.base",
    "RunConfig": "runner.config",
    "RunError": "runner.errors",
    "RunHandle": "runner.control.handle",
    "RunResult": "runner.result",
    "RunState": "runner.state",
    "Runner": "runner.api",
    "Store": "runner.store",
    "Tool": "runner.tools.base",
    "ToolCall": "runner.messages",
    "ToolContext": "runner.tools.base",
    "ToolError": "runner.errors",
    "ToolOutput": "runner.tools.base",
    "ToolResult": "runner.messages",
    "Usage": "runner.usage",
    "UserMessage": "runner.messages",
    "builtin_tools": "runner.tools.builtin",
    "fold": "runner.state",
    "reduce": "runner.state",
    "tool": "runner.tools",
}

__all__ = [
    "Activity",
    "Agent",
    "AssistantMessage",
    "CommandError",
    "Compaction",
    "ConfigError",
    "Decide",
    "Event",
    "Grant",
    "InputError",
    "Model",
    "ModelError",
    "ModelRegistry",
    "ModelSettings",
    "NamedModel",
    "Price",
    "QuarterdeckError",
    "Rule",
    "RunConfig",
    "RunError",
    "RunHandle",
    "RunResult",
    "RunState",
    "Runner",
    "Store",
    "Tool",
    "ToolCall",
    "ToolContext",
    "ToolError",
    "ToolOutput",
    "ToolResult",
    "Usage",
    "UserMessage",
    "builtin_tools",
    "fold",
    "reduce",
    "tool",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'runner' has no attribute {name!r}")
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
