"""Builds what shows and steers runs.

Importing this imports the runner's events and state, so it comes after the first frame, in the engine's thread.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from tui.bridge import Bridge
from tui.completer import Completer
from tui.conductor import Conductor
from tui.deck import Deck
from tui.lists import ListScreens, utc_now
from tui.painter import Painter
from tui.ports import Host
from tui.screens.cockpit import CockpitScreen
from tui.terminal import frames_per_second

if TYPE_CHECKING:
    from themes import Theme
    from tui.engine import Engine
    from tui.keymap import Keymap
    from tui.ports import AppSettings


class Shell(Host, Protocol):
    """The application, as far as the parts need it."""

    @property
    def settings(self) -> AppSettings: ...

    @property
    def keys(self) -> Keymap: ...

    @property
    def engine(self) -> Engine: ...

    @property
    def cockpit(self) -> CockpitScreen: ...

    @property
    def theme_now(self) -> Theme: ...

    def quiet_since(self) -> float: ...

    def terminal_behind(self) -> bool: ...

    def terminal_drain(self) -> float: ...


class LoopScheduler:
    """Frames on the event loop that the screen lives on."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def now(self) -> float:
        return time.monotonic()

    def call_soon(self, function: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function)

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        self._loop.call_later(seconds, function)


async def build(shell: Shell) -> Conductor:
    """Mount the widgets that show runs, and connect everything."""
    settings, screen = shell.settings, shell.cockpit
    painter = Painter(screen, shell.keys, shell.theme_now, now=time.monotonic, last_input=shell.quiet_since)
    await painter.mount()

    def frame_due() -> None:
        screen.post_message(CockpitScreen.FrameDue())

    bridge = Bridge(
        LoopScheduler(),
        frame_due,
        frames_per_second=frames_per_second(settings.environ),
        lagging=shell.terminal_behind,
        drain=shell.terminal_drain,
        spent=time.thread_time,
    )
    shell.engine.on_events = bridge.wake
    conductor = Conductor(
        host=shell,
        screen=screen,
        painter=painter,
        deck=Deck(shell.engine, agent=settings.default_agent, workspace=str(settings.cwd)),
        engine=shell.engine,
        bridge=bridge,
        completer=Completer(settings.cwd, shell.engine.background, time.monotonic),
        lists=ListScreens(shell.engine, settings, shell.keys, utc_now),
        settings=settings,
    )
    conductor.repaint()
    return conductor
