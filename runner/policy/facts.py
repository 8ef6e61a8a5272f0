"""From a tool and its validated arguments to what a decision depends on."""

from __future__ import annotations

from runner.errors import ToolError
from runner.messages import JsonObject
from runner.policy.base import CallFacts
from runner.tools.base import Tool, ToolContext


def call_facts(tool: Tool, ctx: ToolContext, arguments: JsonObject) -> CallFacts:
    """Ask the tool. It may look at files, so call it in a thread.

    A check that cannot be made is itself a concern: a person decides, and nothing runs because of a bug in a check.
    """
    concern: str | None = None
    requires = tool.requires_approval
    try:
        required = requires(arguments) if callable(requires) else requires
        if tool.concern is not None:
            concern = tool.concern(ctx, arguments)
    except (ToolError, OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        required = True
        concern = f"The check of this call failed ({type(error).__name__}: {error})."
    return CallFacts(
        tool=tool.name,
        kind=tool.kind,
        read_only=tool.read_only,
        arguments=arguments,
        requires_approval=required,
        concern=concern,
    )
