"""shell: a command in the workspace, watched, bounded, and dead with all its children when the call is over."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator

from runner.errors import ToolInputError
from runner.messages import JsonObject
from runner.tools.base import Tool, ToolContext, ToolOutput, ToolStep
from runner.tools.builtin.params import Param, checker, schema_of
from runner.tools.child import Ending
from runner.tools.names import short_name
from runner.tools.preview import command_preview
from runner.tools.process import run_process

DEFAULT_TIMEOUT = 120.0
"""Seconds for a command that names no timeout: what waits for input that never comes must not use up the run."""

_PARAMS = (
    Param(name="command", type="string", description="The command, for bash.", required=True),
    Param(
        name="timeout",
        type="number",
        description=f"Seconds until the command is ended; {DEFAULT_TIMEOUT:g} when not given.",
        minimum=0.1,
    ),
)
_check = checker(_PARAMS)


def shell_path() -> str:
    """bash where there is one, as an absolute path."""
    return shutil.which("bash") or "/bin/sh"


def _validate(arguments: JsonObject) -> JsonObject:
    found = _check(arguments)
    command = found["command"]
    if not command.strip():
        raise ToolInputError("command: is empty")
    if "\0" in command:
        raise ToolInputError("command: has a NUL character in it")
    return found


async def _run(ctx: ToolContext, arguments: JsonObject) -> AsyncGenerator[ToolStep, None]:
    command: str = arguments["command"]
    timeout = arguments["timeout"] or DEFAULT_TIMEOUT
    ending = await run_process(
        [shell_path(), "-c", command], ctx, name=short_name(command), cwd=ctx.workspace, timeout=timeout
    )
    yield ToolOutput(
        text=_as_text(ending, timeout),
        status="timeout" if ending.timed_out else "ok",
        display={"type": "command_result", "exit_code": ending.exit_code, "signal": ending.signal},
        metadata={"output_bytes": ending.output_bytes},
    )


def _as_text(ending: Ending, timeout: float) -> str:
    parts = [ending.output.rstrip("\n")] if ending.output.strip() else []
    if ending.timed_out:
        parts.append(f"[the command did not finish within {timeout:g} s and was ended; it may have had effects]")
    elif ending.signal is not None:
        parts.append(f"[ended by {ending.signal}]")
    else:
        parts.append(f"[exit code {ending.exit_code}]")
    if ending.left_over:
        listed = "; ".join(ending.left_over[:10])
        parts.append(f"[still running when the command had ended, and ended with it: {listed}]")
    if ending.how == "survived":
        parts.append("[a process of this command could not be killed and may still be running]")
    return "\n".join(parts)


def _preview(ctx: ToolContext, arguments: JsonObject) -> JsonObject:
    return command_preview(arguments["command"], ctx.workspace, arguments["timeout"] or DEFAULT_TIMEOUT)


SHELL = Tool(
    name="shell",
    description=(
        "Run a command with bash in the working folder; returns what it prints and its exit code. "
        "It has no terminal and no input. What it leaves running in the background is ended with it."
    ),
    parameters=schema_of(_PARAMS),
    run=_run,
    validate=_validate,
    kind="shell",
    preview=_preview,
)
