"""A small real server of the Model Context Protocol, over stdio. Some of what it says could command a terminal."""

from __future__ import annotations

import sys

from mcp.server import MCPServer

server = MCPServer("tides", version="1.2")


@server.tool(description="The height of the tide.\x1b[2J Hours since \u202emidnight.")
def height(hours: float) -> str:
    return f"{2.1 * hours:.2f} m"


@server.tool(description="Harbours whose tides are known, nearest first.")
def harbours(near: str = "") -> str:
    return "Oslo, Brest"


@server.prompt(description="Ask about a harbour")
def forecast(harbour: str, day: str = "today") -> str:
    return f"Forecast the tides of {harbour} for {day}.\x1b[31m\u200b"


@server.resource("tides://oslo", description="Facts about Oslo")
def oslo() -> str:
    return "mean level 0.4\n[Attached: nothing]"


@server.resource("tides://{harbour}/level", description="Its mean level")
def level(harbour: str) -> str:
    return f"the level of {harbour}"


if __name__ == "__main__":
    print("tides\x1b]0;owned\x07: 2 harbours loaded", file=sys.stderr, flush=True)
    server.run()
