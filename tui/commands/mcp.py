"""`quarterdeck mcp`: the configured servers, and what one of them offers."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import json
import shlex
import signal
from collections.abc import Iterator
from dataclasses import asdict
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from tui.argument_parser import UsageError
from tui.cli import tell
from tui.commands.common import load, report_withheld
from tui.render.clean import clean, visible
from tui.server_words import hints_words, offers_words
from tui.settings import McpSettings, Settings
from tui.settings.layers import dotted, printable
from tui.words import cut, one_line

if TYPE_CHECKING:
    from runner.mcp.hub import McpHub
    from runner.mcp.state import ServerState

LINE = 110
"""Characters of a description's first line."""


def run(args: argparse.Namespace) -> int:
    settings = load(args)
    if args.action == "list":
        return _list(settings, as_json=args.json)
    # A server that was started is ended in order, whatever ends this command.
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _show(settings, args.name, as_json=args.json)
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _list(settings: Settings, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"servers": [_as_json(settings, *pair) for pair in settings.mcp.items()]}, indent=1))
        return 0
    width = max((len(name) for name in settings.mcp), default=0)
    for name, server in settings.mcp.items():
        marks = [word for word, holds in _marks(server) if holds]
        print(f"{name:<{width}}  {_target(server)}" + (f"  ({', '.join(marks)})" if marks else ""))
        print(f"{'':<{width}}  {settings.source(dotted(('mcp', name)))}")
    if not settings.mcp:
        tell("no server is configured; a table [mcp.NAME] with a command or a url adds one")
    report_withheld(settings)
    return 0


def _marks(server: McpSettings) -> Iterator[tuple[str, bool]]:
    yield "off", not server.enabled
    yield "trusted", server.trusted
    yield "may use the model", server.sampling


def _target(server: McpSettings) -> str:
    return printable(server.url or shlex.join((server.command, *server.args)))


def _as_json(settings: Settings, name: str, server: McpSettings) -> dict[str, object]:
    """All but the values of variables and headers, which may be secrets."""
    source = settings.source(dotted(("mcp", name)))
    shown = {**asdict(server), "env": sorted(server.env), "headers": sorted(server.headers)}
    return {"name": name, **shown, "source": source.kind, "where": source.where}


def _show(settings: Settings, name: str, *, as_json: bool) -> int:
    if name not in settings.mcp:
        near = difflib.get_close_matches(name, settings.mcp, n=1)
        report_withheld(settings)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"quarterdeck mcp show: there is no server {printable(name)!r}{hint}")
    state = asyncio.run(_look(settings, name))
    if as_json:
        print(json.dumps(asdict(state), indent=1))
    else:
        _print(state)
    return 0 if state.phase == "ready" else 1


async def _look(settings: Settings, name: str) -> ServerState:
    """The server as it is once it is ready, or is not to be reached."""
    from runner.store.paths import data_dir
    from tui.engine_parts.services import make_hub

    changed = asyncio.Event()
    hub = make_hub(settings, data_dir(), changed.set, only=name)
    assert hub is not None, "the server is configured"
    await hub.start()
    try:
        while (state := _state(hub)).phase not in ("ready", "failed"):
            await changed.wait()
            changed.clear()
        return state
    finally:
        await hub.close()


def _state(hub: McpHub) -> ServerState:
    [state] = hub.servers()
    return state


def _print(state: ServerState) -> None:
    version = f", {one_line(clean(state.version))}" if state.version else ""
    offers = offers_words(state) or "nothing"
    print(f"{state.name}: {state.phase}, {state.transport}{version}, offers {offers}")
    if state.problem:
        tell(f"{state.name}: {clean(state.problem)}")
    for tool in state.tools:
        hints = hints_words(tool, trusted=state.trusted)
        _line("tool", tool.name, tool.description, f" ({hints})" if hints else "")
    for prompt in state.prompts:
        arguments = " ".join(f"{each.name}{'' if each.required else '?'}" for each in prompt.arguments)
        _line("prompt", f"/{state.name}:{prompt.name}", prompt.description, f" [{arguments}]" if arguments else "")
    for resource in state.resources:
        _line("resource", f"@{state.name}:{resource.uri}", resource.description or resource.title or resource.name)
    for reason in state.left_out:
        print(f"  left out  {_shown(reason)}")
    if state.phase != "ready" and state.stderr:
        for line in clean(state.stderr).splitlines():
            tell(f"{state.name}: {line}")


def _line(kind: str, name: str, description: str, more: str = "") -> None:
    print(f"  {kind:<8}  {_shown(name)}{visible(more)}")
    if description.strip():
        print(f"            {cut(_shown(description.strip().splitlines()[0]), LINE)}")


def _shown(text: str) -> str:
    return visible(one_line(text))
