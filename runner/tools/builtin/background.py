"""start_process, read_process, stop_process: commands that go on while the agent does something else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from runner.errors import ToolError
from runner.messages import JsonObject
from runner.tools.background import LONGEST_WAIT, Background, BackgroundProcess, Reading
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
from runner.tools.preview import command_preview
from runner.tools.sandbox.wrap import sandbox_facts

FIRST_LOOK: Final = 1.0
"""Seconds that a start waits for first words or an early end: most mistakes show by then."""

_ID = Param(name="id", type="string", description="The process, as start_process named it.", required=True)
_START = (
    COMMAND,
    Param(name="name", type="string", description="What to call it, in a word or two.", default=""),
    NETWORK,
)
_READ = (
    _ID,
    Param(
        name="wait",
        type="number",
        description=f"Seconds to wait for new output or its end, {LONGEST_WAIT:g} at most; 0 when not given.",
        minimum=0,
        default=0.0,
    ),
)
_STOP = (_ID,)
_check_start = checker(_START)


def _validate_start(arguments: JsonObject) -> JsonObject:
    return checked(_check_start(arguments))


async def _start(ctx: ToolContext, arguments: JsonObject) -> AsyncGenerator[ToolStep, None]:
    background = _background(ctx)
    boxed = await asyncio.to_thread(boxed_command, ctx, arguments)
    process = await background.start(ctx, arguments["command"], boxed, name=arguments["name"])
    try:
        reading = await background.read(process.process_id, process.session_id, wait=FIRST_LOOK)
    except asyncio.CancelledError:
        # Nobody was told of it yet: a start that is called off leaves nothing.
        await background.stopped(process.process_id, process.session_id, "run")
        raise
    text = f"Started {process.process_id} (pid {process.pid}). It goes on in the background.\n{_as_text(reading)}"
    yield ToolOutput(text=text, display=_display(reading.process, reading), metadata={"sandbox": boxed.on})


async def _read(ctx: ToolContext, arguments: JsonObject) -> AsyncGenerator[ToolStep, None]:
    background = _background(ctx)
    reading = await background.read(arguments["id"], _session(ctx), wait=arguments["wait"])
    yield ToolOutput(text=_as_text(reading), display=_display(reading.process, reading))


async def _stop(ctx: ToolContext, arguments: JsonObject) -> AsyncGenerator[ToolStep, None]:
    background = _background(ctx)
    await background.stopped(arguments["id"], _session(ctx))
    reading = await background.read(arguments["id"], _session(ctx))
    yield ToolOutput(text=_as_text(reading), display=_display(reading.process, reading))


def _background(ctx: ToolContext) -> Background:
    if not isinstance(ctx.background, Background):
        raise ToolError("Nothing can run in the background here. Use shell.")
    return ctx.background


def _session(ctx: ToolContext) -> str:
    return ctx.session_id or ctx.run_id


def _as_text(reading: Reading) -> str:
    process, piece = reading.process, reading.piece
    parts = [f"[{piece.lost:,} bytes of older output are left out]"] if piece.lost else []
    parts += [piece.text.rstrip("\n")] if piece.text.strip() else ["[no new output]"]
    parts.append(f"[{state_words(process)}]")
    if process.left_over:
        listed = "; ".join(process.left_over[:10])
        parts.append(f"[still running when the command had ended, and ended with it: {listed}]")
    return "\n".join(parts)


def state_words(process: BackgroundProcess) -> str:
    """For the model."""
    if process.state != "ended":
        return "running" if process.state == "running" else "it was asked to end, and has not yet"
    how = f"exit code {process.exit_code}" if process.exit_code is not None else f"ended by {process.signal}"
    by = {"agent": "stopped", "user": "stopped by the user", "run": "stopped with its run"}.get(process.stopped_by)
    return f"{by}: {how}" if by else f"it has ended: {how}"


def _display(process: BackgroundProcess, reading: Reading) -> JsonObject:
    return {
        "type": "process",
        "id": process.process_id,
        "name": process.name,
        "pid": process.pid,
        "state": process.state,
        "exit_code": process.exit_code,
        "signal": process.signal,
        "output": reading.piece.text[-4096:],
    }


def _preview(ctx: ToolContext, arguments: JsonObject) -> JsonObject:
    return command_preview(
        arguments["command"],
        ctx.workspace,
        None,
        sandbox=sandbox_facts(ctx, network=wants_network(arguments)),
        withheld=withheld_from(ctx),
        background=True,
    )


START_PROCESS = Tool(
    name="start_process",
    description=(
        "Start a command with bash in the working folder and leave it running, such as a server or a watcher; returns "
        "its id and its first output. It has no terminal and no input. Read it with read_process, end it with "
        "stop_process; it is ended with the session."
    ),
    parameters=schema_of(_START),
    run=_start,
    validate=_validate_start,
    kind="shell",
    concern=network_concern,
    risks=network_risks,
    preview=_preview,
)

READ_PROCESS = Tool(
    name="read_process",
    description="What a background process printed since it was last read, and whether it still runs.",
    parameters=schema_of(_READ),
    run=_read,
    validate=checker(_READ),
    kind="read",
    read_only=True,
)

STOP_PROCESS = Tool(
    name="stop_process",
    description="End a background process with all that it started.",
    parameters=schema_of(_STOP),
    run=_stop,
    validate=checker(_STOP),
    kind="other",
    requires_approval=False,
    idempotent=True,
)
