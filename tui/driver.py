"""Textual's Linux driver with its known weak places closed.

A paste is taken out of the input before the parser sees it, so nothing in it can become a key. The end of the
input ends the program instead of spinning. A terminal that is slow never blocks the event loop. A SIGCONT that no
suspension of ours preceded does not start a second reader of the keyboard.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
from typing import TYPE_CHECKING, Any, TextIO, cast

from textual.drivers.linux_driver import LinuxDriver

from tui.key_input import Keys, hang_up, read_keys
from tui.output import Flow, Output
from tui.terminal import restore

if TYPE_CHECKING:
    from textual.app import App

PATIENCE = 2.0
"""Seconds that a terminal gets to take the last of what was written, before it is dropped."""


class HardenedDriver(LinuxDriver):
    """greeting: written whenever the screen is taken; farewell: before it is given back."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        # Started without job control, a stopped program would never be continued.
        self._stays = signal.getsignal(signal.SIGTSTP) == signal.SIG_IGN or os.getsid(0) == os.getpid()
        super().__init__(app, debug=debug, mouse=mouse, size=size)  # pyright: ignore[reportUnknownMemberType]
        assert sys.__stderr__ is not None
        self.greeting = self.farewell = ""
        self.flow = Flow()
        self._terminal = sys.__stderr__.fileno()
        self._output = Output(self._terminal, self.flow, hang_up)
        self._file = cast("TextIO", self._output)
        self._taken = False
        self._pointer = False
        if self._stays:
            signal.signal(signal.SIGTSTP, signal.SIG_IGN)

    @property
    def can_suspend(self) -> bool:
        return True

    @property
    def can_stop(self) -> bool:
        """Whether there is a shell that could continue the program after ctrl+z."""
        return not self._stays

    @property
    def behind(self) -> bool:
        """Whether the terminal has not taken what was written for it."""
        return self.flow.behind

    def write(self, data: str) -> None:
        if data.startswith("\x1b]22;"):
            self._pointer = True
        if self._writer_thread is None:
            # Between two screens, while another program has the terminal.
            return
        self.flow.queued(len(data))
        super().write(data)

    def start_application_mode(self) -> None:
        self._output.close()
        self._output = Output(self._terminal, self.flow, hang_up)
        self._file = cast("TextIO", self._output)
        self._taken = True
        super().start_application_mode()
        if self._writer_thread is None:
            # In the background of the shell: it tries again when it is continued in front.
            self._taken = False
            return
        # The library's limit of 30 writes blocks the whole program while a terminal stalls; frames are skipped
        # instead (see `behind`), so the queue stays short without a limit.
        self._writer_thread._queue.maxsize = 0  # pyright: ignore[reportPrivateUsage]
        if self.greeting:
            self.write(self.greeting)

    def stop_application_mode(self) -> None:
        if not self._taken:
            return
        self._taken = False
        if self.farewell:
            self.write(self.farewell)
        if self._mouse_pixels:
            self._mouse_pixels = False
            self.write("\x1b[?1016l")
        if self._pointer:
            self._pointer = False
            self.write("\x1b]22;default\x1b\\")
        super().stop_application_mode()

    def close(self) -> None:
        """End the writer; a terminal that takes nothing does not hold the program's end back."""
        writer, self._writer_thread = self._writer_thread, None
        if writer is None:
            return
        writer._queue.put(None)  # pyright: ignore[reportPrivateUsage]
        writer.join(PATIENCE)
        if writer.is_alive():
            self._output.abandon()
            writer.join(PATIENCE)
            restore(self._output.fileno(), self.farewell)
        self.flow.forget()

    def rescue(self) -> None:
        """Whatever happened: the terminal is as it was. Does nothing where it was given back in order."""
        if not self._taken:
            return
        self._taken = False
        if self._writer_thread is not None:
            self.close()
        if self.attrs_before is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
        restore(self._output.fileno(), self.farewell)

    def _sigtstp_application(self, *_: object) -> None:
        """A signal comes in the middle of anything, also of a write whose lock is held: the loop does what is to do."""
        if self._auto_restart:
            self._loop.call_soon_threadsafe(self._step_aside)
        else:
            # Another program has the terminal, and the loop waits for it.
            os.kill(os.getpid(), signal.SIGSTOP)

    def _sigcont_application(self, *_: object) -> None:
        if self._auto_restart:
            self._loop.call_soon_threadsafe(self._come_back)

    def _step_aside(self) -> None:
        if self._taken:
            self.suspend_application_mode()
            self._must_signal_resume = True
            told = "quarterdeck is stopped, and so is everything it runs; fg goes on\n"
            with contextlib.suppress(OSError):
                os.write(self._terminal, told.encode())
        os.kill(os.getpid(), signal.SIGSTOP)

    def _come_back(self) -> None:
        if self._taken:
            # Stopped from outside: the shell has changed the terminal's modes, and the old reader still lives.
            self.suspend_application_mode()
        self._must_signal_resume = True
        self.resume_application_mode()
        # What the shell wrote in the meantime is still there, so everything is drawn again.
        self._app.refresh(layout=True)

    def _run_input_thread(self) -> None:
        """A fault of the reader goes where the faults of all threads go."""
        self.run_input_thread()

    def run_input_thread(self) -> None:
        """Read keys until told to stop; the end of the input is a hangup."""
        read_keys(self.fileno, Keys(self.process_message, self._debug), self.exit_event)
