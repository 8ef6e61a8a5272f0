"""Line mode in this process: the real runner, store and tools, a scripted model, and lines that a test writes."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

from runner.testing import ScriptedModel
from runner.testing.scripted import Response
from runner.tools.base import Tool
from tests.tui.cockpit import MODEL, ScriptedSettings
from tui.engine import Engine, Notice
from tui.line_mode.conversation import LineMode, SpokenDeck
from tui.line_mode.writer import Writer
from tui.settings.load import load_settings

PATIENCE = 20.0


class Lines:
    """A console. text: all that was said. prompts: those that were asked so far."""

    editable, lent, width = True, False, 0

    def __init__(self, *, scripted: bool = False) -> None:
        self.draft = ""
        self.scripted = scripted
        self.text = ""
        self.prompts: list[str] = []
        self.asking = ""
        self._typed: deque[str] = deque()
        self._came = asyncio.Event()

    def type(self, line: str) -> None:
        self.asking = ""
        self._typed.append(line)
        self._came.set()

    def write(self, text: str) -> None:
        self.text += text

    def say(self, text: str) -> None:
        lead = "\n" if self.text and not self.text.endswith("\n") else ""
        self.write(f"{lead}{text}\n")

    async def line(self, attention: asyncio.Event | None) -> str | None:
        return await self._next(attention)

    async def arm(self, show: Callable[[], None]) -> str:
        show()
        return ""

    async def reply(self, prompt: str, over: asyncio.Event) -> str | None:
        self.prompts.append(prompt)
        self.asking = prompt
        try:
            return await self._next(over)
        finally:
            self.asking = ""

    async def _next(self, event: asyncio.Event | None) -> str | None:
        while not self._typed:
            if event is not None and event.is_set():
                return None
            self._came.clear()
            waiting = [asyncio.ensure_future(one.wait()) for one in (self._came, event) if one is not None]
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in waiting:
                    each.cancel()
        return self._typed.popleft()

    def waits(self, words: str) -> None:
        del words

    def lend(self) -> AbstractContextManager[None]:
        if self.scripted:
            raise OSError("there is no terminal")
        return nullcontext()

    async def drained(self) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def close(self) -> None: ...


class Talk:
    def __init__(self, mode: LineMode, console: Lines, engine: Engine, model: ScriptedModel) -> None:
        self.mode = mode
        self.console = console
        self.engine = engine
        self.model = model

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"never {what}:\n{self.console.text}"
            await asyncio.sleep(0.005)

    async def say(self, line: str, expected: str) -> str:
        """Write a line and wait until this is said; returns all that was said since."""
        start = len(self.console.text)
        self.console.type(line)
        await self.until(lambda: expected in self.console.text[start:], repr(expected))
        return self.console.text[start:]

    async def asks(self, prompt: str) -> None:
        await self.until(lambda: self.console.asking == prompt, f"asked {prompt!r}, but {self.console.asking!r}")


@asynccontextmanager
async def talk(
    folder: Path,
    responses: Iterable[Response] = (),
    *,
    limits: Mapping[str, Any] | None = None,
    scripted: bool = False,
    tools: Sequence[Tool] = (),
) -> AsyncGenerator[Talk]:
    os.makedirs(folder, exist_ok=True)
    model = ScriptedModel(responses, name=MODEL)
    settings = ScriptedSettings(load_settings(folder, os.environ), model, limits=limits or {}, tools=tools)
    loop = asyncio.get_running_loop()
    modes: list[LineMode] = []

    def post(notice: Notice) -> None:
        loop.call_soon_threadsafe(lambda: modes[0].heard(notice))

    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        console, engine = Lines(scripted=scripted), Engine(settings, post)
        writer = Writer(nowhere, "utf-8", lambda: None)
        deck = SpokenDeck(engine, agent=settings.default_agent, workspace=str(folder))
        deck.speak = console.say
        modes.append(LineMode(settings, console, writer, deck, engine))
        running = asyncio.create_task(modes[0].run(prompt=None, session=None, resume=False))
        try:
            found = Talk(modes[0], console, engine, model)
            await found.until(lambda: deck.view().store_open, "the store opened")
            yield found
        finally:
            modes[0].leave(0)
            await running
            await writer.close(1.0)
    finally:
        os.close(nowhere)
