"""What the tools that run a command have in common: its parameters, its checks, and its sandbox."""

from __future__ import annotations

import shutil
from typing import Final

from runner.errors import ToolInputError
from runner.messages import JsonObject
from runner.tools.base import ToolContext
from runner.tools.builtin.params import Param
from runner.tools.environment import withheld
from runner.tools.process import environment_of
from runner.tools.sandbox import Boxed, box_up
from runner.tools.sandbox.wrap import asks_for_network

COMMAND: Final = Param(name="command", type="string", description="The command, for bash.", required=True)
NETWORK: Final = Param(
    name="network",
    type="boolean",
    description=(
        "True where the command needs the network. Commands may run in a sandbox without one; this one then needs "
        "approval."
    ),
    default=False,
)

NETWORK_CONCERN: Final = "The command wants to use the network, which the sandbox keeps from commands otherwise."
NETWORK_RISK: Final = "with network access"


def shell_path() -> str:
    """bash where there is one, as an absolute path."""
    return shutil.which("bash") or "/bin/sh"


def checked(found: JsonObject) -> JsonObject:
    """Arguments after the check of their types. network is there only where it is asked for, so that a call without it
    stays the call that somebody allowed before there was such a thing.
    """
    command = found["command"]
    if not command.strip():
        raise ToolInputError("command: is empty")
    if "\0" in command:
        raise ToolInputError("command: has a NUL character in it")
    if not found["network"]:
        del found["network"]
    return found


def wants_network(arguments: JsonObject) -> bool:
    return arguments.get("network") is True


def withheld_from(ctx: ToolContext) -> list[str]:
    """The secrets that the command does not get, by name; this program's own settings are no news."""
    names = withheld(ctx.env, hidden=ctx.hidden_env, passed=ctx.pass_env)
    return [name for name in names if not name.upper().startswith("QUARTERDECK_")]


def boxed_command(ctx: ToolContext, arguments: JsonObject) -> Boxed:
    """Blocks: call it in a thread. Raises ToolError where there must be a sandbox and is none."""
    argv = [shell_path(), "-c", arguments["command"]]
    return box_up(argv, environment_of(ctx), ctx, network=wants_network(arguments))


def network_concern(ctx: ToolContext, arguments: JsonObject) -> str | None:
    return NETWORK_CONCERN if asks_for_network(ctx, wants_network(arguments)) else None


def network_risks(ctx: ToolContext, arguments: JsonObject) -> tuple[str, ...]:
    return (NETWORK_RISK,) if asks_for_network(ctx, wants_network(arguments)) else ()
