"""What a model calls the tools of servers: mcp__server__tool, in characters and a length that all providers take."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

LONGEST = 64
_OTHER = re.compile(r"[^A-Za-z0-9_-]")
_SERVER_ROOM = 24
_HASH = 8


def server_part(name: str) -> str:
    """The server's name in those of its tools. It has no "__" and no "_" at its ends, so names cannot run together."""
    plain = re.sub(r"_{2,}", "_", _OTHER.sub("_", name)).strip("_")
    return plain if plain == name and len(plain) <= _SERVER_ROOM else _marked(plain, name, _SERVER_ROOM)


def tool_name(server: str, tool: str) -> str:
    """server: as `server_part` made it. Whatever had to be changed has a hash of the original at its end.

    It depends on nothing but the two names: another tool that comes or goes does not change it.
    """
    room = LONGEST - len(f"mcp__{server}__")
    plain = _OTHER.sub("_", tool)
    fits = plain == tool and 0 < len(tool) <= room
    return f"mcp__{server}__{tool if fits else _marked(plain, tool, room)}"


def tool_names(server: str, tools: Iterable[str]) -> dict[str, str]:
    """The name of each tool, by what the server calls it.

    Where two would be called the same, which only one made up to collide can be, neither is in the result.
    """
    part = server_part(server)
    found = {tool: tool_name(part, tool) for tool in tools}
    names = list(found.values())
    twice = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else set[str]()
    return {tool: name for tool, name in found.items() if name not in twice}


def _marked(plain: str, original: str, room: int) -> str:
    code = hashlib.sha256(original.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH]
    return f"{plain[: room - _HASH - 1].rstrip('_-')}-{code}".lstrip("-")
