"""A tool that asks the person, for the tests of questions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from runner.testing import calls, reply
from runner.tools import tool
from runner.tools.base import Question, Reply, Tool, ToolContext

CHOICE = Question(text="Which?", choices=("left", "right"), free=False)

SCRIPT: list[Any] = [reply(calls(("inquire", {}))), "done"]


@dataclass
class Asker:
    """A tool that asks these questions, side by side, and records the replies."""

    questions: tuple[Question, ...]
    replies: list[Reply] = field(default_factory=list[Reply])
    late: Callable[[], Any] | None = None

    def tool(self) -> Tool:
        @tool(requires_approval=False)
        async def inquire(ctx: ToolContext) -> str:
            """Ask."""
            assert ctx.host is not None
            self.late = lambda: ctx.host and ctx.host.ask(CHOICE)
            self.replies += await asyncio.gather(*(ctx.host.ask(question) for question in self.questions))
            return str(len(self.replies))

        return inquire
