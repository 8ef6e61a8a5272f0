"""What the commands about a topic work with, and how they speak and ask."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from tui.line_mode.cards import folded
from tui.line_mode.exchange import Exchange, Over
from tui.render.clean import visible
from tui.session_link import SessionLink

if TYPE_CHECKING:
    from runner.store import Store
    from tui.deck import Deck
    from tui.engine import Engine
    from tui.line_mode.console import Console
    from tui.ports import AppSettings

T = TypeVar("T")


class Topic(Protocol):
    """A command with an argument of its own. Raises QuarterdeckError with what to say where it cannot be done."""

    async def obey(self, argument: str) -> None: ...


class Table:
    """obey: carries out a line that is a command; whether it was one."""

    def __init__(
        self,
        *,
        console: Console,
        deck: Deck,
        engine: Engine,
        settings: AppSettings,
        obey: Callable[[str], Awaitable[bool]],
    ) -> None:
        self.console = console
        self.deck = deck
        self.engine = engine
        self.settings = settings
        self._obey = obey

    async def open(self, session_id: str) -> None:
        """Show a stored session, as the person could by its command."""
        await self._obey(f"/sessions {SessionLink(session_id)}")

    def say(self, text: str) -> None:
        """Text that may hold what somebody else wrote."""
        self.tell([visible(text)])

    def tell(self, lines: Sequence[str]) -> None:
        """Lines that are clean already."""
        self.console.say(folded("\n".join(lines), self.console.width))

    async def stored(self, question: Callable[[Store], T]) -> T:
        return await asyncio.wrap_future(self.engine.ask(question))

    async def background(self, work: Callable[[], T]) -> T:
        return await asyncio.wrap_future(self.engine.background(work))

    async def ask(self, lines: Sequence[str], prompt: str) -> str:
        """Show something and ask about it; an empty line is "". What was typed before it came is no answer. Raises
        EndOfInput.
        """
        exchange = Exchange("", self.console, self._obey)
        try:
            await exchange.show("\n".join(lines))
            return (await exchange.reply(prompt, empty=True)).strip().lower()
        except Over:
            return ""
