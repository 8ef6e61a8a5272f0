"""Lines from a pipe, a file or a dumb terminal, without any library: the terminal itself edits the line."""

from __future__ import annotations

import asyncio
import codecs
import os
import select
import termios
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

from tui.line_mode.console import QUIET, EndOfInput, columns
from tui.line_mode.writer import Writer

READ_SIZE = 1 << 16


class PlainConsole:
    """descriptor: of the standard input. terminal: a person writes there, and sees what is typed."""

    def __init__(self, writer: Writer, descriptor: int, encoding: str, *, terminal: bool) -> None:
        self.draft = ""
        self._writer = writer
        self._descriptor = descriptor
        self._terminal = terminal
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        self._lines: deque[str] = deque()
        self._partial = ""
        self._continued: list[str] = []
        self._ended = False
        self._arrived = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._lent = False
        self._held: list[str] = []
        self._answers_from = 0
        self._listen()

    @property
    def scripted(self) -> bool:
        return not self._terminal

    @property
    def editable(self) -> bool:
        return False

    @property
    def width(self) -> int:
        return columns(self._descriptor)

    @property
    def lent(self) -> bool:
        return self._lent

    def write(self, text: str) -> None:
        if self._lent:
            self._held.append(text)
        else:
            self._writer.write(text)

    def say(self, text: str) -> None:
        lead = "\n" if self._writer.line_open and not self._held else ""
        self.write(f"{lead}{text}\n")

    async def line(self, attention: asyncio.Event | None) -> str | None:
        if self._terminal and attention is None and not self._lines:
            self.write("\n> " if self._writer.line_open else "> ")
        while not self._lines:
            if self._ended:
                self._forget_end()
                raise EndOfInput
            if not await self._wait(attention):
                return None
        return self._take()

    async def arm(self, show: Callable[[], None]) -> str:
        while not self._ended and select.select([self._descriptor], [], [], 0)[0]:
            self._read()
        # A line that has begun is no answer either, whenever it ends.
        begun = bool(self._partial or self._continued)
        before = list(self._lines)
        show()
        await self._writer.drained()
        if self._terminal:
            while await self._more(QUIET):
                pass
            # What is typed and not sent yet began before the question was read.
            with suppress(termios.error):
                termios.tcflush(self._descriptor, termios.TCIFLUSH)
            before = list(self._lines)
        self._answers_from = len(before) + begun
        return "\n".join(before)

    async def reply(self, prompt: str, over: asyncio.Event) -> str | None:
        self.write(f"{prompt} " if self._terminal else f"{prompt}\n")
        while len(self._lines) <= self._answers_from and not over.is_set():
            if self._ended:
                self._forget_end()
                raise EndOfInput
            await self._wait(over)
        if over.is_set():
            # What was written meanwhile was meant for something else.
            return None
        found = self._lines[self._answers_from]
        del self._lines[self._answers_from]
        self._typed()
        return found

    def waits(self, words: str) -> None:
        del words  # No line is being edited here that could hide the question.

    @contextmanager
    def lend(self) -> Generator[None]:
        if not self._terminal:
            raise OSError("there is no terminal")
        self._lent = True
        self._loop.remove_reader(self._descriptor)
        try:
            yield
        finally:
            self._lent = False
            self._listen()
            held, self._held = "".join(self._held), []
            self._writer.write(held)

    async def drained(self) -> None:
        await self._writer.drained()

    def pause(self) -> None:
        pass

    def resume(self) -> None:
        pass

    def close(self) -> None:
        self._loop.remove_reader(self._descriptor)

    def _take(self) -> str:
        self._typed()
        return self._lines.popleft()

    def _typed(self) -> None:
        if self._terminal:
            self._writer.newline()

    def _forget_end(self) -> None:
        """Ctrl+D on a terminal ends nothing by itself."""
        if self._terminal:
            self._ended = False
            self._listen()

    async def _more(self, seconds: float) -> bool:
        """Whether something came within so many seconds."""
        self._arrived.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._arrived.wait()
                return not self._ended
        return False

    async def _wait(self, event: asyncio.Event | None) -> bool:
        """Wait for input; False when the event came first."""
        self._arrived.clear()
        waiting = [asyncio.ensure_future(one.wait()) for one in (self._arrived, event) if one is not None]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
        return self._arrived.is_set()

    def _listen(self) -> None:
        try:
            self._loop.add_reader(self._descriptor, self._read)
        except PermissionError:
            # A file is always ready and cannot be waited for.
            while not self._ended:
                self._read()

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._arrived.set()
        if not data:
            self._ended = True
            with suppress(OSError, ValueError):
                self._loop.remove_reader(self._descriptor)
        *lines, self._partial = (self._partial + self._decoder.decode(data, final=not data)).split("\n")
        if not data and self._partial:
            lines, self._partial = [*lines, self._partial], ""
        for line in lines:
            self._add(line.rstrip("\r"))

    def _add(self, line: str) -> None:
        """A line that ends with a backslash goes on in the next one."""
        if line.endswith("\\"):
            self._continued.append(line[:-1])
            return
        self._lines.append("\n".join([*self._continued, line]))
        self._continued = []
