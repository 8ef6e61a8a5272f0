"""A server's tools as the runner's: each call goes through the server that has it now."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

from runner.mcp.book import Known
from runner.mcp.state import Approval
from runner.messages import JsonObject
from runner.tools.base import Tool, ToolContext, ToolStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A tool that can be offered. name: what a model calls it. original: what the server calls it.

    annotations: what the server says about its effects. known: what an approval is bound to.
    """

    name: str
    original: str
    title: str
    description: str
    parameters: JsonObject
    check: Callable[[JsonObject], JsonObject]
    annotations: JsonObject
    known: Known

    def hint(self, name: str) -> bool | None:
        found = self.annotations.get(name)
        return found if isinstance(found, bool) else None


class Owner(Protocol):
    """The server that a tool belongs to."""

    @property
    def name(self) -> str: ...

    @property
    def trusted(self) -> bool: ...

    @property
    def call_timeout(self) -> float | None: ...

    def approval(self, offered: Offered) -> Approval: ...

    def changed(self, offered: Offered) -> str: ...

    def old_description(self, offered: Offered) -> str: ...

    def approve(self, offered: Offered) -> None: ...

    def call(self, offered: Offered, ctx: ToolContext, arguments: JsonObject) -> AsyncIterator[ToolStep]: ...


def tool_of(owner: Owner, offered: Offered) -> Tool:
    """Hints about effects count only where the server is trusted."""

    def run(ctx: ToolContext, arguments: JsonObject) -> AsyncIterator[ToolStep]:
        return owner.call(offered, ctx, arguments)

    def concern(ctx: ToolContext, arguments: JsonObject) -> str | None:
        match owner.approval(offered):
            case "changed":
                changed = owner.changed(offered)
                return f"{offered.name} is not what it was when you approved it. What changed: {changed}."
            case "new" if not owner.trusted:
                return f"{offered.name} was never approved yet; what it is comes from the MCP server {owner.name!r}."
            case _:
                return None

    def preview(ctx: ToolContext, arguments: JsonObject) -> JsonObject:
        return {
            "type": "mcp",
            "server": owner.name,
            "tool": offered.original,
            "title": offered.title,
            "description": offered.description,
            "arguments": arguments,
            "annotations": offered.annotations,
            "trusted": owner.trusted,
            "approval": owner.approval(offered),
            "changed": owner.changed(offered),
            "old_description": owner.old_description(offered) if owner.approval(offered) == "changed" else "",
        }

    def risks(ctx: ToolContext, arguments: JsonObject) -> tuple[str, ...]:
        return _risks(owner, offered)

    trusted = owner.trusted
    return Tool(
        name=offered.name,
        description=offered.description,
        parameters=offered.parameters,
        run=run,
        validate=offered.check,
        read_only=trusted and offered.hint("readOnlyHint") is True,
        idempotent=trusted and offered.hint("idempotentHint") is True,
        timeout=owner.call_timeout,
        concern=concern,
        preview=preview,
        identity=offered.known.identity,
        risks=risks,
        approved=lambda: owner.approve(offered),
    )


def _risks(owner: Owner, offered: Offered) -> tuple[str, ...]:
    found = [f"a tool of the MCP server {owner.name!r}"]
    if owner.approval(offered) == "changed":
        found.append("it changed since it was approved")
    if offered.hint("destructiveHint") is True and offered.hint("readOnlyHint") is not True:
        found.append("its server says that it can destroy or overwrite")
    if offered.hint("openWorldHint") is True:
        found.append("its server says that it reaches other systems")
    return tuple(found)
