"""Making a built-in tool: a plain function of context and arguments, run in a thread."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable

from runner.messages import JsonObject
from runner.tools.base import ToolContext, ToolOutput, ToolStep
from runner.tools.threads import in_thread

Concern = Callable[[ToolContext, JsonObject], str | None]


def threaded(
    work: Callable[[ToolContext, JsonObject], ToolOutput],
) -> Callable[[ToolContext, JsonObject], AsyncIterator[ToolStep]]:
    """Tool.run for a function that blocks on files."""

    async def run(ctx: ToolContext, arguments: JsonObject) -> AsyncGenerator[ToolStep, None]:
        yield await in_thread(lambda: work(ctx, arguments), name=f"tool-{work.__name__}")

    return run
