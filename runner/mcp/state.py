"""What can be seen of the servers. All text in here comes from them: it is data, bounded, and not to be obeyed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from runner.mcp.config import Transport

Phase = Literal["off", "starting", "ready", "failed", "restarting"]

Approval = Literal["new", "approved", "changed"]
"""Whether a person allowed a tool as it is now; "changed": it was another one then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolInfo:
    """A tool of a server. name: what a model calls it. original: what the server calls it.

    read_only, destructive: what the server says about it, None where it says nothing. changed: what differs from the
    tool that was approved, for people.
    """

    name: str
    original: str
    title: str = ""
    description: str = ""
    read_only: bool | None = None
    destructive: bool | None = None
    approval: Approval = "new"
    changed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptArgument:
    name: str
    description: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptInfo:
    server: str
    name: str
    title: str = ""
    description: str = ""
    arguments: tuple[PromptArgument, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceInfo:
    """uri: an address, or where template is True an RFC 6570 template of addresses."""

    server: str
    uri: str
    name: str = ""
    title: str = ""
    description: str = ""
    mime: str = ""
    size: int | None = None
    template: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerState:
    """problem: why it is not ready, or was not the last time. version: what it calls itself. left_out: tools that are
    not offered, each with the reason. restarts: after crashes, since it was started by hand or with the program.
    stderr: its last lines.
    """

    name: str
    transport: Transport
    phase: Phase
    problem: str = ""
    trusted: bool = False
    version: str = ""
    pid: int | None = None
    tools: tuple[ToolInfo, ...] = ()
    left_out: tuple[str, ...] = ()
    prompts: tuple[PromptInfo, ...] = ()
    resources: tuple[ResourceInfo, ...] = ()
    restarts: int = 0
    stderr: str = ""
