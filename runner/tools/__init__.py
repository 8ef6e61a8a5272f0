"""What agents act with. Importing this loads no pydantic: the schema of a function is made when it is decorated."""

from runner.tools.base import (
    Activity,
    ProcessEnd,
    Tool,
    ToolContext,
    ToolKind,
    ToolOutcome,
    ToolOutput,
    ToolReporter,
    ToolStep,
)
from runner.tools.decorator import tool

__all__ = [
    "Activity",
    "ProcessEnd",
    "Tool",
    "ToolContext",
    "ToolKind",
    "ToolOutcome",
    "ToolOutput",
    "ToolReporter",
    "ToolStep",
    "tool",
]
