"""A program with a store, a file of grants and a clock, whose runs are answered by a test; and the program after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from runner import Agent, Decide, RunConfig, Runner
from runner.events import ApprovalRequested, ErrorOccurred
from runner.ids import SequentialIds
from runner.policy import GrantFile, LiveGrant
from runner.store import Store
from runner.testing import FakeClock, Recorder, ScriptedModel, calls, reply, usage
from runner.tools import tool
from runner.tools.base import Tool
from runner.usage import Price
from tests.loop.harness import BOUND, Live, Models

PRICE = Price(input=Decimal(10_000), output=Decimal(0))
"""One US cent for each input token."""

SESSION = "session-1"


def writes(*texts: str) -> list[Any]:
    """A script of one call a turn."""
    return [*(reply(calls(("write", {"text": text})), usage(10, 1)) for text in texts), "done"]


@dataclass
class House:
    """A program's store, grant file and clock; `reopened` is the next program on the same folder."""

    folder: Path
    clock: FakeClock = field(default_factory=lambda: FakeClock(datetime(2030, 1, 1, tzinfo=UTC)))
    done: list[str] = field(default_factory=list[str])
    ids: SequentialIds = field(default_factory=SequentialIds)
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.store = Store.open(self.folder / "q.db")
        self.file = GrantFile(self.folder / "grants.json")

    def reopened(self) -> House:
        self.store.close()
        return House(self.folder, self.clock, self.done, self.ids)

    def tool(self) -> Tool:
        @tool
        def write(text: str) -> str:
            """Change the world; fails where the text says so. text: how."""
            self.done.append(text)
            if "fail" in text:
                raise ValueError(text)
            return text

        return write

    @asynccontextmanager
    async def run(self, *texts: str, tools: Sequence[Tool] = (), **config: Any) -> AsyncGenerator[Live]:
        model = ScriptedModel(config.pop("script", None) or writes(*texts), price=config.pop("price", PRICE))
        runner = Runner(models=Models([model]), ids=self.ids, store=self.store, grants=self.file, clock=self.clock)
        settings: dict[str, Any] = {"session_id": SESSION, "workspace": self.folder, **config}
        agent = Agent(name="deck", model=model, tools=(self.tool(), *tools))
        running = Live(runner.start(agent, "go", RunConfig(**settings)), Recorder())
        follower = asyncio.ensure_future(running.follow())
        try:
            yield running
        finally:
            running.handle.abort(by="test")
            async with asyncio.timeout(BOUND):
                await asyncio.wait([asyncio.ensure_future(running.handle.result())])
                await follower
        running.recorder.assert_valid()

    async def asked(self, *texts: str, answer: dict[str, Any] | None = None, **config: Any) -> list[str]:
        """Run these calls to the end; the ones that a person was asked about. answer: to the first of them, the others
        are denied."""
        left: list[dict[str, Any]] = [answer] if answer else []
        about: list[str] = []

        def approve(request: ApprovalRequested) -> Decide:
            about.append(str(request.arguments["text"]))
            return Decide(request_id="", **left.pop(0)) if left else Decide(request_id="", decision="deny")

        async with self.run(*texts, approver=approve, **config) as running:
            await running.result()
        problems = [event.error.message for event in running.recorder.of(ErrorOccurred)]
        assert [text for text in problems if "approver" in text] == []
        return about

    def live(self) -> list[LiveGrant]:
        return self.store.live_grants(SESSION, self.clock.now())


def allow(scope: str, **fields: Any) -> dict[str, Any]:
    return {"decision": "allow", "scope": scope, **fields}


async def until_asked(running: Live, text: str) -> ApprovalRequested:
    return await running.until(ApprovalRequested, lambda event: event.arguments == {"text": text})
