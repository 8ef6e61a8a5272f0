"""The library's application with its known weak places closed; `tui/driver.py` does the same for its terminals."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual._styles_cache import StylesCache
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.cache import LRUCache
from textual.filter import LineFilter, Monochrome, NoColor

from tui.manners.faults import unwrapped, watch_loop
from tui.wall import Wall

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.driver import Driver
    from textual.screen import Screen

SIGNALS = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGQUIT: 131}
"""What ends the program in order, and its exit code then."""

CATCH_UP = 0.1
"""Seconds between looks at a terminal that is behind."""

TIDY_AFTER = 2.0
"""Seconds after a screen was closed until the library's cache of its widgets is emptied."""


class HardenedApp(App[int]):
    """fault: the bug that closes the program, None while there is none."""

    def __init__(self, *, driver_class: type[Driver] | None = None) -> None:
        super().__init__(driver_class=driver_class)
        self.fault: BaseException | None = None
        self._wall = Wall()
        self.colourless: LineFilter | None = None
        """Takes all colour out of what is drawn, where none is wanted."""
        self._catching_up = False
        self._tidying = False
        # The library's own keeps 64 classes of widgets; parsing them again would delay each first mount.
        self.stylesheet._parse_cache = LRUCache(1024)  # pyright: ignore[reportPrivateUsage]

    def ended_by_signal(self, code: int) -> None:
        """A signal of SIGNALS came."""
        self.exit(return_code=code)

    def on_load(self) -> None:
        """Before the terminal is taken, so that there is no moment in which a signal would leave it as it is."""
        self.take_signals()
        watch_loop(asyncio.get_running_loop(), self._handle_exception, self.note_fault)

    def take_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number, code in SIGNALS.items():
            loop.add_signal_handler(number, self.ended_by_signal, code)

    @property
    def driver(self) -> Driver | None:
        """What stands between this and the terminal."""
        return self._driver

    def suspend_program(self) -> str:
        """Stop the process until the shell continues it; why that cannot be, "" where it was done."""
        if not getattr(self._driver, "can_stop", False):
            return "not suspended: nothing here could continue the program"
        self.action_suspend_process()
        return ""

    def terminal_behind(self) -> bool:
        return bool(getattr(self._driver, "behind", False))

    def terminal_drain(self) -> float:
        """Seconds that the terminal needs for a frame."""
        flow = getattr(self._driver, "flow", None)
        return 0.0 if flow is None else float(flow.drain)

    def get_line_filters(self) -> Sequence[LineFilter]:
        # Textual's own answer to NO_COLOR is grey, in true colour, and black on black with the terminal's colours.
        found = [filter for filter in super().get_line_filters() if not isinstance(filter, Monochrome | NoColor)]
        return [*found, self._wall] if self.colourless is None else [self.colourless, self._wall]

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """A terminal that is behind gets no more frames; when it has caught up, one with everything."""
        if renderable is None or not self.terminal_behind():
            super()._display(screen, renderable)  # pyright: ignore[reportUnknownMemberType]
        elif not self._catching_up:
            self._catching_up = True
            self.set_timer(CATCH_UP, self._catch_up)

    def _catch_up(self) -> None:
        if self.terminal_behind():
            self.set_timer(CATCH_UP, self._catch_up)
        else:
            self._catching_up = False
            self.screen.refresh()

    def pop_screen(self) -> AwaitComplete:
        self.tidy_soon()
        return super().pop_screen()

    def tidy_soon(self) -> None:
        if not self._tidying:
            self._tidying = True
            # Not a timer of the library: one that a screen sets while it goes may never fire.
            asyncio.get_running_loop().call_later(TIDY_AFTER, self._tidy)

    def _tidy(self) -> None:
        """The library keeps up to 1,024 widgets alive in it, long after their screen is closed."""
        self._tidying = False
        StylesCache.get_inner_outer.cache_clear()

    def _handle_exception(self, error: Exception) -> None:
        """A bug of ours closes the screen, and is told after it: the library would print values of variables."""
        if self._exception is None:
            self._exception = error
            self._exception_event.set()  # pyright: ignore[reportUnknownMemberType]
        if self._exit:
            # A screen that was being opened when the program was left is half made; that is no reason to fail.
            self.note_fault(error)
        else:
            self._return_code = 1
            if self.fault is None:
                self.fault = unwrapped(error)
                self.failed()
        self._close_messages_no_wait()

    def failed(self) -> None:
        """A fault ends the program now."""

    def end_for_fault(self, error: Exception) -> None:
        """From any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._handle_exception, error)

    def note_fault(self, error: BaseException) -> None:
        """A fault that the program outlives, from any thread."""
