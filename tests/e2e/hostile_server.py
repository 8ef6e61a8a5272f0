"""A server of the Model Context Protocol, over stdio, that tries to reach the terminal with all that it says."""

from __future__ import annotations

import sys
from pathlib import Path

from mcp.server import MCPServer

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.e2e.hostile import HOSTILE

server = MCPServer("hostile", version=HOSTILE, instructions=HOSTILE)


@server.tool(title=HOSTILE, description=f"Answers. {HOSTILE}")
def answer(text: str = HOSTILE) -> str:
    return f"answered {HOSTILE} {text}"


@server.prompt(title=HOSTILE, description=f"Asks. {HOSTILE}")
def ask(text: str) -> str:
    return f"{HOSTILE} {text}"


@server.resource("hostile://all", title=HOSTILE, description=HOSTILE)
def everything() -> str:
    return HOSTILE


if __name__ == "__main__":
    print(HOSTILE, file=sys.stderr, flush=True)
    server.run()
