"""Textual's Linux driver with its known weak places closed.

A paste is taken out of the input before the parser sees it, so nothing in it can become a key. The end of the
input ends the program instead of spinning. A terminal that is slow never blocks the event loop. A SIGCONT that no
suspension of ours preceded does not start a second reader of the keyboard.
"""

from __future__ import annotations

import codecs
import os
import queue
import selectors
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import IO, TYPE_CHECKING, Any, TextIO, cast

from textual import events
from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App

PASTE_START, PASTE_END = "\x1b[200~", "\x1b[201~"
LONGEST_PASTE = 16 * 1024 * 1024
"""Characters of one paste that are kept; the rest of it is dropped, never read as keys."""

BEHIND = 8
"""Writes that wait for the terminal before it counts as behind."""

ESCAPE_WAIT, SEQUENCE_WAIT = 0.03, 0.5
"""Seconds of silence after which escape, and a longer beginning of a sequence, are read as keys."""


class PasteGuard:
    """Splits input into pastes and everything else, whatever the pieces it arrives in."""

    def __init__(self) -> None:
        self._held = ""
        self._pasting = False
        self._paste: list[str] = []
        self._size = 0

    def feed(self, data: str) -> Iterator[tuple[bool, str]]:
        """Pairs of (is a paste, text), in order; a paste comes when it is complete."""
        data = self._held + data
        self._held = ""
        while data:
            marker = PASTE_END if self._pasting else PASTE_START
            before, found, data = data.partition(marker)
            if not found:
                kept = _beginning_of(marker, before)
                self._held = before[len(before) - kept :] if kept else ""
                before = before[: len(before) - kept]
            if self._pasting:
                self._keep(before)
            elif before:
                yield False, before
            if not found:
                return
            if self._pasting:
                yield True, "".join(self._paste)
                self._paste, self._size = [], 0
            self._pasting = not self._pasting

    def quiet(self, seconds: float) -> str:
        """Nothing came for so long: what looked like the beginning of a marker may have been a key of its own.

        Escape alone is a key soon; what is longer is no key that a person presses, so a slow terminal gets more time.
        """
        if self._pasting or seconds < (ESCAPE_WAIT if self._held == "\x1b" else SEQUENCE_WAIT):
            return ""
        held, self._held = self._held, ""
        return held

    @property
    def holds(self) -> bool:
        return bool(self._held)

    def _keep(self, text: str) -> None:
        room = LONGEST_PASTE - self._size
        if room > 0 and text:
            self._paste.append(text[:room])
            self._size += len(text)


def _beginning_of(marker: str, text: str) -> int:
    """How many characters at the end of the text may be the beginning of the marker."""
    for size in range(min(len(marker) - 1, len(text)), 0, -1):
        if text.endswith(marker[:size]):
            return size
    return 0


class _Output:
    """The terminal as a file that may vanish: what cannot be written any more is dropped, and the loss told once."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._gone = False

    def write(self, text: str) -> None:
        self._try(lambda: self._file.write(text))

    def flush(self) -> None:
        self._try(self._file.flush)

    def fileno(self) -> int:
        return self._file.fileno()

    def _try(self, action: Callable[[], object]) -> None:
        if self._gone:
            return
        try:
            action()
        except (OSError, ValueError):
            self._gone = True
            hang_up()


def hang_up() -> None:
    """A lost terminal is a hangup, whichever of its ends told first."""
    os.kill(os.getpid(), signal.SIGHUP)


class HardenedDriver(LinuxDriver):
    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)  # pyright: ignore[reportUnknownMemberType]
        assert sys.__stderr__ is not None
        self._file = cast("TextIO", _Output(sys.__stderr__))

    @property
    def behind(self) -> bool:
        """Whether the terminal has not taken what was written for it."""
        waiting = self._writes
        return waiting is not None and waiting.qsize() > BEHIND

    @property
    def _writes(self) -> queue.Queue[str | None] | None:
        writer = self._writer_thread
        return None if writer is None else writer._queue  # pyright: ignore[reportPrivateUsage]

    def start_application_mode(self) -> None:
        super().start_application_mode()
        waiting = self._writes
        if waiting is not None:
            # The library's limit of 30 writes blocks the whole program while a terminal stalls; frames are skipped
            # instead (see `behind`), so the queue stays short without a limit.
            waiting.maxsize = 0

    def _sigcont_application(self, *_: object) -> None:
        if not self._auto_restart:
            return
        if not self._must_signal_resume:
            # Stopped from outside: the shell has changed the terminal's modes, and the old reader still lives.
            self.suspend_application_mode()
            self._must_signal_resume = True
        self.resume_application_mode()
        # What the shell wrote in the meantime is still there, so everything is drawn again.
        self._loop.call_soon_threadsafe(partial(self._app.refresh, layout=True))

    def run_input_thread(self) -> None:
        """Read keys until told to stop; the end of the input is a hangup."""
        selector = selectors.DefaultSelector()
        selector.register(self.fileno, selectors.EVENT_READ)
        decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        guard, parser = PasteGuard(), XTermParser(self._debug)
        came = time.monotonic()
        try:
            while not self.exit_event.is_set():
                if selector.select(ESCAPE_WAIT if guard.holds else 0.1):
                    data = self._read()
                    if not data:
                        hang_up()
                        return
                    came = time.monotonic()
                    parser = self._take(guard.feed(decode(data)), parser)
                else:
                    parser = self._take(((False, guard.quiet(time.monotonic() - came)),), parser)
                for event in parser.tick():
                    self.process_message(event)
        finally:
            selector.close()

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, 64 * 1024)
        except OSError:
            return b""

    def _take(self, parts: Iterable[tuple[bool, str]], parser: XTermParser) -> XTermParser:
        """Send what the parts mean; a parser that chokes on its input is replaced."""
        for is_paste, text in parts:
            if is_paste:
                self.process_message(events.Paste(text.replace("\x00", "")))
            elif text:
                try:
                    for event in parser.feed(text):
                        self.process_message(event)
                except (ParseError, ValueError, OverflowError, IndexError, StopIteration):
                    parser = XTermParser(self._debug)
        return parser
