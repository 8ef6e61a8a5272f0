"""shell: a command in the workspace, watched, bounded, and dead with all its children when the call is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from runner.messages import JsonObject
from runner.tools.base import Tool, ToolContext, ToolOutput, ToolStep
from runner.tools.builtin.command import (
    COMMAND,
    NETWORK,
    boxed_command,
    checked,
    network_concern,
    network_risks,
    wants_network,
    withheld_from,
)
from runner.tools.builtin.params import Param, checker, schema_of
from runner.tools.child import Ending
from runner.tools.names import short_name
from runner.tools.preview import command_preview
from runner.tools.process import run_process
from runner.tools.sandbox import Boxed
from runner.tools.sandbox.aside import words
from runner.tools.sandbox.hints import hints
from runner.tools.sandbox.wrap import sandbox_facts

DEFAULT_TIMEOUT = 120.0
"""Seconds for a command that names no timeout: what waits for input that never comes must not use up the run."""

_PARAMS = (
    COMMAND,
    Param(
        name="timeout",
        type="number",
        description=f"Seconds until the command is ended; {DEFAULT_TIMEOUT:g} when not given.",
        minimum=0.1,
    ),
    NETWORK,
)
_check = checker(_PARAMS)


def _validate(arguments: JsonObject) -> JsonObject:
    return checked(_check(arguments))


async def _run(ctx: ToolContext, arguments: JsonObject) -> AsyncGenerator[ToolStep, None]:
    command: str = arguments["command"]
    timeout = arguments["timeout"] or DEFAULT_TIMEOUT
    boxed = await asyncio.to_thread(boxed_command, ctx, arguments)
    ending = await run_process(
        boxed.argv, ctx, name=short_name(command), cwd=ctx.workspace, timeout=timeout, boxed=boxed
    )
    text = _as_text(ending, timeout)
    if boxed.aside:
        text += f"\n[{words(boxed.aside)}]"
    if boxed.on and ending.exit_code != 0:
        text += "".join(f"\n[{hint}]" for hint in await asyncio.to_thread(hints, ending.output, boxed))
    yield ToolOutput(
        text=text,
        status="timeout" if ending.timed_out else "ok",
        display=_display(ending, ctx, boxed),
        metadata={"output_bytes": ending.output_bytes, "sandbox": boxed.on},
    )


def _display(ending: Ending, ctx: ToolContext, boxed: Boxed) -> JsonObject:
    found: JsonObject = {"type": "command_result", "exit_code": ending.exit_code, "signal": ending.signal}
    if boxed.aside:
        found["set_aside"] = [str(path) for path, _ in boxed.aside]
    return found if ctx.sandbox.mode == "off" else found | {"sandbox": boxed.display}


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
    return command_preview(
        arguments["command"],
        ctx.workspace,
        arguments["timeout"] or DEFAULT_TIMEOUT,
        sandbox=sandbox_facts(ctx, network=wants_network(arguments)),
        withheld=withheld_from(ctx),
    )


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
    concern=network_concern,
    risks=network_risks,
    preview=_preview,
)
