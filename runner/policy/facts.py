"""From a tool and its validated arguments to what a decision depends on."""

from __future__ import annotations

import os
from pathlib import Path

from runner.errors import ToolError
from runner.messages import JsonObject
from runner.policy.base import CallFacts, PathFact
from runner.policy.named import paths_among, urls_among
from runner.policy.shell import FileUse, Line, take_apart
from runner.tools.base import Activity, ProcessEnd, Tool, ToolContext
from runner.tools.files import book_of
from runner.tools.workspace import concern_about, locate

_LONGEST = 65536
"""Characters beyond which a string is not looked up on the disk; no system opens such a path."""


def call_facts(tool: Tool, ctx: ToolContext, arguments: JsonObject) -> CallFacts:
    """Ask the tool. It may look at files, so call it in a thread.

    A check that cannot be made is itself a concern: a person decides, and nothing runs because of a bug in a check.
    """
    concern: str | None = None
    requires = tool.requires_approval
    try:
        required = requires(arguments) if callable(requires) else requires
        if tool.concern is not None:
            concern = tool.concern(ctx, arguments)
    except (ToolError, OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        required = True
        concern = f"The check of this call failed ({type(error).__name__}: {error})."
    line = _line(tool, arguments)
    files = tuple(_file_call(ctx, file) for file in line.files) if line is not None else _same_as(tool, ctx, arguments)
    return CallFacts(
        tool=tool.name,
        kind=tool.kind,
        read_only=tool.read_only,
        arguments=arguments,
        requires_approval=required,
        concern=concern or next((file.concern for file in files if file.concern is not None), None),
        workspace=os.path.realpath(ctx.workspace),
        paths=_paths(ctx, arguments) if tool.kind != "shell" else (),
        urls=tuple(urls_among(arguments)),
        line=line,
        files=files,
        identity=tool.identity,
    )


def _line(tool: Tool, arguments: JsonObject) -> Line | None:
    command = arguments.get("command")
    return take_apart(command) if tool.kind == "shell" and isinstance(command, str) else None


def _paths(ctx: ToolContext, arguments: JsonObject) -> tuple[PathFact, ...]:
    return tuple(_path(ctx, text) for text in dict.fromkeys(paths_among(arguments)))


def _same_as(tool: Tool, ctx: ToolContext, arguments: JsonObject) -> tuple[CallFacts, ...]:
    """The calls of other tools that this one does the work of."""
    if tool.amounts_to is None:
        return ()
    return tuple(
        CallFacts(
            tool=name,
            kind=tool.kind,
            read_only=tool.read_only,
            arguments=given,
            workspace=os.path.realpath(ctx.workspace),
            paths=_paths(ctx, given),
            urls=tuple(urls_among(given)),
        )
        for name, given in tool.amounts_to(arguments)
    )


def _path(ctx: ToolContext, given: str) -> PathFact:
    try:
        if len(given) > _LONGEST:
            raise ToolError("no system opens such a path")
        place = locate(ctx, given)
    except ToolError:
        # What is no path is below no folder that an allowance names; a denial still reads it as it is written.
        return PathFact(given=given, real=f"\0{given}", inside=False)
    return PathFact(given=given, real=place.real, inside=place.inside)


def _file_call(ctx: ToolContext, file: FileUse) -> CallFacts:
    """A redirection as the call of the file tool that it amounts to."""
    path = file.path
    concern: str | None = None
    if path is None:
        concern = f"Which file this opens is not known before it runs: {file.raw}."
    else:
        concern = concern_about(ctx, path, writes=file.writes)
    return CallFacts(
        tool="write_file" if file.writes else "read_file",
        kind="edit" if file.writes else "read",
        read_only=not file.writes,
        arguments={"path": file.raw if path is None else path},
        concern=concern,
        workspace=os.path.realpath(ctx.workspace),
        paths=(_path(ctx, path),) if path is not None else (),
    )


class _Nobody:
    """A reporter for calls that are only looked at."""

    def activity(self, activity: Activity) -> None: ...

    def output(self, text: str, stream: str = "stdout") -> None: ...

    def process_started(
        self, pid: int, pgid: int, started: float | None, *, name: str = "", marker: str = ""
    ) -> None: ...

    def process_ended(self, end: ProcessEnd) -> None: ...


def facts_without_run(tool: Tool, arguments: JsonObject, workspace: Path, *, past: bool = False) -> CallFacts:
    """The facts of a call that nobody is going to run: for checks, tests of rules, and questions about the past.

    past: it was asked about earlier. What its run had read by then nobody knows, and a file that it made exists today,
    so the files that it names count as read.
    """
    ctx = ToolContext(run_id="", call_id="", agent="", workspace=workspace, reporter=_Nobody(), scratch={})
    if past:
        paths = _paths(ctx, arguments)
        book_of(ctx).read.update({path.real: "" for path in paths})
    return call_facts(tool, ctx, arguments)
