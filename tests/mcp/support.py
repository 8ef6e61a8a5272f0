"""What the tests of servers share: the installed ones, the hostile one, and a host that answers."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from runner.errors import ToolError
from runner.mcp import McpHub, McpServer, ServerState, Timing
from runner.tools.base import Question, Reply, Sampled, Sampling, Tool
from tests.conftest import NO_SKIP
from tests.contract.sources import ROOT

INSTALLED = ROOT / ".cache" / "mcp"
HOSTILE = Path(__file__).parent / "hostile.py"
QUICK = Timing(backoff=(0.05, 0.1, 0.1), goodbye=0.3, grace=0.3)


def installed(kind: str, path: str) -> str:
    """A file of the servers that `.ci/mcp-servers` installs. For the top of a module: without it all is skipped, or
    fails under QUARTERDECK_NO_SKIP=1.
    """
    found = INSTALLED / kind / path
    if (INSTALLED / kind / ".pin").exists() and found.exists():
        return str(found)
    message = f"{kind}/{path} is not there: run .ci/mcp-servers, which says why it cannot be installed"
    if NO_SKIP:
        pytest.fail(f"{message}; skipping is forbidden by QUARTERDECK_NO_SKIP")
    pytest.skip(f"MISSING SERVER: {message}", allow_module_level=True)


def everything() -> str:
    return installed("npm", "node_modules/@modelcontextprotocol/server-everything/dist/index.js")


def filesystem() -> str:
    return installed("npm", "node_modules/@modelcontextprotocol/server-filesystem/dist/index.js")


def git_server() -> str:
    return installed("python", "bin/mcp-server-git")


def hostile(mode: str, *arguments: str, name: str = "bad", **more: Any) -> McpServer:
    argv = ("-I", "-S", str(HOSTILE), mode, *arguments)
    return McpServer(name=name, command=sys.executable, args=argv, **more)


def environment(home: Path, **more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), **more}


@asynccontextmanager
async def running(
    *servers: McpServer, workspace: Path, timing: Timing = QUICK, settle: bool = True, **more: Any
) -> AsyncGenerator[McpHub]:
    """A hub whose servers are ready, or failed."""
    more.setdefault("environ", environment(workspace))
    hub = McpHub(servers, workspace=workspace, timing=timing, **more)
    await hub.start()
    try:
        if settle:
            await hub.settle(20)
        yield hub
    finally:
        await hub.close()


def state(hub: McpHub, name: str = "bad") -> ServerState:
    return next(one for one in hub.servers() if one.name == name)


def tool(hub: McpHub, original: str, server: str = "bad") -> Tool:
    """A tool by the name that its server gives it."""
    names = [info.name for info in state(hub, server).tools if info.original == original]
    assert len(names) == 1, f"{original}: {[info.original for info in state(hub, server).tools]}"
    return next(one for one in hub.toolset().tools() if one.name == names[0])


class Host:
    """The run of a call: a person who answers, and a model."""

    def __init__(self, answer: Callable[[Question], Any] | None = None, model: Callable[[Sampling], str] | None = None):
        self.questions: list[Question] = []
        self.requests: list[Sampling] = []
        self._answer = answer
        self._model = model

    async def ask(self, question: Question) -> Reply:
        self.questions.append(question)
        if self._answer is None:
            return Reply(answer=None, reason="nobody is there")
        answer = self._answer(question)
        if asyncio.isfuture(answer):
            answer = await answer
        return Reply(answer=answer)

    async def sample(self, request: Sampling) -> Sampled:
        self.requests.append(request)
        if self._model is None:
            raise ToolError("nobody may use the model here")
        return Sampled(text=self._model(request), model="test/model", finish_reason="stop")
