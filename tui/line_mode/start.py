"""Puts line mode together on the terminal or the pipe that is there."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING

from tui.cli import EXIT_PIPE, EXIT_USAGE, tell
from tui.engine import Engine, Notice
from tui.line_mode.console import Console
from tui.line_mode.conversation import LineMode, SpokenDeck
from tui.line_mode.plain_console import PlainConsole
from tui.line_mode.writer import Writer

if TYPE_CHECKING:
    from tui.ports import AppSettings

PATIENCE = 5.0
"""Seconds in which the last words have to be read."""

_ENDS = {signal.SIGTERM: 143, signal.SIGHUP: 129}


def run_line_mode(
    settings: AppSettings, *, prompt: str | None = None, session: str | None = None, resume: bool = False
) -> int:
    """Talk until it is left; returns the exit code."""
    if sys.stdin is None or sys.stdout is None:
        tell("there is no standard input or output to talk by; use `quarterdeck run` in scripts")
        return EXIT_USAGE
    return asyncio.run(_talk(settings, prompt, session, resume))


def can_edit() -> bool:
    """Whether a line can be edited here, with the cursor moved in it."""
    plain = os.environ.get("TERM", "") in ("", "dumb", "unknown")
    return sys.stdin.isatty() and sys.stdout.isatty() and not plain


class _Parts:
    """What is made one after the other and needs each other: mode is there before anything is heard."""

    mode: LineMode
    engine: Engine


async def _talk(settings: AppSettings, prompt: str | None, session: str | None, resume: bool) -> int:
    loop, parts = asyncio.get_running_loop(), _Parts()

    def post(notice: Notice) -> None:
        loop.call_soon_threadsafe(lambda: parts.mode.heard(notice))

    engine = parts.engine = Engine(settings, post)
    writer = Writer(sys.stdout.fileno(), sys.stdout.encoding, lambda: parts.mode.leave(EXIT_PIPE))
    deck = SpokenDeck(engine, agent=settings.default_agent, workspace=str(settings.cwd))
    console = _console(settings, writer, deck, parts)
    deck.speak = console.say
    parts.mode = LineMode(settings, console, writer, deck, engine)
    _heed_signals(loop, parts.mode)
    try:
        return await parts.mode.run(prompt=prompt, session=session, resume=resume)
    finally:
        console.close()
        await writer.close(PATIENCE)


def _console(settings: AppSettings, writer: Writer, deck: SpokenDeck, parts: _Parts) -> Console:
    if not can_edit():
        return PlainConsole(writer, sys.stdin.fileno(), sys.stdin.encoding, terminal=sys.stdin.isatty())
    from runner.models.fitting import DEFAULT, LEVELS
    from runner.store.paths import data_dir
    from tui.history import history_file
    from tui.line_mode.arguments import Known
    from tui.line_mode.completing import LineCompleter, ProjectHistory
    from tui.line_mode.prompt_console import PromptConsole
    from tui.line_mode.settings import setting_values

    known: list[str] = []

    def models() -> list[str]:
        if not known:
            known.extend(info.name for info in settings.registry().catalogue())
        return known

    def processes() -> list[str]:
        session, background = deck.session_id, parts.engine.processes
        found = () if session is None or background is None else background.listed(session)
        return [one.process_id.removeprefix("p") for one in found]

    told = Known(
        servers=lambda: sorted(parts.mode.servers.names),
        processes=processes,
        settings=lambda: setting_values(settings),
        efforts=lambda: [*LEVELS, DEFAULT],
    )
    return PromptConsole(
        writer,
        history=ProjectHistory(history_file(data_dir(), settings.cwd)),
        completer=LineCompleter(settings.cwd, deck.view, models, told, lambda: parts.mode.servers),
        interrupt=lambda: parts.mode.interrupt(),
        abort=lambda: parts.mode.abort(),
    )


def _heed_signals(loop: asyncio.AbstractEventLoop, mode: LineMode) -> None:
    loop.add_signal_handler(signal.SIGINT, mode.interrupt)
    for number, code in _ENDS.items():
        loop.add_signal_handler(number, mode.leave, code)
    if mode.console.editable:
        loop.add_signal_handler(signal.SIGQUIT, mode.abort)
        loop.add_signal_handler(signal.SIGTSTP, _suspend, loop, mode)


def _suspend(loop: asyncio.AbstractEventLoop, mode: LineMode) -> None:
    """Ctrl+Z: the terminal is given back as it was, and taken again when the program goes on."""
    mode.console.pause()
    loop.remove_signal_handler(signal.SIGTSTP)
    os.kill(os.getpid(), signal.SIGTSTP)
    loop.add_signal_handler(signal.SIGTSTP, _suspend, loop, mode)
    mode.console.resume()
