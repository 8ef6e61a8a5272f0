"""A terminal that can do something: the line is edited with prompt_toolkit, what is said is plain text.

While something runs no prompt stands below, so that text streams without the cursor ever moving. The first key opens
the prompt, and what is said meanwhile waits until the line is sent or empty again.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import termios
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.input import create_input
from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPress, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.shortcuts import CompleteStyle, PromptSession

from tui.headless import write_all
from tui.line_mode.console import QUIET, EndOfInput, columns
from tui.line_mode.writer import Writer
from tui.widgets.composer import pasted
from tui.words import count

if TYPE_CHECKING:
    from prompt_toolkit.completion import Completer
    from prompt_toolkit.history import History

READ_SIZE = 1 << 16


class PromptConsole:
    """interrupt, abort: called for Ctrl+C and Ctrl+backslash."""

    def __init__(
        self,
        writer: Writer,
        *,
        history: History,
        completer: Completer,
        interrupt: Callable[[], None],
        abort: Callable[[], None],
    ) -> None:
        self.draft = ""
        self._writer = writer
        self._interrupt, self._abort = interrupt, abort
        self._descriptor = sys.stdin.fileno()
        self._found = self._before = termios.tcgetattr(self._descriptor)
        self._loop = asyncio.get_running_loop()
        self._held: list[str] = []
        self._open: PromptSession[str] | None = None
        self._hold = False
        self._lent = False
        self._note = ""
        output = Vt100_Output.from_pty(sys.stdout, term=os.environ.get("TERM"))
        # Nothing is asked of the terminal: an answer that comes late would be taken for typing.
        output.enable_cpr = False
        self._input = create_input(sys.stdin)
        self._ahead: list[KeyPress] = []
        common: dict[str, Any] = {
            "input": self._input,
            "output": output,
            "color_depth": ColorDepth.DEPTH_1_BIT,
            "include_default_pygments_style": False,
            "complete_while_typing": False,
            "complete_style": CompleteStyle.READLINE_LIKE,
            "reserve_space_for_menu": 0,
            "key_bindings": self._keys(),
        }
        self._messages: PromptSession[str] = PromptSession(history=history, completer=completer, **common)
        self._answers: PromptSession[str] = PromptSession(**common)
        self._quiet()

    @property
    def scripted(self) -> bool:
        return False

    @property
    def editable(self) -> bool:
        return True

    @property
    def width(self) -> int:
        return columns(self._descriptor)

    @property
    def lent(self) -> bool:
        return self._lent

    def write(self, text: str) -> None:
        if self._open is None and not self._lent:
            self._writer.write(text)
            return
        self._held.append(text)
        if not self._hold and not self._lent:
            self._loop.create_task(self._say_above())

    def say(self, text: str) -> None:
        lead = "\n" if self._writer.line_open and not self._held else ""
        self.write(f"{lead}{text}\n")

    def waits(self, words: str) -> None:
        self._note = words
        if self._open is not None:
            self._open.app.invalidate()

    async def line(self, attention: asyncio.Event | None) -> str | None:
        if attention is not None and not self._ahead and not await self._key(attention):
            return None
        store_typeahead(self._input, self._ahead)
        self._ahead = []
        draft, self.draft = self.draft, ""
        return await self._edit(self._messages, self._prompt, draft, hold=attention is not None)

    async def arm(self, show: Callable[[], None]) -> str:
        typed = self._typed_ahead()
        show()
        await self._writer.drained()
        while await self._key(None, QUIET):
            typed += self._typed_ahead()
        typed = typed.rstrip("\n")
        self.draft = "\n".join(part for part in (self.draft, typed) if part)
        return typed

    async def reply(self, prompt: str, over: asyncio.Event) -> str | None:
        asking = asyncio.create_task(self._edit(self._answers, lambda: f"{prompt} ", "", hold=True))
        waiting = asyncio.create_task(over.wait())
        await asyncio.wait({asking, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not asking.done():
            if self._answers.app.is_running:
                self._answers.app.exit(result="")
            else:
                asking.cancel()
            with suppress(asyncio.CancelledError, EndOfInput):
                await asking
            return None
        return await asking

    @contextmanager
    def lend(self) -> Generator[None]:
        self._lent = True
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._found)
        try:
            yield
        finally:
            self._quiet()
            self._lent = False
            self._release()

    async def drained(self) -> None:
        await self._writer.drained()

    def close(self) -> None:
        # A terminal that is gone needs nothing back.
        with suppress(termios.error):
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._found)

    def pause(self) -> None:
        self._before = termios.tcgetattr(self._descriptor)
        self.close()

    def resume(self) -> None:
        termios.tcsetattr(self._descriptor, termios.TCSANOW, self._before)
        if self._open is not None:
            # What stood on the screen is somewhere above now.
            self._open.app.renderer.reset()
            self._open.app.invalidate()

    def _prompt(self) -> str:
        return f"({self._note}) > " if self._note else "> "

    async def _edit(self, session: PromptSession[str], prompt: Callable[[], str], draft: str, *, hold: bool) -> str:
        """One line. hold: what is said waits until it is sent; else it comes above it."""
        if self._writer.line_open:
            self._writer.write("\n")
        await self._writer.drained()
        self._open, self._hold = session, hold
        closing = session.app.key_processor.after_key_press
        if hold and session is self._messages:
            closing += self._close_empty
        try:
            return await session.prompt_async(prompt, default=draft, handle_sigint=False)
        except EOFError as error:
            raise EndOfInput from error
        finally:
            closing -= self._close_empty
            # Keys that came in one piece with the end of the line would be taken for the next one, whatever it is.
            self._ahead += get_typeahead(self._input)
            self._open = None
            self._writer.newline()
            self._release()

    def _close_empty(self, _sender: object) -> None:
        """Nothing is written any more: what waits is said."""
        app = self._messages.app
        if app.is_running and not app.is_done and not self._messages.default_buffer.text:
            app.exit(result="")

    def _release(self) -> None:
        held, self._held = "".join(self._held), []
        self._writer.write(held)

    async def _say_above(self) -> None:
        """Say it above the line that is being edited."""

        def say() -> None:
            held, self._held = "".join(self._held), []
            if held and not held.endswith("\n"):
                held += "\n"
            write_all(sys.stdout.fileno(), held.encode(sys.stdout.encoding, errors="backslashreplace"))

        if self._open is not None:
            await run_in_terminal(say)

    async def _key(self, attention: asyncio.Event | None, seconds: float | None = None) -> bool:
        """Wait for a key and leave it for whoever reads it; False when the event or the end of the time came first."""
        ready = asyncio.Event()

        def come() -> None:
            self._loop.remove_reader(self._descriptor)
            ready.set()

        self._loop.add_reader(self._descriptor, come)
        waiting = [asyncio.ensure_future(one.wait()) for one in (ready, attention) if one is not None]
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._loop.remove_reader(self._descriptor)
            for each in waiting:
                each.cancel()
        return ready.is_set()

    def _typed_ahead(self) -> str:
        """What was read already or is in the terminal's queue, as text for a message."""
        read = "".join(press.data for press in self._ahead)
        self._ahead, data = [], b""
        while select.select([self._descriptor], [], [], 0)[0]:
            piece = os.read(self._descriptor, READ_SIZE)
            if not piece:
                raise EndOfInput
            data += piece
        return pasted(read + data.decode(sys.stdin.encoding, errors="replace"))[0]

    def _quiet(self) -> None:
        """Keys are neither shown nor put together to lines; Ctrl+C is a signal."""
        wanted = termios.tcgetattr(self._descriptor)
        wanted[0] &= ~termios.ICRNL
        wanted[3] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
        wanted[6][termios.VMIN], wanted[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self._descriptor, termios.TCSANOW, wanted)

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        keys.add("c-c", eager=True)(self._on_interrupt)
        keys.add("c-\\", eager=True)(self._on_abort)
        keys.add("c-z", eager=True)(self._on_suspend)
        keys.add("c-j", eager=True)(self._on_newline)
        keys.add("escape", "enter", eager=True)(self._on_newline)
        keys.add(Keys.BracketedPaste, eager=True)(self._on_paste)
        return keys

    def _on_interrupt(self, event: KeyPressEvent) -> None:
        if event.current_buffer.text and not self._hold:
            event.current_buffer.reset()
        else:
            self._interrupt()

    def _on_abort(self, _event: KeyPressEvent) -> None:
        self._abort()

    def _on_suspend(self, _event: KeyPressEvent) -> None:
        os.kill(os.getpid(), signal.SIGTSTP)

    def _on_newline(self, event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    def _on_paste(self, event: KeyPressEvent) -> None:
        text, left_out = pasted(event.data)
        event.current_buffer.insert_text(text)
        if left_out:
            self.say(f"({count(left_out, 'invisible character')} of the paste left out)")
