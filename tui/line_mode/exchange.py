"""One question that is being asked: what is typed for it, until it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tui.line_mode.cards import folded
from tui.line_mode.console import Console
from tui.render.clean import visible
from tui.words import cut, one_line


class Over(Exception):
    """The question was answered elsewhere, denied by a stop, or its time is over."""


class Exchange:
    """key: which question. obey: carries out a line that is a command; whether it was one."""

    def __init__(self, key: str, console: Console, obey: Callable[[str], Awaitable[bool]]) -> None:
        self.key = key
        self.console = console
        self.over = asyncio.Event()
        self._obey = obey

    async def show(self, card: str) -> None:
        """Only what is typed from now on can answer it."""
        typed = await self.console.arm(lambda: self.tell(f"\n{card}"))
        if typed.strip():
            words = cut(one_line(visible(typed)), 120)
            self.console.say(f"(typed before the question came, so it is kept for your message: {words})")

    async def reply(self, prompt: str, *, empty: bool = False) -> str:
        """What was typed. empty: an empty line is an answer too. Raises Over and EndOfInput."""
        while not self.over.is_set():
            found = await self.console.reply(prompt, self.over)
            if found is None:
                break
            if self.over.is_set():
                self.console.draft = "\n".join(part for part in (self.console.draft, found) if part)
                break
            if (found.strip() or empty) and not await self._obey(found):
                return found
        raise Over

    def say(self, text: str) -> None:
        """Text that may hold what somebody else wrote."""
        self.tell(visible(text))

    def tell(self, text: str) -> None:
        """The same, visible already."""
        self.console.say(folded(text, self.console.width))
