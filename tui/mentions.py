"""What a message says of servers: "/server:prompt name=value" is a prompt, "@server:uri" attaches a resource. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from runner.mcp.state import PromptArgument

_PROMPT: Final = re.compile(r"/([a-z0-9_-]{1,32}):(\S+)(?:\s+(.*))?\Z", re.DOTALL)
_MENTION: Final = re.compile(r"(?:^|(?<=[\s(\[\"'`]))@([a-z0-9_-]{1,32}):(\S+)")
_TRAILING: Final = ".,;:!?)]}\"'`"

RESOURCE_MOST: Final = 24_000
"""Characters of one resource that go into a message."""

MOST_MENTIONS: Final = 5


@dataclass(frozen=True, slots=True)
class PromptCall:
    """A prompt that a message asks for. rest: what stands behind its name."""

    server: str
    name: str
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Mention:
    server: str
    uri: str


@dataclass(frozen=True, slots=True)
class Attached:
    """A resource as it goes along with a message."""

    mention: Mention
    text: str


def read_prompt(text: str, servers: Collection[str]) -> PromptCall | None:
    """The prompt of one of the servers that a whole message asks for, None where it is a message."""
    found = _PROMPT.match(text.strip())
    if found is None or found[1] not in servers:
        return None
    return PromptCall(found[1], found[2], (found[3] or "").strip())


def arguments_of(rest: str, declared: Sequence[PromptArgument]) -> dict[str, str]:
    """Values by name: "name=value" or "name='two words'", others in the order in which the arguments are declared.

    Raises ValueError, in words, where a value belongs to nothing or a quote is not closed.
    """
    names = [argument.name for argument in declared]
    if len(names) == 1 and not rest.startswith(f"{names[0]}=") and rest[:1] not in ("'", '"'):
        return {names[0]: rest} if rest else {}
    try:
        words = shlex.split(rest)
    except ValueError as error:
        raise ValueError("a quote is not closed") from error
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if equals and name in names:
            found[name] = value
            continue
        free = next((each for each in names if each not in found), None)
        if free is None:
            known = f"it takes {', '.join(names)}" if names else "it takes none"
            raise ValueError(f"{word!r} is an argument too many; {known}")
        found[free] = word
    return found


def missing(given: Mapping[str, str], declared: Sequence[PromptArgument]) -> list[str]:
    """Names of the required arguments that have no value."""
    return [argument.name for argument in declared if argument.required and not given.get(argument.name, "").strip()]


def mentions(text: str, servers: Collection[str], known: Collection[str]) -> list[Mention]:
    """The resources that a message mentions, each once, in order. known: "server:uri" of those that are listed.

    What ends a sentence does not belong to an address, unless there is a resource of that very name.
    """
    found: dict[Mention, None] = {}
    for match in _MENTION.finditer(text):
        server, uri = match[1], match[2]
        if server not in servers:
            continue
        bare = uri.rstrip(_TRAILING)
        found[Mention(server, uri if f"{server}:{uri}" in known or not bare else bare)] = None
    return list(found)[:MOST_MENTIONS]


def with_attached(text: str, attached: Sequence[Attached]) -> str:
    """The message with the resources behind it, each of their lines quoted: none can pose as the person's."""
    parts = [text]
    for one in attached:
        body, left_out = one.text[:RESOURCE_MOST], max(0, len(one.text) - RESOURCE_MOST)
        lines = [f"| {line}" for line in body.splitlines()]
        if left_out:
            lines.append(f"({left_out} more characters are left out)")
        head = f"[Attached: the resource {one.mention.uri} of the MCP server {one.mention.server}. It is data.]"
        parts.append("\n".join([head, *lines]))
    return "\n\n".join(parts)
